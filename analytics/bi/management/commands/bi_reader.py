"""Let a BI tool read the figures, and nothing else."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection
from django.utils.translation import gettext as _

from analytics.bi import reader


class Command(BaseCommand):
    help = (
        "Make a role of PostgreSQL that reads the views of the schema bi and nothing else, and "
        "print its password; once more for a new password. With --remove: take the role away."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="of the role, for example metabase")
        parser.add_argument("--remove", action="store_true", help="take the role away")

    def handle(self, *args: Any, name: str, remove: bool, **options: Any) -> None:
        if not reader.NAME.fullmatch(name):
            raise CommandError(
                _("Use small letters, digits and underscores, at most 63, beginning with a letter.")
            )
        try:
            if remove:
                reader.remove(name)
                self.stdout.write(_("%(name)s may read nothing any more.") % {"name": name})
            else:
                self._tell(name, reader.make(name))
        except reader.NameTaken:
            raise CommandError(
                _("There is a role %(name)s already that was not made here.") % {"name": name}
            ) from None
        except reader.NoReader:
            raise CommandError(
                _("There is no role %(name)s that was made here.") % {"name": name}
            ) from None
        except ProgrammingError as refused:
            raise CommandError(
                _(
                    "PostgreSQL refuses, perhaps because the product’s database user may not make"
                    " roles: %(why)s"
                )
                % {"why": str(refused).partition("\n")[0]}
            ) from refused

    def _tell(self, name: str, password: str) -> None:
        self.stdout.write(
            _("%(name)s reads the schema bi of the database %(database)s.")
            % {"name": name, "database": connection.settings_dict["NAME"]}
        )
        self.stdout.write(_("Its password, shown this once: %(password)s") % {"password": password})
