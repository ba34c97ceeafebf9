"""Lists as files: read from the database a piece at a time, and written on a piece at a time."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any, Protocol

from django.http import StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.functional import Promise
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from interviews.columns import Column
from interviews.imports.text import harmless, tidy
from interviews.models import InterviewQuerySet

PIECE = 2000  # rows
MOST_IN_WORKBOOK = 200_000  # rows; as CSV there may be as many as there are
BOM = "\ufeff"  # by which spreadsheets know UTF-8
MOMENT = "yyyy-mm-dd hh:mm"


class Titled(Protocol):
    """What a column of a file needs."""

    @property
    def title(self) -> str | Promise: ...


def rows(
    interviews: InterviewQuerySet, columns: Sequence[Column], *, in_full: bool
) -> Iterator[list[Any]]:
    """One list of values an interview, by a cursor on the server."""
    paths = [column.path for column in columns]
    for values in interviews.values_list(*paths).iterator(chunk_size=PIECE):
        yield [
            column.exported(value, in_full=in_full)
            for column, value in zip(columns, values, strict=True)
        ]


def as_csv(columns: Sequence[Titled], values: Iterable[list[Any]]) -> Iterator[Sequence[Any]]:
    """The rows of csv_file for a list of interviews."""
    yield [str(column.title) for column in columns]
    yield from values


def csv_file(name: str, rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """The first row holds the titles. The file is written while it is read, in the language and
    the time zone of who asks for it now; no cell of it is run by a spreadsheet."""
    return StreamingHttpResponse(
        _as_asked(_lines(rows)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BOM
    for row in rows:
        yield writer.writerow([_text(value) for value in row])


def _as_asked(lines: Iterator[str]) -> Iterator[str]:
    """When they are asked for, the response is on its way, and no middleware looks after language
    and time zone any more."""
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def each() -> Iterator[str]:
        while True:
            with translation.override(language), timezone.override(zone):
                line = next(lines, None)
            if line is None:
                return
            yield line

    return each()


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def as_xlsx(columns: Sequence[Titled], values: Iterable[list[Any]]) -> IO[bytes]:
    """A workbook in a file that is gone once it is closed."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([str(column.title) for column in columns])
    for row in values:
        sheet.append([_cell(sheet, value) for value in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book.save(file)
    file.seek(0)
    return file


def file_name(kind: str) -> str:
    return f"interviews-{timezone.localtime():%Y%m%d-%H%M}.{kind}"


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return harmless(tidy(str(value)))


def _cell(sheet: Any, value: Any) -> Any:
    """Texts are marked as such, so that none is taken for a formula."""
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, value=harmless(tidy(value)))
        cell.data_type = "s"
        return cell
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, datetime):
        cell.number_format = MOMENT
    return cell
