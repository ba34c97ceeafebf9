"""What HR decides about an absence, and what candidates say against it. Each function is one use
case, in one transaction, but for those that say that the caller holds the interview's lock."""

from datetime import datetime, timedelta

import structlog
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from accounts.models import User
from accounts.permissions import DECIDE_APPEAL, HANDLE_WORK, SET_MARK
from cancellations.absences import notices, queries
from cancellations.absences.models import MISSED, Absence, Decision
from cancellations.queries import policies_in_force, policy_for
from cancellations.work import at_ten
from candidates import queries as record
from candidates import services as marks
from candidates.models import Appeal, Mark, MarkState
from candidates.services import Unfair as Unfair
from interviews import history
from interviews.models import Interview
from interviews.queries import free_slots
from interviews.reminders.rules import Doubt
from interviews.services import miss_interview, reinstate_interview
from interviews.states import InterviewStatus
from notifications import work
from notifications.models import WorkItem, WorkKind
from notifications.services import notify, supersede

logger = structlog.get_logger(__name__)

TO_DECIDE = timedelta(hours=24)
WHILE_OPEN = ("absence_to_decide", "interview_missed")
WHILE_MARKED = ("mark_set", "appeal_to_decide")
MOST_EXPIRED = 500  # marks at a time


class AlreadyDecided(Exception):
    """A colleague was there first, or something else has happened to the interview."""


def open_absence(
    interview: Interview, code: str, *, at: datetime, knows: bool = False
) -> Absence | None:
    """HR has to look at it; once for each appointment. None where that is so already, or nothing
    was ever booked. The candidate learns that they were missed, unless they know (`knows`). The
    caller holds the interview's lock."""
    if interview.starts_at is None:
        return None
    absence, is_new = Absence.objects.get_or_create(
        interview=interview,
        starts_at=interview.starts_at,
        defaults={"code": code, "opened_at": at},
    )
    if not is_new:
        return None
    _open_item(interview, WorkKind.ABSENCE, {"code": code, "absence": absence.reference}, at=at)
    if code == MISSED and not knows:
        notify(*notices.missed(absence, interview))
    notify(*notices.to_look_at(absence, interview))
    return absence


def _open_item(
    interview: Interview,
    kind: WorkKind,
    params: dict[str, str],
    *,
    at: datetime,
    due_at: datetime | None = None,
) -> None:
    work.open_item(
        kind,
        audience=interview.position.department.audience,
        subject=interview.subject,
        params=params,
        opened_at=at,
        due_at=due_at or at + TO_DECIDE,
    )
    item = WorkItem.objects.open().get(subject=interview.subject, kind=kind)
    told = {"item": item.reference, "kind": item.kind}
    history.record(interview, ("work_opened", told), by=None, at=at)


@transaction.atomic
def excuse(reference: str, *, by: User, note: str = "") -> Absence:
    """Nothing follows from it, and the candidate learns so.

    Raises Absence.DoesNotExist, PermissionDenied, AlreadyDecided.
    """
    now = timezone.now()
    absence, interview = _lock(reference, by)
    evidence = queries.known_of(interview, now).as_evidence()
    missed = _put_down_as_missed(interview, at=now)
    _decide(absence, interview, Decision.EXCUSED, evidence, by=by, note=note, at=now)
    history.record(interview, *missed, ("absence_excused", _told(absence)), by=by, at=now)
    notify(*notices.excused(absence, interview))
    return absence


@transaction.atomic
def rebook(reference: str, *, by: User, slot_id: int, note: str = "") -> Absence:
    """They get another time of the same position, and nothing is held against them.

    Raises Absence.DoesNotExist, PermissionDenied, AlreadyDecided, Slot.DoesNotExist, SlotFull.
    """
    now = timezone.now()
    absence, interview = _lock(reference, by)
    slot = free_slots(interview, now=now).get(pk=slot_id)
    evidence = queries.known_of(interview, now).as_evidence()
    _put_down_as_missed(interview, at=now)
    reinstate_interview(interview, starts_at=slot.starts_at, at=now)
    _decide(absence, interview, Decision.REBOOKED, evidence, by=by, note=note, at=now)
    history.record(
        interview,
        ("absence_rebooked", _told(absence)),
        ("booked", {"slot": slot.pk, "starts_at": slot.starts_at.isoformat()}),
        by=by,
        at=now,
    )
    notify(*notices.rebooked(absence, interview))
    return absence


@transaction.atomic
def mark(reference: str, *, by: User, note: str = "") -> Mark:
    """Hold it against them, for as long as the policy says.

    Raises Absence.DoesNotExist, PermissionDenied, AlreadyDecided (also where a mark for it was
    lifted), and Unfair where anything known at this moment forbids it.
    """
    if not by.has_perm(SET_MARK):
        raise PermissionDenied
    now = timezone.now()
    absence, interview = _lock(reference, by)
    evidence = queries.known_of(interview, now).as_evidence()
    before = Mark.objects.filter(interview=interview.reference, starts_at=absence.starts_at)
    if not evidence["obstacles"] and before.exists():
        raise AlreadyDecided
    policy = policy_for(interview, policies_in_force(now))
    made = marks.set_mark(
        interview.candidate,
        interview=interview.reference,
        starts_at=absence.starts_at,
        evidence=evidence,
        by=by,
        at=now,
        expires_at=now + policy.mark_lasts,
    )
    missed = _put_down_as_missed(interview, at=now)
    _decide(absence, interview, Decision.MARKED, evidence, by=by, note=note, at=now)
    told = {**_told(absence), "mark": made.reference}
    history.record(interview, *missed, ("absence_marked", told), by=by, at=now)
    notify(*notices.marked(made, interview))
    return made


@transaction.atomic
def attended(reference: str, *, by: User, note: str = "") -> Absence:
    """They were there after all, where nobody had seen it: the interview took place.

    Raises Absence.DoesNotExist, PermissionDenied, AlreadyDecided, TransitionNotAllowed where it was
    put down as missed before.
    """
    now = timezone.now()
    absence, interview = _lock(reference, by)
    if interview.status != InterviewStatus.BOOKED:
        raise TransitionNotAllowed
    evidence = queries.known_of(interview, now).as_evidence()
    interview.start()
    interview.save(update_fields=["status"])
    interview.complete(at=now)
    interview.save(update_fields=["status", "ended_at"])
    _decide(absence, interview, Decision.ATTENDED, evidence, by=by, note=note, at=now)
    history.record(interview, ("absence_attended", _told(absence)), "completed", by=by, at=now)
    return absence


def _lock(reference: str, by: User) -> tuple[Absence, Interview]:
    """The absence with its interview, both locked, the interview first."""
    if not by.has_perm(HANDLE_WORK):
        raise PermissionDenied
    found = Absence.objects.values_list("interview__reference", flat=True).get(reference=reference)
    interview = Interview.objects.lock(found)
    absence = Absence.objects.select_for_update().get(reference=reference)
    stands = interview.status in {InterviewStatus.BOOKED, InterviewStatus.NO_SHOW}
    if absence.decision or not stands or interview.starts_at != absence.starts_at:
        raise AlreadyDecided
    return absence, interview


def _put_down_as_missed(interview: Interview, *, at: datetime) -> list[str]:
    """Where the clock had left that to HR: what history is to say of it. From there, as from any
    appointment that was missed, the status machine knows a way back."""
    if interview.status != InterviewStatus.BOOKED:
        return []
    miss_interview(interview, at=at)
    return ["missed"]


def _decide(
    absence: Absence,
    interview: Interview,
    decision: Decision,
    evidence: dict[str, object],
    *,
    by: User | None,
    at: datetime,
    note: str = "",
) -> None:
    absence.decision, absence.decided_by, absence.decided_at = decision, by, at
    absence.evidence, absence.note = evidence, note
    absence.save(update_fields=["decision", "decided_by", "decided_at", "evidence", "note"])
    _close(interview, WorkKind.ABSENCE, by=by, at=at)
    supersede(interview.subject, WHILE_OPEN)


def _close(interview: Interview, kind: WorkKind, *, by: User | None, at: datetime) -> None:
    work.close_items([interview.subject], [kind], by=history.actor_of(by), at=at)


def _told(absence: Absence) -> dict[str, str]:
    return {"absence": absence.reference, "appointment": absence.starts_at.isoformat()}


def overtake(interview: Interview, *, at: datetime) -> None:
    """Something else has happened to the interview: there is nothing to decide about its absence
    any more, and where it takes place after all, what was held against them goes. The caller holds
    the interview's lock."""
    undecided = Absence.objects.filter(interview=interview, decision="")
    for absence in undecided.select_for_update():
        _decide(absence, interview, Decision.OVERTAKEN, absence.evidence, by=None, at=at)
    if interview.status != InterviewStatus.BOOKED:
        return
    standing = Mark.objects.filter(interview=interview.reference, state__in=record.STANDING)
    for made in standing.select_for_update():
        _lift(made, interview, at=at)


def _lift(made: Mark, interview: Interview, *, at: datetime) -> None:
    """What a mark rested on is gone. The caller holds both locks."""
    marks.lift_mark(made, at=at)
    _close(interview, WorkKind.APPEAL, by=None, at=at)
    supersede(interview.subject, WHILE_MARKED)
    history.record(interview, ("mark_lifted", {"mark": made.reference}), by=None, at=at)


def lift_unfair_marks() -> int:
    """Lift what rests on messages that are reported, late, not to have arrived, and put it before
    HR again; how many. Beside the report itself, which may wait for no interview."""
    lifted = 0
    for reference in queries.shaken_marks():
        try:
            lifted += _reconsider(reference)
        except Exception:  # one bad row must not keep the others
            logger.exception("mark_not_reconsidered", mark=reference)
    return lifted


@transaction.atomic
def _reconsider(mark_reference: str) -> bool:
    now = timezone.now()
    interview = _interview_of(mark_reference)
    made = marks.lock_mark(mark_reference)
    if made.state not in record.STANDING or interview.starts_at != made.starts_at:
        return False
    obstacles = queries.known_of(interview, now).obstacles()
    if not obstacles:
        return False
    _lift(made, interview, at=now)
    decided = Absence.objects.filter(interview=interview, starts_at=made.starts_at)
    absence = decided.filter(decision=Decision.MARKED).select_for_update().first()
    if absence is not None:
        doubts = [each.value for each in obstacles if each.value in Doubt]
        absence.code = doubts[0] if doubts else absence.code
        absence.decision, absence.decided_by, absence.decided_at = "", None, None
        absence.save(update_fields=["code", "decision", "decided_by", "decided_at"])
        params = {"code": absence.code, "absence": absence.reference}
        _open_item(interview, WorkKind.ABSENCE, params, at=now)
        notify(*notices.to_look_at(absence, interview, key=made.reference))
    return True


# --- the candidate's record -----------------------------------------------------------------------


@transaction.atomic
def appeal(
    mark_reference: str, *, by: User, text: str, file: bytes | None = None, content_type: str = ""
) -> Appeal:
    """A candidate objects to a mark; somebody who did not set it decides. Doing so again returns
    the first appeal.

    Raises Mark.DoesNotExist where it is not theirs, TransitionNotAllowed where it is gone.
    """
    now = timezone.now()
    own = Mark.objects.filter(candidate__user=by)
    interview = Interview.objects.lock(
        own.values_list("interview", flat=True).get(reference=mark_reference)
    )
    made = marks.lock_mark(mark_reference)
    existing = Appeal.objects.filter(mark=made).first()
    if existing is not None:
        return existing
    objection = marks.appeal(made, text=text, file=file, content_type=content_type, at=now)
    params = {"code": "appeal", "mark": made.reference}
    _open_item(interview, WorkKind.APPEAL, params, at=now, due_at=at_ten(days=3))
    history.record(interview, ("mark_appealed", {"mark": made.reference}), by=by, at=now)
    notify(*notices.appealed(made, interview))
    return objection


@transaction.atomic
def decide_appeal(mark_reference: str, *, granted: bool, by: User, note: str = "") -> Appeal:
    """Lift the mark or let it stand, by somebody who did not set it.

    Raises Mark.DoesNotExist, PermissionDenied, TransitionNotAllowed where it was decided meanwhile.
    """
    if not by.has_perm(DECIDE_APPEAL):
        raise PermissionDenied
    now = timezone.now()
    interview = _interview_of(mark_reference)
    made = marks.lock_mark(mark_reference)
    decided = marks.decide_appeal(made, granted=granted, by=by, note=note, at=now)
    _close(interview, WorkKind.APPEAL, by=by, at=now)
    supersede(interview.subject, ["appeal_to_decide"])
    event = "mark_lifted" if granted else "mark_upheld"
    history.record(interview, (event, {"mark": made.reference}), by=by, at=now)
    notify(*notices.decided(made, decided, interview))
    return decided


def expire_marks() -> int:
    """Let go what has stood for its time; how many marks were let go."""
    expired = 0
    for reference in record.overdue(timezone.now(), at_most=MOST_EXPIRED):
        try:
            expired += _expire(reference)
        except Exception:  # one bad row must not keep the others
            logger.exception("mark_not_expired", mark=reference)
    return expired


@transaction.atomic
def _expire(mark_reference: str) -> bool:
    """An appeal that was never decided ends with it, in the candidate's favour."""
    now = timezone.now()
    interview = _interview_of(mark_reference)
    made = marks.lock_mark(mark_reference)
    if made.state not in record.STANDING or made.expires_at > now:
        return False
    was_appealed = made.state == MarkState.APPEALED
    marks.expire_mark(made, at=now)
    if was_appealed:
        _close(interview, WorkKind.APPEAL, by=None, at=now)
    return True


def _interview_of(mark_reference: str) -> Interview:
    """Locked, before the mark. Raises Mark.DoesNotExist."""
    marked = Mark.objects.values_list("interview", flat=True)
    return Interview.objects.lock(marked.get(reference=mark_reference))
