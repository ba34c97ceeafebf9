"""What happened to one interview, put together for a person who reads it: its history and messages
in words, with the names behind the codes."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.identifiers import Identifier, IdentifierKind, masked
from accounts.models import User
from accounts.permissions import READ_DETAIL
from cancellations.actors import names_of, who
from cancellations.models import Cancellation, Reason
from cancellations.queue import work_of
from interviews.events import event_words
from interviews.models import Correction, DeclineReason, HistoryEntry, Interview, Move
from interviews.states import InterviewStatus
from notifications.events import SECRET_EVENTS, Group
from notifications.faults import words_for
from notifications.models import Channel, Notification, State

SETTLED = "work_resolved"
FAILED_SHOWN = 4

# What a message is about; what has no words here goes by its title.
MESSAGES: dict[str, Promise] = {
    "cancellation_received": gettext_lazy("Request to cancel received"),
    "cancellation_to_decide": gettext_lazy("A request to decide"),
    "cancellation_done": gettext_lazy("Interview cancelled"),
    "interview_cancelled": gettext_lazy("Interview cancelled"),
    "interviewer_released": gettext_lazy("Interview cancelled"),
    "position_cancellation": gettext_lazy("Interview cancelled"),
    "interviewer_released_many": gettext_lazy("Interview cancelled"),
    "company_cancelled": gettext_lazy("Cancelled by the company"),
    "company_cancelled_one": gettext_lazy("Cancelled by the company"),
    "company_cancelled_many": gettext_lazy("Cancelled by the company"),
    "cancellation_declined": gettext_lazy("Cancellation declined"),
    "cancellation_taken_back": gettext_lazy("Request taken back"),
    "exit_received": gettext_lazy("Request to leave received"),
    "exit_to_decide": gettext_lazy("A request to leave to decide"),
    "exit_done": gettext_lazy("Interview left midway"),
    "candidate_left": gettext_lazy("Interview left midway"),
    "position_exit": gettext_lazy("Interview left midway"),
    "exit_declined": gettext_lazy("Leaving declined"),
    "exit_taken_back": gettext_lazy("Request to leave taken back"),
    "booked_again": gettext_lazy("Booked again after leaving"),
    "candidate_booked_again": gettext_lazy("Booked again after leaving"),
    "interview_reinstated": gettext_lazy("Interview reinstated"),
    "interview_reinstated_staff": gettext_lazy("Interview reinstated"),
    "status_corrected": gettext_lazy("Status set right"),
    "documents_missing": gettext_lazy("Reminder: documents needed"),
    "document_rejected": gettext_lazy("Document not accepted"),
    "documents_accepted": gettext_lazy("Documents accepted"),
    "application_ended": gettext_lazy("Application ended"),
    "place_offered": gettext_lazy("Place offered"),
    "place_refilled": gettext_lazy("Place taken again"),
    "interview_invited": gettext_lazy("Invitation"),
    "interview_booked": gettext_lazy("Interview booked"),
    "interview_moved": gettext_lazy("Interview moved"),
    "interview_moved_staff": gettext_lazy("Interview moved"),
    "invitation_declined": gettext_lazy("Invitation declined"),
    "invitation_declined_staff": gettext_lazy("Invitation declined"),
    "invitation_reminder": gettext_lazy("Reminder: invitation not opened"),
    "invitation_ends": gettext_lazy("Reminder: invitation ends"),
    "interview_reminder": gettext_lazy("Reminder of the appointment"),
    "trouble_asked": gettext_lazy("Asked whether there is trouble"),
    "interview_missed": gettext_lazy("Told that they were missed"),
    "interview_rebooked": gettext_lazy("Given another time after an absence"),
    "absence_excused": gettext_lazy("Absence excused"),
    "absence_to_decide": gettext_lazy("An absence to look at"),
    "mark_set": gettext_lazy("Told of the mark"),
    "appeal_to_decide": gettext_lazy("An appeal to decide"),
    "appeal_decided": gettext_lazy("Appeal decided"),
    "decision_reminder": gettext_lazy("Reminder: a request to decide"),
    "decision_escalated": gettext_lazy("Overdue: a request to decide"),
    "work_reminder": gettext_lazy("Reminder: work to do"),
    "work_escalated": gettext_lazy("Overdue: work to do"),
    "sign_in_code": gettext_lazy("Code to sign in"),
    "password_reset_code": gettext_lazy("Code for a new password"),
    "password_reset": gettext_lazy("Link for a new password"),
    "password_changed": gettext_lazy("Password changed"),
    "exit_code": gettext_lazy("Code to leave an interview"),
    "staff_invited": gettext_lazy("Invitation to the desk"),
    "alert_opened": gettext_lazy("Alert: a rate above its threshold"),
    "alert_closed": gettext_lazy("Alert over"),
    "alert_waiting": gettext_lazy("Reminder of an alert"),
    "token_issued": gettext_lazy("API token issued"),
    "access_changed": gettext_lazy("Access changed"),
    "webhook_switched_off": gettext_lazy("Webhook switched off"),
    "weekly_summary": gettext_lazy("The week in figures"),
}
# The same thing is told to several: who tells them apart says to whom.
READERS: dict[Group, Promise] = {
    Group.ACCOUNT: gettext_lazy("To whoever signs in"),
    Group.INTERVIEW: gettext_lazy("To candidates"),
    Group.REMINDERS: gettext_lazy("To candidates, unless they have switched them off"),
    Group.OFFERS: gettext_lazy("To candidates, unless they have switched them off"),
    Group.NEWS: gettext_lazy("To candidates, unless they have switched them off"),
    Group.WORK: gettext_lazy("To staff"),
    Group.FIGURES: gettext_lazy("To HR leads, unless they have switched it off"),
}
HUES = {
    State.SENT: "leaf",
    State.DELIVERED: "leaf",
    State.FAILED: "amber",
    State.BOUNCED: "amber",
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened: what, by whom, when, and why where a reason was given."""

    at: datetime
    what: str
    who: str
    status: str
    why: str


@dataclass(frozen=True)
class Message:
    """One message and how far it got."""

    at: datetime
    what: str
    channel: str
    to: str
    state: str
    hue: str
    error: str  # why it did not arrive, as far as there are words for it
    error_code: str


@dataclass(frozen=True)
class Story:
    """All of it, what came last on top."""

    entries: list[Entry]
    imported_at: datetime | None
    messages: list[Message]
    cancellations: list[Cancellation]
    corrections: list[Correction]


def of(interview: Interview, *, by: User) -> Story:
    """Six queries, however long the story is, and one where work on it was settled: what colleagues
    wrote then stands with the item alone, for those who may read it (`by`)."""
    history = list(interview.history.order_by("-sequence"))
    outbox = list(
        Notification.objects.filter(subject=interview.subject)
        .only(
            "event", "channel", "recipient", "title", "state", "created_at", "sent_at", "error_code"
        )
        .order_by("-pk")
    )
    names = names_of([each.actor for each in history] + [each.recipient for each in outbox])
    department = interview.position.department
    names[department.audience] = department.name
    reasons = {(reason.purpose, reason.code): reason.label for reason in Reason.objects.all()}
    corrections = list(interview.corrections.select_related("by").order_by("-pk"))
    cancellations = list(
        interview.cancellations.select_related("reason", "requested_by", "decided_by").order_by(
            "-pk"
        )
    )
    labels = {code: label for (_purpose, code), label in reasons.items()}
    whys = {each.reference: each.reason.label for each in cancellations}
    whys |= _notes(history, by)
    return Story(
        entries=[_entry(each, names, labels, whys) for each in history],
        imported_at=next((each.at for each in history if each.event == "imported"), None),
        messages=[_message(each, names) for each in outbox],
        cancellations=cancellations,
        corrections=corrections,
    )


def failed_for(interview: Interview, recipient: str) -> list[Message]:
    """What did not arrive of what we wrote to somebody, the last on top; what it was about is said
    of this interview alone: others may be other departments'."""
    failed = (
        Notification.objects.filter(
            recipient=recipient,
            channel__in=[Channel.SMS, Channel.EMAIL],
            state__in=[State.FAILED, State.BOUNCED],
        )
        .exclude(event__in=SECRET_EVENTS)
        .order_by("-pk")[:FAILED_SHOWN]
    )
    return [
        replace(_message(each, {}), what="")
        if each.subject != interview.subject
        else _message(each, {})
        for each in failed
    ]


def _notes(history: list[HistoryEntry], by: User) -> dict[str, str]:
    """What was written when work was settled, by the item; it may name somebody."""
    settled = [str(each.data.get("item")) for each in history if each.event == SETTLED]
    if not settled or not by.has_perm(READ_DETAIL):
        return {}
    return dict(work_of(by).filter(reference__in=settled).values_list("reference", "note"))


def _entry(
    entry: HistoryEntry,
    names: dict[str, str],
    reasons: dict[str, str],
    whys: dict[str, str],
) -> Entry:
    data: dict[str, Any] = entry.data
    about = "item" if entry.event == SETTLED else "receipt"
    why = reasons.get(str(data.get("reason")), "") or whys.get(str(data.get(about) or ""), "")
    if entry.event == "declined" and data.get("reason") in DeclineReason.values:
        why = str(DeclineReason(data["reason"]).label)
    what = event_words(entry.event)
    if data.get("move") in Move.values:
        what = f"{what}: {Move(data['move']).label}"
    return Entry(
        at=entry.at,
        what=what,
        who=who(entry.actor, names),
        status=str(data.get("status") or "") if data.get("status") in InterviewStatus else "",
        why=why,
    )


def _message(message: Notification, names: dict[str, str]) -> Message:
    return Message(
        at=message.sent_at or message.created_at,
        what=str(MESSAGES.get(message.event) or message.title or message.event.replace("_", " ")),
        channel=message.get_channel_display(),
        to=names.get(message.recipient, ""),
        state=_state_of(message),
        hue=HUES.get(State(message.state), "grey"),
        error=words_for(message.error_code),
        error_code=message.error_code,
    )


def _state_of(message: Notification) -> str:
    """How far it got; where it never went, why."""
    if message.state == State.SUPERSEDED:
        return _("Not sent: overtaken by what happened meanwhile")
    return message.get_state_display()


@dataclass(frozen=True)
class Way:
    """One way to reach somebody, or to know them by; masked unless it was revealed."""

    label: str
    value: str
    link: str = ""


def ways_to(person: User, *, revealed: bool) -> list[Way]:
    """How somebody is reached."""
    ways = []
    if person.mobile:
        shown = (
            person.mobile if revealed else masked(Identifier(IdentifierKind.MOBILE, person.mobile))
        )
        ways.append(Way(_("Mobile number"), shown, f"tel:{person.mobile}" if revealed else ""))
    if person.email:
        shown = person.email if revealed else masked(Identifier(IdentifierKind.EMAIL, person.email))
        ways.append(Way(_("Email address"), shown, f"mailto:{person.email}" if revealed else ""))
    return ways


def known_by(person: User, *, revealed: bool) -> list[Way]:
    """The ID number stays masked but for its ends even then: nobody needs the rest to compare."""
    if not person.national_id_index:
        return []
    number = person.national_id if revealed else ""
    known = masked(Identifier(IdentifierKind.NATIONAL_ID, number)) if number else "*" * 18
    return [Way(_("ID number"), known)]
