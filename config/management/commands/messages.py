"""Collect every string for translation, keeping the catalogues small and their order steady."""

import shutil
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.commands import makemessages

from config import reference

NOT_OURS = ["var", ".venv", "staticfiles", "tests", "benchmarks"]


class MakeMessages(makemessages.Command):
    """Django's, which also finds what the API's document says."""

    def build_potfiles(self) -> list[str]:
        files: list[str] = super().build_potfiles()
        for file in files:
            template = polib.pofile(file)
            known = {entry.msgid for entry in template}
            for text in sorted(reference.texts() - known):
                template.append(polib.POEntry(msgid=text))
            template.save()
        return files


class Command(BaseCommand):
    help = (
        "Update locale/ from the sources (needs GNU gettext), or with --check say what is missing."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="change nothing; fail where a string is not translated",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if shutil.which("xgettext") is None:
            raise CommandError("GNU gettext is needed for this: install the package gettext.")
        paths = sorted(settings.BASE_DIR.glob("locale/*/LC_MESSAGES/django.po"))
        before = {path: path.read_bytes() for path in paths}
        try:
            call_command(
                MakeMessages(),
                all=True,
                no_location=True,
                no_obsolete=True,
                ignore_patterns=NOT_OURS,
                extensions=["html", "txt", "py"],
                verbosity=0,
            )
            problems = [problem for path in paths for problem in self._tidy(path)]
        finally:
            if check:
                for path, content in before.items():
                    path.write_bytes(content)
        if problems:
            raise CommandError("Not translated:\n" + "\n".join(problems))

    def _tidy(self, path: Path) -> list[str]:
        """Sort the catalogue, drop the date that changes with every run; what is untranslated."""
        catalogue = polib.pofile(str(path), wrapwidth=100)
        for noise in ("POT-Creation-Date", "Report-Msgid-Bugs-To", "PO-Revision-Date"):
            catalogue.metadata.pop(noise, None)
        catalogue.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
        catalogue.save()
        language = path.parent.parent.name
        return [
            f"  {language}: {entry.msgid!r}"
            for entry in catalogue
            if entry.fuzzy or not entry.translated()
        ]
