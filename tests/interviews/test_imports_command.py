"""`manage.py import_interviews`: its words, its report, its refusals; and the shared real file."""

import csv
import io
from collections import Counter
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from interviews import history
from interviews.imports import template
from interviews.models import Interview

pytestmark = pytest.mark.django_db

SHARED = Path(__file__).resolve().parents[3] / "shared/data/interview_attendance.csv"
needs_shared_file = pytest.mark.skipif(
    not SHARED.exists(), reason=f"the shared file {SHARED.name} is not here"
)


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


def run(*arguments, **options):
    out = io.StringIO()
    call_command("import_interviews", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def counts(output):
    rows = (line.split("\t") for line in output.splitlines() if "\t" in line)
    return {label: int(count) for label, count in rows}


def filled(tmp_path, *rows, name="file.csv"):
    titles = [title.split(" ", 1)[1] for title in template.titles()]
    path = tmp_path / name
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, titles, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


ROW = {
    "Interview number": "A-1",
    "Name": "张三",
    "Mobile number": "13900000001",
    "Department": "制造部",
    "Position": "装配技术员",
    "Status": "Completed",
    "Starts": "2026-05-09 14:00",
}


@needs_shared_file
def test_shared_file_is_accounted_for_row_by_row(tmp_path):
    report = tmp_path / "report.csv"

    output = run(SHARED, mapping="attendance", report=report)

    assert counts(output) == {"Rows": 900, "Imported": 896, "Already there": 0, "Rejected": 4}
    with report.open(encoding="utf-8-sig", newline="") as lines:
        rejected = [(row["Line"], row["Column"], row["Value"]) for row in csv.DictReader(lines)]
    assert rejected == [  # line 902 holds commas alone and is no row
        ("318", "Date of Interview", "12.04.2018"),
        ("319", "Date of Interview", "12.04.2019"),
        ("320", "Date of Interview", "12.04.2020"),
        ("321", "Date of Interview", "12.04.2023"),
    ]
    assert not list(history.verify(Interview.objects.all()))


@needs_shared_file
def test_shared_file_says_what_was_meant():
    run(SHARED, mapping="attendance")

    interviews = list(Interview.objects.with_facts())
    assert Counter(one.status for one in interviews) == {"completed": 569, "no_show": 327}
    answers = {value for one in interviews for key, value in one.extra.items() if key in ANSWERS}
    assert answers == {"yes", "no", "uncertain", "unknown"}
    assert all(one.extra.keys() >= ANSWERS for one in interviews)
    assert not {"gender", "marital_status"} & {key for one in interviews for key in one.extra}
    assert {one.location for one in interviews} == {
        "Chennai",
        "Bangalore",
        "Hyderabad",
        "Gurgaon",
        "Noida",
        "Cochin",
        "Hosur",
    }
    typed_elsewhere = Interview.objects.get(source_key__startswith="Candidate 1057|")
    assert typed_elsewhere.starts_at.isoformat() == "2016-01-14T05:00:00+00:00"  # 10.30 Am
    assert typed_elsewhere.extra["expected"] == "unknown"
    positions = {one.position.title for one in interviews}
    assert not [title for title in positions if title[0].isdigit()]
    assert len({one.position.department for one in interviews}) == 12


ANSWERS = {
    "permission",
    "no_meetings",
    "reminder_call",
    "alternative_number",
    "resume_printed",
    "venue_clear",
    "call_letter",
    "expected",
}


@needs_shared_file
def test_shared_file_again_adds_nothing_and_says_so():
    run(SHARED, mapping="attendance")
    output = run(SHARED, mapping="attendance")
    assert counts(output) == {"Rows": 900, "Imported": 0, "Already there": 896, "Rejected": 4}
    assert "Nothing was added." in output


def test_template_filled_in_is_imported(tmp_path):
    output = run(filled(tmp_path, ROW))
    assert counts(output)["Imported"] == 1


def test_rehearsal_says_so_and_keeps_nothing(tmp_path):
    output = run(filled(tmp_path, ROW), dry_run=True)
    assert counts(output)["Imported"] == 1
    assert "nothing was kept" in output
    assert not Interview.objects.exists()


def test_report_runs_nothing_in_a_spreadsheet(tmp_path):
    evil = '=HYPERLINK("http://evil.example";"x")'
    report = tmp_path / "report.csv"
    run(filled(tmp_path, {**ROW, "Status": evil}, {**ROW, "Status": "+1"}), report=report)
    with report.open(encoding="utf-8-sig", newline="") as lines:
        values = [row["Value"] for row in csv.DictReader(lines)]
    assert values == [f"'{evil}", "'+1"]


def test_template_is_written_in_both_kinds(tmp_path):
    run(template=tmp_path / "t.csv")
    run(template=tmp_path / "t.xlsx")
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    assert [cell.value for cell in sheet[1]] == template.titles()
    assert template.titles()[:2] == ["面试编号 Interview number", "姓名 Name"]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"", {}, "empty"),
        (b"a,b\n1,2\n", {}, "lacks these columns"),
        (b"a\x00b\n", {}, "NUL"),
        (b"a,b\n1,2\n", {"mapping": "nonsense"}, "There is no mapping"),
        (b"a,b\n1,2\n", {"report": "/nowhere/at/all.csv"}, "cannot be used"),
    ],
)
def test_refusal_is_a_sentence_and_an_error(tmp_path, content, options, words):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        run(path, **options)
    assert not Interview.objects.exists()


def test_absent_file_and_no_file_are_errors(tmp_path):
    with pytest.raises(CommandError, match="cannot be used"):
        run(tmp_path / "absent.csv")
    with pytest.raises(CommandError, match="Name the file"):
        run()


def test_missing_column_is_named_with_the_nearest(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("Interview number,Nmae,Department,Position,Status,Starts\n", encoding="utf-8")
    with pytest.raises(CommandError, match="姓名 Name"):
        run(path)
