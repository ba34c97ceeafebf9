"""Before and since: which days are compared, and what is said of them."""

from datetime import date, timedelta

import pytest

from analytics.figures import Filter, Period, Rate
from analytics.findings import proof, watched, words
from analytics.findings.codes import Measure
from analytics.findings.proof import Change, Proof, Side, Verdict, prove, windows
from tests.analytics.findings.counted import counted, day, expected, today
from tests.factories import DepartmentFactory, PositionFactory

DONE_ON = date(2026, 3, 10)
EVERYTHING = Filter()


@pytest.mark.parametrize(
    ("now", "days_since"),
    [
        (date(2026, 3, 10), 0),
        (date(2026, 3, 11), 0),
        (date(2026, 3, 12), 1),
        (date(2026, 4, 7), 27),
        (date(2026, 4, 8), 28),
        (date(2027, 4, 8), 28),
    ],
)
def test_only_days_that_are_over_count_and_never_the_day_itself(now, days_since):
    before, after = windows(DONE_ON, now, 28)
    assert before == Period(date(2026, 2, 10), date(2026, 3, 9))
    assert before.days == 28
    assert after.days == days_since
    assert after.since == date(2026, 3, 11)


pytest_db = pytest.mark.django_db


@pytest.fixture
def position():
    return PositionFactory(department=DepartmentFactory())


def proved(position, *, ago=40, days=28, measure=Measure.NO_SHOW):
    return prove(
        measure,
        Filter(positions=(position.pk,)),
        EVERYTHING,
        done_on=day(ago),
        today=today(),
        days=days,
    )


@pytest_db
@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((40, 100), (15, 100), Verdict.BETTER),
        ((15, 100), (40, 100), Verdict.WORSE),
        ((20, 100), (18, 100), Verdict.UNCLEAR),
        ((20, 100), (20, 100), Verdict.UNCLEAR),
        ((19, 19), (0, 100), Verdict.FEW),
        ((40, 100), (0, 19), Verdict.FEW),
        ((0, 0), (0, 0), Verdict.FEW),
    ],
)
def test_what_is_said_follows_from_the_numbers(position, before, after, verdict):
    expected(position, missed=before[0], of=before[1], on=day(50))
    expected(position, missed=after[0], of=after[1], on=day(30))
    found = proved(position)
    assert found.verdict == verdict
    assert (found.change.before.rate, found.change.after.rate) == (Rate(*before), Rate(*after))


@pytest_db
def test_more_places_taken_again_is_better_where_fewer_absences_are(position):
    for ago, taken in ((50, 10), (30, 60)):
        refill = {"place|given_up|taken": taken, "place|given_up|closed": 100 - taken}
        counted(position, on=day(ago), refill=refill)
    assert proved(position, measure=Measure.REFILLED).verdict == Verdict.BETTER


@pytest_db
def test_days_outside_and_the_day_itself_change_nothing(position):
    for ago in (40, 69, 11, 0):
        expected(position, missed=50, of=50, on=day(ago))
    assert proved(position).change.before.rate == Rate(0, 0)
    assert proved(position).change.after.rate == Rate(0, 0)
    expected(position, missed=1, of=50, on=day(68))
    expected(position, missed=2, of=50, on=day(12))
    assert proved(position).change.before.rate == Rate(1, 50)
    assert proved(position).change.after.rate == Rate(2, 50)


@pytest_db
@pytest.mark.parametrize(("ago", "left"), [(0, 28), (1, 28), (2, 27), (28, 1), (29, 0), (200, 0)])
def test_the_days_since_grow_until_they_are_as_many(position, ago, left):
    found = proved(position, ago=ago)
    assert found.days_left == left
    assert (found.verdict == Verdict.EARLY) == (ago < 2)
    assert (found.verdict == Verdict.GROWING) == (2 <= ago < 29)


@pytest_db
@pytest.mark.parametrize(("ago", "verdict"), [(28, Verdict.GROWING), (29, Verdict.BETTER)])
def test_nothing_is_said_of_it_before_the_days_are_over(position, ago, verdict):
    expected(position, missed=40, of=100, on=day(ago + 1))
    expected(position, missed=15, of=100, on=day(ago - 1))
    assert proved(position, ago=ago).verdict == verdict


@pytest_db
def test_the_others_stand_beside_without_its_own(position):
    other = PositionFactory()
    for ago, missed in ((50, 40), (30, 15)):
        expected(position, missed=missed, of=100, on=day(ago))
        expected(other, missed=missed * 2, of=200, on=day(ago))
    found = proved(position)
    assert found.rest.before.rate == Rate(80, 200)
    assert found.rest.after.rate == Rate(30, 200)
    assert found.rest_moved_likewise


def test_what_is_counted_meanwhile_takes_nothing_below_nought():
    assert proof._without(Rate(5, 10), Rate(4, 8)) == Rate(0, 0)
    assert proof._without(Rate(1, 10), Rate(9, 12)) == Rate(2, 2)


@pytest_db
@pytest.mark.parametrize("measure", Measure.values)
def test_every_measure_can_be_read_and_drawn(position, measure):
    period = Period(day(60), day(1))
    assert watched.rate(measure, EVERYTHING, period) == Rate(0, 0)
    assert {rate for _since, rate in watched.series(measure, EVERYTHING, period, "week")} == {
        Rate(0, 0)
    }
    assert {*watched.WATCHED} == {*Measure}


# --- the line -------------------------------------------------------------------------------------


def course(position, **more):
    when = {"done_on": day(40), "today": today(), "days": 28} | more
    return proof.course(Measure.NO_SHOW, Filter(positions=(position.pk,)), EVERYTHING, **when)


@pytest_db
def test_a_line_goes_by_week_and_marks_the_one_in_which_it_was_done(position):
    for ago in range(12, 125):
        expected(position, missed=1, of=10, on=day(ago))
    found = course(position)
    assert found.step == "week"
    since = found.own[found.marked][0]
    assert since <= day(40) < since + timedelta(days=7)


@pytest_db
def test_a_line_goes_by_month_where_weeks_hold_too_few(position):
    for ago in range(12, 125, 4):
        expected(position, missed=1, of=5, on=day(ago))
    assert course(position).step == "month"


@pytest_db
def test_there_is_no_line_of_little(position):
    expected(position, missed=1, of=10, on=day(50))
    assert course(position) is None


# --- in words -------------------------------------------------------------------------------------


def told(before, after, others=((0, 0), (0, 0)), verdict=None, days_left=0):
    span = Period(date(2026, 2, 10), date(2026, 3, 9))
    change = Change(Side(span, Rate(*before)), Side(span, Rate(*after)))
    rest = Change(Side(span, Rate(*others[0])), Side(span, Rate(*others[1])))
    verdict = verdict or proof._verdict(change, rises_for_the_better=False)
    return Proof(change, rest, verdict, 28, days_left)


@pytest.fixture
def english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.mark.usefixtures("english")
def test_it_says_what_changed_since_and_how_much():
    found = told((40, 100), (15, 100))
    assert words.verdict(found) == "Improved since then: 40 % before, 15 % since."
    assert words.difference(found.change) == ("−25 points (95 per cent interval: −36.3 to −12.7)")
    worse = told((15, 100), (40, 100))
    assert words.verdict(worse) == "Worsened since then: 15 % before, 40 % since."


@pytest.mark.usefixtures("english")
def test_it_says_how_many_are_missing():
    assert words.verdict(told((5, 15), (1, 19))) == (
        "Too little to tell. Before it there are 5 too few: a longer time may have enough."
        " Since then 1 more is needed at least."
    )
    assert words.verdict(told((12, 20), (16, 20))) == (
        "Too little to tell: 60 % before, 80 % since. To tell a difference of this size from none,"
        " about 82 on either side would be needed."
    )
    assert words.verdict(told((12, 20), (12, 20))) == (
        "Too little to tell: 60 % before, 60 % since."
    )
    early = told((40, 100), (0, 0), verdict=Verdict.EARLY, days_left=28)
    assert words.verdict(early) == "Too early to tell: no day is over since then."
    assert words.growing(early).startswith("28 days of those since are still to come")
    some = told((40, 100), (15, 100), verdict=Verdict.GROWING, days_left=1)
    assert words.verdict(some) == "Not all days are over: 40 % before, 15 % so far."
    assert words.growing(some).startswith("1 day of those since is still to come")


@pytest.mark.usefixtures("english")
def test_it_says_where_the_others_moved_in_the_same_direction():
    alike = words.rest(told((40, 100), (15, 100), ((80, 200), (30, 200))))
    assert alike.startswith("The other interviews you see: 40 % before, 15 % since.")
    assert "They moved in the same direction" in alike
    apart = words.rest(told((40, 100), (15, 100), ((30, 200), (80, 200))))
    assert "same direction" not in apart
    same = words.rest(told((40, 100), (15, 100), ((30, 200), (30, 200))))
    assert "same direction" not in same
    assert "no other interviews" in words.rest(told((40, 100), (15, 100)))
    none_before = words.rest(told((40, 100), (15, 100), ((0, 0), (7, 20))))
    assert none_before.startswith("The other interviews you see: – before, 35 % since; too few")
    few = words.rest(told((40, 100), (15, 100), ((3, 10), (80, 200))))
    assert few == ("The other interviews you see: 3 of 10 before, 40 % since; too few to compare.")


@pytest.mark.usefixtures("english")
def test_no_sentence_says_why():
    for verdict in Verdict:
        found = told((40, 100), (15, 100), ((80, 200), (30, 200)), verdict=verdict)
        said = f"{words.verdict(found)} {words.rest(found)}".lower()
        assert not {"because", "thanks", "due", "caused", "effect"} & {*said.split()}
