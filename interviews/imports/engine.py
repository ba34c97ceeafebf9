"""Bringing a file in: all its good rows or, where the file itself cannot be read, none."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from config.tracking import act_as
from interviews.history import actor_of
from interviews.imports import files
from interviews.imports.kinds import STORES
from interviews.imports.mapping import Mapping
from interviews.imports.problems import Rejection
from interviews.imports.rows import Record, RowReader
from interviews.imports.store import Outcome, Store

BATCH = 2000
LOCK = 0x6D69616E  # any number, as long as every import takes the same


@dataclass
class Summary:
    """What became of the rows; the three parts add up to the whole."""

    imported: int = 0
    known: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        return self.imported + self.known + self.rejected

    def count(self, outcome: Outcome | Rejection) -> None:
        match outcome:
            case Rejection():
                self.rejected += 1
            case Outcome.KNOWN:
                self.known += 1
            case Outcome.IMPORTED:
                self.imported += 1


# Called for each row in the order of the file: its line, its cells, what became of it.
RowSeen = Callable[[int, Sequence[str], Outcome | Rejection], None]


def import_file(
    stream: BinaryIO,
    mapping: Mapping,
    *,
    by: User | None = None,
    dry_run: bool = False,
    on_start: Callable[[Sequence[str], int | None], None] | None = None,
    on_row: RowSeen | None = None,
) -> Summary:
    """Import every good row of `stream` in one transaction, or do everything but keep it.

    `on_start` gets the titles and an estimate of the number of rows. Raises ImportRefused, with
    nothing imported, where the file cannot be read. A second import waits for the first.
    """
    summary = Summary()
    with files.opened(stream) as table, transaction.atomic(), _undone(dry_run):
        wait_for_other_imports()
        if by:
            act_as(actor_of(by))  # new positions are changes of the configuration
        reader = RowReader(mapping, table.titles)
        if on_start:
            on_start(table.titles, table.estimate)
        store = STORES[mapping.what](mapping, reader.title, by=by, now=timezone.now())
        while batch := list(islice(table.rows, BATCH)):
            for (line, cells), outcome in zip(batch, _outcomes(batch, reader, store), strict=True):
                summary.count(outcome)
                if on_row:
                    on_row(line, cells, outcome)
    return summary


def _outcomes(
    batch: Sequence[tuple[int, Sequence[str]]], reader: RowReader, store: Store
) -> Iterator[Outcome | Rejection]:
    read = [reader.read(line, cells) for line, cells in batch]
    written = iter(store.write([row for row in read if isinstance(row, Record)]))
    for row in read:
        yield row if isinstance(row, Rejection) else next(written)


def wait_for_other_imports() -> None:
    """One import at a time writes, until its transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


@contextmanager
def no_other_import() -> Iterator[bool]:
    """Whether nobody else imports; then nobody begins to before the block ends. For those who have
    somebody waiting for an answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


@contextmanager
def _undone(dry_run: bool) -> Iterator[None]:
    yield
    if dry_run:
        transaction.set_rollback(True)
