"""What this app does when an app below says that something happened."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from accounts.models import User
from cancellations import exits, queries, services, work
from interviews.models import Interview, Sitting
from interviews.signals import differences_found, interview_entered, left_on_platform
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
