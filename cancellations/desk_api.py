"""The API for staff and for systems that work for them: the queue, searching, cancelling for the
company, policies, history. Everything begins from what the caller's departments are."""

from datetime import date, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import models
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoints import Endpoint
from accounts.permissions import (
    CANCEL_FOR_COMPANY,
    EDIT_POLICIES,
    READ_HISTORY,
)
from accounts.scopes import Scope
from cancellations import company, jobs, queries, queue, rules, services, work
from cancellations.api import (
    REFERENCE,
    AlreadyOver,
    CancellationSerializer,
    WorksAtDesk,
    _problem,
    _reference,
    _user,
    _valid,
)
from cancellations.models import DETAIL_MAX, Policy, Purpose, Reason
from config.references import ALPHABET, LENGTH, new_reference
from interviews import search, trail
from interviews.api import (
    DepartmentSerializer,
    InterviewFilter,
    InterviewSerializer,
    NewestFirst,
    PositionSerializer,
)
from interviews.models import HistoryEntry, Interview, InterviewKind, Job, JobState
from interviews.queries import departments_of, visible_to
from notifications.models import WorkItem, WorkKind
from notifications.work import TakenMeanwhile as ItemTaken

DESK = [IsAuthenticated, WorksAtDesk]
JOB = _reference("job")


class TakenMeanwhile(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "taken_meanwhile"
    title = _("Somebody was there first")
    default_detail = _("A colleague has taken this on, or settled it, meanwhile.")


class ReasonOfCompany(serializers.Serializer):
    """Why the company cancels, and what candidates read of it."""

    reason = serializers.CharField(max_length=50, help_text="A code from reasons/?for=company.")
    detail = serializers.CharField(
        max_length=DETAIL_MAX, allow_blank=True, default="", help_text="Only HR reads it."
    )
    note = serializers.CharField(
        max_length=DETAIL_MAX, allow_blank=True, default="", help_text="The candidates read it."
    )

    def validate_reason(self, code: str) -> Reason:
        for reason in queries.offered_reasons(Purpose.COMPANY):
            if reason.code == code:
                return reason
        raise ValidationError(_("Choose one of the reasons offered."), code="unknown")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            attrs["detail"] = attrs["reason"].clean_detail(attrs["detail"])
        except ModelValidationError as error:
            raise ValidationError({"detail": error.messages}) from error
        return attrs


# --- The queue ----------------------------------------------------------------------------------


class ByTime(CursorPagination):
    """Pages ordered by a time, and by key where that is the same."""

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
                datetime.fromisoformat(str(cursor.position))
        except (NotFound, ValueError):
            message = _("Take the cursor from the answer before.")
            raise ValidationError({"cursor": [message]}) from None
        return cursor


class SoonestDue(ByTime):
    ordering = ("due_at", "pk")


class NewestEntryFirst(ByTime):
    ordering = ("-at", "-id")


class PersonSerializer(serializers.Serializer):
    id = serializers.CharField(source="pk", help_text="As in `user:12` of the history.")
    name = serializers.CharField()


class WorkItemSerializer(serializers.Serializer):
    """Something to do, with what it is about."""

    reference = serializers.CharField(source="item.reference")
    kind = serializers.ChoiceField(WorkKind.choices, source="item.kind")
    opened_at = serializers.DateTimeField(source="item.opened_at")
    due_at = serializers.DateTimeField(source="item.due_at")
    assignee = PersonSerializer(allow_null=True)
    closed_at = serializers.DateTimeField(source="item.closed_at", allow_null=True)
    closed_by = PersonSerializer(allow_null=True)
    note = serializers.CharField(source="item.note")
    about = serializers.CharField(
        source="words", help_text="Of an anomaly or a follow-up, in the caller's language."
    )
    interview = InterviewSerializer(allow_null=True)
    receipt = serializers.CharField(
        source="cancellation.reference",
        default=None,
        allow_null=True,
        help_text="Of a late cancellation: to be decided under cancellations/.",
    )


class WorkFilter(serializers.Serializer):
    state = serializers.ChoiceField(["open", "closed"], default="open")
    kind = serializers.ChoiceField(WorkKind.choices, required=False)
    assignee = serializers.ChoiceField(["me", "nobody"], required=False)


class AssignmentSerializer(serializers.Serializer):
    assignee = serializers.ChoiceField(
        ["me", "nobody"], help_text="`me` takes it on, `nobody` gives it back."
    )


class ResolutionSerializer(serializers.Serializer):
    note = serializers.CharField(max_length=500, help_text="What was done.")


class WorkItemList(Endpoint, ListAPIView):
    """What waits for your departments, the first due on top."""

    scopes = {"GET": Scope.READ_WORK}
    permission_classes = DESK
    serializer_class = WorkItemSerializer
    pagination_class = SoonestDue

    def get_queryset(self) -> models.QuerySet:
        user, chosen = _user(self.request), _valid(WorkFilter(data=self.request.query_params))
        items = queue.work_of(user).filter(closed_at__isnull=chosen["state"] == "open")
        if "kind" in chosen:
            items = items.filter(kind=chosen["kind"])
        if "assignee" in chosen:
            mine = f"user:{user.pk}" if chosen["assignee"] == "me" else ""
            items = items.filter(assignee=mine)
        return items

    @extend_schema(
        operation_id="list_work_items",
        parameters=[WorkFilter],
        responses={
            200: WorkItemSerializer(many=True),
            400: _problem("Bad filter."),
            403: _problem("For staff only."),
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        items = self.paginate_queryset(self.get_queryset()) or []
        cases = queue.entries(items, _user(request))
        return self.get_paginated_response(WorkItemSerializer(cases, many=True).data)


def _item(request: Request, reference: str) -> WorkItem:
    return get_object_or_404(queue.work_of(_user(request)), reference=reference)


def _case(item: WorkItem, request: Request) -> Response:
    (case,) = queue.entries([item], _user(request))
    return Response(WorkItemSerializer(case).data)


def _work_action(operation_id: str, body: type[serializers.Serializer]) -> Any:
    return extend_schema(
        operation_id=operation_id,
        parameters=[REFERENCE],
        request=body,
        responses={
            200: WorkItemSerializer,
            400: _problem("Something is missing."),
            403: _problem("You may not take this on."),
            404: _problem("Not in your departments."),
            409: _problem("Somebody else has it, or it is settled."),
        },
    )


class Assignment(Endpoint):
    """Take something on, or give it back."""

    scopes = {"POST": Scope.DO_WORK}
    permission_classes = DESK

    @_work_action("assign_work_item", AssignmentSerializer)
    def post(self, request: Request, reference: str) -> Response:
        item, user = _item(request, reference), _user(request)
        takes = _valid(AssignmentSerializer(data=request.data))["assignee"] == "me"
        try:
            # Nobody is talked out of what a colleague has: it must be free, or one's own.
            expected = "" if takes else f"user:{user.pk}"
            changed = work.assign_work(item, to=user if takes else None, by=user, expected=expected)
        except ItemTaken:
            raise TakenMeanwhile from None
        return _case(changed, request)


class Resolution(Endpoint):
    """Settle an anomaly or a follow-up. A late cancellation is settled by its decision."""

    scopes = {"POST": Scope.DO_WORK}
    permission_classes = DESK

    @_work_action("resolve_work_item", ResolutionSerializer)
    def post(self, request: Request, reference: str) -> Response:
        item = _item(request, reference)
        note = _valid(ResolutionSerializer(data=request.data))["note"]
        try:
            settled = work.resolve_work(item, by=_user(request), note=note)
        except ItemTaken:
            raise TakenMeanwhile from None
        return _case(settled, request)


# --- Searching ----------------------------------------------------------------------------------


class SearchSerializer(InterviewFilter):
    """As the filters of interviews/, and somebody to look for."""

    text = serializers.CharField(
        max_length=search.LONGEST,
        required=False,
        help_text="A reference, a name or its beginning, a whole mobile or ID number or address.",
    )


class SearchedInterviewSerializer(InterviewSerializer):
    candidate = serializers.CharField(source="candidate.user.name")


class SearchAnswerSerializer(serializers.Serializer):
    results = SearchedInterviewSerializer(many=True)
    more = serializers.BooleanField(
        help_text="There are others that are not listed: narrow the search."
    )


class InterviewSearch(Endpoint):
    """Find interviews of your departments. It is a POST so that no number or name stands in an
    address or a log; nothing is changed."""

    scopes = {"POST": Scope.READ_INTERVIEWS}
    permission_classes = DESK
    MOST = 200

    @extend_schema(
        operation_id="search_interviews",
        request=SearchSerializer,
        responses={
            200: SearchAnswerSerializer,
            400: _problem("Bad filter."),
            403: _problem("For staff only."),
        },
    )
    def post(self, request: Request) -> Response:
        user, wanted = _user(request), SearchSerializer(data=request.data)
        text = _valid(wanted).pop("text", "")
        more, found = False, visible_to(user).with_facts()
        if reference := search.as_reference(search.tidy(text)):
            found = found.filter(reference=reference)
        elif text:
            people = search.find_people(text, user)
            more, found = people.more, found.filter(application__candidate__in=people.people)
        rows = list(wanted.narrow(found).order_by("-pk")[: self.MOST + 1])
        answer = {"results": rows[: self.MOST], "more": more or len(rows) > self.MOST}
        return Response(SearchAnswerSerializer(answer).data)


# --- Cancelling for the company -----------------------------------------------------------------


class CompanyCancellation(Endpoint):
    """The company calls an interview off, and everybody is told."""

    scopes = {"POST": Scope.CANCEL_INTERVIEWS}
    permission_classes = DESK

    @extend_schema(
        operation_id="cancel_for_company",
        parameters=[REFERENCE],
        request=ReasonOfCompany,
        responses={
            201: CancellationSerializer,
            200: OpenApiResponse(CancellationSerializer, "Done before: the same receipt."),
            400: _problem("Unknown reason, or a detail is missing."),
            403: _problem("You may not."),
            404: _problem("Not in your departments."),
            409: _problem("It is under way, or over."),
        },
    )
    def post(self, request: Request, reference: str) -> Response:
        user = _user(request)
        get_object_or_404(visible_to(user), reference=reference)
        if not user.has_perm(CANCEL_FOR_COMPANY):
            raise PermissionDenied
        given = _valid(ReasonOfCompany(data=request.data))
        try:
            cancellation, created = company.cancel_for_company(reference, by=user, **given)
        except Interview.DoesNotExist:
            raise NotFound from None
        except services.AlreadyOver:
            raise AlreadyOver from None
        return Response(
            CancellationSerializer(cancellation, context={"request": request}).data,
            status=status.HTTP_201_CREATED if created else status.HTTP_200_OK,
            headers={"Location": reverse("api:receipt", args=[cancellation.reference])},
        )


class ManySerializer(ReasonOfCompany):
    references = serializers.ListField(
        child=serializers.RegexField(f"^[{ALPHABET}]{{{LENGTH}}}$"),
        min_length=1,
        max_length=company.MOST_AT_ONCE,
        help_text="Those that cannot be called off are left alone, and the report says why.",
    )


class JobSerializer(serializers.Serializer):
    """Work in the background."""

    job = serializers.CharField(source="reference")
    state = serializers.ChoiceField(JobState.choices)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class JobRowSerializer(serializers.Serializer):
    interview = serializers.SerializerMethodField()
    outcome = serializers.CharField()
    receipt = serializers.CharField(source="detail.receipt", default="")

    def get_interview(self, row: Any) -> str:
        return row.subject.removeprefix("interview:")


class JobWithRowsSerializer(JobSerializer):
    rows = JobRowSerializer(many=True, help_text="What became of each, as far as it is done.")


class CompanyCancellations(Endpoint):
    """The company calls many interviews off, in the background."""

    scopes = {"POST": Scope.CANCEL_INTERVIEWS}
    permission_classes = DESK

    @extend_schema(
        operation_id="cancel_many_for_company",
        request=ManySerializer,
        responses={
            202: OpenApiResponse(JobSerializer, "Begun: `Location` tells how far it is."),
            400: _problem("Unknown reason, a detail is missing, or no reference."),
            403: _problem("You may not."),
        },
    )
    def post(self, request: Request) -> Response:
        user = _user(request)
        if not user.has_perm(CANCEL_FOR_COMPANY):
            raise PermissionDenied
        given = _valid(ManySerializer(data=request.data))
        given["references"] = list(dict.fromkeys(given["references"]))
        job = jobs.start_cancelling(**given, by=user, reference=new_reference())
        return Response(
            JobSerializer(job).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": reverse("api:job", args=[job.reference])},
        )


class JobDetail(Endpoint):
    """How far a job of yours is, and what became of each interview."""

    scopes = {"GET": Scope.CANCEL_INTERVIEWS}
    permission_classes = DESK

    @extend_schema(
        operation_id="get_job",
        parameters=[JOB],
        responses={200: JobWithRowsSerializer, 404: _problem("No such job of yours.")},
    )
    def get(self, request: Request, job: str) -> Response:
        own = Job.objects.filter(requested_by=_user(request), kind=jobs.COMPANY_CANCEL)
        found = get_object_or_404(own.defer("file", "params"), reference=job)
        return Response(JobWithRowsSerializer(found).data)


# --- Policies -----------------------------------------------------------------------------------


class TierSerializer(serializers.Serializer):
    notice_minutes = serializers.IntegerField(help_text="At this notice or more.")
    outcome = serializers.ChoiceField(list(rules.Outcome))
    short_notice = serializers.BooleanField()


class CategorySerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class PolicySerializer(serializers.Serializer):
    """A policy. The most specific one in force applies: by position, then position category, then
    department, then kind."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    is_active = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True, help_text="Null: from the beginning.")
    until = serializers.DateTimeField(allow_null=True, help_text="Null: without an end.")
    department = DepartmentSerializer(allow_null=True)
    category = CategorySerializer(allow_null=True)
    position = PositionSerializer(allow_null=True)
    kind = serializers.ChoiceField(InterviewKind.choices, allow_blank=True)
    promised_minutes = serializers.IntegerField()
    default_decision = serializers.ChoiceField(list(rules.Default))
    default_minutes_before = serializers.IntegerField()
    tiers = TierSerializer(many=True)


class PolicyList(Endpoint, ListAPIView):
    """The rules for cancelling that concern your departments."""

    scopes = {"GET": Scope.READ_POLICIES}
    permission_classes = DESK
    serializer_class = PolicySerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> models.QuerySet[Policy]:
        user = _user(self.request)
        if not user.has_perm(EDIT_POLICIES):
            raise PermissionDenied
        return queries.visible_policies(user).prefetch_related("tiers")

    @extend_schema(
        operation_id="list_policies",
        responses={200: PolicySerializer(many=True), 403: _problem("For those who write them.")},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


# --- History ------------------------------------------------------------------------------------


class HistoryEntrySerializer(serializers.Serializer):
    """One thing that happened. `data` holds codes, times and states, nothing personal."""

    interview = serializers.CharField(source="interview.reference")
    sequence = serializers.IntegerField()
    event = serializers.CharField()
    actor = serializers.CharField(help_text="user:12, system or import.")
    at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]
    previous_hash = serializers.CharField()
    hash = serializers.CharField()


class HistoryFilter(serializers.Serializer):
    interview = serializers.RegexField(f"^[{ALPHABET}]{{{LENGTH}}}$", required=False)
    event = serializers.CharField(required=False, max_length=60)
    actor = serializers.CharField(
        required=False, max_length=60, help_text="user:12, system, import"
    )
    department = serializers.SlugField(required=False, max_length=50, help_text="Its code.")

    def get_fields(self) -> dict[str, serializers.Field]:
        since = serializers.DateField(required=False, help_text="On this day or later.")
        until = serializers.DateField(required=False, help_text="On this day or earlier.")
        return {**super().get_fields(), "from": since, "to": until}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("from", "to"):
            if name in attrs and not date(2000, 1, 1) <= attrs[name] < date(2100, 1, 1):
                message = _("Choose a day between the years 2000 and 2100.")
                raise ValidationError({name: [message]})
        return attrs


class HistoryList(Endpoint, ListAPIView):
    """What happened to the interviews of your departments, newest first."""

    scopes = {"GET": Scope.READ_HISTORY}
    permission_classes = DESK
    serializer_class = HistoryEntrySerializer
    pagination_class = NewestEntryFirst

    def get_queryset(self) -> models.QuerySet[HistoryEntry]:
        user = _user(self.request)
        if not user.has_perm(READ_HISTORY):
            raise PermissionDenied
        chosen = _valid(HistoryFilter(data=self.request.query_params))
        wanted: dict[str, Any] = {
            "since": chosen.get("from"),
            "until": chosen.get("to"),
            "event": chosen.get("event", ""),
            "actor": chosen.get("actor", ""),
        }
        nothing = HistoryEntry.objects.none()
        if "department" in chosen:
            own = departments_of(user).filter(code=chosen["department"])
            wanted["department"] = own.values_list("pk", flat=True).first()
            if wanted["department"] is None:
                return nothing
        if "interview" in chosen:
            visible = visible_to(user).filter(reference=chosen["interview"])
            wanted["interview"] = visible.values_list("pk", flat=True).first()
            if wanted["interview"] is None:
                return nothing
        return trail.everything(user, trail.Wanted(**wanted)).select_related("interview")

    @extend_schema(
        operation_id="list_history",
        parameters=[HistoryFilter],
        responses={
            200: HistoryEntrySerializer(many=True),
            400: _problem("Bad filter."),
            403: _problem("You may not read history."),
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)
