"""Figures as other systems read them: the numbers of the pages, of nobody else's departments, and
no answer where somebody asked for something else than they meant."""

import csv
import io
import json
from datetime import datetime, time, timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from accounts.scopes import Scope
from analytics import figures
from analytics.dashboards.asking import ask
from analytics.dashboards.pages import PAGES
from analytics.figures import NUMBERS, Period, filter_for
from interviews.models import Interview
from tests.analytics.test_pages import at, count, interviews, some_of_everything
from tests.contracts.api import assert_problem, caller
from tests.contracts.test_api_tokens import token_for
from tests.factories import (
    AbsenceFactory,
    FreedPlaceFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

API = "/api/v1/insights/"
NAMES = [
    "overview",
    "reasons",
    "timing",
    "exits",
    "attendance",
    "decisions",
    "delivery",
    "quality",
]


@pytest.fixture(autouse=True)
def _in_english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def everything(position):
    """A little of everything of the lead's, and one of somebody else's."""
    some_of_everything(position)
    AbsenceFactory(interview__position=position, interview__starts_at=at(hour=13))
    FreedPlaceFactory(slot__position=position, slot__starts_at=at(hour=14))
    Interview.objects.filter(status="completed").update(
        location="Hall 1", extra={"reminder_call": "yes"}, source="ats"
    )
    InterviewFactory(no_show=True, starts_at=at(), slot=None)
    count()


def told(user, name, **query):
    response = caller(user).get(f"{API}{name}/", query)
    assert response.status_code == 200
    return response.json()


def the_last(days=30):
    today = timezone.localdate()
    return Period(today - timedelta(days=days - 1), today)


def rate(of):
    share = None if of.is_small else of.share
    return {"numerator": of.numerator, "denominator": of.denominator, "share": share}


# --- the same numbers -----------------------------------------------------------------------------


def test_counts_are_those_of_the_figures(lead, everything):
    chosen, period = filter_for(lead), the_last()
    counts = figures.totals(chosen, period)
    assert counts.booked > 3

    found = told(lead, "overview")

    assert (found["since"], found["until"]) == (str(period.since), str(period.until))
    assert found["before"] is None
    shown = found["figures"]
    assert shown["counts"] == {name: getattr(counts, name) for name in NUMBERS} | {
        "due": counts.due
    }
    assert shown["rates"] == {
        "cancelled": rate(counts.cancel_rate),
        "cancelled_by_candidate": rate(counts.candidate_cancel_rate),
        "no_show": rate(counts.no_show_rate),
        "exited": rate(counts.exit_rate),
        "incomplete": rate(counts.incomplete_rate),
        "completed": rate(counts.completion_rate),
    }
    whole = figures.overview(chosen, period)
    assert shown["saved"]["saved"] == rate(whole.saved.rate)
    assert shown["refilled"]["refilled"] == rate(whole.refilled.rate)
    assert shown["refilled"]["freed"] == whole.refilled.freed == 1
    assert (shown["cancel"]["asked"], shown["exit"]["asked"]) == (
        whole.cancel.asked,
        whole.exit.asked,
    )
    assert whole.exit.asked == 1


def board(user, name):
    return {panel.key: panel.table for panel in PAGES[name].build(ask(QueryDict(), user)).panels}


def values(table, *columns):
    """Of some columns of a page's table, as its file has them."""
    return [[row[column] for column in columns] for row in table.values()]


def test_every_answer_has_the_numbers_of_its_page(lead, everything):
    """The page's tables, as their files have them: codes are told in words there, so they are
    compared in the order of the numbers."""
    shown = {name: told(lead, name)["figures"] for name in NAMES}

    funnel = values(board(lead, "overview")["funnel"], 1)
    assert funnel == [[shown["overview"]["counts"][name]] for name in figures.FUNNEL]

    reasons = board(lead, "reasons")
    for party in ("candidate", "exit", "company", "decline"):
        own = [each for each in shown["reasons"]["reasons"] if each["party"] == party]
        assert values(reasons[f"reasons-{party}"], 0, 1) == [
            [each["label"], each["count"]] for each in own
        ]
    assert shown["reasons"]["reasons"]

    timing = board(lead, "timing")
    by_weekday = [
        [sum(each["booked"] for each in shown["timing"]["hours"] if each["weekday"] == day)]
        for day in range(7)
    ]
    assert values(timing["weekdays"], 1) == by_weekday
    assert values(timing["notice"], 1) == [[bar["count"]] for bar in shown["timing"]["notice"]]

    exits = board(lead, "exits")
    assert sorted(values(exits["exits-by-question"], 1)) == sorted(
        [each["count"]] for each in shown["exits"]["exits_by_question"]
    )
    assert shown["exits"]["exits_by_stage"] == [{"code": "professional", "count": 1}]
    assert values(exits["lapses-by-ending"], 1) == [
        [each["count"]] for each in shown["exits"]["lapses_by_ending"]
    ]

    attendance = board(lead, "attendance")
    assert values(attendance["reminders"], 1, 2, 3) == [
        [each["came"], each["missed"], each["cancelled"]]
        for each in shown["attendance"]["reminders"]
        if each["came"] + each["missed"] + each["cancelled"]
    ]
    assert values(attendance["venues"], 0, 1) == [
        [each["place"], each["came"]] for each in shown["attendance"]["places"]
    ]
    assert values(attendance["answers-1"], 1) == [
        [each["came"]] for each in shown["attendance"]["answers"]
    ]
    assert values(attendance["absences"], 2) == [
        [each["count"]] for each in shown["attendance"]["absences"]
    ]

    decisions = board(lead, "decisions")
    assert values(decisions["requests"], 1, 4, 5) == [
        [each["asked"], each["by_hr"], each["by_default"]]
        for each in (shown["decisions"][sort] for sort in ("cancel", "exit", "company"))
        if each["asked"]
    ]
    assert values(decisions["refilled"], 1)[0] == [shown["decisions"]["refilled"]["freed"]]

    assert values(board(lead, "delivery")["channels"], 2, 3, 4, 5, 6) == [
        [each[state] for state in ("delivered", "sent", "failed", "bounced", "superseded")]
        for each in shown["delivery"]["channels"]
    ]
    assert shown["delivery"]["channels"]

    quality = board(lead, "quality")
    assert sorted(values(quality["findings"], 1)) == sorted(
        [each["open"]] for each in shown["quality"]["findings"]
    )
    assert values(quality["sources"], 0, 1) == [
        [each["title"], each["invited"]] for each in shown["quality"]["sources"]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_period_before_is_what_one_is_told_when_asking_for_it(lead, everything, name):
    today = timezone.localdate()
    later = {"since": str(today), "until": str(today + timedelta(days=9))}

    beside = told(lead, name, **later, compare="true")["before"]

    assert (beside["since"], beside["until"]) == (
        str(today - timedelta(days=10)),
        str(today - timedelta(days=1)),
    )
    alone = told(lead, name, since=beside["since"], until=beside["until"])
    assert beside["figures"] == alone["figures"]


def test_series_and_rows_add_up_to_the_whole(lead, everything):
    for by in ("department", "position", "category", "source", "kind"):
        found = told(lead, "overview", step="day", by=by)["figures"]
        assert len(found["series"]) == 30
        for part in ("series", "rows"):
            added = [sum(row["counts"][name] for row in found[part]) for name in NUMBERS]
            assert added == [found["counts"][name] for name in NUMBERS]
        given = told(lead, "reasons", step="month", by=by)["figures"]
        for part in ("series", "rows"):
            counts = [each["count"] for row in given[part] for each in row["reasons"]]
            assert sum(counts) == sum(each["count"] for each in given["reasons"]) > 0


def test_rows_are_named_by_code_and_title(lead, position, everything):
    found = told(lead, "overview", by="position")["figures"]["rows"]
    assert [(row["key"], row["title"]) for row in found] == [(position.code, "装配技术员")]

    found = told(lead, "overview", by="source")["figures"]["rows"]
    assert {row["key"] for row in found} == {"", "ats"}
    assert told(lead, "overview")["figures"]["rows"] == []


def test_few_are_counted_and_many_are_a_share(lead, position):
    interviews(position, 14, completed=True)
    interviews(position, 5, no_show=True)
    count()
    assert told(lead, "overview")["figures"]["rates"]["no_show"] == {
        "numerator": 5,
        "denominator": 19,
        "share": None,
    }
    interviews(position, 1, completed=True)
    count()
    assert told(lead, "overview")["figures"]["rates"]["no_show"]["share"] == 0.25
    nothing = told(lead, "overview", since="2099-01-01", until="2099-01-31")["figures"]
    assert nothing["rates"]["no_show"] == {"numerator": 0, "denominator": 0, "share": None}


# --- whose figures --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_other_departments_is_told(everything, name):
    nobody = UserFactory(viewer=True)
    empty = told(nobody, name, compare="true")
    for shown in (empty["figures"], empty["before"]["figures"]):
        shown.pop("series", None)  # of other days
    assert empty["figures"] == empty["before"]["figures"]
    if name == "overview":
        assert set(empty["figures"]["counts"].values()) == {0}


def test_everybody_is_counted_for_who_sees_everything(lead, everything):
    administrator = UserFactory(administrator=True)
    mine = told(lead, "overview")["figures"]["counts"]["no_show"]
    assert told(administrator, "overview")["figures"]["counts"]["no_show"] == mine + 1


def test_what_is_not_yours_is_as_what_is_not_there(lead, everything):
    other = PositionFactory()
    for name, code in (
        ("department", other.department.code),
        ("position", other.code),
        ("department", "nowhere"),
        ("position", "nowhere"),
    ):
        problem = assert_problem(caller(lead).get(f"{API}overview/", {name: code}), 400, "invalid")
        assert problem["errors"] == {name: [f"No {name} of yours has this code."]}
    problem = assert_problem(
        caller(lead).get(f"{API}overview/", {"recruiter": other.recruiter.pk}), 400, "invalid"
    )
    assert set(problem["errors"]) == {"recruiter"}


def test_figures_are_narrowed_as_the_pages_are(lead, position, everything):
    elsewhere = PositionFactory(department=position.department)
    interviews(elsewhere, 1, no_show=True, kind="on_site")
    count()
    for query, chosen in (
        ({"position": elsewhere.code}, {"position": elsewhere.pk}),
        ({"department": position.department.code}, {"department": position.department.pk}),
        ({"category": position.category.code}, {"category": position.category.pk}),
        ({"recruiter": elsewhere.recruiter.pk}, {"recruiter": elsewhere.recruiter.pk}),
        ({"kind": "on_site"}, {"kind": "on_site"}),
        ({"source": "ats"}, {"source": "ats"}),
        ({"source": "~"}, {"source": ""}),
    ):
        counts = figures.totals(filter_for(lead, **chosen), the_last())
        assert counts.invited > 0, query
        assert told(lead, "overview", **query)["figures"]["counts"]["invited"] == counts.invited


def test_a_token_needs_its_scope(lead):
    _token, allowed = token_for(lead, Scope.READ_FIGURES)
    _token, other = token_for(lead, Scope.READ_INTERVIEWS, Scope.READ_HISTORY)
    for name in (*NAMES, "metrics"):
        assert allowed.get(f"{API}{name}/").status_code == 200
        problem = assert_problem(other.get(f"{API}{name}/"), 403, "scope-missing")
        assert "figures:read" in problem["detail"]


def test_times_by_who_decided_are_for_who_decides(lead, department, everything):
    viewer = UserFactory(viewer=True, departments=[department])
    assert told(viewer, "decisions")["figures"]["people"] is None
    assert told(lead, "decisions")["figures"]["people"] is not None


# --- what cannot be understood --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("since=yesterday", "since"),
        ("since=0001-01-01", "since"),
        ("until=2150-01-01", "until"),
        ("since=2026-02-30", "since"),
        ("since=2026-03-02&until=2026-03-01", "until"),
        ("since=2026-03-02&period=last_7", "period"),
        ("period=for_ever", "period"),
        ("kind=phone", "kind"),
        ("source=unheard_of", "source"),
        ("recruiter=0", "recruiter"),
        ("recruiter=wang", "recruiter"),
        ("category=nothing", "category"),
        ("compare=perhaps", "compare"),
        ("departmnet=assembly", "departmnet"),
        ("kind=ai&kind=on_site", "kind"),
        ("step=hour", "step"),
        ("by=person", "by"),
        ("step=day&since=2020-01-01&until=2026-01-01", "step"),
    ],
)
def test_what_cannot_be_understood_is_refused(lead, query, wrong):
    problem = assert_problem(caller(lead).get(f"{API}overview/?{query}"), 400, "invalid")
    assert set(problem["errors"]) == {wrong}
    assert all(problem["errors"][wrong])


def test_only_what_has_steps_takes_one(lead):
    problem = assert_problem(caller(lead).get(f"{API}timing/?step=day"), 400, "invalid")
    assert problem["errors"] == {"step": ["There is no such parameter."]}


# --- how much it takes ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_queries_do_not_grow_with_what_is_there(
    lead, department, everything, name, django_assert_max_num_queries
):
    for _each in range(3):
        interviews(PositionFactory(department=department), 2, no_show=True)
    count()
    query = {"compare": "true"}
    if name in {"overview", "reasons"}:
        query["by"] = "position"
    client = caller(lead)
    with django_assert_max_num_queries(24):
        assert client.get(f"{API}{name}/", query).status_code == 200


# --- rows -----------------------------------------------------------------------------------------


def rows_of(response):
    text = b"".join(response.streaming_content).decode()
    if response["Content-Type"] == "text/csv; charset=utf-8":
        return list(csv.DictReader(io.StringIO(text)))
    assert response["Content-Type"] == "application/x-ndjson; charset=utf-8"
    return [json.loads(line) for line in text.splitlines()]


def test_rows_add_up_to_the_figures(lead, position, everything):
    rows = rows_of(caller(lead).get(f"{API}metrics/?format=jsonl"))

    counts = figures.totals(filter_for(lead), the_last())
    assert {name: sum(row[name] for row in rows) for name in NUMBERS} == {
        name: getattr(counts, name) for name in NUMBERS
    }
    assert {row["position"] for row in rows} == {position.code}
    assert {row["department"] for row in rows} == {position.department.code}
    assert {row["source"] for row in rows} == {"", "ats"}
    written = rows_of(caller(lead).get(f"{API}metrics/?format=csv"))
    assert written == [{name: str(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("*/*", "text/csv"),
    ],
)
def test_rows_come_as_they_are_asked_for(lead, everything, accept, kind):
    response = caller(lead).get(f"{API}metrics/", HTTP_ACCEPT=accept)
    assert response["Content-Type"] == f"{kind}; charset=utf-8"
    assert rows_of(response)
    narrowed = caller(lead).get(f"{API}metrics/?kind=on_site", HTTP_ACCEPT=accept)
    assert rows_of(narrowed) == []


def test_what_is_wrong_with_rows_is_told_as_everywhere(lead):
    asking = caller(lead, HTTP_ACCEPT="text/csv")
    problem = assert_problem(
        asking.get(f"{API}metrics/?since=2024-01-01&until=2025-01-01"), 400, "invalid"
    )
    assert problem["errors"] == {"until": ["At most 366 days at once."]}
    assert asking.get(f"{API}metrics/?since=2024-01-01&until=2024-12-31").status_code == 200
    assert_problem(asking.get(f"{API}metrics/?compare=true"), 400, "invalid")
    strange = caller(lead, HTTP_ACCEPT="application/pdf").get(f"{API}metrics/")
    assert_problem(strange, 406, "not-acceptable")


def test_rows_are_read_a_position_at_a_time(lead, department, django_assert_num_queries):
    for _each in range(5):
        interviews(PositionFactory(department=department), 2, no_show=True)
    count()
    response = caller(lead).get(f"{API}metrics/?format=jsonl")
    lines = iter(response.streaming_content)
    next(lines)  # what the rows are named by, the positions, and the first of them
    with django_assert_num_queries(4):
        assert len(list(lines)) == 4


def test_no_cell_of_a_csv_is_run(lead, department):
    position = PositionFactory(department=department, code="=1+1")
    interviews(position, 1, no_show=True)
    count()
    (row,) = rows_of(caller(lead).get(f"{API}metrics/?format=csv"))
    assert row["position"] == "'=1+1"


def test_days_are_those_of_the_company(lead, position):
    """Whatever the clock of the machine says: half past midnight in Shanghai is the day before in
    UTC."""
    day = timezone.localdate() - timedelta(days=2)
    starts_at = timezone.make_aware(datetime.combine(day, time(0, 30)))
    InterviewFactory(position=position, no_show=True, starts_at=starts_at, slot=None)
    count()
    (row,) = rows_of(caller(lead).get(f"{API}metrics/?since={day}&until={day}&format=jsonl"))
    assert row["day"] == str(day)
