"""What this app does when an app below says that something happened."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from accounts.models import User
from cancellations import again, company, exits, queries, saved, services, work
from cancellations.absences import services as absences
from cancellations.absences.models import MISSED
from candidates.models import Candidate
from interviews.booking.services import MoveRefused
from interviews.gates.services import latest_interview
from interviews.models import Application, Document, HistoryEntry, Interview, Sitting
from interviews.room.queries import opens_at
from interviews.signals import (
    application_ended,
    attendance_unclear,
    candidates_considered,
    differences_found,
    document_uploaded,
    documents_checked,
    history_recorded,
    interview_entered,
    interview_moved,
    left_on_platform,
    move_asked,
)
from interviews.states import InterviewStatus
from notifications.models import OutOfReach, WorkItem
from notifications.signals import person_out_of_reach, work_step_reached


@receiver(work_step_reached)
def chase(item: WorkItem, step: str, **kwargs: Any) -> None:
    work.chase(item, step)


@receiver(person_out_of_reach, sender=OutOfReach)
def have_contact_looked_after(recipient: str, subject: str, **kwargs: Any) -> None:
    work.open_wrong_contact(recipient, subject)


@receiver(differences_found, sender=Interview)
def have_hr_look(codes: dict[str, str], **kwargs: Any) -> None:
    for interview in Interview.objects.filter(reference__in=codes).order_by("pk"):
        work.open_anomaly(interview, codes[interview.reference])


@receiver(interview_entered, sender=Sitting)
def keep_appointment(sitting: Sitting, by: User, **kwargs: Any) -> None:
    """Entering takes back what was asked for, and the policy says how long one may be away."""
    interview, at = sitting.interview, sitting.entered_at
    services.take_back_on_entering(interview, by=by, at=at)
    policy = queries.policy_for(interview, queries.policies_in_force(at))
    sitting.resume_until = at + policy.exits.resume


@receiver(move_asked, sender=Interview)
def hold_to_rule(interview: Interview, at: datetime, **kwargs: Any) -> None:
    """Raises MoveRefused."""
    rule = queries.move_rule(interview, queries.policies_in_force(at), now=at)
    if rule is not None and rule.refused:
        raise MoveRefused(rule.refused)


@receiver(application_ended, sender=Application)
def call_off_with_it(interviews: list[Interview], by: User | None, **kwargs: Any) -> None:
    company.call_off_with_application(interviews, by=by)


@receiver(interview_moved, sender=Interview)
def count_as_saved(interview: Interview, by: User | None, at: datetime, **kwargs: Any) -> None:
    """Also who looked at all free times and moved there."""
    if by == interview.candidate.user:
        saved.moved(interview, at=at)


@receiver(document_uploaded, sender=Document)
def have_document_checked(document: Document, **kwargs: Any) -> None:
    interview = latest_interview(document.application)
    if interview is not None:
        work.open_document_to_check(interview)


@receiver(documents_checked, sender=Application)
def settle_documents(application: Application, by: User, **kwargs: Any) -> None:
    work.settle_documents(application.interviews.with_facts(), by=by)


@receiver(left_on_platform, sender=Sitting)
def take_leave(
    sitting: Sitting,
    at: datetime,
    platform: str,
    is_dated: bool,
    has_results: bool,
    **kwargs: Any,
) -> None:
    exits.leave_on_platform(
        sitting, at=at, platform=platform, is_dated=is_dated, has_results=has_results
    )


@receiver(candidates_considered, sender=Candidate)
def leave_out_cooling(candidates: set[int], **kwargs: Any) -> None:
    """Who may not apply for a while is not asked to either."""
    cooling = again.cooling(timezone.now()).filter(interview__application__candidate__in=candidates)
    candidates -= set(cooling.values_list("interview__application__candidate", flat=True))


@receiver(attendance_unclear, sender=Interview)
def have_hr_find_out(interview: Interview, code: str, **kwargs: Any) -> None:
    absences.open_absence(interview, code, at=timezone.now())


# After these the appointment is another one, or over in another way.
SETTLES = frozenset(
    {"started", "completed", "lapsed", "cancelled", "withdrawn", "moved", "corrected"}
)


@receiver(history_recorded, sender=HistoryEntry)
def follow_absences(entries: list[HistoryEntry], **kwargs: Any) -> None:
    """Whoever is put down as missing, by the clock, a platform or by hand, is looked at by HR; what
    happens to the interview then takes that work away again."""
    for entry in entries:
        interview, status = entry.interview, entry.data.get("status")
        if entry.event in {"missed", "corrected"} and status == InterviewStatus.NO_SHOW:
            by_hand = entry.event == "corrected"  # of which they are told
            absences.open_absence(interview, MISSED, at=entry.at, knows=by_hand)
        elif entry.event in SETTLES and _may_be_absent(entry):
            absences.overtake(interview, at=entry.at)


def _may_be_absent(entry: HistoryEntry) -> bool:
    """Nobody is before trouble can be told of, when the door opens, unless it was given another
    time. By our clock: a platform may tell late of what happened before."""
    door = opens_at(entry.interview)
    return entry.event in {"moved", "corrected"} or (door is not None and door <= timezone.now())
