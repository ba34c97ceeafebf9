"""The rejected rows as a CSV file a person can work through."""

import csv
from typing import TextIO

from django.utils.translation import gettext as _

from interviews.imports.problems import Rejection
from interviews.imports.text import harmless


class Report:
    """Writes one row for each rejected row; opens in a spreadsheet without running anything."""

    def __init__(self, stream: TextIO) -> None:
        self._writer = csv.writer(stream)
        self._writer.writerow([_("Line"), _("Column"), _("Value"), _("What to do")])

    def add(self, rejection: Rejection) -> None:
        texts = (rejection.columns, rejection.values, rejection.message)
        self._writer.writerow([rejection.line, *map(harmless, texts)])
