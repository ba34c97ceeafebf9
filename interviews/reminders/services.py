"""What candidates answer to a reminder, and what staff decide about reminders. Each function is one
use case, in one transaction."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import EDIT_POLICIES
from config.tracking import act_as
from interviews import history
from interviews.models import Interview
from interviews.queries import sees_everything
from interviews.reminders import queries
from interviews.reminders.models import ReminderRule, TroubleReport
from interviews.reminders.rules import Doubt
from interviews.signals import attendance_unclear


class TooLate(Exception):
    """There is nothing to confirm, or to tell, any more; or not yet."""


class AnotherTime(Exception):
    """The appointment is not the one they were shown."""


@transaction.atomic
def confirm(reference: str, *, starts_at: datetime, by_link: bool = False) -> Interview:
    """The candidate says that they come, to the appointment they were shown; again changes nothing.
    A link proves nobody's identity: history says that it was one.

    Raises Interview.DoesNotExist, TooLate, AnotherTime.
    """
    now = timezone.now()
    interview = Interview.objects.lock(reference)
    if interview.starts_at != starts_at:
        raise AnotherTime
    if interview.is_confirmed:
        return interview
    if not queries.may_confirm(interview, now):
        raise TooLate
    interview.confirmed_at = now
    interview.save(update_fields=["confirmed_at"])
    told = {"starts_at": starts_at.isoformat(), "by_link": by_link}
    history.record(interview, ("confirmed", told), by=interview.candidate.user, at=now)
    return interview


@transaction.atomic
def tell_trouble(
    reference: str, *, kind: str, detail: str = "", by_link: bool = False
) -> TroubleReport:
    """Something kept the candidate from coming in: HR looks at it, and nobody is put down as
    missing by the clock. Telling again returns the first report.

    Raises Interview.DoesNotExist, TooLate.
    """
    now = timezone.now()
    interview = Interview.objects.lock(reference)
    told = queries.trouble_of(interview)
    if told is not None:
        return told
    if interview.starts_at is None or not queries.may_tell_trouble(interview, now):
        raise TooLate
    report = TroubleReport.objects.create(
        interview=interview,
        starts_at=interview.starts_at,
        at=now,
        kind=kind,
        detail=detail.replace("\x00", "").strip(),
    )
    facts = {"kind": kind, "by_link": by_link}
    history.record(interview, ("trouble_reported", facts), by=interview.candidate.user, at=now)
    attendance_unclear.send(sender=Interview, interview=interview, code=Doubt.TROUBLE.value)
    return report


def may_edit_rules(user: User) -> bool:
    """They hold for the whole company, so who works with some departments only reads them."""
    return user.has_perm(EDIT_POLICIES) and sees_everything(user)


@transaction.atomic
def save_rule(rule: ReminderRule, *, by: User) -> ReminderRule:
    """What somebody has written holds for every interview; their steps are planned anew in the
    background, and until then each is held against the rule when it is due.

    Raises PermissionDenied.
    """
    if not may_edit_rules(by):
        raise PermissionDenied
    act_as(f"user:{by.pk}")
    rule.plan_from = 0
    rule.save()
    return rule
