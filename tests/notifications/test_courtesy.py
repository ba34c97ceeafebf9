"""Quiet hours, how much is enough, and what people have switched off."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from notifications import courtesy, preferences, tasks
from notifications.events import Group
from notifications.models import Notification, State
from notifications.samples import SHAPES
from notifications.services import Notice, notify
from tests.notifications.messages import again, optional_event, sent, told, tried

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def at(zone, *moment):
    return datetime(*moment, tzinfo=zone)


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        (at(SHANGHAI, 2026, 11, 22, 20, 59, 59), SHANGHAI, None),
        (at(SHANGHAI, 2026, 11, 22, 21), SHANGHAI, at(SHANGHAI, 2026, 11, 23, 8)),
        (at(SHANGHAI, 2026, 11, 23, 7, 59, 59), SHANGHAI, at(SHANGHAI, 2026, 11, 23, 8)),
        (at(SHANGHAI, 2026, 11, 23, 8), SHANGHAI, None),
        # The last day of the month and of the year.
        (at(SHANGHAI, 2026, 10, 31, 23), SHANGHAI, at(SHANGHAI, 2026, 11, 1, 8)),
        (at(SHANGHAI, 2026, 12, 31, 23), SHANGHAI, at(SHANGHAI, 2027, 1, 1, 8)),
        # Noon in Shanghai is night in New York.
        (at(SHANGHAI, 2026, 11, 22, 12), NEW_YORK, at(NEW_YORK, 2026, 11, 22, 8)),
        # The night that has 25 hours, and the one that has 23.
        (at(BERLIN, 2026, 10, 24, 22), BERLIN, datetime(2026, 10, 25, 7, tzinfo=UTC)),
        (at(BERLIN, 2026, 3, 28, 22), BERLIN, datetime(2026, 3, 29, 6, tzinfo=UTC)),
    ],
)
def test_quiet_hours_are_the_readers_own(settings, now, zone, until):
    settings.QUIET_HOURS = (time(21), time(8))

    assert courtesy.quiet_until(now.astimezone(UTC), zone) == until


@pytest.mark.parametrize("hour", range(24))
def test_the_same_hour_twice_is_no_quiet_at_all(settings, hour):
    settings.QUIET_HOURS = (time(8), time(8))

    assert courtesy.quiet_until(at(UTC, 2026, 11, 22, hour), UTC) is None


def test_quiet_hours_may_lie_within_a_day(settings):
    settings.QUIET_HOURS = (time(12), time(14))

    assert courtesy.quiet_until(at(UTC, 2026, 11, 22, 13), UTC) == at(UTC, 2026, 11, 22, 14)
    assert courtesy.quiet_until(at(UTC, 2026, 11, 22, 11, 59), UTC) is None
    assert courtesy.quiet_until(at(UTC, 2026, 11, 22, 14), UTC) is None


def test_an_hour_the_clock_skips_holds_nothing_for_ever(settings):
    """Quiet until half past two, on the night when that does not exist."""
    settings.QUIET_HOURS = (time(1), time(2, 30))
    now = at(BERLIN, 2026, 3, 29, 1, 30).astimezone(UTC)

    until = courtesy.quiet_until(now, BERLIN)

    assert until is not None
    assert timedelta(0) < until - now <= timedelta(hours=1)


# --- a whole night --------------------------------------------------------------------------------

EVENING = at(SHANGHAI, 2026, 11, 22, 20, 30)
MORNING = at(SHANGHAI, 2026, 11, 23, 8)


def reminded(*starts) -> None:
    """Of interviews that begin then, told together; each message is named after its own."""
    notify(
        *(
            Notice(
                event="interview_reminder",
                channel="sms",
                recipient=f"user:{number}",
                address=f"+861380000000{number}",
                language="en",
                subject="interview:7K2M9QX4TB",
                dedupe_key=f"{start:%d %H:%M}",
                params=SHAPES["interview_reminder"].full | {"starts_at": start.isoformat()},
            )
            for number, start in enumerate(starts)
        )
    )


@pytest.mark.django_db
def test_a_whole_night_holds_what_can_wait_and_swallows_no_deadline(post):
    """From the evening to the noon after the next night, swept every ten minutes."""
    night = EVENING + timedelta(hours=2, minutes=30)
    happens = {
        EVENING: lambda: reminded(at(SHANGHAI, 2026, 11, 23, 6, 30)),
        night: lambda: (
            reminded(
                at(SHANGHAI, 2026, 11, 23, 9),
                MORNING,
                at(SHANGHAI, 2026, 11, 23, 7),
                at(SHANGHAI, 2026, 11, 23, 8, 1),
                at(SHANGHAI, 2026, 11, 23, 1),
                at(SHANGHAI, 2026, 11, 24, 10),
            ),
            told(
                "whenever",
                event="documents_missing",
                params=SHAPES["documents_missing"].full,
            ),
        ),
        night + timedelta(hours=3): lambda: told(
            "code", event="sign_in_code", params={"code": "1", "minutes": 5}
        ),
    }
    went: list[tuple[datetime, str]] = []
    now = EVENING
    while now < EVENING + timedelta(hours=40):
        with time_machine.travel(now, tick=False):
            happens.get(now, lambda: None)()
            tasks.sweep()
        went += [(now, key) for key in post.sent[len(went) :]]
        now += timedelta(minutes=10)

    assert went == [
        (EVENING, "23 06:30"),
        # Their interviews begin before anybody may be woken: now, the first of them first.
        (night, "23 01:00"),
        (night, "23 07:00"),
        (night, "23 08:00"),
        (night + timedelta(hours=3), "code"),
        (MORNING, "whenever"),
        (MORNING, "23 08:01"),
        (MORNING, "23 09:00"),
        (MORNING, "24 10:00"),
    ]
    assert set(Notification.objects.values_list("state", "attempts")) == {(State.SENT, 1)}


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [0, 1])
def test_nothing_is_sent_after_its_deadline(post, seconds):
    now = timezone.now()
    told(deadline=now + timedelta(hours=1))

    with time_machine.travel(now + timedelta(hours=1, seconds=seconds - 1), tick=False):
        message = tried()

    assert message.state == (State.SUPERSEDED if seconds else State.SENT)
    assert message.error_code == ("too_late" if seconds else "")


# --- enough ---------------------------------------------------------------------------------------

NOON = at(SHANGHAI, 2026, 11, 22, 12)


@pytest.mark.django_db
def test_a_day_brings_only_so_many_and_the_rest_the_next_morning(post, monkeypatch, settings):
    settings.OPTIONAL_MESSAGES_A_DAY = 2
    event = optional_event(monkeypatch, Group.OFFERS)
    for number in range(3):
        with time_machine.travel(NOON - timedelta(seconds=9 - number), tick=False):
            told(str(number), event=event)
    with time_machine.travel(NOON, tick=False):
        told("soon over", event=event, deadline=NOON + timedelta(hours=3))
        told("another channel", event=event, channel="email", address="z@example.com")
        told("somebody else", event=event, recipient="user:2")
        told("must", event="password_changed")
        tried("0")

    assert set(post.sent) == {"0", "1", "another channel", "somebody else", "must"}
    assert again("soon over").error_code == "too_many"
    assert again("soon over").state == State.SUPERSEDED
    assert again("2").not_before == at(SHANGHAI, 2026, 11, 23, 8)
    with time_machine.travel(at(SHANGHAI, 2026, 11, 23, 8), tick=False):
        assert tried("2").state == State.SENT


@pytest.mark.django_db
def test_of_two_being_sent_at_once_one_goes_where_one_may(monkeypatch, settings):
    settings.OPTIONAL_MESSAGES_A_DAY = 1
    event = optional_event(monkeypatch, Group.OFFERS)
    with time_machine.travel(NOON, tick=False):
        first, second = told("1", event=event), told("2", event=event)
        Notification.objects.update(state=State.SENDING)

        assert courtesy.judge(first, timezone.now()) is None
        assert isinstance(courtesy.judge(second, timezone.now()), courtesy.Hold)


@pytest.mark.django_db
@pytest.mark.parametrize("event", ["interview_reminder", "invitation_reminder", "invitation_ends"])
def test_a_day_full_of_offers_swallows_no_reminder(monkeypatch, settings, event):
    """Two hours before the interview: tomorrow would be too late."""
    settings.OPTIONAL_MESSAGES_A_DAY = 1
    for number in range(2):
        sent(f"offer {number}", event="place_offered")
        sent(f"reminder {number}", event=event)
    Notification.objects.update(sent_at=NOON - timedelta(hours=1))
    with time_machine.travel(NOON, tick=False):
        message = told("2 hours", event=event, params={"starts_at": _in(hours=2)})

        assert message.deadline == NOON + timedelta(hours=2)
        assert courtesy.judge(message, timezone.now()) is None


@pytest.mark.django_db
def test_reminders_use_up_nothing_of_what_may_be_offered(settings):
    settings.OPTIONAL_MESSAGES_A_DAY = 1
    sent("reminder", event="interview_reminder")
    Notification.objects.update(sent_at=NOON - timedelta(hours=1))
    with time_machine.travel(NOON, tick=False):
        message = told("offer", event="place_offered", params={"held_at": _in(hours=2)})

        assert courtesy.judge(message, timezone.now()) is None


def _in(**time) -> str:
    return (NOON + timedelta(**time)).isoformat()


# --- switched off ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_switched_off_is_not_sent_and_what_must_is(post, monkeypatch):
    event = optional_event(monkeypatch)
    preferences.choose("user:1", Group.REMINDERS, "sms", is_wanted=False)
    with time_machine.travel(NOON, tick=False):
        told("off", event=event)
        told("mail", event=event, channel="email", address="z@example.com")
        told("must", event="password_changed")
        tried("off")

    assert set(post.sent) == {"mail", "must"}
    assert again("off").error_code == "not_wanted"


@pytest.mark.django_db
def test_what_must_be_sent_cannot_be_switched_off():
    preferences.choose_all("user:1", {("account", "sms"): False, ("reminders", "push"): False})

    assert all(preferences.of("user:1").values())


@pytest.mark.django_db
def test_a_choice_is_changed_and_stays_one_row(django_assert_num_queries):
    for is_wanted in (False, True, False):
        with django_assert_num_queries(1):
            preferences.choose("user:1", Group.OFFERS, "email", is_wanted=is_wanted)

    assert preferences.of("user:1")["offers", "email"] is False
    assert preferences.of("user:2")["offers", "email"] is True
