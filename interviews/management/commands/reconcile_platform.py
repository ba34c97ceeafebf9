"""Compare what an interview platform holds with what is here, and repair what differs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from interviews.platforms import reconcile
from interviews.platforms.jobs import Reconcile
from interviews.platforms.models import Platform


class Command(BaseCommand):
    help = "One pass over everything an interview platform holds; exits with 1 where it failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the platform's name in addresses")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        platform = Platform.objects.filter(slug=slug).first()
        if platform is None:
            raise CommandError(_("No platform is called %(name)s.") % {"name": slug})
        try:
            compared, found = reconcile.summary(reconcile.run(platform.pk))
        except reconcile.Busy:
            raise CommandError(str(Reconcile.halts["busy"])) from None
        self.stdout.write(_("Interviews compared: %(count)d") % {"count": compared})
        for each, count in found.items():
            self.stdout.write(f"{each.label}: {count}")
        if reconcile.Found.UNREACHABLE in found:
            raise CommandError(str(reconcile.Found.UNREACHABLE.label))
