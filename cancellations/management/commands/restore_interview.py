"""Put an interview that ended wrongly back on the schedule."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from accounts.models import User
from cancellations.company import ChangedMeanwhile, correct_interview
from interviews.models import LATEST, Interview, Move
from interviews.services import SlotFull


class Command(BaseCommand):
    help = (
        "Reinstate an interview that was cancelled, left, missed or not finished, as the desk "
        "does: what called it off is reversed, a place of the slot is taken, the candidate is told."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference")
        parser.add_argument("--at", required=True, help="when it takes place: 2026-12-01T14:00")
        parser.add_argument("--by", required=True, help="the address of who answers for it")
        parser.add_argument("--reason", required=True, help="kept in the history of corrections")

    def handle(self, *args: Any, reference: str, **options: Any) -> None:
        try:
            starts_at = parse_datetime(options["at"])
        except ValueError:
            starts_at = None
        if starts_at is None:
            raise CommandError(_("--at wants a day and a time, such as 2026-12-01T14:00."))
        if timezone.is_naive(starts_at):
            starts_at = timezone.make_aware(starts_at)
        if starts_at >= LATEST:
            raise CommandError(_("--at wants a day and a time, such as 2026-12-01T14:00."))
        try:
            by = User.objects.get(email__iexact=options["by"], is_active=True)
            interview = Interview.objects.get(reference=reference)
            correct_interview(
                reference,
                by=by,
                move=Move.REINSTATE,
                expected=interview.status,
                reason=options["reason"],
                starts_at=starts_at,
            )
        except User.DoesNotExist:
            raise CommandError(_("Nobody has this address.")) from None
        except Interview.DoesNotExist:
            raise CommandError(_("There is no such interview.")) from None
        except PermissionDenied:
            raise CommandError(_("This person may not correct interviews.")) from None
        except SlotFull:
            raise CommandError(_("The slot at that time has no place left.")) from None
        except ChangedMeanwhile:
            raise CommandError(_("Its status has changed meanwhile. Look at it again.")) from None
        except TransitionNotAllowed:
            raise CommandError(
                _("It has the status “%(status)s”; there is nothing to put back.")
                % {"status": interview.get_status_display()}
            ) from None
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        self.stdout.write(_("It takes place again."))
