"""Appointments of a file, read through a mapping of the importer and never stored: what a model is
measured by."""

from pathlib import Path

from analytics.risk.facts import Facts, answers_of, appointment_of, elsewhere
from analytics.risk.training import Example
from interviews.imports import files, mapping
from interviews.imports.rows import Record, RowReader
from interviews.states import InterviewStatus

CAME = frozenset({InterviewStatus.COMPLETED, InterviewStatus.INCOMPLETE})


def read(path: Path, mapping_name: str) -> list[Example]:
    """The rows of which it is known whether somebody came. Raises ImportRefused, OSError."""
    chosen = mapping.load(mapping_name)
    with path.open("rb") as stream, files.opened(stream) as table:
        reader = RowReader(chosen, table.titles)
        rows = [reader.read(line, cells) for line, cells in table.rows]
    records = [row for row in rows if isinstance(row, Record) and row.starts_at is not None]
    return [
        Example(facts_of(record, chosen.source), int(record["status"] == InterviewStatus.NO_SHOW))
        for record in records
        if record["status"] in CAME | {InterviewStatus.NO_SHOW}
    ]


def facts_of(record: Record, source: str) -> Facts:
    """As queries.facts_of reads an interview that was imported."""
    return Facts(
        kind=record["kind"],
        source=source,
        department=record["department"],
        category=record["category"],
        place=record["location"],
        lives_elsewhere=elsewhere(record["city"], record["location"]),
        works_elsewhere=elsewhere(record["city"], record["position_city"]),
        starts_at=record.starts_at,
        answers=answers_of(record.extra),
        appointment=appointment_of(record.extra),
    )
