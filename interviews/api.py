"""How the API shows an interview, and pages through many of anything."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param

from interviews.keyset import Place
from interviews.models import SANE_TIME, InterviewKind, InterviewQuerySet
from interviews.states import InterviewStatus

PAGE_SIZE = 50


class Pages(CursorPagination):
    """So many rows at once, and where the others are."""

    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = 200
    cursor_query_description = "Of another page, as `next` and `previous` have it."
    page_size_query_description = "Rows on a page, at most 200."


class NewestFirst(Pages):
    """Pages that stay put while rows are added: ordered by what never changes."""

    ordering = ("-pk",)

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


AFTER, BEFORE = "after", "before"


def to_cursor(order: str, way: str, place: Place) -> str:
    """What a caller sends to get what stands AFTER or BEFORE a place in a list of this order."""
    return Signer(salt=f"cursor:{order}").sign_object([way, place.at.isoformat(), place.id])


def from_cursor(order: str, cursor: str) -> tuple[str, Place]:
    """Raises ValidationError for a cursor we did not hand out for such a list."""
    try:
        way, at, key = Signer(salt=f"cursor:{order}").unsign_object(cursor)
    except BadSignature:
        message = _("Take the cursor from the answer before.")
        raise ValidationError({"cursor": [message]}) from None
    return way, Place(datetime.fromisoformat(at), key)


class ByTime(Pages):
    """Pages of a list ordered by a time and, where that is the same, by key. A cursor is the place
    of a row, both of them, so that what came in one moment, as imports do, fills any number of
    pages. (REST framework's own knows the time alone, and counts on from there.)"""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The order is the queryset's own."""
        order = str(queryset.query.order_by[0])
        column, falls = order.removeprefix("-"), order.startswith("-")
        self.begin(request, order)
        if place := self.after or self.before:
            than = "lt" if falls == (self.before is None) else "gt"
            beyond = models.Q(
                (f"{column}__{than}", place.at), (f"pk__{than}", place.id), _connector="OR"
            )
            queryset = queryset.filter(beyond, **{f"{column}__{than}e": place.at})
        if self.before:
            queryset = queryset.reverse()
        rows = list(queryset[: self.size + 1])
        more, rows = len(rows) > self.size, rows[: self.size]
        if self.before:
            rows.reverse()
        self.end(
            [Place(getattr(row, column), row.pk) for row in rows],
            earlier=more if self.before else self.after is not None,
            later=True if self.before else more,
        )
        return rows

    def begin(self, request: Request, order: str) -> None:
        """Find out which page is asked for. Raises ValidationError."""
        self.order, self.size = order, self.get_page_size(request) or PAGE_SIZE
        self.url = request.build_absolute_uri()
        self.after: Place | None = None
        self.before: Place | None = None
        if (cursor := request.query_params.get(self.cursor_query_param)) is not None:
            way, place = from_cursor(order, cursor)
            self.after, self.before = (place, None) if way == AFTER else (None, place)

    def end(self, places: Sequence[Place], *, earlier: bool, later: bool) -> None:
        """Say where the rows of this page stand, and whether there are others."""
        self.places, self.earlier, self.later = places, earlier, later

    def get_next_link(self) -> str | None:
        """Where all that stood before a place has gone meanwhile, it goes on from the beginning."""
        if not self.later:
            return None
        if not self.places:
            return remove_query_param(self.url, self.cursor_query_param)
        return self._link(AFTER, self.places[-1])

    def get_previous_link(self) -> str | None:
        return self._link(BEFORE, self.places[0]) if self.earlier and self.places else None

    def _link(self, way: str, place: Place) -> str:
        cursor = to_cursor(self.order, way, place)
        return replace_query_param(self.url, self.cursor_query_param, cursor)


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
