"""Import and export in the admin: preview, confirm, and nothing an upload can break."""

import csv
import io
import re

import openpyxl
import pytest
from cryptography.fernet import Fernet
from django.contrib import admin
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from interviews.imports import forms, resource, template
from interviews.imports.engine import LOCK
from interviews.imports.resource import PreviewedUpload
from interviews.models import Access, AccessLog, HistoryEntry, Interview
from tests.factories import InterviewFactory, UserFactory

pytestmark = pytest.mark.django_db

UPLOAD = "admin:interviews_interview_import"
CONFIRM = "admin:interviews_interview_process_import"
GOOD = "A-1,张三,13900000001,制造部,装配技术员,Completed,2026-05-09 14:00"
BAD = "A-2,李四,12345,制造部,装配技术员,Completed,2026-05-09 14:00"
TITLES = "Interview number,Name,Mobile number,Department,Position,Status,Starts"


@pytest.fixture
def administrator(client):
    user = UserFactory(administrator=True)
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def _afterwards(time_machine):
    time_machine.move_to("2026-06-01T08:00:00+00:00", tick=False)


def data(*lines):
    return "\n".join([TITLES, *lines]).encode()


def upload(client, content, mapping="template"):
    file = SimpleUploadedFile("file.csv", content)
    fields = {"import_file": file, "mapping": mapping, "resource": "0", "format": "0"}
    return client.post(reverse(UPLOAD), fields)


def hidden(response):
    form = response.context["confirm_form"]
    return {bound.name: bound.value() for bound in form}


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_upload_previews_rows_and_problems_and_keeps_nothing(client, administrator):
    response = upload(client, data(GOOD, BAD))

    page = response.content.decode()
    assert response.status_code == 200
    assert "13900000001" in page
    assert "12345" in page
    assert "This is not a mobile number" in page
    assert response.context["confirm_form"]
    assert not Interview.objects.exists()


def test_confirming_imports_exactly_what_was_previewed(client, administrator):
    preview = upload(client, data(GOOD, BAD))

    response = client.post(reverse(CONFIRM), hidden(preview))

    assert response.status_code == 302
    assert said(response) == ["1 imported, 0 already there, 1 rejected."]
    assert Interview.objects.get().source_key == "A-1"
    assert HistoryEntry.objects.get().data["by"] == f"user:{administrator.pk}"


def test_confirming_twice_adds_nothing(client, administrator):
    fields = hidden(upload(client, data(GOOD)))
    client.post(reverse(CONFIRM), fields)

    response = client.post(reverse(CONFIRM), fields)

    assert response.url == reverse(UPLOAD)
    assert "expired" in said(response)[-1]
    assert Interview.objects.count() == 1


def test_previewed_file_is_kept_unreadable_and_only_until_it_is_confirmed(client, administrator):
    fields = hidden(upload(client, data(GOOD)))
    key = PreviewedUpload.CACHE_PREFIX + fields["import_file_name"]
    kept = cache.get(key)

    client.post(reverse(CONFIRM), fields)

    assert kept
    assert b"13900000001" not in kept
    assert cache.get(key) is None


def test_preview_whose_key_was_retired_asks_for_the_file_again(client, administrator, settings):
    fields = hidden(upload(client, data(GOOD)))
    settings.NATIONAL_ID_KEYS = [Fernet.generate_key().decode()]

    response = client.post(reverse(CONFIRM), fields)

    assert response.url == reverse(UPLOAD)
    assert "expired" in said(response)[-1]


def test_expired_preview_asks_for_the_file_again(client, administrator):
    fields = hidden(upload(client, data(GOOD)))
    cache.clear()
    response = client.post(reverse(CONFIRM), fields)
    assert response.url == reverse(UPLOAD)
    assert "expired" in said(response)[-1]


def test_nothing_new_offers_nothing_to_confirm(client, administrator):
    client.post(reverse(CONFIRM), hidden(upload(client, data(GOOD))))
    response = upload(client, data(GOOD, BAD))
    assert "confirm_form" not in response.context
    assert "There is nothing new in this file" in response.text


def test_rows_that_are_here_already_are_listed_as_skipped(client, administrator):
    client.post(reverse(CONFIRM), hidden(upload(client, data(GOOD))))

    response = upload(client, data(GOOD, GOOD.replace("A-1", "A-3")))

    new, known = response.text.split("Rows to import")[1].split("these rows are skipped")
    assert "A-3" in new
    assert "A-1" not in new
    assert "A-1" in known
    result = response.context["result"]
    assert (result.summary.imported, result.summary.known) == (1, 1)


def test_known_rows_do_not_crowd_out_new_ones(client, administrator, monkeypatch):
    monkeypatch.setattr(resource, "ROWS_SHOWN", 2)
    known = [GOOD.replace("A-1", f"K-{number}") for number in range(3)]
    client.post(reverse(CONFIRM), hidden(upload(client, data(*known))))

    response = upload(client, data(*known, GOOD))

    result = response.context["result"]
    assert [cells[1] for cells in result.new] == ["A-1"]
    assert (len(result.known), result.known_hidden, result.new_hidden) == (2, 1, 0)
    assert "… and 1 more." in response.text


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_file_of_titles_alone_is_answered_in_a_sentence(client, administrator, end):
    response = upload(client, (TITLES + end).encode())

    assert "titles but no rows below them" in response.text
    assert "confirm_form" not in response.context


@pytest.mark.parametrize(
    ("language", "titles"),
    [
        ("en", ["Template for interviews", "Data set: The Interview Attendance Problem"]),
        ("zh-hans", ["面试导入模板", "面试到场数据集（The Interview Attendance Problem）"]),
    ],
)
def test_mappings_are_offered_by_their_titles(client, language, titles):
    client.force_login(UserFactory(administrator=True, language=language))

    field = client.get(reverse(UPLOAD)).context["form"].fields["mapping"]

    assert list(field.choices) == list(zip(["template", "attendance"], titles, strict=True))


@pytest.mark.parametrize("wide", ["new", "known", "rejected"])
def test_wide_tables_scroll_by_themselves(client, administrator, wide):
    client.post(reverse(CONFIRM), hidden(upload(client, data(GOOD))))

    page = upload(client, data(GOOD, GOOD.replace("A-1", "A-3"), BAD)).text

    assert re.search(rf'<div class="wide-table"\s+role="region"\s+aria-labelledby="{wide}"', page)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "lacks these columns"),
        (b"a\x00b\n", "NUL"),
        (b"%PDF-1.7", "kind of file"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (b"\xff\xff\xff\xff", "encoding"),
    ],
)
def test_unreadable_upload_is_refused_in_a_sentence(client, administrator, content, words):
    response = upload(client, content)
    page = response.content.decode()
    assert response.status_code == 200
    assert words in page
    assert "Traceback" not in page
    assert "confirm_form" not in response.context


def test_oversized_upload_is_refused(client, administrator, monkeypatch):
    monkeypatch.setattr(forms, "LARGEST_UPLOAD", 10)
    assert "larger than" in upload(client, data(GOOD)).content.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"import_file_name": "../../etc/passwd"},
        {"import_file_name": "a\x00b"},
        {"import_file_name": ""},
        {"format": "99"},
        {"format": "x", "resource": "7"},
        {"mapping": "/etc/passwd"},
    ],
)
def test_tampered_confirmation_breaks_nothing(client, administrator, change):
    fields = {**hidden(upload(client, data(GOOD))), **change}
    assert client.post(reverse(CONFIRM), fields).status_code in {200, 302}


def test_confirming_is_a_post(client, administrator):
    assert client.get(reverse(CONFIRM)).url == reverse("admin:interviews_interview_import")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_template_can_be_downloaded(client, administrator, kind):
    link = reverse("admin:interviews_interview_import_template", args=[kind])
    assert link in client.get(reverse(UPLOAD)).content.decode()
    response = client.get(link)
    if kind == "csv":
        titles = next(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
        titles = [cell.value for cell in sheet[1]]
    assert titles == template.titles()


def test_unknown_template_is_not_found(client, administrator):
    link = reverse("admin:interviews_interview_import_template", args=["exe"])
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("role", ["candidate", "recruiter", "hr_lead", "department_viewer"])
def test_others_import_nothing(client, role):
    client.force_login(UserFactory(role=role))
    for name, args in ((UPLOAD, []), ("admin:interviews_interview_import_template", ["csv"])):
        assert client.get(reverse(name, args=args)).status_code in {302, 403}
    assert upload(client, data(GOOD)).status_code in {302, 403}
    assert client.post(reverse(CONFIRM), {}).status_code in {302, 403}


@pytest.mark.parametrize(("role", "may"), [("administrator", True), ("hr_lead", False)])
def test_importing_needs_its_own_permission(rf, role, may):
    request = rf.get("/")
    request.user = UserFactory(role=role)
    assert admin.site.get_model_admin(Interview).has_import_permission(request) is may


@pytest.mark.parametrize("path", ["import", "export"])
def test_pages_need_no_inline_script_or_style(client, administrator, path):
    page = client.get(reverse(f"admin:interviews_interview_{path}")).content.decode()
    if path == "import":
        page += upload(client, data(GOOD, BAD)).content.decode()
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", page)


@pytest.mark.parametrize("kind", [0, 1], ids=["csv", "xlsx"])
def test_export_runs_nothing_in_a_spreadsheet(client, administrator, kind):
    evil = "=cmd|'/c calc'!A0"
    InterviewFactory(candidate__user__name=evil, position__title="@SUM(1)", location="-1+1")

    response = client.post(
        reverse("admin:interviews_interview_export"), {"format": kind, "resource": "0"}
    )

    assert response.status_code == 200
    if kind == 0:
        cells = next(csv.DictReader(io.StringIO(response.content.decode())))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
        titles, values = sheet.iter_rows(values_only=True)
        cells = dict(zip(titles, values, strict=True))
    assert cells["Candidate"] == f"'{evil}"
    assert cells["Position"] == "'@SUM(1)"
    assert cells["Place"] == "'-1+1"
    assert cells["Status"] == "booked"


def test_export_is_written_down_without_what_was_searched_for(client, administrator):
    interview = InterviewFactory(candidate__user__name="欧阳娜娜")
    InterviewFactory()
    address = reverse("admin:interviews_interview_export")
    client.get(address)
    assert not AccessLog.objects.exists()

    response = client.post(f"{address}?q=欧阳娜娜", {"format": 0, "resource": "0"})

    assert interview.reference in response.text
    written = AccessLog.objects.get()
    assert (written.action, written.by) == (Access.EXPORTED, administrator)
    assert (written.detail["format"], written.detail["count"]) == ("csv", 1)
    assert written.detail["filters"] == ["q"]
    assert "candidate" in written.detail["columns"]
    assert "欧阳" not in str(written.detail)


def test_upload_is_not_kept_waiting_for_another_import(client, administrator):
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")  # who waits after all is told
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            assert "Another import is under way" in upload(client, data(GOOD)).text
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    other.close()
    assert "confirm_form" in upload(client, data(GOOD)).context


@pytest.mark.parametrize(
    ("language", "titles"),
    [
        ("en", "Reference,Candidate,Position,Department,Kind,Status,Starts,Ends,Place,Source,"),
        ("zh-hans", "编号,候选人,岗位,部门,类型,状态,开始时间,结束时间,地点,来源,"),
    ],
)
def test_columns_of_an_export_are_titled_in_words(client, language, titles):
    client.force_login(UserFactory(administrator=True, language=language))
    address = reverse("admin:interviews_interview_export")

    exported = client.post(address, {"format": 0, "resource": "0"}).content.decode()
    page = client.get(address).content.decode()

    assert exported.splitlines()[0].startswith(titles)
    assert titles.replace(",", ", ").removesuffix(", ") in page
    assert "source_key" not in page + exported
