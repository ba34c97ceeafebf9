"""How the API shows an interview, and pages through many of anything."""

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from interviews.models import SANE_TIME, InterviewKind, InterviewQuerySet
from interviews.states import InterviewStatus


class NewestFirst(CursorPagination):
    """Pages that stay put while rows are added: ordered by what never changes."""

    ordering = ("-pk",)
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    cursor_query_description = "Of another page, as `next` and `previous` have it."
    page_size_query_description = "Rows on a page, at most 200."

    def decode_cursor(self, request: Request) -> Any:
        """Raises ValidationError for a cursor we did not hand out."""
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                int(cursor.position)
        except (NotFound, ValueError):
            message = _("Take the cursor from the answer before.")
            raise ValidationError({"cursor": [message]}) from None
        return cursor


class PositionSerializer(serializers.Serializer):
    code = serializers.CharField()
    title = serializers.CharField()


class DepartmentSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class RecruiterSerializer(serializers.Serializer):
    name = serializers.CharField()
    email = serializers.EmailField(allow_null=True)
    phone = serializers.CharField(source="mobile", allow_null=True)


class InterviewSerializer(serializers.Serializer):
    reference = serializers.CharField()
    kind = serializers.ChoiceField(InterviewKind.choices)
    status = serializers.ChoiceField(InterviewStatus.choices)
    starts_at = serializers.DateTimeField(allow_null=True, help_text="Null while only invited.")
    position = PositionSerializer()
    department = DepartmentSerializer(source="position.department")
    recruiter = RecruiterSerializer(source="position.recruiter", allow_null=True)


class SaneTimeField(serializers.DateTimeField):
    """A time between the years 2000 and 2100; a naive one is local."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validators=SANE_TIME, **kwargs)

    def enforce_timezone(self, value: datetime) -> datetime:
        try:
            return super().enforce_timezone(value)
        except OverflowError:  # the year 1, moved west
            self.fail("overflow")


class InterviewFilter(serializers.Serializer):
    """What a list of interviews may be narrowed by."""

    status = serializers.ChoiceField(InterviewStatus.choices, required=False)
    kind = serializers.ChoiceField(InterviewKind.choices, required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        since = SaneTimeField(required=False, help_text="Starting then or later.")
        until = SaneTimeField(required=False, help_text="Starting before then.")
        return {**super().get_fields(), "from": since, "to": until}  # `from` is a Python keyword

    def narrow(self, interviews: InterviewQuerySet) -> models.QuerySet:
        """Raises ValidationError."""
        self.is_valid(raise_exception=True)
        lookups = {"from": "starts_at__gte", "to": "starts_at__lt"}
        chosen = {lookups.get(name, name): value for name, value in self.validated_data.items()}
        return interviews.filter(**chosen)
