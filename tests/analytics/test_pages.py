"""The desk's pages of figures: what they show, to whom, and of how much."""

import csv
import io
import re
from datetime import datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from analytics import cells
from analytics.dashboards import asking, quotes, telling
from analytics.dashboards.pages import PAGES
from cancellations.models import Reason
from cancellations.services import request_cancellation
from interviews.booking.models import Decline
from interviews.models import Interview
from tests.factories import (
    AbsenceFactory,
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    SittingFactory,
    UserFactory,
    WorkItemFactory,
    tell,
)

pytestmark = pytest.mark.django_db

NAMES = sorted(PAGES)
QUERIES = 20


def at(*, days=-3, hour=10):
    return timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(days), time(hour)))


def interviews(position, number, **fields):
    """All of them with one candidate: a company of thousands is not what is tested here."""
    fields = {"starts_at": at(), "slot": None} | fields
    first = InterviewFactory(position=position, **fields)
    return [first] + [
        InterviewFactory(application=first.application, **fields) for _each in range(number - 1)
    ]


def count():
    while cells.recount_batch():
        pass


def page(client, name="overview", query="", status=200):
    response = client.get(f"{reverse(f'analytics:{name}')}?{query}")
    assert response.status_code == status
    return response


def file_of(client, name, key, query=""):
    """The rows of a table as CSV, its titles first."""
    response = client.get(f"{reverse('analytics:table', args=[name, key, 'csv'])}?{query}")
    assert response.status_code == 200
    body = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(body)))


def text(response):
    """What somebody reads, without the markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def panels(response):
    return {panel.key: panel for panel in response.context["board"].panels}


def some_of_everything(position):
    """Every kind of thing that is counted, once or twice."""
    interviews(position, 2, completed=True, starts_at=at())
    interviews(position, 1, no_show=True, starts_at=at(hour=19))
    interviews(position, 1, invited=True)
    interviews(position, 1, starts_at=at(days=0, hour=23))
    off = InterviewFactory(position=position, status="cancelled", slot=None, starts_at=at())
    CancellationFactory(approved=True, interview=off, detail="我叫王小明,电话 13812345678")
    CancellationFactory(interview__position=position, interview__starts_at=at(days=0, hour=23))
    left = InterviewFactory(position=position, status="withdrawn", slot=None, starts_at=at())
    CancellationFactory(
        approved=True,
        interview=left,
        is_exit=True,
        reason=Reason.objects.filter(purpose="exit").first(),
        evidence={"stage": "professional", "number": 2, "answered": 1},
        decided_by=UserFactory(lead=True, name="周莉"),
    )
    broken = SittingFactory(interview__position=position, interview__starts_at=at())
    Interview.objects.filter(pk=broken.interview_id).update(status="incomplete")
    WorkItemFactory(interview=left, kind="anomaly", params={"code": "no_end"})
    tell(off)
    count()


# --- what is there, and for whom ------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_page_without_a_single_interview_says_so(desk, name):
    response = page(desk, name)
    assert response.context["board"].is_empty
    assert "Nothing to count here" in text(response)
    assert '<svg class="chart-drawing"' not in response.content.decode()


@pytest.mark.parametrize("name", NAMES)
def test_a_period_ahead_says_that_it_lies_ahead(desk, position, name):
    some_of_everything(position)
    assert "This period lies ahead" in text(page(desk, name, "since=2099-01-01&until=2099-01-31"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_page_with_a_little_of_everything(desk, lead, position, name, language):
    lead.language = language
    lead.save()
    some_of_everything(position)
    response = page(desk, name)
    shown = text(response)
    assert not response.context["board"].is_empty
    assert "%(" not in shown
    assert "None" not in shown
    # One or two of anything are counted, never put in per cent.
    tables = re.findall(r"<tbody>.*?</tbody>", response.content.decode(), re.DOTALL)
    values = [re.sub(r"<[^>]+>", " ", table) for table in tables]
    assert not [each for each in values if re.search(r"\d\s?%", each)]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_asks_the_database_twenty_times_at_most(
    desk, position, name, django_assert_max_num_queries
):
    some_of_everything(position)
    page(desk, name)  # what a process learns once
    with django_assert_max_num_queries(QUERIES):
        page(desk, name, "period=last_90&kind=ai")


@pytest.mark.parametrize("name", NAMES)
def test_as_many_queries_for_many_positions_as_for_one(
    desk, department, position, name, django_assert_max_num_queries
):
    some_of_everything(position)
    for _each in range(3):
        some_of_everything(PositionFactory(department=department))
    page(desk, name)
    with django_assert_max_num_queries(QUERIES):
        page(desk, name)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_other_departments(client, position, name, settings):
    settings.LANGUAGE_CODE = "en"
    some_of_everything(position)
    client.force_login(UserFactory(viewer=True, departments=[DepartmentFactory()]))
    response = page(client, name)
    assert response.context["board"].is_empty
    assert "装配技术员" not in response.content.decode()


def test_who_works_for_no_department_is_told_why_there_is_nothing(client, settings):
    settings.LANGUAGE_CODE = "en"
    client.force_login(UserFactory(recruiter=True))
    assert "No department yet" in text(page(client))


def test_administrators_see_the_whole_company(client, position, settings):
    settings.LANGUAGE_CODE = "en"
    some_of_everything(position)
    client.force_login(UserFactory(administrator=True))
    assert "装配技术员" in text(page(client))


def test_the_desk_leads_to_the_figures(desk):
    rail = desk.get(reverse("cancellations:queue")).content.decode()
    assert f'href="{reverse("analytics:overview")}"' in rail


# --- what it says ---------------------------------------------------------------------------------


def test_the_figures_are_those_of_the_interviews(desk, position):
    interviews(position, 15, completed=True)
    interviews(position, 5, no_show=True)
    count()
    response = page(desk)
    tile = {each.label: each for each in response.context["board"].tiles}["Did not come"]
    assert (tile.value, tile.under) == ("25 %", "5 of 20")
    assert "status=no_show" in tile.url
    funnel = {row[0]: row for row in panels(response)["funnel"].table.rows}
    assert funnel["Booked"][1].value == 20
    assert funnel["Completed"][1].value == 15


def test_the_rows_behind_a_figure_are_as_many_as_it_says(desk, position):
    interviews(position, 3, no_show=True)
    interviews(position, 2, completed=True)
    interviews(position, 1, no_show=True, starts_at=at(days=-60))
    count()
    tiles = {each.label: each for each in page(desk).context["board"].tiles}
    rows = desk.get(tiles["Did not come"].url)
    assert rows.context["part"].count == 3
    assert desk.get(tiles["Booked"].url).context["part"].count == 5


def test_the_period_before_stands_beside(desk, position):
    interviews(position, 20, completed=True)
    interviews(position, 30, completed=True, starts_at=at(days=-33))
    count()
    tiles = {each.label: each for each in page(desk).context["board"].tiles}
    assert tiles["Booked"].value == "20"
    assert tiles["Booked"].change == "−10 (33.3 %) on the period before"


def test_the_first_reason_is_the_title_of_its_panel(desk, position):
    for _each in range(20):
        off = InterviewFactory(position=position, status="cancelled", slot=None, starts_at=at())
        CancellationFactory(approved=True, interview=off)
    count()
    label = Reason.objects.get(purpose="cancel", code="time_conflict").label_en
    panel = panels(page(desk, "reasons"))["reasons-candidate"]
    assert panel.title == f"Candidates cancel: “{label}” comes first, 100 %"


def test_questions_stand_in_the_order_of_the_interview(desk, position):
    for number in (10, 2, 2):
        left = InterviewFactory(position=position, status="withdrawn", slot=None, starts_at=at())
        CancellationFactory(
            approved=True,
            interview=left,
            is_exit=True,
            reason=Reason.objects.filter(purpose="exit").first(),
            evidence={"stage": "closing", "number": number},
        )
    count()
    panel = panels(page(desk, "exits"))["exits-by-question"]
    assert [row[0] for row in panel.table.rows] == ["Question 2", "Question 10"]
    assert panel.title == "Most leave at: Question 2, 2 of 3"


def test_people_are_listed_by_name_with_their_sample_and_only_for_who_decides(
    client, department, position, lead
):
    for name, number in (("B", 1), ("A", 21), ("C", 5)):
        person = UserFactory(lead=True, name=name)
        for _each in range(number):
            off = InterviewFactory(position=position, status="cancelled", slot=None, starts_at=at())
            CancellationFactory(approved=True, interview=off, decided_by=person)
    count()
    client.force_login(lead)
    rows = panels(page(client, "decisions"))["people"].table.rows
    assert [(row[0], row[1].value) for row in rows] == [("A", 21), ("B", 1), ("C", 5)]
    assert rows[0][2] is not None
    assert rows[1][2] is None
    client.force_login(UserFactory(viewer=True, departments=[department]))
    assert "people" not in panels(page(client, "decisions"))


def test_what_candidates_wrote_is_masked_and_only_for_who_may_read_it(
    desk, client, department, position
):
    some_of_everything(position)
    shown = text(page(desk, "reasons"))
    assert "What candidates wrote" in shown
    assert "13812345678" not in shown
    assert "王小明" not in shown
    client.force_login(UserFactory(viewer=True, departments=[department]))
    assert "What candidates wrote" not in text(page(client, "reasons"))


def test_words_of_other_departments_and_other_days_are_not_shown(desk, position):
    for elsewhere in ({}, {"position": position, "starts_at": at(days=-90)}):
        off = InterviewFactory(status="cancelled", slot=None, **elsewhere)
        CancellationFactory(approved=True, interview=off, detail="产线夜班太多了")
    some_of_everything(position)
    assert "产线夜班" not in text(page(desk, "reasons"))


def test_a_filter_that_matches_nothing_says_what_to_do(desk, position):
    some_of_everything(position)
    assert "Take one of the filters away" in text(page(desk, "overview", "kind=on_site"))


def test_what_was_not_understood_says_so(desk, position):
    some_of_everything(position)
    response = page(desk, "overview", "position=0")
    assert "Please look at this again" in text(response)
    assert not response.context["board"].is_empty


# --- files ----------------------------------------------------------------------------------------


def test_every_table_is_there_as_a_file_with_the_numbers_of_the_page(desk, position):
    some_of_everything(position)
    for name in NAMES:
        for key, panel in panels(page(desk, name)).items():
            if panel.is_empty:
                continue
            titles, *rows = file_of(desk, name, key)
            assert titles == [column.title for column in panel.table.titles]
            assert len(rows) == len(panel.table.rows)
            assert all(len(row) == len(titles) for row in rows)


def test_a_workbook_holds_numbers_as_numbers(desk, position):
    interviews(position, 3, completed=True)
    count()
    url = reverse("analytics:table", args=["overview", "position", "xlsx"])
    response = desk.get(url)
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    first = [cell.value for cell in sheet[2]]
    assert first[:2] == ["装配技术员", 3]
    assert sheet["B2"].number_format == "General"
    assert "xlsx" in response["Content-Disposition"]


def test_a_file_is_narrowed_like_its_page(desk, department, position):
    interviews(position, 1, completed=True)
    interviews(PositionFactory(department=department, title="质检员"), 1, completed=True)
    count()
    rows = file_of(desk, "overview", "position", f"position={position.pk}")
    assert "质检员" not in str(rows)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("overview", "position"),
        ("reasons", "reasons-by-position"),
        ("exits", "exits-by-position"),
    ],
)
def test_a_page_shows_the_first_of_many_and_the_file_has_all(
    desk, department, monkeypatch, name, key
):
    for module in (asking, telling):
        monkeypatch.setattr(module, "MOST_ROWS", 2)
    for number, title in ((1, "D"), (2, "C"), (2, "B"), (2, "A")):
        position = PositionFactory(department=department, title=title)
        for off in interviews(position, number, status="cancelled"):
            CancellationFactory(approved=True, interview=off)
        interviews(position, number, completed=True)
    count()
    table = panels(page(desk, name))[key].table
    assert table.is_cut
    in_file = [row[0] for row in file_of(desk, name, key)][1:]
    assert sorted(in_file[:3]) == ["A", "B", "C"]
    assert in_file[3:] == ["D"]
    assert [first.text for first, *_rest in table.shown] == in_file[:2]


def test_positions_whose_invitations_are_called_off_stand_among_the_reasons(desk, position):
    invited = InterviewFactory(position=position, invited=True)
    reason = Reason.objects.get(purpose="cancel", code="time_conflict")
    request_cancellation(invited.reference, by=invited.candidate.user, reason=reason)
    count()
    table = panels(page(desk, "reasons"))["reasons-by-position"].table
    assert [[cell.text for cell in row[:2]] for row in table.shown] == [["装配技术员", "1"]]


def test_what_candidates_wrote_is_that_of_the_latest(desk, position, monkeypatch):
    monkeypatch.setattr(quotes, "LOOKED_AT", 2)
    for days, text in ((-9, "很久以前"), (-2, "前天"), (-1, "昨天")):
        (off,) = interviews(position, 1, status="cancelled", starts_at=at(days=days))
        CancellationFactory(approved=True, interview=off, detail=text)
    count()
    found = page(desk, "reasons").context["board"].quotes
    assert {each.text for each in found} == {"前天", "昨天"}


def test_what_was_written_on_leaving_is_no_reason_to_cancel(desk, position):
    (off,) = interviews(position, 1, status="cancelled")
    exit = Reason.objects.filter(purpose="exit").first()
    CancellationFactory(
        interview=off, is_exit=True, reason=exit, detail="画面卡住", status="reversed"
    )
    CancellationFactory(approved=True, interview=off, detail="要加班")
    count()
    (quote,) = page(desk, "reasons").context["board"].quotes
    label = Reason.objects.get(purpose="cancel", code="time_conflict").label_en
    assert (quote.reason, quote.text) == (label, "要加班")


@pytest.mark.parametrize(
    "args",
    [["nothing", "funnel", "csv"], ["overview", "nothing", "csv"], ["overview", "funnel", "pdf"]],
)
def test_a_table_that_does_not_exist_is_not_found(desk, args):
    assert desk.get(reverse("analytics:table", args=args)).status_code == 404


def test_the_report_shows_its_tables_open(desk, position):
    some_of_everything(position)
    response = page(desk, "report")
    assert '<details class="panel-table"' not in response.content.decode()
    assert "制造一部" in text(response)


def test_what_became_of_appointments_leads_to_their_rows(desk, position):
    """Each number of a step to as many rows of the desk's list."""
    interviews(position, 3, no_show=True)
    interviews(position, 2, completed=True)
    count()
    rows = panels(page(desk, query="period=last_7"))["outcomes"].table.rows
    (row,) = [each for each in rows if each[1].value]
    linked = [each for each in row[1:] if each.url]
    assert [each.value for each in linked] == [5, 2, 0, 3]
    for each in linked:
        shown = desk.get(each.url).content.decode()
        assert len(set(re.findall(r"/desk/interviews/([0-9A-Z]{10})/", shown))) == each.value


@pytest.mark.parametrize(
    ("name", "label", "numerator"),
    [
        ("attendance", "Let the invitation run out", 3),
        ("attendance", "Did not come", 4),
        ("exits", "Left midway", 2),
        ("overview", "Left midway", 2),
        ("overview", "Booked", 6),
    ],
)
def test_a_figure_leads_to_a_list_of_exactly_its_interviews(desk, position, name, label, numerator):
    interviews(position, 4, no_show=True)
    interviews(position, 2, status="withdrawn")
    declined = [InterviewFactory(position=position, invited=True) for _ in range(5)]
    ran_out = [InterviewFactory(position=position, invited=True) for _ in range(3)]
    came_as_over = interviews(position, 1, invited=True, source="ats")
    interviews(position, 1, invited=True, kind="on_site", starts_at=None)
    interviews(position, 1, invited=True)  # to a time they have not said yes to
    without_start = {"starts_at": None, "ends_at": None, "booked_at": None, "created_at": at()}
    for rows, became in (
        (declined, {"status": "withdrawn"}),
        (ran_out, {"status": "no_show", "ended_at": timezone.now()}),
        (came_as_over, {"status": "no_show", "ended_at": None}),
    ):
        keys = [each.pk for each in rows]
        Interview.objects.filter(pk__in=keys).update(**without_start, **became)
    for each in declined:
        Decline.objects.create(interview=each, reason="no_time", at=at())
    count()

    (tile,) = [each for each in page(desk, name).context["board"].tiles if each.label == label]

    assert str(numerator) in (tile.value + tile.under)
    assert desk.get(tile.url).context["part"].count == numerator


def test_what_no_list_tells_exactly_leads_nowhere(desk, position):
    """The list, where days are given, has what has a start."""
    some_of_everything(position)
    count()

    sources = panels(page(desk, "quality"))["sources"]

    cells_shown = [cell for row in sources.table.shown for cell in row]
    assert cells_shown
    assert not any(cell.url for cell in cells_shown)


# --- the rows behind ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({*NAMES} - {"guide"}))
def test_every_count_by_key_leads_to_as_many_interviews(desk, position, name):
    """Of what counts an interview once; whatever leads nowhere would answer 404."""
    for interview in interviews(
        position, 2, status="no_show", location="一号楼", extra={"expected": "no"}
    ):
        AbsenceFactory(interview=interview)
    reason = Reason.objects.get(purpose="cancel", code="time_conflict")
    elsewhere = PositionFactory(department=position.department, title="质检员")
    for interview in (
        *interviews(position, 3, status="cancelled"),
        *interviews(elsewhere, 2, status="cancelled", starts_at=at(days=-9), source="fair"),
    ):
        CancellationFactory(interview=interview, approved=True, reason=reason)
    count()

    shown = page(desk, name).text
    linked = re.findall(r'<a href="(/desk/insights/rows/[^"]+)">([\d,]+)</a>', shown)

    for url, number in linked:
        listed = desk.get(url.replace("&amp;", "&"))
        assert (listed.status_code, listed.text.count('<th scope="row">')) == (200, int(number))
    assert bool(linked) == (name not in {"overview", "exits", "delivery", "quality"})


def test_the_way_back_is_to_the_page_one_came_from(desk, position):
    (off,) = interviews(position, 1, status="cancelled")
    CancellationFactory(interview=off, approved=True)
    count()
    table = panels(page(desk, "reasons", "period=last_90"))["reasons-by-position"].table
    listed = desk.get(table.shown[0][1].url)
    assert 'href="/desk/insights/reasons/?period=last_90"' in listed.text
    nonsense = desk.get(f"{table.shown[0][1].url}&from=%22%3E%3Cscript%3E")
    assert "<script>" not in nonsense.text.split("</head>")[1]


def test_our_own_lead_to_a_list_that_knows_them(desk, position):
    interviews(position, 1, no_show=True)
    count()
    table = panels(page(desk, "overview"))["source"].table
    listed = desk.get(table.shown[0][1].url)
    assert not listed.context["form"].errors
    assert listed.context["part"].count == 1
