"""What an address of figures asks for."""

from datetime import date

import pytest
from django.http import QueryDict

from analytics.dashboards.asking import PRESETS, ask, on_axis, preset, step_of
from analytics.figures import Period
from tests.factories import (
    DepartmentFactory,
    InterviewFactory,
    PositionCategoryFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

TODAY = date(2024, 5, 10)


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("last_7", date(2024, 5, 4), TODAY),
        ("last_30", date(2024, 4, 11), TODAY),
        ("this_month", date(2024, 5, 1), TODAY),
        ("last_month", date(2024, 4, 1), date(2024, 4, 30)),
        ("this_quarter", date(2024, 4, 1), TODAY),
        ("last_quarter", date(2024, 1, 1), date(2024, 3, 31)),
        ("this_year", date(2024, 1, 1), TODAY),
        ("last_year", date(2023, 5, 12), date(2024, 5, 10)),
    ],
)
def test_periods_by_name(name, since, until):
    assert preset(name, TODAY) == Period(since, until)


@pytest.mark.parametrize("day", [date(2024, 1, 1), date(2024, 2, 29), date(2024, 12, 31)])
def test_every_name_has_a_period_on_every_day(day):
    for name in PRESETS:
        assert preset(name, day).days > 0


@pytest.fixture
def lead(settings):
    settings.LANGUAGE_CODE = "en"
    return UserFactory(lead=True, departments=[DepartmentFactory()])


def asked(user, query=""):
    return ask(QueryDict(query), user)


def test_without_a_word_the_last_thirty_days(lead):
    said = asked(lead)
    assert said.period == preset("last_30", said.today)
    assert said.query == ""
    assert said.preset == "last_30"
    assert said.chosen.departments == tuple(lead.departments.values_list("pk", flat=True))


def test_days_win_over_a_name(lead):
    said = asked(lead, "period=last_7&since=2024-04-01&until=2024-04-30")
    assert said.period == Period(date(2024, 4, 1), date(2024, 4, 30))
    assert said.before == Period(date(2024, 3, 1), date(2024, 3, 31))
    assert said.preset == ""
    assert said.query == "since=2024-04-01&until=2024-04-30"


@pytest.mark.parametrize(
    "query",
    ["period=nonsense", "since=0240-01-01", "kind=by_post", "position=999999999", "source=x"],
)
def test_what_is_not_understood_narrows_nothing_and_says_so(lead, query):
    said = asked(lead, query)
    assert said.form.errors
    assert said.chosen == asked(lead).chosen
    assert said.period == asked(lead).period


def test_a_period_that_ends_before_it_begins_is_none(lead):
    said = asked(lead, "since=2024-05-10&until=2024-05-09")
    assert "until" in said.form.errors
    assert said.period == preset("last_30", said.today)


def test_one_day_alone_begins_or_ends_a_period(lead):
    assert asked(lead, "until=2024-05-30").period == Period(date(2024, 5, 1), date(2024, 5, 30))
    began = asked(lead, "since=2024-05-30")
    assert began.period == Period(date(2024, 5, 30), began.today)
    ahead = asked(lead, "since=2099-05-30")
    assert ahead.period == Period(date(2099, 5, 30), date(2099, 5, 30))
    assert ahead.is_ahead


def test_a_department_of_others_is_not_offered(lead):
    other = DepartmentFactory()
    said = asked(lead, f"department={other.pk}")
    assert said.form.errors
    assert other.pk not in said.chosen.departments


def test_positions_categories_and_recruiters_narrow_to_positions(lead):
    position = PositionFactory(department=lead.departments.get())
    PositionFactory(department=lead.departments.get())
    for query in (f"position={position.pk}", f"recruiter={position.recruiter_id}"):
        assert asked(lead, query).chosen.positions == (position.pk,)
    assert len(asked(lead, f"category={position.category_id}").chosen.positions) == 2


def test_figures_lead_to_the_list_narrowed_in_the_same_way(lead):
    position = PositionFactory(department=lead.departments.get())
    query = f"since=2024-04-01&until=2024-04-30&position={position.pk}&kind=ai"
    url = asked(lead, query).rows(status="no_show")
    said = QueryDict(url.partition("?")[2]).dict()
    assert said == {
        "since": "2024-04-01",
        "until": "2024-04-30",
        "position": str(position.pk),
        "kind": "ai",
        "status": "no_show",
    }


def test_the_list_knows_categories_and_what_is_our_own(client, lead):
    mine, imported, elsewhere = (
        InterviewFactory(
            position=PositionFactory(department=lead.departments.get(), category=category),
            completed=True,
            source=source,
        )
        for category, source in (
            (PositionCategoryFactory(code="a"), ""),
            (PositionCategoryFactory(code="b"), "ats"),
            (PositionCategoryFactory(code="c"), "ats"),
        )
    )
    client.force_login(lead)
    category = imported.position.category_id
    for query, found in (("source=~", mine), (f"category={category}", imported)):
        page = client.get(asked(lead, query).rows())
        assert [row["reference"] for row in page.context["part"].rows] == [found.reference]
    assert elsewhere.reference not in client.get(asked(lead, "source=~").rows()).content.decode()


def test_who_has_no_recruiter_cannot_be_listed(lead):
    assert asked(lead).rows(recruiter=None) == ""


def test_our_own_is_a_source_as_well(lead):
    assert asked(lead, "source=~").chosen.source == ""


@pytest.mark.parametrize(
    ("days", "step"),
    [(1, "day"), (31, "day"), (32, "week"), (190, "week"), (191, "month"), (1141, "quarter")],
)
def test_a_series_has_a_few_dozen_steps_at_most(lead, days, step):
    until = date(2024, 12, 31)
    since = date.fromordinal(until.toordinal() - days + 1)
    said = asked(lead, f"since={since}&until={until}")
    assert said.step == step
    assert len(said.period.starts(said.step)) <= 40


def test_steps_at_the_ends_of_a_period_count_its_own_days_alone():
    period = Period(date(2024, 4, 10), date(2024, 6, 5))
    assert step_of(date(2024, 4, 1), "month", period) == Period(
        date(2024, 4, 10), date(2024, 4, 30)
    )
    assert step_of(date(2024, 6, 3), "week", period) == Period(date(2024, 6, 3), date(2024, 6, 5))
    assert step_of(date(2024, 4, 1), "quarter", period) == Period(
        date(2024, 4, 10), date(2024, 6, 5)
    )


def test_steps_on_an_axis(settings):
    assert on_axis(date(2024, 4, 1), "quarter") == "2024 Q2"
