"""Our own templates, one for each thing that can be imported, as empty files to fill in."""

import csv
import io

import openpyxl
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from interviews.imports import mapping
from interviews.imports.mapping import What

MAPPING = "template"  # of interviews
MAPPINGS = {
    What.CANDIDATES: "template_candidates",
    What.POSITIONS: "template_positions",
    What.SLOTS: "template_slots",
    What.APPLICATIONS: "template_applications",
    What.INTERVIEWS: MAPPING,
}


def titles(name: str = MAPPING) -> list[str]:
    """The titles of a template's columns, in both languages."""
    fields = mapping.load(name).fields.values()
    return [column.titles[0] for column in fields if column.titles]


def as_csv(name: str = MAPPING) -> bytes:
    """With a byte order mark, by which spreadsheets know it is UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerow(titles(name))
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(name: str = MAPPING) -> bytes:
    """Every cell is text, so that spreadsheets leave long numbers alone."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(titles(name))
    sheet.freeze_panes = "A2"
    for number, cell in enumerate(sheet[1], start=1):
        cell.font = Font(bold=True)
        column = sheet.column_dimensions[get_column_letter(number)]
        column.width, column.number_format = 24, "@"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
