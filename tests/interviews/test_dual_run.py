"""While the old system and this one both run: what differs is found, and nothing is changed."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.permissions import PERMISSIONS, READ_DETAIL, Role
from interviews import jobs
from interviews.imports import jobs as imports
from interviews.imports import mapping
from interviews.imports.engine import import_file
from interviews.models import HistoryEntry, Interview, Job
from notifications.models import WorkItem
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "interview_attendance.csv"
TITLES = (
    "Interview number,Name,Mobile number,ID number,Department,Position,Status,Starts,Minutes,Place"
)
ROW = {
    "number": "A-1",
    "name": "张三",
    "mobile": "13900000001",
    "id": "11010519491231002X",
    "department": "制造部",
    "position": "装配技术员",
    "status": "Completed",
    "starts": "2026-05-09 14:00",
    "minutes": "",
    "place": "深圳",
}
OTHER = {
    "number": "A-2",
    "name": "李四",
    "mobile": "13900000002",
    "id": "",
    "starts": "2026-05-11 14:00",
}


@pytest.fixture(autouse=True)
def _afterwards(time_machine):
    time_machine.move_to(datetime(2026, 6, 1, tzinfo=UTC), tick=False)


@pytest.fixture
def administrator(client):
    user = UserFactory(administrator=True)
    client.force_login(user)
    return user


def table(*rows):
    return "\n".join([TITLES, *(",".join({**ROW, **row}.values()) for row in rows)]).encode()


def compared(client, content, name="template", source=""):
    file = SimpleUploadedFile("old.csv", content)
    fields = {"file": file, "mapping": name, "source": source}
    response = client.post(reverse("interviews:compare"), fields)
    assert response.status_code == 302, response.context["form"].errors
    job = Job.objects.get(kind=imports.COMPARE, reference=response.url.split("/")[-2])
    jobs.run_job(job.pk)
    return Job.objects.get(pk=job.pk)


def findings(job):
    return [
        (row.outcome, row.detail.get("key"), row.detail.get("fields")) for row in job.rows.all()
    ]


def bring(*rows):
    import_file(io.BytesIO(table(*rows)), mapping.load("template"))


def test_same_file_shows_no_difference(client, administrator):
    bring({}, OTHER)
    job = compared(client, table({}, OTHER))
    assert (job.state, job.done, job.total, findings(job)) == ("done", 2, 2, [])
    page = client.get(reverse("interviews:comparison", args=[job.reference])).content.decode()
    assert "No difference: all 2 rows" in page


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "Missed"}, ["status", "no_show", "completed"]),
        ({"starts": "2026-05-09 15:00"}, ["starts_at", "2026-05-09 15:00", "2026-05-09 14:00"]),
        ({"name": "张三丰"}, ["name", "张三丰", "张三"]),
        ({"mobile": "13900000009"}, ["mobile", "+8613900000009", "+8613900000001"]),
        ({"department": "研发部"}, ["department", "研发部", "制造部"]),
        ({"position": "质检员"}, ["position", "质检员", "装配技术员"]),
        ({"place": "郑州"}, ["location", "郑州", "深圳"]),
        ({"minutes": "45"}, ["ends_at", "2026-05-09 14:45", "2026-05-09 14:30"]),
        (
            {"id": "440524188001010014"},
            ["national_id", "440***********0014", "110***********002X"],
        ),
    ],
)
def test_value_that_differs_is_named_with_both(client, administrator, change, field):
    bring({}, OTHER)
    job = compared(client, table(change, OTHER))
    ((outcome, key, fields),) = findings(job)
    assert (outcome, key, fields[0]) == ("different", "A-1", field)


@pytest.mark.parametrize(
    "same", [{"place": ""}, {"position": "装配 技术员"}, {"department": "制造部 "}, {"id": ""}]
)
def test_empty_cell_or_another_spelling_is_no_difference(client, administrator, same):
    bring({"position": "装配 技术员"})
    assert findings(compared(client, table({"position": "装配 技术员"} | same))) == []


def test_what_stands_on_one_side_only_is_listed_within_the_files_dates(client, administrator):
    far = {"number": "A-9", "starts": "2026-01-09 14:00", "mobile": "", "id": "", "name": "赵六"}
    within = {"number": "A-3", "starts": "2026-05-10 09:00"}
    bring({}, within, far)
    job = compared(client, table({}, OTHER))
    assert sorted(findings(job)) == [
        ("only_here", "A-3", []),
        ("only_there", "A-2", []),
    ]
    interview = Interview.objects.get(source_key="A-3")
    assert job.rows.get(outcome="only_here").subject == f"interview:{interview.reference}"


# --- How an interview is found -------------------------------------------------------------------


def elsewhere(source="demo", *rows):
    """What was imported stands there as from another source."""
    bring(*rows)
    Interview.objects.filter(source="template").update(source=source)


LATER = {"starts": "2026-05-09 15:00"}


def test_key_is_found_at_the_source_the_page_names_whatever_the_mapping(client, administrator):
    elsewhere("demo", {}, OTHER)

    job = compared(client, table(LATER, OTHER))

    ((outcome, key, fields),) = findings(job)
    assert (outcome, key) == ("different", "A-1")
    assert fields[0] == ["starts_at", "2026-05-09 15:00", "2026-05-09 14:00"]
    page = client.get(reverse("interviews:comparison", args=[job.reference])).text
    assert "Compared with interviews from: demo" in page


def test_what_only_that_source_holds_is_looked_for_there(client, administrator):
    within = {"number": "A-3", "starts": "2026-05-10 09:00"}
    elsewhere("demo", {}, OTHER, within)
    bring({"number": "A-4", "starts": "2026-05-10 10:00"})

    assert findings(compared(client, table({}, OTHER))) == [("only_here", "A-3", [])]


def test_source_is_the_one_chosen(client, administrator):
    elsewhere("demo", {})
    bring(LATER, OTHER)
    page = client.get(reverse("interviews:compare"))
    assert [code for code, _title in page.context["form"].fields["source"].choices] == [
        "",
        "demo",
        "template",
    ]
    assert "Template for interviews (template)" in page.text

    assert findings(compared(client, table(LATER, OTHER))) == []  # more of its keys are there
    chosen = compared(client, table(LATER, OTHER), source="demo")
    assert [(outcome, key) for outcome, key, _fields in findings(chosen)] == [
        ("different", "A-1"),
        ("only_there", "A-2"),
    ]


def test_source_that_is_not_there_is_refused(client, administrator):
    file = SimpleUploadedFile("old.csv", table({}))
    fields = {"file": file, "mapping": "template", "source": "nowhere"}
    response = client.post(reverse("interviews:compare"), fields)
    assert response.status_code == 422
    assert "source" in response.context["form"].errors


@pytest.mark.parametrize("where", ["number", "column"])
def test_interview_is_found_by_our_own_reference(client, administrator, where):
    bring({}, OTHER)
    reference = Interview.objects.get(source_key="A-1").reference
    shown = f"{reference[:5]} {reference[5:]}".lower()
    number = shown if where == "number" else "OLD-77"
    first, *lines = table(LATER | {"number": number}, OTHER).decode().splitlines()
    if where == "column":
        first, lines = f"{first},Reference", [f"{lines[0]},{shown}", f"{lines[1]},"]

    job = compared(client, "\n".join([first, *lines]).encode())

    ((outcome, _key, fields),) = findings(job)
    assert (outcome, fields[0][0]) == ("different", "starts_at")
    assert job.rows.get().subject == f"interview:{reference}"


def test_file_of_something_else_is_told_not_to_be_compared(client, administrator):
    file = SimpleUploadedFile("old.csv", b"Candidate number,Name\nC-1,x")
    response = client.post(reverse("interviews:compare"), {"file": file, "mapping": "template"})
    (error,) = response.context["form"].errors["mapping"]
    assert error == "This looks like “Template for candidates”. Only interviews are compared."


# --- What is told ---------------------------------------------------------------------------------


def test_row_that_cannot_be_read_is_not_missing_in_the_file(client, administrator):
    bring({}, OTHER)
    job = compared(client, table({}, OTHER | {"status": "who knows"}))
    ((outcome, _key, _fields),) = findings(job)
    assert outcome == "rejected"


def test_batches_together_know_the_whole_file(client, administrator, monkeypatch):
    monkeypatch.setitem(jobs.KINDS, imports.COMPARE, (imports.Compare(), 1))
    bring({}, OTHER, {"number": "A-3", "starts": "2026-05-10 09:00"})
    assert findings(compared(client, table({}, OTHER))) == [("only_here", "A-3", [])]


def test_nothing_is_changed(client, administrator):
    bring({})
    before = list(Interview.objects.values())
    compared(client, table({"status": "Missed", "name": "张三丰"}, OTHER))
    assert list(Interview.objects.values()) == before
    added = HistoryEntry.objects.exclude(event="imported").values_list("event", flat=True)
    assert list(added) == ["work_opened"]


def test_report_can_be_narrowed_and_downloaded(client, administrator):
    bring({})
    job = compared(client, table({"status": "Missed", "place": "=1+1"}, OTHER))
    url = reverse("interviews:comparison", args=[job.reference])
    page = client.get(url, {"outcome": "only_there"})
    assert [line.key for line in page.context["lines"]] == ["A-2"]
    assert client.get(url, {"outcome": "nonsense"}).context["outcome"] == ""
    response = client.get(reverse("interviews:comparison_csv", args=[job.reference]))
    rows = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert rows[0] == ["Line", "Key", "Reference", "Finding", "Column", "In the file", "Here"]
    assert [row[3:] for row in rows[1:]] == [
        ["Different values", "Status", "Missed", "Completed"],
        ["Different values", "Place", "'=1+1", "深圳"],
        ["Only in the file", "", "", ""],
    ]


def test_personal_values_are_masked_for_who_may_not_read_them(client, administrator, monkeypatch):
    bring({})
    job = compared(client, table({"name": "张三丰", "place": "郑州"}))
    monkeypatch.setitem(
        PERMISSIONS, Role.ADMINISTRATOR, PERMISSIONS[Role.ADMINISTRATOR] - {READ_DETAIL}
    )
    for name in ("comparison", "comparison_csv"):
        response = client.get(reverse(f"interviews:{name}", args=[job.reference]))
        text = (response.getvalue() if response.streaming else response.content).decode()
        assert "张三丰" not in text
        assert "***" in text
        assert "郑州" in text
    generic = client.get(reverse("interviews:job", args=[job.reference])).content.decode()
    assert "张三丰" not in generic


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data set is not here")
def test_three_changes_in_a_real_file_are_found_and_nothing_else(client, administrator):
    data = SHARED.read_bytes()
    attendance = mapping.load("attendance")
    import_file(io.BytesIO(data), attendance)
    clean = compared(client, data, "attendance")
    unread = dict.fromkeys(row.number for row in clean.rows.all())
    assert {row.outcome for row in clean.rows.all()} <= {"rejected"}

    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    status = rows[0].index("Observed Attendance")
    venue = rows[0].index("Interview Venue")
    key = rows[0].index("Name(Cand ID)")
    good = [n for n, row in enumerate(rows) if n and n + 1 not in unread and any(row)]
    first, second, third = good[3], good[40], good[70]
    came = rows[first][status].strip().lower() == "yes"
    rows[first][status] = "No" if came else "Yes"
    rows[second][venue] = "Elsewhere"
    rows[third][key] = "Candidate 99999"
    text = io.StringIO()
    csv.writer(text).writerows(rows)

    job = compared(client, text.getvalue().encode(), "attendance")

    found = [row for row in job.rows.all() if row.outcome != "rejected"]
    assert sorted(row.outcome for row in found) == [
        "different",
        "different",
        "only_here",
        "only_there",
    ]
    changed = {row.number: row.detail["fields"][0][0] for row in found if row.detail["fields"]}
    assert changed == {first + 1: "status", second + 1: "location"}


# --- What HR gets to look at ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"starts": "2026-05-09 15:00"}, "time_differs"),
        ({"status": "Missed", "starts": "2026-05-09 15:00"}, "status_differs"),
        ({"place": "苏州"}, "facts_differ"),
    ],
)
def test_difference_is_put_before_hr(client, administrator, change, code):
    bring({})

    compared(client, table({**change}))

    item = WorkItem.objects.get()
    interview = Interview.objects.get()
    assert (item.kind, item.subject, item.params) == ("anomaly", interview.subject, {"code": code})
    assert item.audience == interview.position.department.audience
    assert interview.history.latest("sequence").event == "work_opened"


def test_what_the_old_system_does_not_have_is_put_before_hr(client, administrator):
    bring({}, OTHER, {"number": "A-3", "mobile": "13900000003", "id": "", "name": "王五"})

    compared(client, table({}, OTHER))

    assert WorkItem.objects.get().params == {"code": "only_here"}


def test_comparing_again_opens_nothing_twice_while_it_is_open(client, administrator):
    bring({})
    differing = table({"place": "苏州"})

    compared(client, differing)
    compared(client, differing)
    assert WorkItem.objects.count() == 1
    WorkItem.objects.update(closed_at=Interview.objects.get().created_at)
    compared(client, differing)

    assert WorkItem.objects.count() == 2


def test_file_that_differs_everywhere_does_not_bury_the_queue(client, administrator, monkeypatch):
    monkeypatch.setattr(imports, "MOST_OPENED", 1)
    monkeypatch.setitem(jobs.KINDS, imports.COMPARE, (imports.Compare(), 1))
    bring({}, OTHER)

    job = compared(client, table({"place": "苏州"}, {**OTHER, "place": "苏州"}))

    assert job.rows.count() == 2
    assert WorkItem.objects.count() == 1
