"""Bring interviews, or what belongs to them, in from a CSV or XLSX file."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from interviews.imports import mapping, template
from interviews.imports.engine import Summary, import_file
from interviews.imports.problems import ImportRefused, Rejection
from interviews.imports.report import Report
from interviews.imports.store import Outcome

SHOWN = 20  # rejected rows; the report has them all


class Command(BaseCommand):
    help = "Import interviews; running it twice adds nothing. Exits with 1 where a file is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", help="CSV (UTF-8, GB18030) or XLSX")
        parser.add_argument(
            "--mapping",
            default=template.MAPPING,
            help=f"what the columns mean: {', '.join(mapping.shipped())}, or a path to a TOML file",
        )
        parser.add_argument("--dry-run", action="store_true", help="do everything, keep nothing")
        parser.add_argument("--report", help="write the rejected rows to this CSV file")
        parser.add_argument(
            "--template", help="write an empty file for the mapping (.csv or .xlsx) and stop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["template"]:
                self._write_template(Path(options["template"]), options["mapping"])
            elif options["file"] is None:
                raise CommandError(_("Name the file to import."))
            else:
                self._import(options)
        except ImportRefused as refused:
            raise CommandError(str(refused)) from refused
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be used: %(reason)s.")
                % {"file": error.filename, "reason": error.strerror}
            ) from error

    def _write_template(self, path: Path, name: str) -> None:
        write = template.as_xlsx if path.suffix.lower() == ".xlsx" else template.as_csv
        path.write_bytes(write(name))
        self.stdout.write(_("The template is in %(file)s.") % {"file": path})

    def _import(self, options: dict[str, Any]) -> None:
        chosen = mapping.load(options["mapping"])
        shown: list[Rejection] = []
        with ExitStack() as open_files:
            stream = open_files.enter_context(Path(options["file"]).open("rb"))
            report = None
            if path := options["report"]:
                report = Report(open_files.enter_context(_written(Path(path))))
            bar = open_files.enter_context(_progress())

            def start(titles: Sequence[str], rows: int | None) -> None:
                bar.reset(rows)

            def row(line: int, cells: Sequence[str], outcome: Outcome | Rejection) -> None:
                bar.update()
                if isinstance(outcome, Rejection):
                    if report:
                        report.add(outcome)
                    if len(shown) < SHOWN:
                        shown.append(outcome)

            summary = import_file(
                stream, chosen, dry_run=options["dry_run"], on_start=start, on_row=row
            )
        self._say(summary, shown, dry_run=options["dry_run"])

    def _say(self, summary: Summary, shown: Sequence[Rejection], *, dry_run: bool) -> None:
        counts = [
            (_("Rows"), summary.rows),
            (_("Imported"), summary.imported),
            (_("Already there"), summary.known),
            (_("Rejected"), summary.rejected),
        ]
        for label, count in counts:
            self.stdout.write(f"{label}\t{count}")
        for rejection in shown:
            where = " · ".join(part for part in (rejection.columns, rejection.values) if part)
            line = _("Line %(line)d") % {"line": rejection.line}
            self.stdout.write(" · ".join(filter(None, [line, where, rejection.message])))
        if summary.rejected > len(shown):
            self.stdout.write(
                _("… and %(count)d more; --report lists them all.")
                % {"count": summary.rejected - len(shown)}
            )
        if dry_run:
            self.stdout.write(_("This was a rehearsal: nothing was kept."))
        elif not summary.imported:
            self.stdout.write(_("Nothing was added."))


def _written(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8-sig", newline="")


@contextmanager
def _progress() -> Iterator[tqdm]:
    """A bar where somebody watches."""
    with tqdm(unit="", leave=False, file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        yield bar
