"""An administrator brings a file in at the desk, and takes it back."""

import pytest
from django.urls import reverse

from interviews import jobs
from interviews.models import Interview, Job, JobRow
from tests.factories import UserFactory
from tests.journeys.visitor import either_language

pytestmark = pytest.mark.django_db(transaction=True)

LINES = [
    "面试编号,姓名,手机号,部门,岗位,状态,开始时间",
    "A-1,张三,13900000001,制造部,装配技术员,已完成,2026-05-09 14:00",
    "A-2,李四,12345,制造部,装配技术员,已完成,2026-05-09 15:00",
]
FILE = {"name": "old.csv", "mimeType": "text/csv", "buffer": "\n".join(LINES).encode()}


def run_the_work():
    for job in Job.objects.filter(state="queued"):
        jobs.run_job(job.pk)


def test_file_is_previewed_imported_and_undone(visit):
    # given an administrator with a file of two rows, one of them wrong
    page = visit(UserFactory(administrator=True), width=1280, height=800).page

    # when it is uploaded
    page.goto(reverse("interviews:imports"))
    page.set_input_files("input[type=file]", FILE)
    page.click("main button.button-primary")

    # then the preview says what would happen
    page.wait_for_url("**/imports/*/")
    assert page.inner_text("main button.button-primary") == "Import 1 row"
    assert "12345" in page.inner_text("main")
    assert not Interview.objects.exists()

    # when it is imported
    page.click("main button.button-primary")
    page.wait_for_url("**/desk/jobs/**")
    run_the_work()
    assert Interview.objects.count() == 1

    # and undone
    page.goto(reverse("interviews:imports"))
    page.click("text=Undo…")
    page.click("main button.button-danger")
    page.wait_for_url("**/desk/jobs/**")
    run_the_work()

    # then it is gone
    assert not Interview.objects.exists()
    page.goto(reverse("interviews:imports"))
    assert page.locator("main table >> text=Undone").count() == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_longest_reason_of_a_report_is_read_whole(visit, width):
    # given an import some row of which cannot be read, for a reason of many words
    administrator = UserFactory(administrator=True)
    job = Job.objects.create(kind="import", requested_by=administrator, state="done", done=1)
    message = "Use one of: " + ", ".join(f"value number {number}" for number in range(20))
    detail = {"column": "Status", "value": "x" * 60, "message": message}
    JobRow.objects.create(job=job, number=2, outcome="rejected", detail=detail)

    # when its report is opened
    page = visit(administrator, width=width, height=800).page
    page.goto(reverse("interviews:job", args=[job.reference]))

    # then the words wrap; nothing is cut at the edge of the table
    frame = page.locator(".table-frame")
    assert message in frame.inner_text()
    assert frame.evaluate("(it) => it.scrollWidth - it.clientWidth") <= (0 if width > 390 else 200)
    assert page.locator(".told").bounding_box()["width"] <= width - 32


@either_language
def test_imports_have_nothing_for_axe_to_find(visit, language, width):
    desk = visit(UserFactory(administrator=True, language=language), width=width)
    page = desk.page

    def upload_to(path, leads_to):
        desk.opens(path)
        page.set_input_files("input[type=file]", FILE)
        page.click("main button.button-primary")
        page.wait_for_url(leads_to)
        return page.url

    preview = upload_to(reverse("interviews:imports"), "**/imports/*/")
    found = {"preview": desk.faults()}
    page.click("main button.button-primary")
    page.wait_for_url("**/desk/jobs/**")
    comparison = upload_to(reverse("interviews:compare"), "**/compare/*/")
    run_the_work()
    imported = Job.objects.get(kind="import")

    found |= desk.faults_of(
        [
            preview,
            reverse("interviews:imports"),
            reverse("interviews:undo_import", args=[imported.reference]),
            reverse("interviews:compare"),
            comparison,
        ]
    )

    assert {name: faults for name, faults in found.items() if faults} == {}
