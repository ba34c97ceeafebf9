"""Our own template, as an empty file to fill in."""

import csv
import io

import openpyxl
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from interviews.imports import mapping

MAPPING = "template"


def titles() -> list[str]:
    """The titles of the template's columns, in both languages."""
    fields = mapping.load(MAPPING).fields.values()
    return [column.titles[0] for column in fields if column.titles]


def as_csv() -> bytes:
    """With a byte order mark, by which spreadsheets know it is UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerow(titles())
    return text.getvalue().encode("utf-8-sig")


def as_xlsx() -> bytes:
    """Every cell is text, so that spreadsheets leave long numbers alone."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(titles())
    sheet.freeze_panes = "A2"
    for number, cell in enumerate(sheet[1], start=1):
        cell.font = Font(bold=True)
        column = sheet.column_dimensions[get_column_letter(number)]
        column.width, column.number_format = 24, "@"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
