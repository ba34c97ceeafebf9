"""What the cells should say, counted by hand: every interview in turn, in plain Python."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from analytics.measures import (
    ANSWERS,
    HANDLING_MINUTES,
    MAPS,
    NOTICE_HOURS,
    NUMBERS,
    QUESTIONS,
)
from analytics.models import Cell, DirtyCell
from cancellations.models import Absence, Cancellation, Saving
from interviews.models import (
    Decline,
    FreedPlace,
    Interview,
    Offer,
    Sitting,
    Step,
)
from notifications.models import Notification, WorkItem

ZONE = ZoneInfo("Asia/Shanghai")
HERE = {"in_progress", "exiting", "completed", "incomplete"}
OVER = {"cancelled", "withdrawn", "completed", "incomplete", "no_show"}


def counted() -> dict:
    """By scope, span, owner, first day, source and kind: what is counted there, without zeros."""
    cells: dict[tuple, Counter] = defaultdict(Counter)
    for interview in Interview.objects.select_related("application__position"):
        position = interview.application.position
        moment = interview.starts_at or interview.created_at
        day = moment.astimezone(ZONE).date()
        for name, n in told_of(interview):
            add(cells, position, day, interview.source, interview.kind, name, n)
        invited = interview.created_at.astimezone(ZONE).date()
        if key := became_of_invitation(interview):
            add(cells, position, invited, interview.source, interview.kind, ("invitations", key), 1)
    slots = [(place.slot, "place", place.origin, place_state(place))
             for place in FreedPlace.objects.select_related("slot__position")]  # fmt: skip
    slots += [(offer.slot, "offer", offer.state)
              for offer in Offer.objects.select_related("slot__position")]  # fmt: skip
    for slot, *key in slots:
        day = slot.starts_at.astimezone(ZONE).date()
        add(cells, slot.position, day, "", slot.kind, ("refill", "|".join(key)), 1)
    return {key: +counts for key, counts in cells.items()}


def add(cells, position, day, source, kind, name, n):
    month = day.replace(day=1)
    for owner in (
        ("position", position.pk),
        ("department", position.department_id),
        ("company", 0),
    ):
        for span, since in (("day", day), ("month", month)):
            for which in ((source, kind), ("*", "*")):
                cells[owner[0], span, owner[1], since, *which][name] += n


def place_state(place):
    if place.refilled_at:
        return "taken"
    return "closed" if place.closed_at else "open"


def told_of(interview):
    """Each count of one interview: a name, or a map and a key; and how much it adds."""
    status = interview.status
    requests = list(Cancellation.objects.filter(interview=interview).select_related("reason"))
    (ended,) = [each for each in requests if each.status == "approved"] or [None]
    booked = bool(interview.booked_at or (status != "invited" and interview.starts_at))
    declined = Decline.objects.filter(interview=interview).first()
    exited = booked and status == "withdrawn" and declined is None
    attended = booked and (status in HERE or exited)
    fate = None
    if attended:
        fate = "came"
    elif status == "no_show":
        fate = "missed"
    elif status == "cancelled":
        fate = "cancelled"
    yield "invited", 1
    facts = {
        "opened": interview.opened_at is not None,
        "booked": booked,
        "confirmed": booked and interview.is_confirmed,
        "attended": attended,
        "completed": status == "completed",
        "cancelled": booked and status == "cancelled",
        "cancelled_by_candidate": booked and status == "cancelled"
        and ended is not None and ended.party == "candidate",
        "cancelled_by_company": booked and status == "cancelled"
        and ended is not None and ended.party == "company",
        "cancelled_unbooked": not booked and status == "cancelled",
        "declined": status == "withdrawn" and declined is not None,
        "withdrawn": status == "withdrawn",
        "exited": exited,
        "incomplete": status == "incomplete",
        "no_show": booked and status == "no_show",
        "missed_invitation": not booked and status == "no_show",
        "open_invitation": status == "invited",
        "upcoming": status == "booked",
        "cancelling": status == "cancelling",
        "in_progress": status == "in_progress",
        "exiting": status == "exiting",
        "asked_late": interview.asked_late,
        "moved": interview.moves > 0,
        "without_end": status in OVER and interview.ended_at is None,
        "without_booking_time": booked and interview.booked_at is None,
    }  # fmt: skip
    for name, holds in facts.items():
        yield name, int(holds)
    yield "moves", interview.moves
    for request in requests:
        yield from told_of_request(request)
    if declined is not None:
        yield ("reasons", f"decline|{declined.reason}"), 1
    if booked and interview.starts_at:
        at = interview.starts_at.astimezone(ZONE)
        place = f"{at.weekday()}|{at.hour}"
        yield ("hours", f"starts|{place}"), 1
        if attended:
            yield ("hours", f"came|{place}"), 1
        if status in {"cancelled", "no_show"}:
            yield ("hours", f"{status}|{place}"), 1
    if status == "incomplete":
        yield from told_of_lapse(interview)
    for absence in Absence.objects.filter(interview=interview):
        yield ("absences", f"{absence.code}|{absence.decision or 'open'}"), 1
    for saving in Saving.objects.filter(interview=interview):
        yield ("saved", f"{saving.reason}|{saving.offered}|{saving.outcome or 'open'}"), 1
    messages = list(Notification.objects.filter(subject=interview.subject))
    for message in messages:
        if message.state not in {"queued", "sending"}:
            yield ("delivery", delivery_key(message)), 1
    for item in WorkItem.objects.filter(subject=interview.subject):
        if item.kind in {"anomaly", "wrong_contact", "follow_up"}:
            state = "settled" if item.closed_at else "open"
            yield ("quality", f"{item.kind}|{item.params.get('code', '')}|{state}"), 1
    if booked and fate:
        yield ("reminders", f"reached|{reached(interview, messages)}|{fate}"), 1
        for step in Step.objects.filter(interview=interview, outcome="sent"):
            yield ("reminders", f"rule|{step.rule_id}|{fate}"), 1
        if interview.location:
            yield ("venues", f"{interview.location[:60]}|{fate}"), 1
        for question, answer in interview.extra.items():
            if question in QUESTIONS and answer in ANSWERS:
                yield ("answers", f"{question}|{answer}|{fate}"), 1


def became_of_invitation(interview):
    """Nothing is known of one that was answered or over when it was imported."""
    if interview.status == "invited" and interview.booked_at is None:
        return "open"
    if interview.source:
        known = interview.booked_at if interview.was_booked else interview.ended_at
        if known is None or known < interview.created_at:
            return None
    if not interview.was_booked:
        return {"no_show": "ran_out", "cancelled": "called_off"}.get(interview.status, "answered")
    return "answered"


def told_of_request(request):
    sort = "exit" if request.is_exit else "cancel"
    if request.party == "company":
        sort = "company"
    by_candidate = request.party == "candidate"
    decided = request.status in {"approved", "declined", "reversed"}
    waited = by_candidate and decided and request.outcome == "needs_hr"
    own = request.decided_by_id == request.requested_by_id
    in_time = decided and request.decided_at <= request.promised_by
    facts = {
        "asked": True,
        "late": not request.is_exit and (request.short_notice or request.outcome == "needs_hr"),
        "requested": request.status == "requested",
        "approved": request.status == "approved",
        "declined": request.status == "declined",
        "lapsed": request.status == "lapsed" and own,
        "overtaken": request.status == "lapsed" and not own,
        "reversed": request.status == "reversed",
        "at_once": by_candidate and decided and request.outcome != "needs_hr",
        "by_hr": waited and request.decided_by_id is not None,
        "by_default": waited and request.decided_by_id is None,
        "in_time": waited and in_time,
        "overdue": waited and not in_time,
    }
    for name, holds in facts.items():
        yield ("requests", f"{sort}|{name}"), int(holds)
    if request.status == "approved":
        who = "exit" if request.is_exit else request.party
        yield ("reasons", f"{who}|{request.reason.code}"), 1
    if waited:
        minutes = (request.decided_at - request.requested_at) / timedelta(minutes=1)
        step = sum(minutes >= edge for edge in HANDLING_MINUTES)
        yield ("handling", f"{request.decided_by_id or 0}|{step}"), 1
    if by_candidate and not request.is_exit and request.status != "lapsed":
        step = sum(request.notice / timedelta(hours=1) >= edge for edge in NOTICE_HOURS)
        yield ("notice", str(step)), 1
    if request.status == "approved" and request.is_exit:
        for key, name in (("stage", "stage"), ("question", "number"), ("answered", "answered")):
            value = request.evidence.get(name)
            known = "unknown" if value in (None, "") else value
            yield ("exits", f"exit|{key}|{known}"), 1


def told_of_lapse(interview):
    sitting = Sitting.objects.filter(interview=interview).order_by("entered_at", "pk").last()
    question = sitting.question(sitting.current) if sitting else None
    facts = {
        "ending": sitting.ending if sitting else "",
        "stage": question["stage"] if question else "",
        "question": sitting.current if sitting else "",
    }
    for key, value in facts.items():
        yield ("exits", f"lapse|{key}|{'unknown' if value == '' else value}"), 1


def delivery_key(message):
    provider = ""
    if message.channel == "sms":
        provider = "twilio"
    elif message.channel == "email" and message.provider_id:
        provider = "smtp" if message.provider_id.startswith("<") else "mail"
    failed = message.state in {"failed", "bounced", "superseded"}
    cause = message.error_code if failed else ""
    return f"{message.channel}|{provider}|{message.state}|{cause}"


def reached(interview, messages):
    if interview.is_confirmed:
        return "confirmed"
    states = {each.state for each in messages if each.event == "interview_reminder"}
    for word, meant in (
        ("delivered", {"delivered"}), ("sent", {"sent"}), ("failed", {"failed", "bounced"})
    ):  # fmt: skip
        if states & meant:
            return word
    return "none"


def stored() -> dict:
    """What the cells say, in the same form."""
    found = {}
    for cell in Cell.objects.all():
        counts = Counter({name: getattr(cell, name) for name in NUMBERS})
        for name in MAPS:
            counts.update({(name, key): n for key, n in (getattr(cell, name) or {}).items()})
        found[cell.key] = +counts
    return found


def mark(cells: Iterable[tuple[int, date, int]]) -> None:
    """Have these counted anew: position, day, department."""
    DirtyCell.objects.bulk_create(
        DirtyCell(position=position, day=day, department=department)
        for position, day, department in cells
    )
