"""What stands out where a rate is high, and what is not said to."""

from datetime import timedelta

import pytest
from django.utils import translation

from analytics.alerts import causes, words
from analytics.alerts.causes import Cause
from analytics.alerts.models import Key
from analytics.figures import Period, Rate
from cancellations.models import Absence, Reason
from notifications.models import Notification
from tests.analytics.alerts.watched import MONDAY, interviews, recount
from tests.factories import CancellationFactory, DepartmentFactory, PositionFactory, UserFactory

pytestmark = pytest.mark.django_db
WEEK = Period((MONDAY - timedelta(days=6)).date(), MONDAY.date())
BEFORE = MONDAY - timedelta(days=8)


@pytest.fixture
def position():
    return PositionFactory(department=DepartmentFactory())


def found(position, measure="no_show"):
    recount()
    key = Key(owner=position.department_id)
    return causes.gather(measure, "department", [key], "", WEEK)[key]


def codes(position, measure="no_show"):
    return [each.code for each in found(position, measure)]


def tell(rows, state, *, error="", event="interview_reminder"):
    Notification.objects.bulk_create(
        Notification(
            event=event,
            channel="sms",
            recipient="user:1",
            address="x",
            language="en",
            subject=each.subject,
            dedupe_key=f"{event}:{each.pk}:{state}",
            state=state,
            error_code=error,
            created_at=MONDAY,
            not_before=MONDAY,
        )
        for each in rows
    )


# --- what a comparison may say --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "beside", "stands_out"),
    [
        ((12, 40), (5, 100), True),
        ((12, 40), (0, 100), True),
        ((12, 19), (5, 100), False),  # too few now
        ((12, 40), (1, 19), False),  # too few to compare with
        ((6, 40), (12, 100), False),  # may well be chance
        ((5, 100), (12, 40), False),  # the other way round
        ((5200, 10_000), (5000, 10_000), False),  # no chance, but hardly more
        ((0, 40), (0, 40), False),
    ],
)
def test_only_what_is_clearly_more_stands_out(now, beside, stands_out):
    assert Cause("link", Rate(*now), Rate(*beside)).stands_out is stands_out


def test_one_of_many_has_to_stand_out_more():
    now, beside = Rate(10, 40), Rate(10, 100)
    assert Cause("evening", now, beside).stands_out
    assert not Cause("recruiter", now, beside).stands_out


def test_what_is_kept_says_the_same_again():
    cause = Cause("error", Rate(12, 40), Rate(5, 100), key="30003")
    assert Cause.of(cause.told) == cause


# --- what is looked at ----------------------------------------------------------------------------


def test_where_nothing_differs_nothing_is_named(position):
    for day in (MONDAY, BEFORE):
        for hour in (8, 10, 14, 19):
            interviews(position, 24, "completed", day=day, hour=hour)
            interviews(position, 6, "no_show", day=day, hour=hour)
    assert found(position) == []


@pytest.mark.parametrize(("error", "code"), [("30005", "wrong_contact"), ("30001", "undelivered")])
def test_messages_that_do_not_arrive(position, error, code):
    tell(interviews(position, 60, "completed", day=BEFORE), "delivered")
    tell(interviews(position, 40, "completed"), "delivered")
    lost = interviews(position, 20, "no_show")
    tell(lost, "failed", error=error, event="interview_invited")

    (cause,) = [each for each in found(position) if each.code == code]
    assert (cause.now, cause.beside) == (Rate(20, 60), Rate(0, 60))


def test_a_dead_link_shows_in_invitations_that_run_out_unopened(position):
    interviews(position, 30, "ran_out", day=BEFORE, opened_at=BEFORE)
    interviews(position, 30, "ran_out")
    assert codes(position, "no_reply") == ["link"]


def test_invitations_that_are_open_still_are_not_held_against_the_link(position):
    interviews(position, 30, "completed", day=BEFORE, opened_at=BEFORE)
    interviews(position, 30, "completed", opened_at=MONDAY)
    interviews(
        position, 1, "invited", starts_at=None, ends_at=None, booked_at=None, created_at=MONDAY
    )
    assert codes(position, "no_reply") == []


def test_faults_of_the_platform(position):
    interviews(position, 60, "completed", day=BEFORE)
    interviews(position, 40, "completed")
    for each in interviews(position, 20, "no_show"):
        Absence.objects.create(
            interview=each, starts_at=each.starts_at, code="platform_fault", opened_at=MONDAY
        )
    assert codes(position)[0] == "platform"


@pytest.mark.parametrize(("hour", "code"), [(19, "evening"), (8, "early")])
def test_times_of_the_day(position, hour, code):
    interviews(position, 60, "completed")
    interviews(position, 10, "completed", hour=hour)
    interviews(position, 20, "no_show", hour=hour)
    (cause,) = found(position)
    assert (cause.code, cause.now, cause.beside) == (code, Rate(20, 30), Rate(0, 60))


def test_reminders_that_were_not_sent(position):
    tell(interviews(position, 60, "completed", day=BEFORE), "delivered")
    interviews(position, 40, "completed")
    interviews(position, 20, "no_show")
    assert codes(position) == ["no_reminder"]


def test_reminders_that_did_not_reach(position):
    tell(interviews(position, 60, "completed"), "delivered")
    interviews(position, 10, "completed")
    interviews(position, 20, "no_show")
    assert codes(position) == ["not_reached"]


def test_one_source_recruiter_or_position_of_several(position):
    recruiter = UserFactory(recruiter=True)
    other = PositionFactory(department=position.department, recruiter=recruiter)
    interviews(position, 100, "completed")
    interviews(other, 20, "completed", source="elsewhere")
    interviews(other, 20, "no_show", source="elsewhere")
    rows = {each.code: each.key for each in found(position)}
    assert rows["source"] == "elsewhere"
    assert rows["position"] == str(other.pk)


def test_reasons_and_questions_of_who_leaves(position):
    reasons = list(Reason.objects.filter(purpose="exit").order_by("pk")[:2])
    for day, reason, question in ((BEFORE, reasons[0], 1), (MONDAY, reasons[1], 3)):
        interviews(position, 20, "completed", day=day)
        for each in interviews(position, 20, "withdrawn", day=day):
            CancellationFactory(
                approved=True,
                interview=each,
                is_exit=True,
                reason=reason,
                evidence={"number": question},
            )
    rows = {each.code: each.key for each in found(position, "exit")}
    assert rows == {"reason": reasons[1].code, "question": "3"}


def test_lost_messages_by_their_error(position):
    tell(interviews(position, 60, "completed", day=BEFORE), "delivered")
    tell(interviews(position, 40, "completed"), "delivered")
    tell(interviews(position, 20, "completed"), "failed", error="30005")
    (cause,) = found(position, "undelivered")
    assert (cause.code, cause.key) == ("error", "30005")


def test_three_at_most_the_clearest_first(position):
    tell(interviews(position, 60, "completed", day=BEFORE), "delivered")
    interviews(position, 60, "completed")
    lost = interviews(position, 40, "no_show", hour=19, source="elsewhere")
    tell(lost, "failed", error="30005")
    causes_found = found(position)
    assert len(causes_found) == 3
    clear = [each.clearness for each in causes_found]
    assert clear == sorted(clear, reverse=True)


@pytest.mark.parametrize("scope", ["company", "department", "position", "source"])
@pytest.mark.parametrize(
    "measure",
    ["no_show", "no_reply", "cancel", "exit", "incomplete", "undelivered", "mismatch"],
)
def test_as_many_queries_for_many_as_for_one(scope, measure, django_assert_max_num_queries):
    keys = []
    for _each in range(4):
        other = PositionFactory()
        interviews(other, 20, "completed", source=f"source-{other.pk}")
        owner = {"department": other.department_id, "position": other.pk}.get(scope, 0)
        keys.append(Key(owner, f"source-{other.pk}" if scope == "source" else ""))
    recount()
    with django_assert_max_num_queries(16):
        assert causes.gather(measure, scope, keys, "", WEEK).keys() == set(keys)


# --- in words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            Cause("evening", Rate(12, 40), Rate(5, 100), "rest"),
            (
                "Times from 18:00 on: 30 % (12 of 40), 6 times as many as of the others"
                " (5 %, 5 of 100)."
            ),
        ),
        (
            Cause("wrong_contact", Rate(12, 40), Rate(0, 100)),
            (
                "Numbers or mailboxes on file do not take our messages: 30 % (12 of 40), and none"
                " in the days before (0 %, 0 of 100)."
            ),
        ),
        (
            Cause("recruiter", Rate(12, 40), Rate(15, 100), "rest", "17"),
            (
                "The positions of one recruiter: 30 % (12 of 40), 2 times as many as of the others"
                " (15 %, 15 of 100)."
            ),
        ),
    ],
)
def test_a_cause_is_one_sentence_with_its_numbers(cause, said):
    with translation.override("en"):
        assert words.sentence(cause, words.named([cause], people=False)) == said


def test_every_cause_has_words_in_both_languages(position):
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for code in words.LEADS:
                key = "1" if code in ("department", "position", "recruiter") else "x"
                cause = Cause(code, Rate(12, 40), Rate(5, 100), "rest", key)
                assert "%(" not in words.sentence(cause, words.named([cause], people=True))


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(Rate(8, 100), "8 %"), (Rate(801, 10_000), "8.01 %"), (Rate(9, 100), "9 %")],
)
def test_a_rate_above_its_threshold_never_looks_like_it(rate, shown):
    with translation.override("en"):
        assert words.share(rate, 8) == shown
