"""Figures as pages ask for them: of any period, of whose interviews somebody may see."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics import cells, figures
from analytics.figures import COMPANY_WIDE, Bar, Counts, Filter, Period, Rate
from analytics.models import RATED, Cell
from cancellations.models import Reason, Saving
from interviews.models import Interview
from tests.factories import (
    AbsenceFactory,
    CancellationFactory,
    DepartmentFactory,
    FreedPlaceFactory,
    InterviewFactory,
    OfferFactory,
    PositionFactory,
    SittingFactory,
    UserFactory,
    tell,
)

ZONE = ZoneInfo("Asia/Shanghai")
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


def at(day, hour=10):
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)


def counted():
    while cells.recount_batch():
        pass


def around_today():
    today = timezone.localdate()
    return Period(today - timedelta(days=40), today + timedelta(days=40))


# --- periods and filters --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "pieces"),
    [
        ("2026-03-05", "2026-03-20", [("day", "2026-03-05", "2026-03-20")]),
        ("2026-03-01", "2026-03-31", [("month", "2026-03-01", "2026-03-31")]),
        (
            "2026-02-27",
            "2026-05-02",
            [
                ("day", "2026-02-27", "2026-02-28"),
                ("month", "2026-03-01", "2026-04-30"),
                ("day", "2026-05-01", "2026-05-02"),
            ],
        ),
        ("2026-02-27", "2026-03-20", [("day", "2026-02-27", "2026-03-20")]),
        (
            "2025-12-31",
            "2026-01-31",
            [("day", "2025-12-31", "2025-12-31"), ("month", "2026-01-01", "2026-01-31")],
        ),
        ("2026-03-20", "2026-03-19", []),
    ],
)
def test_period_is_read_by_whole_months_and_the_days_beside(since, until, pieces):
    period = Period(date.fromisoformat(since), date.fromisoformat(until))

    assert [(str(s), str(a), str(b)) for s, a, b in period.pieces()] == pieces


@pytest.mark.parametrize(
    ("since", "until", "before"),
    [
        ("2026-03-05", "2026-03-20", ("2026-02-17", "2026-03-04")),
        ("2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-28")),
        ("2026-01-01", "2026-03-31", ("2025-10-01", "2025-12-31")),
        ("2026-01-01", "2026-12-31", ("2025-01-01", "2025-12-31")),
    ],
)
def test_period_before_is_as_long(since, until, before):
    period = Period(date.fromisoformat(since), date.fromisoformat(until))

    assert (str(period.before.since), str(period.before.until)) == before


@pytest.mark.django_db
def test_nobody_reads_figures_of_other_departments():
    mine, other = PositionFactory(), PositionFactory()
    viewer = UserFactory(viewer=True, departments=[mine.department])
    nobody = UserFactory(viewer=True)
    everybody = UserFactory(administrator=True)
    InterviewFactory(position=mine)
    InterviewFactory(position=other)
    counted()

    def booked(user, **chosen):
        return figures.totals(figures.filter_for(user, **chosen), around_today()).booked

    assert booked(viewer) == 1
    assert booked(viewer, department=other.department.pk) == 0
    assert booked(viewer, position=other.pk) == 0
    assert booked(viewer, position=mine.pk) == 1
    assert booked(nobody) == 0
    assert booked(everybody) == 2
    assert booked(everybody, department=other.department.pk) == 1
    assert booked(everybody, position=other.pk, department=mine.department.pk) == 0
    assert booked(everybody, recruiter=mine.recruiter.pk) == 1
    assert booked(everybody, category=mine.category.pk) == 2
    assert booked(everybody, position=10**6) == 0  # deleted


@pytest.mark.django_db
def test_source_and_kind_narrow_it_down():
    InterviewFactory()
    InterviewFactory(kind="on_site")
    InterviewFactory(kind="on_site", source="old")
    counted()

    def booked(**chosen):
        return figures.totals(Filter(**chosen), around_today()).booked

    assert (booked(), booked(source=""), booked(source="old")) == (3, 2, 1)
    assert (booked(kind="ai"), booked(kind="on_site")) == (1, 2)
    assert (booked(kind="ai", source="old"), booked(source="unheard_of")) == (0, 0)


# --- rates ----------------------------------------------------------------------------------------


def test_rates_say_of_how_many():
    counts = Counts(invited=30, booked=25, cancelled=5, attended=16, no_show=4, exited=2)

    assert counts.cancel_rate == Rate(5, 25)
    assert counts.no_show_rate == Rate(4, 20)
    assert counts.no_show_rate.share == 0.2
    assert not counts.no_show_rate.is_small
    assert counts.exit_rate.is_small
    assert Counts().no_show_rate.share is None


def test_invitations_that_are_open_or_called_off_are_not_unanswered():
    found = {("answered",): 20, ("ran_out",): 5, ("called_off",): 5, ("open",): 10}

    assert figures.ran_out_of(found) == Rate(5, 25)


@pytest.mark.django_db
def test_invitations_count_on_the_day_they_were_made_whatever_became_of_them():
    """Also where those who answered are expected weeks later."""
    for number in range(5):
        invitation = InterviewFactory(invited=True)
        made = at(date(2026, 3, 2))
        booked = {"status": "booked", "booked_at": made + timedelta(days=1)}
        became = [
            booked | {"starts_at": at(date(2026, 3, 20))},
            booked | {"starts_at": at(date(2026, 4, 10))},
            {"status": "no_show"},
            {"status": "cancelled"},
            {"status": "invited"},
        ][number]
        Interview.objects.filter(pk=invitation.pk).update(created_at=made, **became)
    counted()

    day = Period(date(2026, 3, 2), date(2026, 3, 2))
    assert figures.ran_out(COMPANY_WIDE, day) == Rate(1, 3)
    for other in (Period(date(2026, 3, 3), date(2026, 4, 30)), day.before):
        assert figures.ran_out(COMPANY_WIDE, other) == Rate(0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("came_as", "became", "rate"),
    [
        # Answered or over when they came: when they were invited is not known.
        ({"status": "booked", "starts_at": at(date(2026, 3, 20))}, {}, Rate(0, 0)),
        ({"status": "no_show"}, {}, Rate(0, 0)),
        # Still open when they came.
        (
            {"status": "invited"},
            {"status": "no_show", "ended_at": at(date(2026, 3, 9))},
            Rate(1, 1),
        ),
        (
            {"status": "invited"},
            {
                "status": "booked",
                "booked_at": at(date(2026, 3, 3)),
                "starts_at": at(date(2026, 3, 20)),
            },
            Rate(0, 1),
        ),
    ],
)
def test_invitations_from_elsewhere_count_where_they_were_open_when_they_came(
    came_as, became, rate
):
    imported = InterviewFactory(invited=True, source="ats")
    Interview.objects.filter(pk=imported.pk).update(
        **{"created_at": at(date(2026, 3, 2)), **came_as, **became}
    )
    counted()

    assert figures.ran_out(COMPANY_WIDE, Period(date(2026, 3, 1), date(2026, 3, 31))) == rate


# --- any period is the sum of its days ------------------------------------------------------------


@pytest.mark.django_db
def test_however_a_period_is_read_it_comes_to_the_same():
    days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1)]
    days += [date(2026, 3, 31), date(2026, 4, 1), date(2026, 12, 31)]
    for day in days:
        InterviewFactory(completed=True, starts_at=at(day))
    counted()

    for since in [*days, date(2026, 2, 2)]:
        for until in [*days, date(2026, 4, 30)]:
            period = Period(since, until)
            inside = sum(since <= day <= until for day in days)
            assert figures.totals(COMPANY_WIDE, period).completed == inside
            for step in ("day", "week", "month", "quarter"):
                points = figures.series(COMPANY_WIDE, period, step)
                assert sum(point.counts.completed for point in points) == inside


@pytest.mark.django_db
def test_series_has_every_step():
    InterviewFactory(completed=True, starts_at=at(date(2026, 3, 4)))
    counted()

    days = figures.series(COMPANY_WIDE, Period(date(2026, 3, 3), date(2026, 3, 5)))
    months = figures.series(COMPANY_WIDE, YEAR)
    weeks = figures.series(COMPANY_WIDE, Period(date(2026, 3, 3), date(2026, 3, 12)), "week")

    assert [(str(p.since), p.counts.completed) for p in days] == [
        ("2026-03-03", 0), ("2026-03-04", 1), ("2026-03-05", 0)
    ]  # fmt: skip
    assert [p.counts.completed for p in months] == [0, 0, 1, *[0] * 9]
    assert [(str(p.since), p.counts.completed) for p in weeks] == [
        ("2026-03-02", 1),
        ("2026-03-09", 0),
    ]


@pytest.mark.django_db
def test_nothing_is_an_answer_too():
    nothing, future = Filter(departments=()), Period(date(2090, 1, 1), date(2090, 3, 31))

    for chosen, period in ((nothing, YEAR), (COMPANY_WIDE, future), (Filter(positions=()), YEAR)):
        assert figures.totals(chosen, period) == Counts()
        assert figures.overview(chosen, period).saved.offered == 0
        assert figures.handling(chosen, period).p95 is None
        assert figures.by(chosen, period, "position") == []
        assert len(figures.hours(chosen, period)) == 168
        assert figures.series(chosen, period)
    assert figures.series(COMPANY_WIDE, Period(date(2026, 2, 2), date(2026, 2, 1))) == []


# --- beside one another ---------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("day", [date(2026, 3, 4), date(2026, 3, 31)])
def test_beside_one_another(day):
    one, two = PositionFactory(), PositionFactory(recruiter=None)
    for hour, position in enumerate((one, one, two)):
        InterviewFactory(position=position, completed=True, starts_at=at(day, hour))
    InterviewFactory(position=two, completed=True, starts_at=at(day), kind="on_site", source="old")
    counted()

    def by(dimension, chosen=COMPANY_WIDE):
        rows = figures.by(chosen, Period(date(2026, 3, 1), day), dimension)
        return {row.key: row.counts.completed for row in rows}

    assert by("position") == {one.pk: 2, two.pk: 2}
    assert by("department") == {one.department.pk: 2, two.department.pk: 2}
    assert by("category") == {one.category.pk: 4}
    assert by("recruiter") == {one.recruiter.pk: 2, None: 2}
    assert by("source") == {"": 3, "old": 1}
    assert by("kind") == {"ai": 3, "on_site": 1}
    assert by("position", Filter(source="old")) == {two.pk: 1}
    assert by("source", Filter(departments=(one.department.pk,))) == {"": 2}
    assert by("department", Filter(positions=(two.pk,))) == {two.department.pk: 2}


@pytest.mark.django_db
def test_who_has_only_a_place_that_came_free_does_not_stand_beside_the_others():
    place = FreedPlaceFactory(origin="given_up")
    counted()
    period = around_today()
    assert Cell.objects.filter(owner=place.slot.position.pk).exists()
    assert figures.by(COMPANY_WIDE, period, "position") == []
    assert figures.refilled(COMPANY_WIDE, period).freed == 1


# --- what counts by key ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_reasons_and_saved():
    exit_reason = Reason.objects.filter(purpose="exit").first()
    CancellationFactory(approved=True)
    CancellationFactory()  # HR has not decided
    left = InterviewFactory(status="withdrawn")
    CancellationFactory(
        approved=True, interview=left, is_exit=True, reason=exit_reason,
        evidence={"stage": "professional", "number": 3, "answered": 2},
    )  # fmt: skip
    now = timezone.now()
    for outcome in ("moved", "cancelled", ""):
        Saving.objects.create(
            interview=left if outcome else InterviewFactory(),
            reason="time_conflict", offered="other_time", at=now, outcome=outcome,
        )  # fmt: skip
    counted()
    period = around_today()

    assert figures.reasons(COMPANY_WIDE, period) == {
        "candidate": {"time_conflict": 1},
        "company": {},
        "exit": {exit_reason.code: 1},
        "decline": {},
    }
    saved = figures.saved(COMPANY_WIDE, period)
    assert (saved.offered, saved.rate) == (3, Rate(1, 2))
    by_reason = figures.saved_by_reason(COMPANY_WIDE, period)
    assert by_reason["time_conflict", "other_time"] == saved
    left_at = figures.exits(COMPANY_WIDE, period)
    assert left_at.exits_by_stage == {"professional": 1}
    assert left_at.exits_by_question == {"3": 1}


@pytest.mark.django_db
def test_decisions_and_how_long_they_took():
    now, hr = timezone.now(), UserFactory(lead=True)
    for minutes, by in ((4, hr), (12, hr), (40, None)):
        CancellationFactory(
            approved=True, requested_at=now, decided_at=now + timedelta(minutes=minutes),
            decided_by=by,
        )  # fmt: skip
    CancellationFactory()
    counted()

    cancel = figures.decisions(COMPANY_WIDE, around_today())["cancel"]
    handling = figures.handling(COMPANY_WIDE, around_today())
    people = figures.handling_by_person(COMPANY_WIDE, around_today())

    assert (cancel.asked, cancel.waiting, cancel.approved, cancel.by_hr) == (4, 1, 3, 2)
    assert cancel.default_rate == Rate(1, 3)
    assert cancel.in_time == Rate(2, 3)  # of the promised quarter of an hour
    assert handling.count == 3
    assert 10 <= handling.p50 < 15
    assert 30 <= handling.p95 < 45
    assert {person: each.count for person, each in people.items()} == {0: 1, hr.pk: 2}


@pytest.mark.parametrize(
    ("counts", "share", "at"),
    [
        ([], 0.5, None),
        ([10], 0.5, 5.0),
        ([10, 10], 0.5, 10.0),
        ([10, 10], 0.75, 15.0),
        ([0, 0, 4], 0.5, 20.0),  # without end
        ([1], 1.0, 10.0),
    ],
)
def test_quantiles_lie_where_they_would_in_evenly_spread_steps(counts, share, at):
    edges = [(0, 10), (10, 20), (20, None)]
    histogram = [Bar(low, high, n) for (low, high), n in zip(edges, counts, strict=False)]

    assert figures.quantile(histogram, share) == at


@pytest.mark.django_db
def test_reminders_delivery_and_absences():
    told = InterviewFactory(
        no_show=True, location="Hall 1", extra={"reminder_call": "no", "native_city": "chennai"}
    )
    tell(told)
    tell(told, channel="email", state="failed", error_code="550", provider_id="<1@x>")
    came = InterviewFactory(
        completed=True,
        location="Hall 1",
        extra={"reminder_call": "yes", "venue_clear": "somewhere near 李雷"},
        confirmed_at=timezone.now(),
    )
    AbsenceFactory(interview=told)
    counted()
    period = around_today()

    reminded = figures.reminded(COMPANY_WIDE, period)
    assert reminded["delivered"].no_show_rate == Rate(1, 1)
    assert reminded["confirmed"].no_show_rate == Rate(0, 1)
    assert figures.venues(COMPANY_WIDE, period)["Hall 1"].no_show_rate == Rate(1, 2)
    answers = figures.answers(COMPANY_WIDE, period)
    assert answers.keys() == {"reminder_call"}  # nothing of where somebody was born, no free text
    asked = answers["reminder_call"]
    assert (asked["no"].missed, asked["yes"].came) == (1, 1)
    assert figures.absences(COMPANY_WIDE, period) == {"missed": {"open": 1}}
    found = {each.channel: each for each in figures.delivery(COMPANY_WIDE, period)}
    assert found["sms"].failure_rate == Rate(0, 1)
    assert (found["email"].provider, found["email"].causes) == ("smtp", {"550": 1})
    assert came.pk


@pytest.mark.django_db
@pytest.mark.parametrize("extra", [[1], "x", 3, {"reminder_call": None, "expected": ["yes"]}])
def test_answers_in_no_shape_that_is_known_are_left_out(extra):
    InterviewFactory(no_show=True, extra=extra)
    counted()

    assert figures.answers(COMPANY_WIDE, around_today()) == {}
    assert figures.totals(COMPANY_WIDE, around_today()).no_show == 1


@pytest.mark.django_db
def test_hours_notice_and_places():
    monday = date(2026, 3, 2)
    InterviewFactory(completed=True, starts_at=at(monday, 9))
    InterviewFactory(no_show=True, starts_at=at(monday + timedelta(days=28), 9))  # another month
    CancellationFactory(approved=True)
    FreedPlaceFactory(refilled_at=timezone.now())
    OfferFactory()
    SittingFactory()
    counted()

    whole = Period(date(2026, 1, 1), date(2027, 12, 31))
    nine = figures.hours(COMPANY_WIDE, whole)[9]
    assert (nine.weekday, nine.hour, nine.no_show) == (0, 9, 1)
    assert nine.starts >= 2
    bars = figures.notice(COMPANY_WIDE, whole)
    assert [(bar.low, bar.high) for bar in bars if bar.count] == [(1, 3)]
    refilled = figures.refilled(COMPANY_WIDE, around_today())
    assert (refilled.rate, refilled.offers) == (Rate(1, 2), {"open": 1})


@pytest.mark.django_db
def test_maps_by_step_and_by_owner():
    cancellation = CancellationFactory(approved=True)
    position = cancellation.interview.position
    counted()

    steps = figures.split_series(COMPANY_WIDE, around_today(), "reasons")
    assert len(steps) == 81
    assert [split for _since, split in steps if split] == [{("candidate", "time_conflict"): 1}]
    by_position = figures.split_by(COMPANY_WIDE, around_today(), "reasons", "position")
    assert by_position == {position.pk: {("candidate", "time_conflict"): 1}}
    with pytest.raises(ValueError, match="map"):
        figures.split(COMPANY_WIDE, around_today(), "secrets")


@pytest.mark.django_db
def test_what_is_told_apart_twice():
    here, there = PositionFactory(), PositionFactory(recruiter=UserFactory(recruiter=True))
    for position, source in ((here, ""), (there, ""), (there, "ats"), (there, "ats")):
        InterviewFactory(
            position=position, source=source, slot=None, starts_at=at(date(2026, 3, 2))
        )
    counted()

    def booked(one, other):
        found = figures.crossed(COMPANY_WIDE, YEAR, one, other)
        return {
            key: {beside: counts.booked for beside, counts in each.items()}
            for key, each in found.items()
        }

    assert booked("position", "source") == {here.pk: {"": 1}, there.pk: {"": 1, "ats": 2}}
    assert booked("source", "department") == {
        "": {here.department_id: 1, there.department_id: 1},
        "ats": {there.department_id: 2},
    }
    assert booked("department", "recruiter")[there.department_id] == {there.recruiter_id: 3}
    assert booked("department", "kind")[here.department_id] == {"ai": 1}


@pytest.mark.django_db
@pytest.mark.parametrize("interviews", [1, 12])
def test_what_is_read_does_not_grow_with_the_interviews(interviews, django_assert_num_queries):
    department = DepartmentFactory()
    position = PositionFactory(department=department)
    for hour in range(interviews):
        InterviewFactory(position=position, starts_at=at(date(2026, 3, 4), hour))
    counted()

    assert Cell.objects.count() == 24  # of the day they are on, and of that they were invited
    with django_assert_num_queries(2):
        overview = figures.overview(Filter(departments=(department.pk,)), YEAR)
    assert overview.counts.booked == interviews


@pytest.mark.django_db
def test_rates_beside_one_another_are_read_off_their_index():
    position = PositionFactory()
    days = Period(date(2026, 3, 1), date(2026, 3, 30))
    Cell.objects.bulk_create(
        Cell(
            scope="position",
            span="day",
            owner=position.pk,
            since=days.since + timedelta(days=number),
            source="*",
            kind="*",
            booked=1,
        )
        for number in range(days.days)
    )

    with CaptureQueriesContext(connection) as captured:
        (row,) = figures.by(COMPANY_WIDE, days, "position", RATED)
    assert row.counts.booked == 30

    statement = captured.captured_queries[-1]["sql"]
    with connection.cursor() as cursor:  # of so few, any other way is as good
        cursor.execute("ALTER TABLE analytics_cell DROP CONSTRAINT cell_once")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan using cell_rated" in plan
