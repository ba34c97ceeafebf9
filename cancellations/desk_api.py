"""The API for staff and for systems that work for them: the queue, searching, cancelling for the
company, policies, history. Everything begins from what the caller's departments are."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import models
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.endpoints import Endpoint
from accounts.models import User
from accounts.permissions import (
    CANCEL_FOR_COMPANY,
    DECIDE_CANCELLATION,
    EDIT_POLICIES,
    HANDLE_WORK,
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
from cancellations.models import DETAIL_MAX, EXIT_OUTCOMES, Policy, Purpose, Reason
from config.references import ALPHABET, LENGTH, new_reference
from interviews import keyset, listing, search, trail
from interviews.api import (
    AFTER,
    ByTime,
    DepartmentSerializer,
    InterviewFilter,
    InterviewSerializer,
    NewestFirst,
    PositionSerializer,
    SaneTimeField,
    from_cursor,
    to_cursor,
)
from interviews.models import (
    HistoryEntry,
    Interview,
    InterviewKind,
    InterviewQuerySet,
    Job,
    JobState,
    Position,
)
from interviews.queries import departments_of, read_departments_of, visible_to
from notifications.models import WorkItem, WorkKind
from notifications.work import TakenMeanwhile as ItemTaken

DESK = [IsAuthenticated, WorksAtDesk]
FARTHEST = timedelta(days=365)  # that work may be due
JOB = _reference("job")


class TakenMeanwhile(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "taken_meanwhile"
    title = _("Somebody was there first")
    default_detail = _("A colleague has taken this on, or settled it, meanwhile.")


class AlreadyOpen(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "already_open"
    title = _("There is one already")
    default_detail = _("A follow-up of this interview waits in the queue. Settle that one first.")


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
        source="words",
        help_text="Of an anomaly, in the caller's language; of a follow-up, what is to be done.",
    )
    interview = InterviewSerializer(allow_null=True)
    receipt = serializers.CharField(
        source="cancellation.reference",
        default=None,
        allow_null=True,
        help_text="Of a late cancellation: to be decided under cancellations/.",
    )


ME, NOBODY = "me", "nobody"
WHOSE = f"^({ME}|{NOBODY}|[1-9][0-9]{{0,17}})$"


def _code_of(person: str, user: User) -> str:
    """As work items name people: `me`, `nobody` or an id."""
    if person == NOBODY:
        return ""
    return f"user:{user.pk if person == ME else person}"


class WorkFilter(serializers.Serializer):
    state = serializers.ChoiceField(["open", "closed"], default="open")
    kind = serializers.ChoiceField(WorkKind.choices, required=False)
    department = serializers.SlugField(required=False, max_length=50, help_text="Its code.")
    assignee = serializers.RegexField(
        WHOSE, required=False, help_text="`me`, `nobody`, or the id of a colleague."
    )


class AssignmentSerializer(serializers.Serializer):
    assignee = serializers.RegexField(
        WHOSE,
        help_text="`me` takes it on, `nobody` gives it back; HR leads pass it on to a colleague by"
        " their id.",
    )
    expected = serializers.RegexField(
        WHOSE,
        required=False,
        help_text="Whose it was when you read it: `me`, `nobody` or an id. Left out: yours where"
        " you give it back, else nobody's. What a colleague has is moved only where they are named"
        " here.",
    )


class FollowUpSerializer(serializers.Serializer):
    """Something to be done about an interview."""

    interview = serializers.RegexField(f"^[{ALPHABET}]{{{LENGTH}}}$")
    task = serializers.CharField(
        max_length=DETAIL_MAX, help_text="Colleagues read it; the candidate does not."
    )
    due_at = SaneTimeField(help_text="Within the next year.")
    assignee = serializers.RegexField(
        WHOSE, default=NOBODY, help_text="`me`, `nobody`, or the id of a colleague."
    )

    def validate_due_at(self, due_at: datetime) -> datetime:
        if not timedelta(0) < due_at - timezone.now() < FARTHEST:
            raise ValidationError(_("Choose a time within the next year."))
        return due_at


class OfferSerializer(serializers.Serializer):
    """Whose something is, and to whom you can give it."""

    assignee = PersonSerializer(allow_null=True)
    offered = PersonSerializer(many=True)


class ResolutionSerializer(serializers.Serializer):
    note = serializers.CharField(max_length=500, help_text="What was done.")


class WorkItemList(Endpoint, ListAPIView):
    """What waits for your departments, the first due on top; or what is settled, the latest on
    top."""

    scopes = {"GET": Scope.READ_WORK, "POST": Scope.DO_WORK}
    permission_classes = DESK
    serializer_class = WorkItemSerializer
    pagination_class = ByTime

    def get_queryset(self) -> models.QuerySet:
        user, chosen = _user(self.request), _valid(WorkFilter(data=self.request.query_params))
        departments = read_departments_of(user)
        items = queue.work_of(user, departments)
        if "department" in chosen:
            named = [each.audience for each in departments if each.code == chosen["department"]]
            items = items.filter(audience__in=named)
        if "kind" in chosen:
            items = items.filter(kind=chosen["kind"])
        if "assignee" in chosen:
            items = items.filter(assignee=_code_of(chosen["assignee"], user))
        if chosen["state"] == "closed":
            return items.filter(closed_at__isnull=False).order_by("-closed_at", "-pk")
        return items.open().by_urgency()

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

    @extend_schema(
        operation_id="open_follow_up",
        request=FollowUpSerializer,
        responses={
            201: WorkItemSerializer,
            400: _problem("Something is missing or wrong."),
            403: _problem("You may not."),
            409: _problem("One of this interview waits already."),
        },
    )
    def post(self, request: Request) -> Response:
        """A follow-up of an interview, for a colleague, oneself or whoever takes it on."""
        user = _user(request)
        if not user.has_perm(HANDLE_WORK):
            raise PermissionDenied
        given = _valid(FollowUpSerializer(data=request.data))
        visible = visible_to(user).with_facts()
        interview = visible.filter(reference=given["interview"]).first()
        if interview is None:
            raise ValidationError({"interview": [_("No interview of yours has this number.")]})
        to = _person(given["assignee"], user, work.colleagues_for(interview))
        try:
            item = work.open_follow_up(
                interview, by=user, task=given["task"], due_at=given["due_at"], to=to
            )
        except work.AlreadyOpen:
            raise AlreadyOpen from None
        return _case(item, request, status=status.HTTP_201_CREATED)


def _item(request: Request, reference: str) -> WorkItem:
    return get_object_or_404(queue.work_of(_user(request)), reference=reference)


def _case(item: WorkItem, request: Request, *, status: int = status.HTTP_200_OK) -> Response:
    (case,) = queue.entries([item], _user(request))
    return Response(WorkItemSerializer(case).data, status=status)


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
    """Take something on, give it back, or pass it on to a colleague."""

    scopes = {"GET": Scope.READ_WORK, "POST": Scope.DO_WORK}
    permission_classes = DESK

    @extend_schema(
        operation_id="get_work_item_assignment",
        parameters=[REFERENCE],
        responses={
            200: OfferSerializer,
            403: _problem("For staff only."),
            404: _problem("Not in your departments."),
        },
    )
    def get(self, request: Request, reference: str) -> Response:
        item, user = _item(request, reference), _user(request)
        (case,) = queue.entries([item], user)
        answer = {"assignee": case.assignee, "offered": _offered(item, case, user)}
        return Response(OfferSerializer(answer).data)

    @_work_action("assign_work_item", AssignmentSerializer)
    def post(self, request: Request, reference: str) -> Response:
        item, user = _item(request, reference), _user(request)
        given = _valid(AssignmentSerializer(data=request.data))
        # Unless told otherwise nobody is talked out of what a colleague has.
        untold = ME if given["assignee"] == NOBODY else NOBODY
        expected = _code_of(given.get("expected", untold), user)
        to = _person(given["assignee"], user, work.colleagues(item))
        try:
            changed = work.assign_work(item, to=to, by=user, expected=expected)
        except ItemTaken:
            raise TakenMeanwhile from None
        return _case(changed, request)


def _offered(item: WorkItem, case: queue.Case, user: User) -> list[User]:
    """To whom `user` can give it, themselves first."""
    if item.closed_at is not None:
        return []
    people = [user]
    if user.has_perm(DECIDE_CANCELLATION):
        people += [each for each in work.colleagues(item) if each != user]
    return [each for each in people if work.may_handle(item, case.cancellation, each)]


def _person(named: str, user: User, colleagues: Iterable[User]) -> User | None:
    """Raises ValidationError for who cannot take it on."""
    if named == NOBODY:
        return None
    if named in {ME, str(user.pk)}:
        return user
    found = next((each for each in colleagues if str(each.pk) == named), None)
    if found is None:
        raise ValidationError({"assignee": [_("Choose a colleague who can take this on.")]})
    return found


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
    """As the desk's list of interviews is narrowed, and somebody to look for."""

    text = serializers.CharField(
        max_length=search.LONGEST,
        required=False,
        help_text="The number of an interview or receipt, a name or its beginning, a whole mobile"
        " or ID number or address.",
    )
    department = serializers.SlugField(required=False, max_length=50, help_text="Its code.")
    position = serializers.CharField(required=False, max_length=100, help_text="Its code.")
    recruiter = serializers.EmailField(required=False, help_text="Their email address.")
    source = serializers.CharField(  # type: ignore[assignment]
        required=False, max_length=40, help_text="The system it was imported from."
    )
    late = serializers.BooleanField(
        default=False, help_text="Only those that were ever asked to be cancelled late."
    )
    cursor = serializers.CharField(
        required=False, max_length=300, help_text="For the next ones: `next` of the answer before."
    )

    def wanted(self, user: User) -> "Searched | None":
        """None where what is named is not there. Raises ValidationError."""
        chosen = _valid(self)
        named = _named(user, chosen)
        if named is None:
            return None
        return Searched(
            status=chosen.get("status", ""),
            kind=chosen.get("kind", ""),
            source=chosen.get("source", ""),
            late=chosen["late"],
            begins=chosen.get("from"),
            ends=chosen.get("to"),
            **named,
        )


@dataclass(frozen=True)
class Searched(listing.Wanted):
    """As the desk's list, but between two moments; and one interview, where it is named."""

    begins: datetime | None = None
    ends: datetime | None = None
    reference: str = ""

    def narrow(self, interviews: InterviewQuerySet) -> InterviewQuerySet:
        interviews = super().narrow(interviews)
        if self.reference:
            interviews = interviews.filter(reference=self.reference)
        if self.begins or self.ends:
            interviews = interviews.filter(starts_at__isnull=False)
        if self.begins:
            interviews = interviews.filter(listed_at__gte=self.begins)
        if self.ends:
            interviews = interviews.filter(listed_at__lt=self.ends)
        return interviews


def _named(user: User, chosen: dict[str, Any]) -> dict[str, Any] | None:
    """The keys of the department, position and recruiter that are named by code or address; None
    where one of them is none of this user's."""
    own = departments_of(user)
    rows = {
        "department": own.filter(code=chosen.get("department")),
        "position": Position.objects.filter(
            department__in=own.values("pk"), code=chosen.get("position")
        ),
        "recruiter": User.objects.filter(email=chosen.get("recruiter", "").lower()),
    }
    keys = {
        name: found.values_list("pk", flat=True).first()
        for name, found in rows.items()
        if name in chosen
    }
    return None if None in keys.values() else keys


class SearchedInterviewSerializer(InterviewSerializer):
    candidate = serializers.CharField(source="candidate.user.name")


class SearchAnswerSerializer(serializers.Serializer):
    results = SearchedInterviewSerializer(many=True)
    next = serializers.CharField(
        allow_null=True, help_text="To be sent as `cursor` for those that come after these."
    )
    more = serializers.BooleanField(
        help_text="There are others: send `next`, or narrow the search where it is null."
    )


class InterviewSearch(Endpoint):
    """Find interviews of your departments, the latest start first. It is a POST so that no number
    or name stands in an address or a log; nothing is changed."""

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
        user, asked = _user(request), SearchSerializer(data=request.data)
        wanted = asked.wanted(user)
        text = search.tidy(asked.validated_data.get("text", ""))
        after = _place(asked.validated_data)
        people = search.Found()
        if wanted and (reference := queries.reference_of(text, user)):
            wanted = replace(wanted, reference=reference)
        elif wanted and text:
            people = search.find_people(text, user)
            wanted = replace(wanted, people=people.people)
        page = keyset.NOTHING
        if wanted:
            page = listing.some(user, wanted, ["listed_at"], size=self.MOST, after=after)
        keys = [row["pk"] for row in page.rows]
        found = Interview.objects.with_facts().in_bulk(keys)
        answer = {
            "results": [found[key] for key in keys if key in found],
            "next": _cursor_behind(page.rows[-1]) if page.older and page.rows else None,
            "more": page.older or people.more,
        }
        return Response(SearchAnswerSerializer(answer).data)


LISTED = "-listed_at"  # the order that cursors of a search belong to


def _place(chosen: dict[str, Any]) -> keyset.Place | None:
    """Behind which row to go on. Raises ValidationError."""
    return from_cursor(LISTED, chosen["cursor"])[1] if "cursor" in chosen else None


def _cursor_behind(row: dict[str, Any]) -> str:
    return to_cursor(LISTED, AFTER, keyset.Place(row["listed_at"], row["pk"]))


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
    error = serializers.CharField(
        source="error_code",
        help_text="Why it ended too early, else empty: `token_revoked`, or our fault.",
    )


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
    exit_introduction = serializers.ChoiceField(EXIT_OUTCOMES)
    exit_professional = serializers.ChoiceField(EXIT_OUTCOMES)
    exit_closing = serializers.ChoiceField(EXIT_OUTCOMES)
    exit_second_factor = serializers.BooleanField()
    cooldown_days = serializers.IntegerField()
    misstart_minutes = serializers.IntegerField()
    resume_hours = serializers.IntegerField()
    self_rebooking = serializers.BooleanField()
    move_minutes_before = serializers.IntegerField()
    moves_most = serializers.IntegerField()
    mark_days = serializers.IntegerField()
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

    interview = serializers.CharField(source="interview__reference")
    sequence = serializers.IntegerField()
    event = serializers.CharField()
    actor = serializers.CharField(help_text="user:12, system or import.")
    at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]
    previous_hash = serializers.CharField()
    hash = serializers.CharField()


HISTORY_COLUMNS = (
    "interview__reference",
    "sequence",
    "event",
    "actor",
    "data",
    "previous_hash",
    "hash",
)


class HistoryFilter(serializers.Serializer):
    interview = serializers.RegexField(f"^[{ALPHABET}]{{{LENGTH}}}$", required=False)
    event = serializers.CharField(required=False, max_length=60)
    actor = serializers.CharField(
        required=False, max_length=60, help_text="user:12, system, import"
    )
    department = serializers.SlugField(required=False, max_length=50, help_text="Its code.")
    position = serializers.CharField(required=False, max_length=100, help_text="Its code.")
    source = serializers.CharField(  # type: ignore[assignment]
        required=False, max_length=40, help_text="The system the interviews were imported from."
    )

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
    pagination_class = ByTime
    queryset = HistoryEntry.objects.none()  # trail reads them

    def _wanted(self) -> trail.Wanted | None:
        """None where what is named is not there. Raises ValidationError."""
        user, chosen = _user(self.request), _valid(HistoryFilter(data=self.request.query_params))
        named = _named(user, chosen)
        if named is not None and "interview" in chosen:
            visible = visible_to(user).filter(reference=chosen["interview"])
            interview = visible.values_list("pk", flat=True).first()
            named = None if interview is None else {**named, "interview": interview}
        if named is None:
            return None
        return trail.Wanted(
            since=chosen.get("from"),
            until=chosen.get("to"),
            event=chosen.get("event", ""),
            actor=chosen.get("actor", ""),
            source=chosen.get("source", ""),
            **named,
        )

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
        user = _user(request)
        if not user.has_perm(READ_HISTORY):
            raise PermissionDenied
        wanted, pages = self._wanted(), ByTime()
        pages.begin(request, "-at")
        found = keyset.NOTHING
        if wanted:
            where = {"after": pages.after, "before": pages.before}
            found = trail.some(user, wanted, HISTORY_COLUMNS, size=pages.size, **where)
        places = [keyset.Place(row["at"], row["pk"]) for row in found.rows]
        pages.end(places, earlier=found.newer, later=found.older)
        return pages.get_paginated_response(HistoryEntrySerializer(found.rows, many=True).data)
