"""Count every cell anew from the interviews."""

from typing import Any

from django.core.management.base import BaseCommand

from analytics import cells


class Command(BaseCommand):
    help = "Count every figure anew from the interviews. Pages can be read meanwhile."

    def handle(self, *args: Any, **options: Any) -> None:
        done = 0
        for done in cells.rebuild():
            if options["verbosity"] > 1:
                self.stdout.write(f"{done} positions …")
        self.stdout.write(f"Counted the interviews of {done} positions.")
