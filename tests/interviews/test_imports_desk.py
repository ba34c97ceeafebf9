"""Importing at the desk: preview, import in the background, undo; every row accounted for."""

import csv
import io
from contextlib import contextmanager
from datetime import UTC, datetime

import openpyxl
import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import ProgrammingError, connection, transaction
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import ConfigurationChange, User
from candidates.models import Candidate
from interviews import history, jobs, seals
from interviews.imports import engine, template
from interviews.imports import jobs as imports
from interviews.models import (
    Application,
    Department,
    HistoryEntry,
    Interview,
    Job,
    JobRow,
    Position,
    PositionCategory,
    RemovedInterview,
    Slot,
)
from interviews.services import InterviewStatus
from notifications.models import Notification
from tests.factories import (
    ApplicationFactory,
    CandidateFactory,
    DepartmentFactory,
    PositionCategoryFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

UPLOAD = "interviews:imports"
TITLES = "Interview number,Name,Mobile number,Department,Position,Status,Starts"
GOOD = "A-1,张三,13900000001,制造部,装配技术员,Completed,2026-05-09 14:00"
OTHER = "A-2,李四,13900000002,制造部,装配技术员,Completed,2026-05-09 15:00"
BAD = "A-3,王五,12345,制造部,装配技术员,Completed,2026-05-09 14:00"
ID_NUMBER = "11010519491231002X"
MODELS = (User, Candidate, Department, PositionCategory, Position, Application, Interview, Slot)


@pytest.fixture(autouse=True)
def _afterwards(time_machine):
    time_machine.move_to(datetime(2026, 6, 1, tzinfo=UTC), tick=False)


@pytest.fixture
def administrator(client):
    user = UserFactory(administrator=True)
    client.force_login(user)
    return user


@pytest.fixture
def speaks(client, administrator):
    """An administrator who chose no language comes with a browser that asks for one."""

    def with_a_browser(language):
        User.objects.filter(pk=administrator.pk).update(language="")
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = language

    return with_a_browser


def data(*lines, titles=TITLES):
    return "\n".join([titles, *lines]).encode()


def upload(client, content, mapping="template", name="file.csv"):
    file = SimpleUploadedFile(name, content)
    return client.post(reverse(UPLOAD), {"file": file, "mapping": mapping})


def previewed(client, content, mapping="template"):
    response = upload(client, content, mapping)
    assert response.status_code == 302, response.context["form"].errors
    return Job.objects.get(kind=imports.PREVIEW, reference=response.url.split("/")[-2])


def imported(client, content, mapping="template"):
    preview = previewed(client, content, mapping)
    client.post(reverse("interviews:start_import", args=[preview.reference]))
    job = Job.objects.get(reference=preview.params["import"])
    jobs.run_job(job.pk)
    return Job.objects.get(pk=job.pk)


def undone(client, job):
    response = client.post(reverse("interviews:undo_import", args=[job.reference]))
    undo = Job.objects.get(kind=imports.UNDO, reference=response.url.split("/")[-2])
    jobs.run_job(undo.pk)
    return {row.number: (row.outcome, row.detail.get("why")) for row in undo.rows.all()}


def outcomes(job):
    return {row.number: row.outcome for row in job.rows.all()}


def counts():
    return tuple(model.objects.count() for model in MODELS)


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


# --- preview -------------------------------------------------------------------------------------


def test_preview_counts_shows_and_writes_nothing(client, administrator):
    before = counts()
    job = previewed(client, data(GOOD, OTHER, BAD))
    page = client.get(reverse("interviews:import_preview", args=[job.reference]))

    assert job.state == "done"
    found = {key: job.params[key] for key in ("rows", "imported", "known", "rejected")}
    assert found == {"rows": 3, "imported": 2, "known": 0, "rejected": 1}
    text = page.content.decode()
    assert "+8613900000001" in text  # as it is understood
    assert "Import 2 rows" in text
    assert "12345" in text
    assert "This is not a mobile number" in text
    assert counts() == before
    assert not HistoryEntry.objects.exists()


def test_rejections_are_told_by_line_column_value_and_what_to_do(client, administrator):
    job = previewed(client, data(GOOD, BAD))
    response = client.get(reverse("interviews:import_rejections", args=[job.reference]))
    rows = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert rows[0] == ["Line", "Column", "Value", "What to do"]
    assert rows[1][:3] == ["3", "Mobile number", "12345"]
    assert "mobile number" in rows[1][3]
    assert len(rows) == 2


def test_problems_are_told_in_the_language_of_who_asked(client):
    client.force_login(UserFactory(administrator=True, language="zh-hans"))
    job = previewed(client, data(GOOD, BAD))
    assert "手机号" in job.rows.get().detail["message"]


@pytest.mark.parametrize(
    ("spoken", "worker", "words"),
    [("en", "zh-hans", "not a mobile number"), ("zh-hans", "en", "手机号")],
)
def test_worker_tells_problems_in_the_language_the_browser_asked_for(
    client, administrator, speaks, monkeypatch, spoken, worker, words
):
    monkeypatch.setattr(imports, "SMALL", -1)
    speaks(spoken)
    content = data(GOOD, BAD)
    preview = previewed(client, content)
    with translation.override(worker):
        jobs.run_job(preview.pk)
    client.post(reverse("interviews:start_import", args=[preview.reference]))
    file = SimpleUploadedFile("file.csv", content)
    client.post(reverse("interviews:compare"), {"file": file, "mapping": "template"})

    with translation.override(worker):
        for job in Job.objects.exclude(pk=preview.pk):
            jobs.run_job(job.pk)

    rejected = JobRow.objects.filter(outcome="rejected")
    assert set(rejected.values_list("job__kind", flat=True)) == {
        imports.PREVIEW,
        imports.IMPORT,
        imports.COMPARE,
    }
    for row in rejected:
        assert words in row.detail["message"], row.job.kind


def test_refusal_is_told_in_the_language_the_browser_asked_for(
    client, administrator, speaks, monkeypatch
):
    monkeypatch.setattr(imports, "SMALL", -1)
    speaks("en")
    job = previewed(client, data(GOOD) + b"\n\x00\n")

    with translation.override("zh-hans"):
        jobs.run_job(job.pk)

    assert "Line 3 holds a NUL byte" in Job.objects.get(pk=job.pk).params["refused"]


CANDIDATE_TITLES = "Candidate number,Name,Mobile number"
APPLICATION_TITLES = "Candidate number,Name,Position code,Stage"


@pytest.mark.parametrize(
    ("language", "titles", "chosen", "told"),
    [
        ("en", CANDIDATE_TITLES, "template", "“Template for candidates”: choose it here."),
        ("zh-hans", CANDIDATE_TITLES, "template", "“候选人导入模板”，请在此处选择它。"),
        ("en", TITLES, "template_slots", "“Template for interviews”: choose it here."),
        ("en", APPLICATION_TITLES, "template", "“Template for applications”: choose it here."),
        (  # which lacks a column, but knows more of the others than any
            "en",
            "Position code,Post,Department code,Category code,Open",
            "template",
            "“Template for positions”: choose it here.",
        ),
    ],
)
def test_file_of_another_template_is_told_to_be_one(
    client, administrator, speaks, language, titles, chosen, told
):
    speaks(language)

    response = upload(client, data(titles=titles), chosen)

    assert response.status_code == 422
    (error,) = response.context["form"].errors["mapping"]
    assert told in error
    assert "file" not in response.context["form"].errors


@pytest.mark.parametrize("address", [UPLOAD, "interviews:compare"])
@pytest.mark.parametrize(
    ("language", "title"), [("en", "Template for interviews"), ("zh-hans", "面试导入模板")]
)
def test_template_is_called_by_what_it_brings(
    client, administrator, speaks, address, language, title
):
    speaks(language)
    assert f">{title}</option>" in client.get(reverse(address)).text


def test_cell_that_is_a_formula_is_not_run_by_a_spreadsheet(client, administrator):
    job = previewed(client, data(BAD.replace("12345", "=1+1")))
    response = client.get(reverse("interviews:import_rejections", args=[job.reference]))
    (_titles, row) = csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig")))
    assert row[2] == "'=1+1"


def test_id_numbers_stand_nowhere_in_clear(client, administrator):
    titles = TITLES + ",ID number"
    wrong = ID_NUMBER[:-1] + "1"
    job = previewed(client, data(f"{GOOD},{ID_NUMBER}", f"{OTHER},{wrong}", titles=titles))
    page = client.get(reverse("interviews:import_preview", args=[job.reference])).content.decode()
    stored = Job.objects.get(pk=job.pk)
    assert stored.params["imported"] == stored.params["rejected"] == 1
    for number in (ID_NUMBER, wrong):
        assert number not in page
        assert number.encode() not in bytes(stored.file)
        assert number not in str(list(JobRow.objects.values_list("detail", flat=True)))
    assert "110***********002X" in page


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00x", "UTF-16"),
        (b"%PDF-1.7", "kind of file"),
        (b"Name,Mobile\n1,2", "lacks these columns"),
        (b"PK\x03\x04broken", "damaged"),
        (b"a,a\n1,2", "Two columns"),
    ],
)
def test_file_that_cannot_be_read_is_refused_in_a_sentence(client, administrator, content, words):
    response = upload(client, content)
    assert response.status_code == 422
    assert words in str(response.context["form"].errors["file"])
    assert not Job.objects.exists()


def test_file_that_turns_unreadable_later_is_refused_by_the_preview(client, administrator):
    job = previewed(client, data(GOOD) + b"\n\x00\n")
    page = client.get(reverse("interviews:import_preview", args=[job.reference]))
    assert "Line 3 holds a NUL byte" in page.content.decode()
    response = client.post(reverse("interviews:start_import", args=[job.reference]))
    assert said(response) == ["There is nothing to import. Choose the file again."]
    assert not Job.objects.filter(kind=imports.IMPORT).exists()


def test_file_larger_than_the_desk_takes_is_refused(client, administrator, monkeypatch):
    monkeypatch.setattr("interviews.imports.forms.LARGEST_UPLOAD", 100)
    response = upload(client, data(GOOD, OTHER))
    assert "larger than" in str(response.context["form"].errors["file"])


def test_name_of_the_file_may_be_anything(client, administrator):
    upload(client, data(GOOD), name="a\x00b" * 200 + ".csv")
    assert len(Job.objects.get().file_name) <= 200


def test_larger_file_is_read_in_the_background(client, administrator, monkeypatch):
    monkeypatch.setattr(imports, "SMALL", 0)
    job = previewed(client, data(GOOD, OTHER))
    page = client.get(reverse("interviews:import_preview", args=[job.reference]))
    assert (job.state, page.status_code) == ("queued", 200)
    assert "progress" in page.content.decode()
    jobs.run_job(job.pk)
    page = client.get(reverse("interviews:import_preview", args=[job.reference]))
    assert "Import 2 rows" in page.content.decode()


def test_file_whose_size_is_not_known_is_read_in_the_background(client, administrator, monkeypatch):
    monkeypatch.setattr(imports, "_check", lambda *args: None)
    assert previewed(client, data(GOOD)).state == "queued"


@contextmanager
def somebody_imports():
    """A file brought in by the command, say, which takes its time."""
    other = connection.copy()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")  # who waits after all is told
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [engine.LOCK])
            yield
            cursor.execute("SELECT pg_advisory_unlock(%s)", [engine.LOCK])
    finally:
        other.close()


def test_preview_does_not_keep_anybody_waiting_for_another_import(client, administrator):
    with somebody_imports():
        job = previewed(client, data(GOOD))
        assert job.state == "queued"
    jobs.run_job(job.pk)
    assert Job.objects.get(pk=job.pk).params["imported"] == 1
    assert previewed(client, data(OTHER)).state == "done"


def test_blank_rows_count_nowhere(client, administrator):
    job = imported(client, data(GOOD, ",,,,,,", OTHER, ",,,,,,", ", ,,,,,"))
    preview = Job.objects.get(kind=imports.PREVIEW)
    found = {key: preview.params[key] for key in ("rows", "imported", "known", "rejected")}
    assert found == {"rows": 2, "imported": 2, "known": 0, "rejected": 0}
    assert (job.done, job.total) == (2, 2)
    assert outcomes(job) == {2: "imported", 4: "imported"}


def test_preview_that_broke_says_what_happened(client, administrator, monkeypatch):
    monkeypatch.setattr(imports, "import_file", lambda *args, **kwargs: 1 / 0)
    job = previewed(client, data(GOOD))

    page = client.get(reverse("interviews:import_preview", args=[job.reference])).text

    assert "with this code: ZeroDivisionError" in page
    assert "nothing was imported" in page
    assert "Choose the file again" in page


def test_preview_that_was_stopped_says_so(client, administrator, monkeypatch):
    monkeypatch.setattr(imports, "SMALL", -1)
    job = previewed(client, data(GOOD))
    jobs.stop_job(job.pk)

    page = client.get(reverse("interviews:import_preview", args=[job.reference])).text

    assert "It was stopped" in page
    assert "Choose the file again" in page


@pytest.mark.parametrize("kind", ["import_preview", "comparison"])
def test_what_runs_can_be_looked_at_again_and_stopped_without_a_script(
    client, administrator, monkeypatch, kind
):
    monkeypatch.setattr(imports, "SMALL", -1)
    if kind == "comparison":
        file = SimpleUploadedFile("file.csv", data(GOOD))
        client.post(reverse("interviews:compare"), {"file": file, "mapping": "template"})
    else:
        previewed(client, data(GOOD))
    job = Job.objects.get()

    page = client.get(reverse(f"interviews:{kind}", args=[job.reference])).text

    assert ">Refresh</a>" in page
    assert reverse("interviews:stop_job", args=[job.reference]) in page


def test_preview_no_longer_kept_says_so(client, administrator):
    job = previewed(client, data(GOOD))
    jobs.forget_reports(before=timezone.now() + jobs.KEPT)
    page = client.get(reverse("interviews:import_preview", args=[job.reference]))
    assert "no preview any more" in page.content.decode()
    client.post(reverse("interviews:start_import", args=[job.reference]))
    assert not Job.objects.filter(kind=imports.IMPORT).exists()


def test_many_rejections_are_paged_and_the_queries_do_not_grow(
    client, administrator, django_assert_max_num_queries
):
    job = previewed(client, data(GOOD, *[BAD.replace("A-3", f"B-{n}") for n in range(120)]))
    url = reverse("interviews:import_preview", args=[job.reference])
    for page in (1, 3):
        with django_assert_max_num_queries(14):
            response = client.get(url, {"page": page})
    assert len(response.context["page"]) == 20


# --- importing -----------------------------------------------------------------------------------


def test_import_brings_exactly_what_was_previewed_and_accounts_for_every_row(client, administrator):
    job = imported(client, data(GOOD, OTHER, BAD))
    assert (job.state, job.done, job.total) == ("done", 3, 3)
    assert outcomes(job) == {2: "imported", 3: "imported", 4: "rejected"}
    assert set(Interview.objects.values_list("source_key", flat=True)) == {"A-1", "A-2"}
    assert HistoryEntry.objects.first().data["by"] == f"user:{administrator.pk}"
    assert not list(history.verify(Interview.objects.all()))
    report = client.get(reverse("interviews:job_report", args=[job.reference]))
    assert "This is not a mobile number" in report.getvalue().decode()


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "3 rows read, 1 new."), ("zh-hans", "读取 3 行，新增 1 行。")],
)
def test_report_says_what_was_read_and_what_was_new_and_offers_undo(
    client, administrator, speaks, language, told
):
    speaks(language)
    imported(client, data(GOOD))
    job = imported(client, data(GOOD, OTHER, BAD))
    report = reverse("interviews:job", args=[job.reference])
    undo = reverse("interviews:undo_import", args=[job.reference])

    page = client.get(report).text
    assert told in " ".join(page.split())
    assert undo in page
    latest = client.get(reverse(UPLOAD)).context["rows"][0]
    assert (latest["job"].done, latest["new"]) == (3, 1)

    undone(client, job)
    page = client.get(report).text
    assert undo not in page
    assert reverse("interviews:job", args=[job.params["undo"]]) in page


def test_report_of_an_import_that_runs_or_brought_nothing_offers_no_undo(client, administrator):
    preview = previewed(client, data(GOOD))
    client.post(reverse("interviews:start_import", args=[preview.reference]))
    running = Job.objects.get(reference=preview.params["import"])
    jobs.run_job(imports.start_import(previewed(client, data(BAD)), by=administrator).pk)
    empty = Job.objects.get(kind=imports.IMPORT, state="done")

    for job in (running, empty):
        page = client.get(reverse("interviews:job", args=[job.reference])).text
        assert reverse("interviews:undo_import", args=[job.reference]) not in page


def test_report_about_no_interview_has_no_empty_column(client, administrator):
    candidates = data("C-1,张三,13900000001", titles=CANDIDATE_TITLES)
    without = imported(client, candidates, "template_candidates")
    about = imported(client, data(GOOD))

    shown = [
        ">About</th>" in client.get(reverse("interviews:job", args=[job.reference])).text
        for job in (without, about)
    ]

    assert shown == [False, True]


@pytest.mark.parametrize("imports_there", [1, 3])
def test_list_of_imports_asks_no_more_the_longer_it_is(
    client, administrator, django_assert_max_num_queries, imports_there
):
    for number in range(imports_there):
        imported(client, data(GOOD.replace("A-1", f"L-{number}")))
    with django_assert_max_num_queries(12):
        response = client.get(reverse(UPLOAD))
    assert [row["new"] for row in response.context["rows"]] == [1] * imports_there


def test_new_positions_are_put_down_to_who_imported_them(client, administrator):
    imported(client, data(GOOD))
    change = ConfigurationChange.objects.get(kind="interviews.position")
    assert (change.action, change.actor) == ("added", f"user:{administrator.pk}")


def test_pressing_import_twice_starts_one_job(client, administrator):
    preview = previewed(client, data(GOOD))
    url = reverse("interviews:start_import", args=[preview.reference])
    assert client.post(url).url == client.post(url).url
    assert Job.objects.filter(kind=imports.IMPORT).count() == 1


def test_who_signed_in_anew_before_importing_comes_back_to_the_preview(client, administrator):
    preview = previewed(client, data(GOOD))
    address = reverse("interviews:start_import", args=[preview.reference])
    assert client.get(address).url == reverse("interviews:import_preview", args=[preview.reference])
    assert not Job.objects.filter(kind=imports.IMPORT).exists()


def test_same_file_twice_adds_nothing(client, administrator):
    imported(client, data(GOOD, OTHER))
    before = counts()
    preview = previewed(client, data(GOOD, OTHER))
    assert (preview.params["imported"], preview.params["known"]) == (0, 2)
    page = client.get(reverse("interviews:import_preview", args=[preview.reference]))
    assert "nothing new in this file" in page.content.decode()
    assert counts() == before


def test_worker_that_dies_is_followed_by_one_that_doubles_nothing(
    client, administrator, monkeypatch, time_machine
):
    monkeypatch.setitem(jobs.KINDS, imports.IMPORT, (imports.Import(), 2))
    lines = [
        f"N-{n},人{n % 3},1390000{n % 3:04d},制造部,装配技术员,已完成,2026-05-09" for n in range(7)
    ]
    preview = previewed(client, data(*lines, lines[0]))
    client.post(reverse("interviews:start_import", args=[preview.reference]))
    job = Job.objects.get(reference=preview.params["import"])
    died = iter([False, True])

    def until_it_dies(*args):
        if next(died):
            raise SystemExit
        return batch(*args)

    batch = jobs._do_batch
    monkeypatch.setattr(jobs, "_do_batch", until_it_dies)
    with pytest.raises(SystemExit):
        jobs.run_job(job.pk)
    assert Job.objects.get(pk=job.pk).done == 2
    monkeypatch.setattr(jobs, "_do_batch", batch)
    time_machine.shift(jobs.LEASE * 2)
    jobs.run_job(job.pk)

    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.done) == ("done", 8)
    assert outcomes(job) == {**dict.fromkeys(range(2, 9), "imported"), 9: "rejected"}
    assert "Line 2 already holds the same" in job.rows.get(number=9).detail["message"]
    assert (Interview.objects.count(), Candidate.objects.count()) == (7, 3)


def test_stopped_import_leaves_what_is_done_and_can_go_on_by_importing_again(
    client, administrator, monkeypatch
):
    monkeypatch.setitem(jobs.KINDS, imports.IMPORT, (imports.Import(), 1))
    preview = previewed(client, data(GOOD, OTHER))
    client.post(reverse("interviews:start_import", args=[preview.reference]))
    job = Job.objects.get(reference=preview.params["import"])
    real = imports.Import.do

    def do(self, job, items):
        jobs.stop_job(job.pk)
        return real(self, job, items)

    monkeypatch.setattr(imports.Import, "do", do)
    jobs.run_job(job.pk)
    monkeypatch.setattr(imports.Import, "do", real)
    assert (Job.objects.get(pk=job.pk).state, Interview.objects.count()) == ("stopped", 1)
    assert outcomes(imported(client, data(GOOD, OTHER))) == {2: "known", 3: "imported"}


# --- what else can be imported -------------------------------------------------------------------


def test_candidates_are_brought_in_alone_and_found_again_by_their_interviews(client, administrator):
    titles = "Candidate number,Name,Mobile number,City"
    lines = ["C-1,张三,13900000001,深圳", "C-2,李四,13900000002,郑州", "C-3,张三,13900000001,深圳"]
    job = imported(client, data(*lines, titles=titles), "template_candidates")
    assert outcomes(job) == {2: "imported", 3: "imported", 4: "known"}
    assert set(Candidate.objects.values_list("source_key", "city")) == {
        ("C-1", "深圳"),
        ("C-2", "郑州"),
    }
    again = previewed(client, data(*lines, titles=titles), "template_candidates")
    assert (again.params["imported"], again.params["known"]) == (0, 3)
    interview = data(
        "A-1,张三,C-1,制造部,装配,Completed,2026-05-09",
        titles=TITLES.replace("Mobile number", "Candidate number"),
    )
    imported(client, interview)
    assert Interview.objects.get().candidate.source_key == "C-1"
    assert Candidate.objects.count() == 2


def test_positions_name_their_department_and_category_by_code_or_name(client, administrator):
    department = DepartmentFactory(code="mfg", name="制造部")
    category = PositionCategoryFactory()
    titles = "Position code,Position,Department code,Department,Category code,Open"
    lines = [
        "P-1,装配,mfg,,frontline,Yes",
        "P-2,质检,,制造部,,No",
        "P-3,研发,rnd,研发部,,",
        "P-4,销售,nowhere,,,",
        "P-5,保安,,,,",
    ]
    job = imported(client, data(*lines, titles=titles), "template_positions")
    assert outcomes(job) == {
        2: "imported", 3: "imported", 4: "imported", 5: "rejected", 6: "rejected",
    }  # fmt: skip
    first, second = Position.objects.get(code="P-1"), Position.objects.get(code="P-2")
    assert (first.department, first.category, first.is_open) == (department, category, True)
    assert (second.department, second.is_open) == (department, False)
    assert Department.objects.get(code="rnd").name == "研发部"
    assert "not known" in job.rows.get(number=5).detail["message"]
    again = previewed(client, data(*lines, titles=titles), "template_positions")
    assert (again.params["imported"], again.params["known"]) == (0, 3)


def test_slots_need_their_position_and_come_once(client, administrator):
    position = PositionFactory(code="P-1")
    titles = "Position code,Kind,Starts,Minutes,Places"
    lines = [
        "P-1,AI,2026-06-09 14:00,45,3",
        "P-1,On-site,2026-06-09 14:00,,",
        "P-9,AI,2026-06-09 14:00,,",
        "P-1,AI,2026-06-10 14:00,,0",
    ]
    job = imported(client, data(*lines, titles=titles), "template_slots")
    assert outcomes(job) == {2: "imported", 3: "imported", 4: "rejected", 5: "rejected"}
    slot = Slot.objects.get(position=position, kind="ai")
    assert slot.starts_at == datetime(2026, 6, 9, 6, 0, tzinfo=UTC)
    assert slot.ends_at == datetime(2026, 6, 9, 6, 45, tzinfo=UTC)
    assert (slot.capacity, slot.booked) == (3, 0)
    again = previewed(client, data(*lines, titles=titles), "template_slots")
    assert (again.params["imported"], again.params["known"]) == (0, 2)


def test_applications_bring_their_people_but_no_positions(client, administrator):
    position = PositionFactory(code="P-1")
    known = ApplicationFactory(
        position=position, candidate=CandidateFactory(user__mobile="+8613900000001")
    )
    name = known.candidate.user.name
    titles = "Candidate number,Name,Mobile number,Position code,Stage,Applied,Screened"
    lines = [
        f"C-1,{name},13900000001,P-1,Offer,2026-05-01,",
        "C-2,李四,13900000002,P-1,Second interview,2026-05-01,2026-05-03 10:00",
        "C-3,王五,13900000003,P-9,Applied,,",
    ]
    job = imported(client, data(*lines, titles=titles), "template_applications")
    assert outcomes(job) == {2: "known", 3: "imported", 4: "rejected"}
    application = Application.objects.get(candidate__source_key="C-2")
    assert (application.position, application.stage) == (position, "second_interview")
    assert application.screened_at == datetime(2026, 5, 3, 2, 0, tzinfo=UTC)
    assert not User.objects.filter(mobile="+8613900000003").exists()
    again = previewed(client, data(*lines, titles=titles), "template_applications")
    assert (again.params["imported"], again.params["known"]) == (0, 2)


@pytest.mark.parametrize(
    ("mapping", "invited"),
    [("template_applications_invite", ["C-2"]), ("template_applications", [])],
)
def test_applications_at_the_interview_are_invited_where_the_mapping_says_so(
    client, administrator, mapping, invited
):
    PositionFactory(code="P-1")
    titles = "Candidate number,Name,Mobile number,Position code,Stage"
    lines = ["C-1,张三,13900000001,P-1,Applied", "C-2,李四,13900000002,P-1,AI interview"]

    previewed(client, data(*lines, titles=titles), mapping)
    assert not Interview.objects.exists()
    imported(client, data(*lines, titles=titles), mapping)
    again = previewed(client, data(*lines, titles=titles), mapping)
    client.post(reverse("interviews:start_import", args=[again.reference]))

    assert (again.params["imported"], again.params["known"]) == (0, 2)
    assert not Job.objects.filter(reference=again.params["import"]).exists()
    found = Interview.objects.values_list("application__candidate__source_key", flat=True)
    assert list(found) == invited
    sent = Notification.objects.filter(event="interview_invited", channel="sms")
    assert sent.count() == len(invited)


@pytest.mark.parametrize("what", list(template.MAPPINGS))
def test_templates_come_in_both_formats_and_are_understood(client, administrator, what):
    for ext in ("csv", "xlsx"):
        response = client.get(reverse("interviews:import_template", args=[what, ext]))
        assert f"mianyue-{what}.{ext}" in response["Content-Disposition"]
        job = previewed(client, response.content, template.MAPPINGS[what])
        assert job.params["rows"] == 0
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert [cell.value for cell in sheet[1]] == template.titles(template.MAPPINGS[what])


@pytest.mark.parametrize("address", ["people.csv", "slots.exe"])
def test_template_of_something_else_is_not_there(client, administrator, address):
    url = reverse(UPLOAD) + f"template/{address}"
    assert client.get(url).status_code == 404


# --- undoing -------------------------------------------------------------------------------------


def test_undo_leaves_nothing_behind_but_the_record(client, administrator):
    before = counts()
    job = imported(client, data(GOOD, OTHER, BAD))
    references = set(Interview.objects.values_list("reference", flat=True))
    seal = seals.seal_history()
    page = client.get(reverse("interviews:undo_import", args=[job.reference]))
    assert "It added 2 rows" in page.content.decode()

    assert undone(client, job) == {2: ("removed", None), 3: ("removed", None)}

    assert counts() == before
    assert not HistoryEntry.objects.exists()
    removed = RemovedInterview.objects.all()
    assert {each.reference for each in removed} == references
    assert {(each.removed_by, each.event) for each in removed} == {(administrator, "imported")}
    assert not list(seals.broken_seals()), seal
    assert undo_link(client, job) is None
    assert outcomes(imported(client, data(GOOD, OTHER))) == {2: "imported", 3: "imported"}


def undo_link(client, job):
    page = client.get(reverse(UPLOAD)).content.decode()
    url = reverse("interviews:undo_import", args=[job.reference])
    return url if url in page else None


def test_removed_entry_still_fits_its_hash(client, administrator):
    undone(client, imported(client, data(GOOD)))
    removed = RemovedInterview.objects.get()
    entry = HistoryEntry(
        sequence=1,
        event=removed.event,
        actor=removed.actor,
        at=removed.at,
        data=removed.data,
        previous_hash=history.GENESIS,
    )
    assert history.digest(entry, removed.reference) == removed.hash


def test_row_to_which_something_happened_stays_with_all_it_needs(client, administrator):
    job = imported(client, data(GOOD, OTHER))
    interview = Interview.objects.get(source_key="A-2")
    history.record(interview, "noted", by=administrator)

    assert undone(client, job) == {2: ("removed", "shared"), 3: ("kept", "changed")}

    assert Interview.objects.get() == interview
    assert Candidate.objects.get() == interview.candidate
    assert (Position.objects.count(), Department.objects.count()) == (1, 1)


def _status(interview, administrator):
    Interview.objects.filter(pk=interview.pk).update(status=InterviewStatus.CANCELLED)


def _edit(interview, administrator):
    LogEntry.objects.create(
        user=administrator,
        content_type=ContentType.objects.get_for_model(Interview),
        object_id=str(interview.pk),
        action_flag=CHANGE,
    )


def _sign_in(interview, administrator):
    User.objects.filter(pk=interview.candidate.user_id).update(last_login=timezone.now())


def _apply_elsewhere(interview, administrator):
    ApplicationFactory(candidate=interview.candidate)


def _move_in(interview, administrator):
    interview.position.department.staff.add(UserFactory(recruiter=True))


@pytest.mark.parametrize(
    ("happened", "fate"),
    [
        (_edit, ("kept", "edited")),
        (_status, ("kept", "changed")),
        (_sign_in, ("removed", "shared")),
        (_apply_elsewhere, ("removed", "shared")),
        (_move_in, ("removed", "shared")),
    ],
)
def test_undo_keeps_what_somebody_relies_on(client, administrator, happened, fate):
    line = GOOD.replace("Completed", "Booked").replace("2026-05", "2026-07")
    job = imported(client, data(line))
    happened(Interview.objects.get(), administrator)
    assert undone(client, job) == {2: fate}
    assert Interview.objects.exists() == (fate[0] == "kept")


def test_what_two_imports_share_goes_with_the_last(client, administrator):
    first, second = imported(client, data(GOOD)), imported(client, data(OTHER))
    assert undone(client, first) == {2: ("removed", "shared")}
    assert (Position.objects.count(), Candidate.objects.count()) == (1, 1)
    assert undone(client, second) == {2: ("removed", None)}
    assert Position.objects.count() == 1  # made by the first, which is undone already


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_undo_in_batches_frees_what_earlier_rows_made(client, administrator, monkeypatch, batch):
    before = counts()
    monkeypatch.setitem(jobs.KINDS, imports.UNDO, (imports.Undo(), batch))
    lines = [
        f"N-{n},人{n % 2},1390000{n % 2:04d},制造部,岗位{n % 3},已完成,2026-05-09" for n in range(6)
    ]
    undone(client, imported(client, data(*lines)))
    assert counts() == before


def test_undo_of_slots_keeps_those_somebody_holds(client, administrator):
    PositionFactory(code="P-1")
    titles = "Position code,Starts"
    job = imported(
        client,
        data("P-1,2026-06-09 14:00", "P-1,2026-06-09 15:00", titles=titles),
        "template_slots",
    )
    slot = Slot.objects.earliest("starts_at")
    interview = Interview(
        application=ApplicationFactory(), slot=slot, status="booked", starts_at=slot.starts_at
    )
    interview.save()
    assert undone(client, job) == {2: ("kept", "used"), 3: ("removed", None)}
    assert Slot.objects.get() == slot


def test_undo_pressed_twice_is_one_job(client, administrator):
    job = imported(client, data(GOOD))
    url = reverse("interviews:undo_import", args=[job.reference])
    assert client.post(url).url == client.post(url).url
    assert "has been undone" in client.get(url).content.decode()


def test_running_import_is_not_undone(client, administrator):
    preview = previewed(client, data(GOOD))
    client.post(reverse("interviews:start_import", args=[preview.reference]))
    client.post(reverse("interviews:undo_import", args=[preview.params["import"]]))
    assert not Job.objects.filter(kind=imports.UNDO).exists()


def test_history_goes_no_other_way(client, administrator):
    imported(client, data(GOOD))
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        HistoryEntry.objects.all().delete()
    entry = HistoryEntry.objects.get()
    forged = RemovedInterview(
        reference=entry.interview.reference, entry=entry.pk, event=entry.event, actor=entry.actor,
        at=entry.at, data=entry.data | {"by": "user:1"}, hash=entry.hash,
        removed_by=administrator, removed_at=timezone.now(), job="",
    )  # fmt: skip
    forged.save()
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        HistoryEntry.objects.all().delete()
    for change in (RemovedInterview.objects.all().delete, lambda: forged.save()):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()


# --- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["recruiter", "lead", "viewer"])
def test_only_who_may_import_sees_any_of_it(client, administrator, role):
    job = imported(client, data(GOOD))
    client.force_login(UserFactory(**{role: True}))
    for name, args in [
        (UPLOAD, []),
        ("interviews:import_preview", [job.params["preview"]]),
        ("interviews:undo_import", [job.reference]),
        ("interviews:compare", []),
    ]:
        assert client.get(reverse(name, args=args)).status_code == 403


def test_settings_lead_to_the_import(client, administrator):
    page = client.get(reverse("cancellations:settings")).content.decode()
    assert reverse(UPLOAD) in page
    client.force_login(UserFactory(lead=True))
    assert reverse(UPLOAD) not in client.get(reverse("cancellations:settings")).content.decode()
