"""Compile the catalogues without GNU gettext."""

from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Write a .mo file beside every .po file in locale/."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for path in sorted(settings.BASE_DIR.glob("locale/*/LC_MESSAGES/*.po")):
            polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))
            self.stdout.write(f"Compiled {path.relative_to(settings.BASE_DIR)}")
