"""The rows of a file as jobs take them: batch after batch, each row read once where nothing
interrupts."""

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import translation

from interviews.imports import files
from interviews.imports.mapping import Mapping
from interviews.imports.rows import Row, RowReader, own_references


@dataclass
class Seen:
    """What the rows read so far hold between them."""

    keys: set[str] = field(default_factory=set)
    references: set[str] = field(default_factory=set)  # what may be one of ours
    earliest: datetime | None = None
    latest: datetime | None = None
    line: int = 1

    def add(self, row: Row) -> None:
        self.line = row.line
        self.keys.add(row.key)
        self.references.update(own_references(row))
        if row.starts_at:
            self.earliest = min(self.earliest or row.starts_at, row.starts_at)
            self.latest = max(self.latest or row.starts_at, row.starts_at)


class Batch(list[Row]):
    """Some rows; the reader, which knows what their file calls a field; what was seen until their
    end; and whether they are the last."""

    def __init__(self, rows: Sequence[Row], reader: RowReader, seen: Seen, *, is_last: bool):
        super().__init__(rows)
        self.reader, self.seen, self.is_last = reader, seen, is_last


class Sheet:
    """A file's rows, to be sliced. Slices that follow each other are quick; another one reads what
    stands before it again, for its keys. What is wrong with a row is told in `language`, or else in
    the one in use. Raises ImportRefused where the file cannot be read."""

    def __init__(self, data: bytes, mapping: Mapping, *, language: str = "") -> None:
        self.data, self.mapping, self.language = data, mapping, language
        with self._spoken():
            self._begin()

    def __getitem__(self, part: slice) -> Batch:
        with self._spoken():
            if part.start != self._at:
                self._begin()
                self._take(part.start)
            rows = self._take(part.stop - part.start)
        return Batch(rows, self.reader, self._seen, is_last=self._next is None)

    def _spoken(self) -> AbstractContextManager[None]:
        return translation.override(self.language) if self.language else nullcontext()

    def _begin(self) -> None:
        self._at, self._seen = 0, Seen()
        self._rows = self._read()
        self._next = next(self._rows, None)

    def _take(self, count: int) -> list[Row]:
        rows: list[Row] = []
        while self._next is not None and len(rows) < count:
            self._seen.add(self._next)
            rows.append(self._next)
            self._next = next(self._rows, None)
        self._at += len(rows)
        return rows

    def _read(self) -> Iterator[Row]:
        with files.opened(io.BytesIO(self.data)) as table:
            self.reader = RowReader(self.mapping, table.titles)
            for line, cells in table.rows:
                yield self.reader.read(line, cells)


def first_rows(data: bytes, mapping: Mapping, count: int) -> Batch:
    """The first rows of a file as they are understood."""
    return Sheet(data, mapping)[0:count]
