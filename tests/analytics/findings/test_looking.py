"""What stands out of constructed figures: with enough of it, and never with little."""

import pytest
from django.http import QueryDict

from analytics.dashboards.asking import ask
from analytics.findings.codes import WATCHED, Found
from analytics.findings.looking import FINDERS, look
from analytics.models import Cell
from tests.analytics.findings.counted import counted, day, expected, today
from tests.factories import DepartmentFactory, PositionFactory, UserFactory

pytestmark = pytest.mark.django_db


def found(user, query=""):
    return look(ask(QueryDict(query), user))[1]


def one(user, code, query=""):
    """The only finding of this sort."""
    (finding,) = [each for each in found(user, query) if each.code == code]
    return finding


def hours(day_hour, evening_hour, key, *, of):
    """So many start by day and in the evening, of which some have `key`."""
    return {
        "starts|0|10": of[0],
        "came|0|10": of[0] - day_hour,
        f"{key}|0|10": day_hour,
        "starts|0|19": of[1],
        "came|0|19": of[1] - evening_hour,
        f"{key}|0|19": evening_hour,
    }


# Figures in which something stands out; the same a tenth as large, in which nothing does; and what
# is said.
STANDS_OUT = {
    Found.OTHER_OFFER: (
        {"reasons": {"candidate|accepted_offer": 40, "candidate|unwell": 40}},
        "“I have accepted another offer” is 50 % of the 80 reasons candidates give for cancelling",
        40,
    ),
    Found.NOT_INTERESTED: (
        {"reasons": {"exit|not_interested": 40, "exit|other": 60}},
        "“The position does not interest me” is 40 % of the 100 reasons given for leaving midway",
        40,
    ),
    Found.NOT_KNOWING_HOW: (
        {
            "reasons": {
                "exit|mistake": 20,
                "exit|difficulty": 10,
                "candidate|difficulty": 10,
                "candidate|unwell": 60,
                "company|hiring_freeze": 900,
            }
        },
        "40 % of 100 cancelled or left by mistake, or not knowing how it works",
        40,
    ),
    Found.EVENINGS: (
        {"hours": hours(5, 30, "no_show", of=(100, 100))},
        "From 18:00 on, 30 % of 100 did not come; before 18:00, 5 % of 100",
        30,
    ),
    Found.WEEKENDS: (
        {
            "hours": {
                "starts|5|10": 60,
                "came|5|10": 48,
                "cancelled|5|10": 10,
                "no_show|5|10": 2,
                "starts|0|10": 100,
                "came|0|10": 70,
                "no_show|0|10": 30,
            }
        },
        "At the weekend, 4 % of 50 did not come; from Monday to Friday, 30 % of 100",
        30,
    ),
    Found.LATE_NOTICE: (
        {"notice": {"3": 70, "7": 30}},
        "70 % of 100 ask to cancel less than 24 hours before the start",
        70,
    ),
    Found.REMINDER_LOST: (
        {
            "reminders": {
                "reached|failed|came": 60,
                "reached|failed|missed": 40,
                "reached|delivered|came": 164,
                "reached|delivered|missed": 36,
            }
        },
        "Where the reminder did not arrive, 60 % of 100 came; where it did, 82 % of 200",
        100,
    ),
    Found.NOT_REMINDED: (
        {
            "reminders": {
                "reached|none|came": 50,
                "reached|none|missed": 50,
                "reached|delivered|came": 164,
                "reached|delivered|missed": 36,
            }
        },
        "Without a reminder, 50 % of 100 came; where one arrived, 82 % of 200",
        100,
    ),
    Found.WRONG_CONTACT: (
        {"invited": 200, "quality": {"wrong_contact||open": 12, "wrong_contact||settled": 8}},
        "Of 200 interviews, 10 % had a contact that does not work; 12 still wait",
        20,
    ),
    Found.UNDELIVERED: (
        {
            "delivery": {
                "sms|twilio|delivered|": 80,
                "sms|twilio|failed|30005": 15,
                "sms|twilio|failed|30003": 5,
            }
        },
        "Text message: 20 % of 100 messages did not arrive; first cause:",
        20,
    ),
    Found.RAN_OUT: (
        {"invitations": {"answered": 60, "ran_out": 40, "called_off": 5, "open": 50}},
        "40 % of 100 invitations ran out without an answer",
        40,
    ),
    Found.QUESTION: (
        {"exits": {"exit|question|1": 20, "exit|question|3": 60, "exit|question|unknown": 90}},
        "Question 3: 75 % of the 80 who leave do so there",
        60,
    ),
    Found.SLOW: (
        {"requests": {"cancel|in_time": 60, "cancel|overdue": 30, "exit|overdue": 10}},
        "制造一部: 40 % of 100 decisions took longer than promised",
        40,
    ),
    Found.DEFAULTS: (
        {"requests": {"cancel|by_hr": 60, "exit|by_hr": 20, "cancel|by_default": 20}},
        "Of 100 requests that waited for HR, 20 % were decided by nobody in time",
        20,
    ),
    Found.NOT_REFILLED: (
        {
            "refill": {
                "place|given_up|taken": 20,
                "place|given_up|closed": 80,
                "place|free|taken": 50,
            }
        },
        "Only 20 % of 100 places given up were taken again",
        80,
    ),
}
# What is found by comparing positions, or says more, is tested below by itself.
BY_ITSELF = {Found.NO_SHOW, Found.CANCEL, Found.EXIT, Found.TIME_CONFLICT}


def tenth(values):
    """Below what anything is said of."""
    if isinstance(values, dict):
        return {key: tenth(value) for key, value in values.items()}
    return values // 10


def test_every_finding_is_tested_and_watched():
    assert {*STANDS_OUT, *BY_ITSELF} == {*Found} == {*WATCHED}
    assert len(FINDERS) == len(Found)


@pytest.mark.parametrize("code", STANDS_OUT, ids=str)
def test_it_stands_out_with_its_numbers(lead, position, code):
    values, sentence, touches = STANDS_OUT[code]
    counted(position, **values)
    finding = one(lead, code)
    assert finding.sentence.startswith(sentence)
    assert finding.touches == touches
    assert finding.measure == WATCHED[code]
    assert finding.advice
    assert finding.ways


@pytest.mark.parametrize("code", STANDS_OUT, ids=str)
def test_of_little_nothing_is_said(lead, position, code):
    counted(position, **tenth(STANDS_OUT[code][0]))
    assert code not in {each.code for each in found(lead)}


@pytest.mark.parametrize(
    ("code", "values"),
    [
        # Clearly not more than usual, or no difference that chance does not explain.
        (Found.OTHER_OFFER, {"reasons": {"candidate|accepted_offer": 20, "candidate|unwell": 80}}),
        (Found.LATE_NOTICE, {"notice": {"3": 50, "7": 50}}),
        (Found.EVENINGS, {"hours": hours(10, 13, "no_show", of=(100, 100))}),
        (Found.RAN_OUT, {"invitations": {"answered": 75, "ran_out": 25}}),
        (Found.QUESTION, {"exits": {"exit|question|1": 38, "exit|question|3": 42}}),
        (Found.QUESTION, {"exits": {"exit|question|3": 100}}),
        (Found.SLOW, {"requests": {"cancel|in_time": 88, "cancel|overdue": 12}}),
        (Found.NOT_REFILLED, {"refill": {"place|given_up|taken": 45, "place|given_up|open": 55}}),
        (Found.WRONG_CONTACT, {"invited": 200, "quality": {"wrong_contact||settled": 50}}),
        (
            Found.REMINDER_LOST,
            {
                "reminders": {
                    "reached|failed|came": 90,
                    "reached|failed|missed": 10,
                    "reached|delivered|came": 164,
                    "reached|delivered|missed": 36,
                }
            },
        ),
    ],
    ids=str,
)
def test_what_is_as_usual_is_not_said(lead, position, code, values):
    counted(position, **values)
    assert code not in {each.code for each in found(lead)}


# --- positions beside one another -----------------------------------------------------------------


def test_a_position_stands_out_beside_the_others(lead, department, position):
    expected(position, missed=36, of=120)
    expected(PositionFactory(department=department), missed=14, of=200)
    finding = one(lead, Found.NO_SHOW)
    assert finding.sentence == "装配技术员: 30 % of 120 did not come; of the others, 7 %"
    assert (finding.touches, finding.position) == (36, position.pk)
    assert "status=no_show" in finding.rows
    assert f"position={position.pk}" in finding.rows


def test_who_cancels_and_who_leaves_stand_out_as_well(lead, department, position):
    other = PositionFactory(department=department)
    counted(position, invited=100, booked=100, cancelled_by_candidate=40, attended=60, exited=30)
    counted(other, invited=100, booked=100, cancelled_by_candidate=10, attended=90, exited=9)
    assert one(lead, Found.CANCEL).sentence == (
        "装配技术员: candidates cancel 40 % of 100 appointments; elsewhere, 10 %"
    )
    assert one(lead, Found.EXIT).sentence == (
        "装配技术员: 50 % of 60 leave midway; of the others, 10 %"
    )


@pytest.mark.parametrize(
    ("own", "others"), [((6, 19), (10, 500)), ((30, 100), (1, 19)), ((9, 100), (7, 100))]
)
def test_a_position_does_not_stand_out(lead, department, position, own, others):
    """Too few of its own, too few others, or nothing that chance does not explain."""
    expected(position, missed=own[0], of=own[1])
    expected(PositionFactory(department=department), missed=others[0], of=others[1])
    assert Found.NO_SHOW not in {each.code for each in found(lead)}


def test_of_many_positions_each_has_to_stand_out_the_more(lead, department, position):
    """The same difference, beside one position and beside forty."""
    expected(position, missed=23, of=100)
    expected(PositionFactory(department=department), missed=14 * 40, of=100 * 40)
    assert one(lead, Found.NO_SHOW)
    Cell.objects.all().delete()
    expected(position, missed=23, of=100)
    for _each in range(40):
        expected(PositionFactory(department=department), missed=14, of=100)
    assert Found.NO_SHOW not in {each.code for each in found(lead)}


def test_three_of_one_sort_at_most_and_what_touches_most_first(lead, department):
    for number in range(5):
        each = PositionFactory(department=department, title=f"P{number}")
        expected(each, missed=100 + 10 * number, of=200)
    expected(PositionFactory(department=department), missed=20, of=2000)
    same = [each for each in found(lead) if each.code == Found.NO_SHOW]
    assert [each.touches for each in same] == [140, 130, 120]
    everything = found(lead)
    assert everything == sorted(everything, key=lambda each: -each.touches)


# --- times that do not suit -----------------------------------------------------------------------


def test_time_conflicts_say_what_is_cancelled_by_day_and_in_the_evening(lead, department, position):
    reasons = {"candidate|time_conflict": 45, "candidate|unwell": 55}
    counted(position, reasons=reasons, hours=hours(90, 8, "cancelled", of=(300, 100)))
    counted(PositionFactory(department=department), reasons={"candidate|time_conflict": 1})
    finding = one(lead, Found.TIME_CONFLICT)
    assert finding.sentence == (
        "“The time does not suit me” is 45.5 % of the 101 reasons candidates give for cancelling"
    )
    assert finding.evidence == (
        "of 300 before 18:00, 30 % was cancelled; of 100 from 18:00 on, 8 %"
    )
    assert finding.advice == (
        "Less is cancelled in the evening: add times from 18:00 on. Most often at: 装配技术员."
    )
    assert f"position={position.pk}&times=18%3A00%E2%80%9320%3A00" in finding.ways[0].url


def test_time_conflicts_ask_for_daytime_where_evenings_are_cancelled_more(lead, position):
    reasons = {"candidate|time_conflict": 45, "candidate|unwell": 55}
    counted(position, reasons=reasons, hours=hours(30, 60, "cancelled", of=(300, 100)))
    assert "add times in the daytime" in one(lead, Found.TIME_CONFLICT).advice


def test_time_conflicts_without_a_difference_ask_for_more_times(lead, position):
    counted(position, reasons={"candidate|time_conflict": 45, "candidate|unwell": 55})
    finding = one(lead, Found.TIME_CONFLICT)
    assert finding.advice == "Offer more times to choose from."
    assert "95 per cent interval" in finding.evidence


def test_hours_of_today_and_ahead_are_not_held_against_anybody(lead, position):
    ahead = {"hours": hours(5, 30, "no_show", of=(100, 100))}
    counted(position, on=today(), **ahead)
    assert Found.EVENINGS not in {each.code for each in found(lead)}
    counted(position, on=day(1), **ahead)
    assert one(lead, Found.EVENINGS).touches == 30


# --- for whom, and what they may do ---------------------------------------------------------------


def test_nothing_of_other_departments(lead, position):
    elsewhere = PositionFactory()
    expected(elsewhere, missed=90, of=100)
    expected(PositionFactory(department=elsewhere.department), missed=5, of=100)
    counted(elsewhere, requests={"cancel|overdue": 100})
    expected(position, missed=1, of=100)
    assert found(lead) == []


def test_departments_stand_in_what_is_slow_with_a_link_to_their_own_queue(department, settings):
    settings.LANGUAGE_CODE = "en"
    for name, overdue in (("B", 30), ("A", 60)):
        other = PositionFactory(department=DepartmentFactory(name=name))
        counted(other, requests={"cancel|in_time": 40, "cancel|overdue": overdue})
    slow = [each for each in found(UserFactory(administrator=True)) if each.code == Found.SLOW]
    assert [each.sentence[0] for each in slow] == ["A", "B"]
    assert all(f"department={each.department}" in each.ways[0].url for each in slow)


@pytest.mark.parametrize(
    ("role", "linked"),
    [
        ("viewer", {"The interviews"}),
        ("recruiter", {"Open slots"}),
        ("lead", {"Open slots", "Change the rule"}),
        ("administrator", {"Open slots", "Edit the position", "Change the reminders"}),
    ],
)
def test_only_what_somebody_may_do_is_a_link(role, linked, department, position, settings):
    settings.LANGUAGE_CODE = "en"
    other = PositionFactory(department=department)
    counted(position, invited=99, booked=99, cancelled_by_candidate=60, attended=30, no_show=30)
    counted(other, invited=99, booked=99, cancelled_by_candidate=1, attended=99)
    user = UserFactory(**{role: True}, departments=[department])
    ways = {way for each in found(user) for way in each.ways}
    named = {way.label for way in ways if way.url}
    possible = {"Open slots", "Change the rule", "Edit the position", "Change the reminders"}
    assert named & possible >= linked & possible
    if role in {"viewer", "recruiter"}:
        assert named & possible == linked & possible
    assert {way.label for way in ways} >= possible


def test_every_link_leads_somewhere_this_person_may_go(client, department, position, settings):
    settings.LANGUAGE_CODE = "en"
    for values, _sentence, _touches in STANDS_OUT.values():
        counted(position, **values)
    expected(position, missed=90, of=100)
    expected(PositionFactory(department=department), missed=1, of=100)
    for role in ("viewer", "recruiter", "lead", "administrator"):
        user = UserFactory(**{role: True}, departments=[department])
        client.force_login(user)
        everything = found(user)
        urls = {way.url for each in everything for way in each.ways if way.url}
        urls |= {each.rows for each in everything if each.rows}
        if role != "viewer":
            urls |= {each.log_url for each in everything}
        statuses = {url: client.get(url).status_code for url in urls}
        assert len(urls) > 5
        assert {url: status for url, status in statuses.items() if status != 200} == {}


def test_the_series_to_open_has_position_and_times_in_it(client, lead, position):
    reasons = {"candidate|time_conflict": 45, "candidate|unwell": 55}
    counted(position, reasons=reasons, hours=hours(90, 8, "cancelled", of=(300, 100)))
    client.force_login(lead)
    form = client.get(one(lead, Found.TIME_CONFLICT).ways[0].url).content.decode()
    assert f'<option value="{position.pk}" selected>' in form
    assert 'value="18:00–20:00"' in form


def test_the_numbers_are_those_of_the_source_and_kind_asked_for(lead, position):
    counted(position, source="referral", invitations={"answered": 40, "ran_out": 60})
    counted(position, source="", invitations={"answered": 90, "ran_out": 10})
    assert one(lead, Found.RAN_OUT).touches == 70
    assert one(lead, Found.RAN_OUT, "kind=ai").touches == 70
    assert found(lead, "kind=on_site") == []
