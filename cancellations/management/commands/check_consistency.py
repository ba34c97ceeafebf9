"""Prove that what is kept of the interviews that ended agrees with itself."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from cancellations import consistency
from cancellations.work import WORDS


class Command(BaseCommand):
    help = (
        "Hold candidate, slot, file, requests and history of every interview against each other; "
        "names what does not fit, asks HR to look at it, and exits with 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("references", nargs="*", help="only these interviews")
        parser.add_argument(
            "--quiet-about-it", action="store_true", help="name it here, and open no work for HR"
        )

    def handle(self, *args: Any, references: list[str], **options: Any) -> None:
        found = 0
        for anomaly in consistency.check(references or None):
            found += 1
            words = WORDS[anomaly.code]
            self.stdout.write(f"{anomaly.interview}: {words} ({anomaly.code})")
            if not options["quiet_about_it"]:
                consistency.report(anomaly)
        if found:
            self.stdout.write(_("%(count)d things do not fit.") % {"count": found})
            sys.exit(1)
        self.stdout.write(_("Everything fits."))
