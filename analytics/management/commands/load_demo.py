"""Fill an empty database with the demo's people and bookings."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from analytics import demo as past
from cancellations import demo
from interviews.platforms import demo as platform


class Command(BaseCommand):
    help = "Load the demo data, once; refused outside demo mode and where other data is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--past", action="store_true", help="also half a year behind it, for the figures"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo data is loaded in demo mode only (MIANYUE_MODE=demo).")
        if demo.is_loaded():
            platform.move_to(settings.DEMO_PLATFORM_URL)
            self.stdout.write("The demo data is already loaded; nothing was changed.")
            return
        if demo.holds_other_data():
            raise CommandError(
                "This database holds other data; the demo is loaded into an empty one only."
            )
        with transaction.atomic():
            demo.load()
            if options["past"]:
                past.load()
        self.stdout.write(
            f"Demo data loaded. The password of every account is {demo.PASSWORD}; "
            f"to sign in by ID number, try {demo.invented_national_id(1)}."
        )
