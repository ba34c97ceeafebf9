"""The desk's list of interviews, its search, views and exports, and one interview's page."""

import csv
import io
import re
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from cancellations import services
from cancellations.models import Purpose, Reason
from interviews import exports, history
from interviews.columns import Column
from interviews.listing import positions_offered
from interviews.models import Access, AccessLog, Interview, SavedView
from interviews.templatetags.when import moment
from notifications.models import Notification
from tests.factories import (
    CancellationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

LIST = "/desk/interviews/"


@pytest.fixture
def department():
    return DepartmentFactory(name="总装制造部")


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


@pytest.fixture
def desk(client, recruiter):
    client.force_login(recruiter)
    return client


def listed(response) -> list[str]:
    return [row["reference"] for row in response.context["part"].rows]


def page_of(interview: Interview) -> str:
    return reverse("cancellations:desk_interview", args=[interview.reference])


# --- the list -------------------------------------------------------------------------------------


def test_list_begins_with_the_latest_start(desk, department):
    later = InterviewFactory(department=department, starts_in=timedelta(days=5))
    sooner = InterviewFactory(department=department, starts_in=timedelta(days=1))
    invited = InterviewFactory(department=department, invited=True)  # stands where it was made
    past = InterviewFactory(department=department, completed=True)

    response = desk.get(LIST)

    wanted = [later.reference, sooner.reference, invited.reference, past.reference]
    assert listed(response) == wanted
    assert response.context["part"].count == 4
    assert page_of(later) in response.text


def test_list_goes_on_and_comes_back_without_leaving_anything_out(desk, department):
    same = timezone.now() + timedelta(days=1)
    made = [
        InterviewFactory(department=department, starts_at=same, ends_at=same + timedelta(hours=1))
        for _number in range(3)
    ]
    made += [
        InterviewFactory(department=department, starts_in=timedelta(days=-number))
        for number in range(2, 100)
    ]
    order = [each.reference for each in sorted(made, key=lambda i: (i.starts_at, i.pk))][::-1]

    first = desk.get(LIST)
    second = desk.get(LIST, {"after": listed(first)[-1]})
    third = desk.get(LIST, {"after": listed(second)[-1]})
    back = desk.get(LIST, {"before": listed(third)[0]})

    assert listed(first) + listed(second) + listed(third) == order
    assert listed(back) == listed(second)
    newer = [page.context["part"].newer for page in (first, second, third)]
    older = [page.context["part"].older for page in (first, second, third)]
    assert (newer, older) == ([False, True, True], [True, True, False])
    assert f"after={listed(first)[-1]}" in first.text


def test_list_of_several_departments_is_one_list(client, department):
    other = DepartmentFactory()
    client.force_login(UserFactory(lead=True, departments=[department, other]))
    made = [
        InterviewFactory(department=whose, starts_in=timedelta(days=days))
        for days, whose in enumerate([department, other, department, other])
    ]

    assert listed(client.get(LIST)) == [each.reference for each in reversed(made)]


def test_positions_of_one_title_are_told_apart(client, department):
    other = DepartmentFactory(name="质量部")
    names = {
        PositionFactory(title="质检员", department=department).pk: "质检员 · 总装制造部",
        PositionFactory(title="质检员", department=other).pk: "质检员 · 质量部",
        PositionFactory(title="电工", department=other, code="DG-1").pk: "电工 · DG-1",
        PositionFactory(title="电工", department=other, code="DG-2").pk: "电工 · DG-2",
        PositionFactory(title="焊工", department=other).pk: "焊工",
    }
    both = UserFactory(lead=True, departments=[department, other])
    assert {each[0]: each[1] for each in positions_offered(both)} == names
    one = UserFactory(lead=True, departments=[department])
    assert [each[1] for each in positions_offered(one)] == ["质检员"]


@pytest.mark.parametrize("trait", ["recruiter", "lead", "viewer"])
def test_nothing_of_another_department_is_listed_counted_or_offered(client, department, trait):
    client.force_login(UserFactory(**{trait: True}, departments=[department]))
    own = InterviewFactory(department=department)
    hidden = InterviewFactory(
        department=DepartmentFactory(name="别的部门"),
        source="secret",
        candidate=CandidateFactory(user__name="孙悦"),
    )

    response = client.get(LIST)

    assert listed(response) == [own.reference]
    assert response.context["part"].count == 1
    for told in ("孙悦", "别的部门", hidden.position.title, "secret", hidden.reference):
        assert told not in response.text
    for name, value in {
        "department": hidden.position.department_id,
        "position": hidden.position.pk,
        "recruiter": hidden.position.recruiter_id,
        "source": "secret",
    }.items():
        narrowed = client.get(LIST, {name: value})
        assert hidden.reference not in listed(narrowed), name
    assert listed(client.get(LIST, {"after": hidden.reference})) == [own.reference]
    assert client.get(page_of(hidden)).status_code == 404
    assert client.post(f"{page_of(hidden)}reveal/", {"why": "contact"}).status_code in {403, 404}


def test_administrator_lists_every_department(client, department):
    client.force_login(UserFactory(administrator=True))
    made = [InterviewFactory(department=department), InterviewFactory()]

    assert set(listed(client.get(LIST))) == {each.reference for each in made}


def test_moved_position_takes_its_interviews_along(client, department):
    interview = InterviewFactory(department=department)
    elsewhere = DepartmentFactory()
    client.force_login(UserFactory(recruiter=True, departments=[elsewhere]))
    assert listed(client.get(LIST)) == []

    interview.position.department = elsewhere
    interview.position.save()

    assert listed(client.get(LIST)) == [interview.reference]
    client.force_login(UserFactory(recruiter=True, departments=[department]))
    assert listed(client.get(LIST)) == []
    assert client.get(page_of(interview)).status_code == 404


def test_interview_saved_whole_keeps_the_list_it_stands_in(department):
    interview = InterviewFactory(department=department)

    interview.location = "B2"
    interview.save()

    stored = Interview.objects.get(pk=interview.pk)
    assert stored.listed_department == department.pk
    assert (stored.listed_position, stored.listed_at) == (interview.position.pk, stored.starts_at)


@pytest.mark.parametrize("rows", [1, 3])
def test_list_query_count_does_not_grow(client, rows, django_assert_num_queries):
    departments = [DepartmentFactory() for _number in range(rows)]
    client.force_login(UserFactory(lead=True, departments=departments))
    for department in departments:
        InterviewFactory(department=department, source="fair")

    with django_assert_num_queries(8):
        response = client.get(LIST)

    assert len(response.context["part"].rows) == rows


def test_empty_list_says_why(desk):
    assert "No interviews yet" in desk.get(LIST).text
    assert "No interview is like that" in desk.get(LIST, {"status": "booked"}).text


# --- filters --------------------------------------------------------------------------------------


@pytest.fixture
def several(department):
    """One interview for each filter, and one that none of them finds."""
    position = PositionFactory(department=department)
    plain = {"department": department, "starts_in": timedelta(days=3)}
    late = InterviewFactory(**plain)
    CancellationFactory(interview=late, status="declined", outcome="needs_hr")
    return {
        "status": InterviewFactory(**plain, status="completed"),
        "kind": InterviewFactory(**plain, kind="on_site"),
        "source": InterviewFactory(**plain, source="fair"),
        "position": InterviewFactory(position=position, starts_in=timedelta(days=3)),
        "late": late,
        "since": InterviewFactory(department=department, starts_in=timedelta(days=30)),
        "until": InterviewFactory(department=department, starts_in=timedelta(days=-30)),
        "": InterviewFactory(**plain),
    }


def asked(name: str, several) -> str:
    around = {"since": timedelta(days=29), "until": timedelta(days=-29)}
    if name in around:
        return f"{timezone.localtime() + around[name]:%Y-%m-%d}"
    fixed = {"status": "completed", "kind": "on_site", "source": "fair", "late": "1"}
    return fixed.get(name) or str(several["position"].position.pk)


@pytest.mark.parametrize("name", ["status", "kind", "source", "position", "late", "since", "until"])
def test_filter_lists_what_it_says_and_shows_as_a_chip(desk, several, name):
    response = desk.get(LIST, {name: asked(name, several)})

    assert listed(response) == [several[name].reference]
    assert response.context["part"].count == 1
    ((chip, _address),) = response.context["chips"]
    assert chip.without == ""


def test_filters_narrow_together_and_are_taken_away_one_by_one(desk, department):
    wanted = InterviewFactory(department=department, kind="on_site")
    InterviewFactory(department=department)
    InterviewFactory(department=department, kind="on_site", status="completed")

    response = desk.get(LIST, {"kind": "on_site", "status": "booked"})

    assert listed(response) == [wanted.reference]
    assert [chip.without for chip, _ in response.context["chips"]] == [
        "kind=on_site",
        "status=booked",
    ]


def test_recruiter_filter_lists_the_interviews_of_their_positions(desk, department):
    wanted = InterviewFactory(department=department)
    InterviewFactory(department=department)

    response = desk.get(LIST, {"recruiter": wanted.position.recruiter_id})

    assert listed(response) == [wanted.reference]


def test_days_are_the_readers(desk, recruiter, department):
    recruiter.time_zone = "America/New_York"
    recruiter.save()
    late_evening = timezone.now().replace(hour=2, minute=0)  # the evening before, in New York
    interview = InterviewFactory(
        department=department, starts_at=late_evening, ends_at=late_evening + timedelta(hours=1)
    )
    day = late_evening - timedelta(days=1)

    assert listed(desk.get(LIST, {"since": f"{day:%Y-%m-%d}", "until": f"{day:%Y-%m-%d}"})) == [
        interview.reference
    ]


@pytest.mark.parametrize(
    "name",
    [
        *["status", "department", "position", "recruiter", "kind", "source", "since", "until"],
        *["late", "columns", "view", "found", "after", "before"],
    ],
)
@pytest.mark.parametrize(
    "value",
    ["\x00", "'", "1 OR 1=1", "-1", "9" * 30, "２", "0001-01-01", "9999-12-31", "x" * 3000, "张"],
)
def test_nonsense_in_the_address_is_harmless(desk, department, name, value):
    InterviewFactory(department=department)

    for address in (LIST, "/desk/search/"):
        assert desk.get(address, {name: value}).status_code == 200
    sent = {"query": f"{name}={value}", "name": "My view", "action": value, "view": value}
    assert desk.post("/desk/interviews/views/", sent).status_code in {302, 422}
    sent = {"query": f"{name}={value}", "format": value}
    response = desk.post("/desk/interviews/export/", sent)
    assert response.status_code == 200
    assert b"".join(response.streaming_content)


def test_what_is_not_understood_says_so(desk, department):
    interview = InterviewFactory(department=department)

    response = desk.get(LIST, {"since": "0001-01-01"})

    assert listed(response) == [interview.reference]
    assert "Choose a day between 2000 and 2099." in response.text


def test_columns_are_chosen(desk, department):
    interview = InterviewFactory(department=department, location="B2-301")

    usual = desk.get(LIST)
    chosen = desk.get(LIST, {"columns": ["place", "reference"]})

    assert [column.key for column in chosen.context["columns"]] == [
        "candidate",
        "place",
        "reference",
    ]
    assert "B2-301" in chosen.text
    assert "B2-301" not in usual.text
    assert interview.candidate.user.name in chosen.text
    assert "columns=place&amp;columns=reference" in chosen.text


def test_numbers_are_masked_in_the_list(desk, department):
    person = CandidateFactory(user__mobile="+8613912345678", user__email="sun.yue@mail.example")
    InterviewFactory(department=department, candidate=person)

    page = desk.get(LIST, {"columns": ["mobile", "email"]}).text

    assert "+86139****5678" in page
    assert "+8613912345678" not in page
    assert "sun.yue" not in page


# --- saved views ----------------------------------------------------------------------------------

VIEWS = "/desk/interviews/views/"


def test_view_is_saved_opened_first_renamed_and_deleted(desk, recruiter, department):
    InterviewFactory(department=department)
    completed = InterviewFactory(department=department, completed=True)
    sent = {"query": "status=completed&nonsense=1", "name": "Done", "is_default": "on"}

    made = desk.post(VIEWS, {**sent, "action": "create"}, follow=True)

    view = SavedView.objects.get(user=recruiter)
    assert (view.name, view.query, view.is_default) == ("Done", "status=completed", True)
    assert listed(made) == listed(desk.get(LIST, follow=True)) == [completed.reference]
    assert len(listed(desk.get(LIST, {"view": "all"}))) == 2

    sent = {"view": view.reference, "action": "update", "name": "Finished", "query": view.query}
    desk.post(VIEWS, sent)
    view = SavedView.objects.get(user=recruiter)
    assert (view.name, view.is_default) == ("Finished", False)

    asked = desk.post(VIEWS, {"view": view.reference, "action": "delete"})
    assert "Delete the view “Finished”?" in asked.text
    assert SavedView.objects.exists()
    desk.post(VIEWS, {"view": view.reference, "action": "delete", "is_meant": "1"})
    assert not SavedView.objects.exists()


def test_second_view_that_opens_first_takes_the_place_of_the_first(desk, recruiter):
    for name in ("One", "Two"):
        desk.post(VIEWS, {"name": name, "is_default": "on", "action": "create"})

    assert list(SavedView.objects.filter(is_default=True).values_list("name", flat=True)) == ["Two"]


def test_view_needs_a_name_of_its_own_and_keeps_what_was_typed(desk, recruiter):
    desk.post(VIEWS, {"name": "One", "action": "create"})

    again = desk.post(VIEWS, {"name": "One", "query": "status=booked", "action": "create"})
    nameless = desk.post(VIEWS, {"name": " ", "action": "create"})

    assert (again.status_code, nameless.status_code) == (422, 422)
    assert "You have a view of this name already." in again.text
    assert again.context["form"].query() == "status=booked"
    assert SavedView.objects.count() == 1


def test_views_are_nobody_elses(desk, recruiter, department):
    theirs = SavedView.objects.create(
        user=UserFactory(recruiter=True, departments=[department]), name="Theirs", is_default=True
    )

    assert "Theirs" not in desk.get(LIST, {"view": theirs.reference}).text
    desk.post(VIEWS, {"view": theirs.reference, "action": "delete", "is_meant": "1"})
    desk.post(VIEWS, {"view": theirs.reference, "action": "update", "name": "Mine"})

    assert SavedView.objects.get(pk=theirs.pk).name == "Theirs"


def test_nobody_has_more_views_than_fit(desk, recruiter):
    SavedView.objects.bulk_create(SavedView(user=recruiter, name=f"{n}") for n in range(20))

    response = desk.post(VIEWS, {"name": "One more", "action": "create"})

    assert response.status_code == 422
    assert SavedView.objects.count() == 20


# --- searching ------------------------------------------------------------------------------------

SEARCH = "/desk/search/"


@pytest.fixture
def wanted(department):
    return InterviewFactory(
        department=department,
        candidate=CandidateFactory(
            user__name="孙悦",
            user__mobile="+8613912345678",
            user__email="yue@mail.example",
            user__national_id="110101190001010014",
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        *[
            "孙悦",
            " 孙悦 ",
            "13912345678",
            "139 1234 5678",
            "+86 139-1234-5678",
            "１３９１２３４５６７８",
        ],
        *["YUE@mail.example", "１１０１０1190001 010014"],
    ],
)
def test_search_goes_straight_to_the_only_interview(desk, wanted, text):
    response = desk.post(SEARCH, {"q": text})

    assert response.url == page_of(wanted)


def test_search_by_reference_forgives_case_spaces_and_lookalikes(desk, wanted):
    Interview.objects.filter(pk=wanted.pk).update(reference="01AB20KX4T")

    for text in ("01AB20KX4T", "oiab2 okx4t", "0lab-2okx4t"):
        assert desk.post(SEARCH, {"q": text}).url == "/desk/interviews/01AB20KX4T/"


def test_search_by_receipt_finds_its_interview(desk, department):
    cancellation = CancellationFactory(interview__department=department)

    assert desk.post(SEARCH, {"q": cancellation.reference}).url == page_of(cancellation.interview)


def test_search_by_the_beginning_of_a_name_lists_everybody(desk, department):
    for name in ("Zhang Wei", "zhang weiming", "Zhao Wei"):
        InterviewFactory(department=department, candidate=CandidateFactory(user__name=name))

    response = desk.post(SEARCH, {"q": "zhang w"})
    page = desk.get(response.url)

    assert {row["application__candidate__user__name"] for row in page.context["part"].rows} == {
        "Zhang Wei",
        "zhang weiming",
    }
    assert desk.post(SEARCH, {"q": "z"}).context["nothing"]  # one letter is no beginning


def test_search_by_surname_finds_everybody_of_it(desk, department):
    for name in ("王芳", "王思远", "汪洋"):
        InterviewFactory(department=department, candidate=CandidateFactory(user__name=name))

    page = desk.get(desk.post(SEARCH, {"q": "王"}).url)

    names = {row["application__candidate__user__name"] for row in page.context["part"].rows}
    assert names == {"王芳", "王思远"}


def test_search_never_writes_what_was_typed_into_an_address(desk, department):
    for _number in range(2):
        InterviewFactory(department=department, candidate=CandidateFactory(user__name="孙悦"))

    response = desk.post(SEARCH, {"q": "孙悦"})

    assert "/desk/interviews/?found=" in response.url
    assert "%" not in response.url
    kept = str(dict(desk.session))
    assert "孙悦" not in kept


def test_found_list_is_narrowed_and_exported_like_any_other(desk, department):
    person = CandidateFactory(user__name="孙悦")
    for status in ("booked", "completed"):
        InterviewFactory(department=department, candidate=person, status=status)
    InterviewFactory(department=department)
    address = desk.post(SEARCH, {"q": "孙悦"}).url

    assert len(listed(desk.get(address))) == 2
    assert len(listed(desk.get(f"{address}&status=completed"))) == 1
    sent = {"query": address.partition("?")[2], "format": "csv"}
    lines = b"".join(desk.post("/desk/interviews/export/", sent).streaming_content)
    assert lines.count(b"\n") == 3


def test_search_is_forgotten_after_an_hour(desk, department):
    for _number in range(2):
        InterviewFactory(department=department, candidate=CandidateFactory(user__name="孙悦"))
    address = desk.post(SEARCH, {"q": "孙悦"}).url
    session = desk.session
    for search in session["searches"].values():
        search["until"] = 0
    session.save()

    page = desk.get(address)

    assert listed(page) == []
    assert "This search has been forgotten" in page.text


@pytest.mark.parametrize("text", ["孙悦", "13912345678", "yue@mail.example"])
def test_search_finds_nobody_of_another_department(client, wanted, text):
    client.force_login(UserFactory(lead=True, departments=[DepartmentFactory()]))

    response = client.post(SEARCH, {"q": text})

    assert response.context["nothing"]


def test_search_by_reference_finds_nothing_of_another_department(client, wanted):
    client.force_login(UserFactory(lead=True, departments=[DepartmentFactory()]))

    assert client.post(SEARCH, {"q": wanted.reference}).context["nothing"]


def test_whoever_may_not_read_numbers_does_not_find_by_them(client, department, wanted):
    client.force_login(UserFactory(viewer=True, departments=[department]))
    number = wanted.candidate.user.national_id

    for text in ("13912345678", number, "yue@mail.example"):
        assert client.post(SEARCH, {"q": text}).context["nothing"], text
    assert client.post(SEARCH, {"q": "孙悦"}).url == page_of(wanted)


def test_staff_are_not_found_by_their_names(desk, recruiter):
    assert desk.post(SEARCH, {"q": recruiter.name}).context["nothing"]


@pytest.mark.parametrize(
    "text", ["\x00", "%", "_", "\\", "x" * 5000, "\ud7ff", "'; DROP TABLE", "-"]
)
def test_nonsense_is_searched_for_in_vain(desk, wanted, text):
    assert desk.post(SEARCH, {"q": text}).status_code in {200, 422}


# --- exports --------------------------------------------------------------------------------------

EXPORT = "/desk/interviews/export/"


def exported(desk, query: str = "", kind: str = "csv") -> list[list]:
    body = b"".join(desk.post(EXPORT, {"query": query, "format": kind}).streaming_content)
    if kind == "csv":
        assert body.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(body)).active
    return [list(row) for row in sheet.iter_rows(values_only=True)]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_export_holds_what_is_filtered_with_the_columns_shown(desk, department, kind):
    completed = InterviewFactory(department=department, completed=True)
    InterviewFactory(department=department)
    InterviewFactory(completed=True)

    rows = exported(desk, "status=completed&columns=status&columns=reference&columns=mobile", kind)

    assert rows[0] == ["Candidate", "Status", "Mobile number", "Reference"]
    mobile = completed.candidate.user.mobile
    assert rows[1:] == [
        [completed.candidate.user.name, "Completed", f"'{mobile}", completed.reference]
    ]


def test_times_are_the_readers_in_both_files(desk, department):
    interview = InterviewFactory(department=department)
    local = timezone.localtime(interview.starts_at)

    (_head, text), (_again, cells) = (
        exported(desk, "columns=starts_at", kind) for kind in ("csv", "xlsx")
    )

    assert text[1] == f"{local:%Y-%m-%d %H:%M}"
    assert f"{cells[1]:%Y-%m-%d %H:%M}" == text[1]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1"])
def test_no_cell_is_run_by_a_spreadsheet(desk, department, kind, name):
    InterviewFactory(department=department, candidate=CandidateFactory(user__name=name))

    ((cell, *_others),) = exported(desk, "", kind)[1:]

    assert cell == "'" + name.strip()


@pytest.mark.parametrize(("kind", "count"), [("csv", 3), ("xlsx", 1)])
def test_who_took_what_along_is_written_down(desk, recruiter, department, kind, count):
    for _number in range(count):
        InterviewFactory(department=department)

    exported(desk, "status=booked", kind)

    entry = AccessLog.objects.get()
    assert (entry.action, entry.by) == (Access.EXPORTED, recruiter)
    assert entry.detail == {
        "format": kind,
        "count": count,
        "filters": {"status": "booked"},
        "columns": [
            *["candidate", "position", "department", "starts_at", "kind", "status", "recruiter"]
        ],
        "in_full": True,
    }


@pytest.fixture
def fetched(monkeypatch):
    """How many rows cursors on the server were asked for, one number each time."""
    pieces: list[int] = []
    open_cursor = connection.chunked_cursor

    def counted():
        cursor = open_cursor()
        fetchmany = cursor.fetchmany
        cursor.fetchmany = lambda size: (pieces.append(size), fetchmany(size))[1]
        return cursor

    monkeypatch.setattr(connection, "chunked_cursor", counted)
    return pieces


def test_export_reads_and_tells_a_piece_at_a_time(desk, department, fetched, monkeypatch):
    for _number in range(7):
        InterviewFactory(department=department)
    monkeypatch.setattr(exports, "PIECE", 2)
    told = []
    tell = Column.exported
    monkeypatch.setattr(
        Column, "exported", lambda *args, **kw: (told.append(1), tell(*args, **kw))[1]
    )

    response = desk.post(EXPORT, {"format": "csv", "query": "columns=status"})
    lines = iter(response.streaming_content)
    first = [next(lines) for _number in range(3)]  # the mark of UTF-8, the titles, one interview

    assert response.streaming
    assert first[2].count(b"\n") == 1
    assert fetched == [2]
    assert len(told) == 2  # the cells of that interview
    assert len(list(lines)) == 6
    assert set(fetched) == {2}


def test_whoever_may_not_export_is_refused_and_not_offered(client, department):
    client.force_login(UserFactory(viewer=True, departments=[department]))
    InterviewFactory(department=department)

    assert EXPORT not in client.get(LIST).text
    assert client.post(EXPORT, {"format": "csv"}).status_code == 403
    assert not AccessLog.objects.exists()


# --- all of a list at once ------------------------------------------------------------------------

CANCEL_ALL = "of this list for the company"


@pytest.mark.parametrize(
    ("narrowed_to", "offered"),
    [
        ({}, False),
        ({"columns": "place"}, False),
        ({"kind": "ai"}, True),
        ({"status": "booked"}, True),
        ({"status": "completed"}, False),  # nothing of it can be cancelled any more
        ({"kind": "on_site"}, False),  # it is one
        ({"source": "old"}, False),  # all of it is over
    ],
)
def test_all_of_a_list_is_cancelled_only_where_it_is_narrowed(
    desk, department, narrowed_to, offered
):
    for _number in range(2):
        InterviewFactory(department=department)
        InterviewFactory(department=department, completed=True)
        InterviewFactory(department=department, completed=True, source="old")
    InterviewFactory(department=department, kind="on_site")

    page = desk.get(LIST, narrowed_to).text

    assert len(listed(desk.get(LIST, {"source": "old"}))) == 2
    assert (CANCEL_ALL in page) == offered
    count = {"kind": "ai", "status": "booked"} & narrowed_to.keys() and len(
        listed(desk.get(LIST, narrowed_to))
    )
    assert not offered or f"Cancel all {count} {CANCEL_ALL}" in page


def test_all_of_a_list_is_not_offered_to_who_may_not_cancel(client, department):
    client.force_login(UserFactory(viewer=True, departments=[department]))
    for _number in range(2):
        InterviewFactory(department=department)

    assert CANCEL_ALL not in client.get(LIST, {"status": "booked"}).text


def test_list_of_more_than_are_counted_names_no_number(desk, department, monkeypatch):
    monkeypatch.setattr("interviews.keyset.COUNTED", 2)
    for _number in range(3):
        InterviewFactory(department=department)

    page = desk.get(LIST, {"status": "booked"}).text

    assert f"Cancel all {CANCEL_ALL}" in page


# --- one interview --------------------------------------------------------------------------------


def way_back(response) -> str:
    return re.search(r'class="back-link"\s+href="([^"]*)"', response.text)[1].replace("&amp;", "&")


def test_way_back_leads_to_the_list_as_it_was_narrowed(desk, department):
    for _number in range(60):
        interview = InterviewFactory(department=department)
    view = SavedView.objects.create(user=UserFactory(), name="x")
    asked = f"{LIST}?status=booked&columns=place&after={interview.reference}&view=all"
    page = desk.get(asked)
    link = re.search(rf'href="({LIST}[0-9A-Z]{{10}}/[^"]*)"', page.text)[1].replace("&amp;", "&")

    opened = desk.get(f"{link}&nonsense=1")
    revealed = desk.post(
        re.search(r'action="([^"]*reveal[^"]*)"', opened.text)[1].replace("&amp;", "&"),
        {"why": "contact"},
    )

    for response in (opened, revealed):
        back = way_back(response)
        assert dict(parse_qsl(back.partition("?")[2])) == dict(parse_qsl(asked.partition("?")[2]))
        assert listed(desk.get(back)) == listed(page)
    assert way_back(desk.get(page_of(interview))) == LIST
    assert view.reference not in opened.text


def test_page_tells_where_an_interview_came_from(desk, department):
    interview = InterviewFactory(
        department=department,
        source="attendance",
        source_key="17/3",
        extra={"permission": "yes", "expected": "uncertain", "appointment": "walk_in", "x_y": "no"},
    )

    text = " ".join(desk.get(page_of(interview)).text.split())

    for words in (
        "Data set: The Interview Attendance Problem",
        "17/3",
        "Further answers",
        "necessary permission to start at the required time</dt> <dd> yes",
        "<dt>Expected Attendance</dt> <dd> not sure",
        "<dt>Interview Type</dt> <dd> walk in",
        "<dt>X y</dt> <dd> no",
    ):
        assert words in text, words
    assert "walk_in" not in text


def test_page_says_when_an_interview_was_imported(desk, department):
    interview = InterviewFactory(department=department, source="old_ats")
    at = timezone.now() - timedelta(days=40)
    history.record(interview, "imported", by=None, at=at)

    page = desk.get(page_of(interview)).text

    assert "old_ats" in page
    assert moment(at) in " ".join(page.split())


def test_interview_made_here_says_nothing_of_a_source(desk, department):
    interview = InterviewFactory(department=department)

    assert "Where it came from" not in desk.get(page_of(interview)).text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("21211", "The number does not exist"),
        ("550", "The mailbox does not exist."),
        ("timeout", "The provider did not answer in time."),
        ("99999", ""),
    ],
)
def test_why_a_message_did_not_arrive_is_said_in_words(desk, department, code, words):
    interview = InterviewFactory(department=department)
    Notification.objects.create(
        event="cancellation_done",
        channel="sms",
        recipient=f"user:{interview.candidate.user_id}",
        language="en",
        subject=interview.subject,
        dedupe_key=code,
        not_before=timezone.now(),
        created_at=timezone.now(),
        state="failed",
        error_code=code,
    )

    page = desk.get(page_of(interview)).text

    assert words in page
    assert f'<code class="small">{code}</code>' in page


def test_page_tells_everything(desk, department, recruiter):
    lead = UserFactory(lead=True, departments=[department], name="吴建国")
    interview = InterviewFactory(department=department, starts_in=timedelta(hours=2))
    reason = Reason.objects.get(purpose=Purpose.CANCEL, code="unwell")
    cancellation, _new = services.request_cancellation(
        interview.reference, by=interview.candidate.user, reason=reason, detail="Fever"
    )
    services.approve_cancellation(cancellation.pk, by=lead, note="Get well soon")

    response = desk.get(page_of(interview))

    told = [entry.what for entry in response.context["story"].entries]
    assert told == ["Cancelled", "Cancellation asked for", "Booked"]
    who = [entry.who for entry in response.context["story"].entries]
    assert who == ["吴建国", interview.candidate.user.name, "The rule"]
    for words in ("Fever", "Get well soon", "I am not well", "Queued", interview.position.title):
        assert words in response.text, words
    channels = {message.channel for message in response.context["story"].messages}
    assert channels >= {"Text message", "Desk"}


def test_viewer_reads_no_words_of_candidates(client, department):
    client.force_login(UserFactory(viewer=True, departments=[department]))
    cancellation = CancellationFactory(
        interview__department=department, detail="My mother is ill", note="We are sorry"
    )

    page = client.get(page_of(cancellation.interview)).text

    assert "My mother is ill" not in page
    assert "We are sorry" not in page
    assert "reveal" not in page


def test_details_are_masked_until_somebody_says_what_for(desk, recruiter, wanted):
    person = wanted.candidate.user

    before = desk.get(page_of(wanted)).text
    response = desk.post(f"{page_of(wanted)}reveal/", {"why": "contact"})
    after = desk.get(page_of(wanted)).text

    for page in (before, after):
        assert person.mobile not in page
        assert "yue@mail.example" not in page
    assert person.mobile in response.text
    assert "yue@mail.example" in response.text
    assert person.national_id not in response.text
    assert person.national_id[-4:] in response.text
    assert "no-store" in response.headers["Cache-Control"]
    entry = AccessLog.objects.get()
    assert (entry.action, entry.by, entry.subject) == (
        Access.REVEALED,
        recruiter,
        f"interview:{wanted.reference}",
    )
    assert entry.detail == {"what": ["mobile", "email", "national_id"], "why": "contact"}


def test_nothing_is_revealed_without_a_reason_or_by_reading(desk, wanted):
    refused = desk.post(f"{page_of(wanted)}reveal/", {"why": "curiosity"})

    assert refused.status_code == 422
    assert wanted.candidate.user.mobile not in refused.text
    assert desk.get(f"{page_of(wanted)}reveal/").url == page_of(wanted)
    assert not AccessLog.objects.exists()


def test_viewer_reveals_nothing(client, department, wanted):
    client.force_login(UserFactory(viewer=True, departments=[department]))

    assert client.post(f"{page_of(wanted)}reveal/", {"why": "contact"}).status_code == 403
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET action = 'x'", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_log_of_accesses_is_append_only(desk, wanted, statement):
    desk.post(f"{page_of(wanted)}reveal/", {"why": "contact"})

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match=r"never emptied|Cannot"):
            cursor.execute(statement.format("interviews_accesslog"))


def test_page_query_count_does_not_grow(desk, department):
    counts = []
    interview = InterviewFactory(department=department, starts_in=timedelta(hours=2))
    reason = Reason.objects.get(purpose=Purpose.CANCEL, code="unwell")
    for _round in range(2):
        cancellation, _new = services.request_cancellation(
            interview.reference, by=interview.candidate.user, reason=reason
        )
        services.decline_cancellation(
            cancellation.pk, by=UserFactory(lead=True, departments=[department])
        )
        with CaptureQueriesContext(connection) as captured:
            desk.get(page_of(interview))
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 15
