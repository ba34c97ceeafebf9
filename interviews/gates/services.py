"""Documents uploaded and checked, scores weighed, applications let through. Each function is one
use case, in one transaction, but for `weigh`, whose caller holds the interview's lock."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import CORRECT_INTERVIEWS, MANAGE_SLOTS, READ_DETAIL
from interviews import history
from interviews.formats import format_of
from interviews.gates import notices, queries, rules
from interviews.gates.models import (
    LARGEST_DOCUMENT,
    Below,
    Document,
    DocumentState,
    GateKind,
    GatePass,
    StageGate,
)
from interviews.models import Application, Interview, Stage
from interviews.queries import company_day, departments_of, sees_everything
from interviews.services import end_application
from interviews.signals import document_uploaded, documents_checked
from notifications.services import notify, supersede

OVER = frozenset({Stage.HIRED, Stage.ENDED})
UPLOADS_AN_HOUR = 10  # of one application; each is up to 5 MB in the database
REMIND_EVERY, REMIND_FOR = timedelta(days=3), timedelta(days=21)
ASK_EVERY = timedelta(days=1)  # by hand


class GateShut(Exception):
    """The application may not enter the stage; `gates` say what is missing."""

    def __init__(self, gates: list[queries.Before]) -> None:
        super().__init__(", ".join(each.standing for each in gates))
        self.gates = gates


class NotAccepted(Exception):
    """A file that is not taken; `code` says why: empty, too_large, format, expired, needs_expiry or
    too_often."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def require_open(application: Application, stage: str, *, at: datetime) -> None:
    """Raises GateShut where a gate stands between the application and a stage further on."""
    order = queries.ORDER
    is_onward = order.index(stage) > order.index(application.stage)
    if stage == Stage.ENDED or not is_onward:
        return
    before = queries.gates_before(application, today=company_day(at), until=stage)
    if shut := [each for each in before if not each.is_open]:
        raise GateShut(shut)


@transaction.atomic
def upload(
    application_reference: str,
    gate_id: int,
    *,
    by: User,
    content: bytes,
    expires_on: date | None = None,
    at: datetime | None = None,
) -> Document:
    """A candidate hands in a document; one that nobody has checked yet is replaced by it, and no
    longer kept.

    Raises Application.DoesNotExist where it is not theirs or is over, StageGate.DoesNotExist,
    NotAccepted.
    """
    at = at or timezone.now()
    own = Application.objects.filter(candidate__user=by).exclude(stage__in=OVER)
    if interview := latest_interview(own.get(reference=application_reference)):
        Interview.objects.lock(interview.reference)  # before the application, as scores do
    application = own.select_for_update(of=("self",)).get(reference=application_reference)
    gates = StageGate.objects.filter(position=application.position_id, is_active=True)
    gate = gates.get(pk=gate_id, kind=GateKind.DOCUMENT)
    content_type = _checked_format(content)
    lately = application.documents.filter(uploaded_at__gt=at - timedelta(hours=1))
    if lately.count() >= UPLOADS_AN_HOUR:
        raise NotAccepted("too_often")
    if gate.expires and expires_on is None:
        raise NotAccepted("needs_expiry")
    if expires_on is not None and expires_on < company_day(at):
        raise NotAccepted("expired")
    waiting = application.documents.filter(gate=gate, state=DocumentState.UPLOADED)
    for earlier in waiting.defer("data").select_for_update():
        earlier.replace()
        earlier.save(update_fields=["state", "data", "size"])
    made = Document.objects.create(
        application=application,
        gate=gate,
        content_type=content_type,
        data=content,
        size=len(content),
        uploaded_at=at,
        expires_on=expires_on if gate.expires else None,
    )
    document_uploaded.send(sender=Document, document=made)
    return made


def _checked_format(content: bytes) -> str:
    if not content:
        raise NotAccepted("empty")
    if len(content) > LARGEST_DOCUMENT:
        raise NotAccepted("too_large")
    if not (content_type := format_of(content)):
        raise NotAccepted("format")
    return content_type


@transaction.atomic
def check(
    reference: str,
    *,
    by: User,
    accepted: bool,
    note: str = "",
    expires_on: date | None = None,
) -> Document:
    """HR accepts a document, with its date of expiry as it really stands there, or says what is
    wrong with it. Raises Document.DoesNotExist, PermissionDenied, TransitionNotAllowed where
    somebody has checked it meanwhile."""
    now = timezone.now()
    documents = Document.objects.select_related("application__position", "gate")
    application = documents.defer("data").get(reference=reference).application
    _lock_interviews(application)
    document = documents.select_for_update(of=("self",)).get(reference=reference)
    _require(by, READ_DETAIL, document.application)
    if accepted:
        document.accept(by=by, at=now)
        if document.gate.expires and expires_on is not None:
            document.expires_on = expires_on
    else:
        document.reject(by=by, at=now, note=note)
    document.save(update_fields=["state", "checked_by", "checked_at", "note", "expires_on"])
    if interview := latest_interview(document.application):
        if not accepted:
            notify(*notices.document_rejected(document, interview))
        elif document.application.stage not in OVER and queries.are_accepted(
            application, today=company_day(now)
        ):
            supersede(interview.subject, notices.WHILE_MISSING)
            notify(*notices.documents_accepted(document, interview))
    _say_if_checked(application, by=by)
    return document


@transaction.atomic
def let_through(application: Application, gate: StageGate, *, by: User, reason: str) -> GatePass:
    """HR opens a gate for one application. Doing it again changes nothing. Raises
    PermissionDenied."""
    _require(by, CORRECT_INTERVIEWS, application)
    _lock_interviews(application)
    given = {"by": by, "at": timezone.now(), "reason": reason}
    made, is_new = GatePass.objects.get_or_create(
        application=application, gate=gate, defaults=given
    )
    if is_new and (interview := latest_interview(application)):
        history.record(interview, ("gate_passed", {"gate": gate.pk}), by=by, at=made.at)
    _say_if_checked(application, by=by)
    return made


def _lock_interviews(application: Application) -> None:
    """Before its documents, as who hands one in does."""
    list(application.interviews.order_by("pk").select_for_update(of=("self",)))


def _say_if_checked(application: Application, *, by: User) -> None:
    if not queries.waits_for_check(application):
        documents_checked.send(sender=Application, application=application, by=by)


def weigh(interview: Interview, scores: Mapping[str, float], *, at: datetime) -> bool:
    """Scores have come in: where one that ends the application is not reached, it ends. Whether it
    did. In the transaction of what brought them; the caller holds the interview's lock."""
    application = interview.application
    gates = StageGate.objects.filter(
        position=application.position_id,
        is_active=True,
        kind=GateKind.SCORE,
        below=Below.ENDS,
        dimension__in=list(scores),
    )
    passed = set(application.passes.values_list("gate_id", flat=True))
    for gate in gates.order_by("pk"):
        found = rules.score(scores, dimension=gate.dimension, minimum=gate.minimum or 0)
        if found is rules.Standing.BELOW and gate.pk not in passed:
            if Application.objects.filter(pk=application.pk, stage__in=OVER).exists():
                return False
            called_off = end_application(application, by=None, at=at)
            if called_off is None:
                return False
            facts = {"gate": gate.pk, "dimension": gate.dimension}
            history.record(interview, ("ended_by_score", facts), by=None, at=at)
            supersede(interview.subject, notices.ABOUT_DOCUMENTS)
            if not called_off:  # else they have been told with that
                notify(*notices.ended(interview))
            return True
    return False


@transaction.atomic
def remind_of_missing(application_id: int, *, now: datetime | None = None) -> bool:
    """Tell a candidate whose interview is over which documents are still needed: once in
    REMIND_EVERY, for REMIND_FOR. Whether there was anything to tell."""
    now = now or timezone.now()
    application = Application.objects.select_for_update(of=("self",)).get(pk=application_id)
    interview = latest_interview(application)
    if application.stage in OVER or interview is None or interview.ended_at is None:
        return False
    since = now - interview.ended_at
    before = queries.gates_before(application, today=company_day(now))
    missing = [each.gate for each in before if each.is_asked_for]
    if not missing or not timedelta(0) <= since < REMIND_FOR:
        return False
    notify(*notices.documents_missing(interview, missing, time=since // REMIND_EVERY))
    return True


@transaction.atomic
def ask_for_documents(application: Application, *, by: User, now: datetime | None = None) -> bool:
    """HR asks the candidate for what is still needed, once a day. Whether there was anything to
    ask for. Raises PermissionDenied."""
    _require(by, MANAGE_SLOTS, application)
    now = now or timezone.now()
    latest = latest_interview(application)
    if latest is None or application.stage in OVER:
        return False
    interview = Interview.objects.lock(latest.reference)
    before = queries.gates_before(application, today=company_day(now))
    missing = [each.gate for each in before if each.is_asked_for]
    lately = interview.history.filter(event="documents_asked", at__gt=now - ASK_EVERY)
    if not missing or lately.exists():
        return False
    asked = {"gates": [gate.pk for gate in missing]}
    history.record(interview, ("documents_asked", asked), by=by, at=now)
    notify(*notices.documents_missing(interview, missing, time=now.isoformat()))
    return True


def latest_interview(application: Application) -> Interview | None:
    """The one that messages and work about the application are filed under."""
    return application.interviews.with_facts().order_by("-pk").first()


def _require(by: User, permission: str, application: Application) -> None:
    if not by.has_perm(permission):
        raise PermissionDenied
    department = application.position.department_id
    if not sees_everything(by) and not departments_of(by).filter(pk=department).exists():
        raise PermissionDenied
