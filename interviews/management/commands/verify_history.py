"""Prove that nobody changed, removed or slipped in an entry of any interview's history."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from interviews import history
from interviews.models import Interview


class Command(BaseCommand):
    help = (
        "Check the hash chain of every interview's history; exits with 1 and names each break. "
        "A chain whose whole rest was written anew holds: compare fingerprints kept elsewhere."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("references", nargs="*", help="only these interviews")

    def handle(self, *args: Any, references: list[str], **options: Any) -> None:
        interviews = Interview.objects.all()
        if references:
            interviews = interviews.filter(reference__in=references)
            unknown = set(references) - set(interviews.values_list("reference", flat=True))
            if unknown:
                raise CommandError(f"No interview has the reference {', '.join(sorted(unknown))}.")
        found = 0
        for found, broken in enumerate(history.verify(interviews), start=1):  # noqa: B007
            self.stdout.write(f"{broken.interview} entry {broken.sequence}: {broken.problem}")
        if found:
            raise CommandError(f"{found} breaks found.")
        self.stdout.write(f"History holds: {interviews.count()} interviews checked.")
