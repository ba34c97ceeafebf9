"""Opening what people upload: CSV in UTF-8 or GB18030, or XLSX; the rest is refused in a sentence.

Rows are read as a stream. Nothing here trusts the file's name.
"""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, BinaryIO

import openpyxl
from django.utils.translation import gettext as _

from interviews.imports.problems import ImportRefused
from interviews.imports.text import fold, shortened, tidy

MEBIBYTE = 1024 * 1024
LARGEST_CSV = 50 * MEBIBYTE
LARGEST_XLSX = 20 * MEBIBYTE
# An XLSX is a zip archive of XML: what it would become is weighed before anything is unpacked.
LARGEST_UNPACKED = 400 * MEBIBYTE
LARGEST_STRINGS = 50 * MEBIBYTE  # openpyxl keeps the table of strings in memory
LARGEST_RATIO = 60
SMALL_ENOUGH = 5 * MEBIBYTE  # below this no ratio is suspicious
MOST_COLUMNS = 200
CHUNK = MEBIBYTE
# Where a document may define entities of its own, which can grow without limit, is before its root
# element. Nothing but space, instructions and comments may stand there.
LONGEST_PROLOG = 64 * 1024
PROLOG = re.compile(r"(?s)(?:\s|<\?.*?\?>|<!--.*?-->)*+<[^!?]")
MAYBE_XML = re.compile(r"\s*+(?:<|\Z)")


@dataclass
class Table:
    """An opened file: its titles, and its rows as (line, cells)."""

    titles: list[str]
    rows: Iterator[tuple[int, list[str]]]
    estimate: int | None  # how many rows there may be, for a progress bar

    def __post_init__(self) -> None:
        _check_titles(self.titles)


@contextmanager
def opened(stream: BinaryIO) -> Iterator[Table]:
    """The table in `stream`, a binary file that can seek. Raises ImportRefused, also while its rows
    are being read."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    start = stream.read(8)
    stream.seek(0)
    if not size:
        raise ImportRefused(_("The file is empty."))
    if start.startswith(b"PK\x03\x04"):
        with _xlsx(stream, size) as table:
            yield table
    elif start.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"PK", b"\x1f\x8b", b"Rar!", b"{\\rtf")):
        raise _wrong_kind()
    else:
        with _csv(stream, size) as table:
            yield table


# --- CSV ----------------------------------------------------------------------------------------


@contextmanager
def _csv(stream: BinaryIO, size: int) -> Iterator[Table]:
    if size > LARGEST_CSV:
        raise _too_large(LARGEST_CSV)
    encoding, lines = _encoding(stream)
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        first = text.readline()
        text.seek(0)
        rows = _csv_rows(csv.reader(_without_nul(text), delimiter=_delimiter(first)))
        _line, titles = next(rows, (0, []))
        if not any(titles):
            raise ImportRefused(_("The first row must hold the titles of the columns."))
        yield Table(titles, _filled(rows), max(lines - 1, 0))
    finally:
        text.detach()  # the file is the caller's to close


def _encoding(stream: BinaryIO) -> tuple[str, int]:
    """The encoding the whole file is valid in, and how many lines it has."""
    start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ImportRefused(_("The file is UTF-16 text. Save it as CSV (UTF-8) and try again."))
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        lines = foreign = chinese = 0
        stream.seek(0)
        try:
            while chunk := stream.read(CHUNK):
                lines += max(chunk.count(b"\n"), chunk.count(b"\r"))  # one, the other or both
                text = decoder.decode(chunk)
                if encoding == "gb18030" and not text.isascii():
                    beyond = [char for char in text if not char.isascii()]
                    foreign += len(beyond)
                    chinese += len("".join(beyond).encode("gb2312", "ignore")) // 2
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        # Almost any bytes are valid GB18030; real Chinese text is nearly all in its oldest part.
        if encoding != "gb18030" or chinese >= 0.9 * foreign:
            return encoding, lines
    raise ImportRefused(
        _("The file's encoding is not known. Save it as CSV (UTF-8) or XLSX and try again.")
    )


def _delimiter(first_line: str) -> str:
    return max(",;\t", key=first_line.count)


def _without_nul(lines: Iterator[str] | io.TextIOWrapper) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\x00" in line:
            raise ImportRefused(
                _(
                    "Line %(line)d holds a NUL byte, so this is not a text file or it is damaged. "
                    "Save it again as CSV (UTF-8)."
                )
                % {"line": number}
            )
        yield line


def _csv_rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows by the line they begin on."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportRefused(
                _("Line %(line)d cannot be read: is a quotation mark missing?") % {"line": line}
            ) from error
        if cells:
            yield line, cells


# --- XLSX ---------------------------------------------------------------------------------------


@contextmanager
def _xlsx(stream: BinaryIO, size: int) -> Iterator[Table]:
    if size > LARGEST_XLSX:
        raise _too_large(LARGEST_XLSX)
    try:
        _weigh(stream, size)
        stream.seek(0)
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except ImportRefused:
        raise
    # openpyxl lets through whatever its parsers stumble over in a damaged file.
    except Exception as error:
        raise _damaged() from error
    try:
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is None:
            raise ImportRefused(_("The file holds no sheet."))
        last, is_sized = sheet.max_row, sheet.max_row and sheet.max_column > 1
        sheet.reset_dimensions()  # not every program writes the right ones: "A1", or none at all
        rows = _xlsx_rows(sheet)
        _line, titles = next(rows, (0, []))
        if not any(titles):
            raise ImportRefused(_("The first row must hold the titles of the columns."))
        yield Table(titles, _filled(rows), last - 1 if is_sized else None)
    finally:
        book.close()


def _weigh(stream: BinaryIO, size: int) -> None:
    """Refuse what would not fit in memory, and XML that defines entities of its own."""
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
                raise _wrong_kind()
            total = sum(part.file_size for part in parts)
            strings = sum(p.file_size for p in parts if "sharedstrings" in p.filename.lower())
            ratio = total / size
            if (
                total > LARGEST_UNPACKED
                or strings > LARGEST_STRINGS
                or (total > SMALL_ENOUGH and ratio > LARGEST_RATIO)
                or len(parts) > 1000
            ):
                raise ImportRefused(
                    _("The XLSX file would be far too large when opened. Save it as CSV (UTF-8).")
                )
            for part in parts:
                with archive.open(part) as opened_part:
                    start = opened_part.read(LONGEST_PROLOG)
                # Whatever its name: the book itself says which of its parts are read as XML.
                if start and not _harmless_xml(_decoded(start)):
                    raise _damaged()  # no spreadsheet program writes that
    except ImportRefused:
        raise
    # Inflating damaged bytes raises what the compression at hand has for it.
    except Exception as error:
        raise _damaged() from error


def _harmless_xml(start: str) -> bool:
    return bool(PROLOG.match(start)) or not MAYBE_XML.match(start)


def _decoded(start: bytes) -> str:
    """Enough to tell mark-up, in the encodings the parser takes without being told."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return start.decode("utf-16", "replace")
    if b"\0" in start[:2]:
        return start.decode("utf-16-be" if start[0] == 0 else "utf-16-le", "replace")
    return start.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _xlsx_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    rows = sheet.iter_rows(values_only=True)
    line = 0
    while True:
        line += 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        # A sheet is inflated and parsed as it is read, and damage raises anything: zlib.error is
        # not even an OSError.
        except Exception as error:
            raise _damaged() from error
        texts = [_as_text(cell) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        yield line, texts


def _as_text(cell: object) -> str:
    """What a cell shows, near enough to be read like a CSV's."""
    match cell:
        case None:
            return ""
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime():
            return cell.replace(microsecond=0, tzinfo=None).isoformat(sep=" ")
        case date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


# --- Both ---------------------------------------------------------------------------------------


def _filled(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Sheets often end in hundreds of formatted but blank rows, and the CSV made of one in as many
    lines of commas: nobody typed them, so they are not rows."""
    return (row for row in rows if any(map(tidy, row[1])))


def _wrong_kind() -> ImportRefused:
    return ImportRefused(_("This kind of file cannot be read. Save it as CSV (UTF-8) or XLSX."))


def _damaged() -> ImportRefused:
    return ImportRefused(_("The XLSX file is damaged. Open it, save it again and try again."))


def _too_large(limit: int) -> ImportRefused:
    return ImportRefused(
        _("The file is larger than %(limit)d MB. Split it and import one part after the other.")
        % {"limit": limit // MEBIBYTE}
    )


def _check_titles(titles: list[str]) -> None:
    if len(titles) > MOST_COLUMNS:
        raise ImportRefused(
            _("The file has %(count)d columns; at most %(limit)d can be read.")
            % {"count": len(titles), "limit": MOST_COLUMNS}
        )
    seen = set()
    for title in map(fold, titles):
        if title and title in seen:
            raise ImportRefused(
                _("Two columns are called “%(title)s”. Rename or remove one of them.")
                % {"title": shortened(tidy(title))}
            )
        seen.add(title)
