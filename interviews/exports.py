"""Lists as files: read from the database a piece at a time, and written on a piece at a time."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from interviews.columns import Column
from interviews.imports.text import harmless, tidy
from interviews.models import InterviewQuerySet

PIECE = 2000  # rows
MOST_IN_WORKBOOK = 200_000  # rows; as CSV there may be as many as there are
BOM = "\ufeff"  # by which spreadsheets know UTF-8
MOMENT = "yyyy-mm-dd hh:mm"


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


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


def as_csv(columns: Sequence[Column], values: Iterable[list[Any]]) -> Iterator[str]:
    """The lines of the file; no cell of it is run by a spreadsheet."""
    writer = csv.writer(_Echo())
    yield BOM + writer.writerow([str(column.title) for column in columns])
    for row in values:
        yield writer.writerow([_text(value) for value in row])


def as_xlsx(columns: Sequence[Column], values: Iterable[list[Any]]) -> IO[bytes]:
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
    return harmless(tidy(value)) if isinstance(value, str) else f"{value:%Y-%m-%d %H:%M}"


def _cell(sheet: Any, value: Any) -> Any:
    """Texts are marked as such, so that none is taken for a formula."""
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, value=harmless(tidy(value)))
        cell.data_type = "s"
        return cell
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = MOMENT
    return cell
