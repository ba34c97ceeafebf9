"""Counts as rows, written a position after the other: memory does not grow with them."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from rest_framework import serializers

from analytics import figures
from analytics.api.answers import InterviewCountsSerializer
from analytics.dashboards.asking import Asked
from analytics.figures import NUMBERS
from interviews.imports.text import harmless
from interviews.models import Position

WHOSE = ("day", "department", "position", "category", "source", "kind")
COLUMNS = (*WHOSE, *NUMBERS, "due")


class MetricSerializer(InterviewCountsSerializer):
    """One row; as JSON, one object a line."""

    day = serializers.DateField()
    department = serializers.CharField(help_text="Its code.")
    position = serializers.CharField(help_text="Its code.")
    category = serializers.CharField(help_text="Its code.")
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="Empty where it is our own."
    )
    kind = serializers.CharField()


def as_csv(asked: Asked) -> Iterator[str]:
    """The first line holds the names. No cell of it is run by a spreadsheet."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in _rows(asked):
        yield writer.writerow([harmless(str(value)) for value in row])


def as_json_lines(asked: Asked) -> Iterator[str]:
    for row in _rows(asked):
        told = dict(zip(COLUMNS, row, strict=True))
        yield f"{json.dumps(told, default=str, ensure_ascii=False)}\n"


def _rows(asked: Asked) -> Iterator[tuple[Any, ...]]:
    positions = Position.objects.values_list("pk", "department__code", "code", "category__code")
    codes = {pk: named for pk, *named in positions}
    for line in figures.lines(asked.chosen, asked.period):
        counts = line.counts
        if line.position in codes and counts != figures.NOTHING:
            numbers = (getattr(counts, name) for name in (*NUMBERS, "due"))
            yield (line.day, *codes[line.position], line.source, line.kind, *numbers)


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text
