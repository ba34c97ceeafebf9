"""Prove that nobody changed, removed or slipped in an entry of any interview's history."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from interviews import history, seals
from interviews.models import HistorySeal, Interview


class Command(BaseCommand):
    help = (
        "Check the hash chain of every interview's history; exits with 1 and names each break. "
        "A chain whose whole rest was written anew holds: --seals finds that, against a seal that "
        "was kept elsewhere."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("references", nargs="*", help="only these interviews")
        parser.add_argument(
            "--seals", action="store_true", help="check and print the daily seals instead"
        )
        parser.add_argument(
            "--kept",
            metavar="FINGERPRINT",
            help="the fingerprint of a seal that was kept elsewhere: is it still among ours?",
        )
        parser.add_argument("--seal", action="store_true", help="put a seal on all of it now")

    def handle(self, *args: Any, references: list[str], **options: Any) -> None:
        if options["seal"]:
            self._print(seals.seal_history())
        elif options["seals"] or options["kept"]:
            self._verify_seals(options["kept"])
        else:
            self._verify_chains(references)

    def _verify_chains(self, references: list[str]) -> None:
        interviews = Interview.objects.all()
        if references:
            interviews = interviews.filter(reference__in=references)
            unknown = set(references) - set(interviews.values_list("reference", flat=True))
            if unknown:
                names = ", ".join(sorted(unknown))
                raise CommandError(
                    _("No interview has the reference %(names)s.") % {"names": names}
                )
        tally, found = _Progress(interviews.count()), 0
        with tally.bar:
            for broken in history.verify(interviews, tally):
                found += 1
                self._say(
                    _("%(interview)s entry %(number)d: %(problem)s")
                    % {
                        "interview": broken.interview,
                        "number": broken.sequence,
                        "problem": broken.problem.label,
                    }
                )
        if found:
            raise CommandError(
                ngettext("%(count)d break found.", "%(count)d breaks found.", found)
                % {"count": found}
            )
        self.stdout.write(
            _("History holds: %(interviews)d interviews with %(entries)d entries checked.")
            % {"interviews": tally.interviews, "entries": tally.entries}
        )

    def _verify_seals(self, kept: str | None) -> None:
        broken = {(each.seal.pk, each.problem): each for each in seals.broken_seals()}
        for seal in HistorySeal.objects.order_by("number"):
            self._print(seal)
            for (key, problem), each in broken.items():
                if key == seal.pk:
                    self._say(
                        _("  %(problem)s (entries: %(entries)d, changes: %(changes)d)")
                        % {
                            "problem": problem.label,
                            "entries": each.entries,
                            "changes": each.changes,
                        }
                    )
        if broken:
            raise CommandError(
                ngettext("%(count)d break found.", "%(count)d breaks found.", len(broken))
                % {"count": len(broken)}
            )
        if kept and not HistorySeal.objects.filter(fingerprint=kept.strip().lower()).exists():
            raise CommandError(
                _("No seal has this fingerprint: history was written anew since it was kept.")
            )
        self.stdout.write(_("All seals hold."))

    def _print(self, seal: HistorySeal) -> None:
        at = timezone.localtime(seal.at).isoformat(sep=" ", timespec="minutes")
        self._say(
            _("%(number)d  %(at)s  entries: %(entries)d  changes: %(changes)d  %(fingerprint)s")
            % {
                "number": seal.number,
                "at": at,
                "entries": seal.entries,
                "changes": seal.changes,
                "fingerprint": seal.fingerprint,
            }
        )

    def _say(self, line: str) -> None:
        with tqdm.external_write_mode():
            self.stdout.write(line)


class _Progress(history.Tally):
    """A tally that moves a bar on a terminal."""

    def __init__(self, total: int) -> None:
        super().__init__()
        watched = sys.stderr.isatty()
        self.bar = tqdm(total=total, unit="", leave=False, file=sys.stderr, disable=not watched)

    def add(self, entries: int) -> None:
        super().add(entries)
        self.bar.update()
