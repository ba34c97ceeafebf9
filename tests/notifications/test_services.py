import socket
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from notifications import channels, services
from notifications.channels import Refused, TryAgain
from notifications.models import Notification, State
from notifications.services import (
    BACKOFF,
    Notice,
    claim,
    deliver,
    deliver_due,
    notify,
    send_again,
    supersede,
)

pytestmark = pytest.mark.django_db


def notice(key="1", event="password_changed", **fields) -> Notice:
    values = {
        "channel": "sms",
        "recipient": "user:1",
        "address": "+8613800000001",
        "language": "en",
        "subject": "user:1",
    }
    return Notice(event=event, dedupe_key=key, **(values | fields))


def stored(key="1") -> Notification:
    return Notification.objects.get(dedupe_key=key)


@pytest.fixture
def carrier(monkeypatch):
    """Takes everything, or raises what `trouble` says."""

    class Carrier:
        def __init__(self):
            self.sent = []
            self.trouble = None

        def send(self, notification, message):
            if self.trouble:
                raise self.trouble
            self.sent.append(notification.dedupe_key)
            return "id"

    carrier = Carrier()
    monkeypatch.setattr(channels, "send", carrier.send)
    return carrier


@pytest.fixture
def rested_broker(monkeypatch):
    monkeypatch.setattr(services, "_broker_rests_until", 0.0)


# --- storing --------------------------------------------------------------------------------------


def test_a_message_is_told_once(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as published:
        notify(notice(), notice("2"))
        notify(notice(language="zh-hans"))

    assert Notification.objects.count() == 2
    assert stored().language == "en"
    assert len(published) == 2


def test_nothing_is_stored_with_a_change_that_is_rolled_back():
    with transaction.atomic():
        notify(notice())
        transaction.set_rollback(True)

    assert not Notification.objects.exists()


def test_what_may_not_go_yet_waits(carrier):
    later = timezone.now() + timedelta(hours=1)
    notify(notice(not_before=later))

    assert deliver_due(seconds=5) == 0
    with time_machine.travel(later, tick=False):
        assert deliver_due(seconds=5) == 1


@pytest.mark.parametrize("broker", ["refuses", "is silent"])
def test_a_dead_broker_holds_nobody_up(broker):
    """In a process of its own, because Celery keeps the broker it first met."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if broker == "is silent":
            listener.listen()
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        script = (
            "import django, time, kombu.transport.redis; django.setup()\n"
            "from notifications import services, tasks\n"
            "for _ in range(3):\n"
            "    started = time.monotonic()\n"
            "    services._publish(['1'])\n"
            "    print(time.monotonic() - started)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=settings.BASE_DIR,
            env={
                "MIANYUE_MODE": "test",
                "REDIS_URL": url,
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    first, *later = map(float, done.stdout.split())
    assert first < 10
    assert max(later) < 0.05  # those that follow do not even ask
    assert "broker_away" in done.stderr


def test_a_broker_that_failed_is_asked_again_later(monkeypatch, rested_broker):
    asked = []

    def away(keys):
        asked.append(keys)
        raise ConnectionError

    monkeypatch.setattr("notifications.tasks.deliver_now.delay", away)
    clock = [1000.0]
    monkeypatch.setattr(services.time, "monotonic", lambda: clock[0])

    services._publish(["1"])
    services._publish(["2"])
    clock[0] += services.BROKER_REST
    services._publish(["3"])

    assert asked == [["1"], ["3"]]


def test_many_messages_are_handed_over_in_portions(monkeypatch, rested_broker):
    portions = []
    monkeypatch.setattr("notifications.tasks.deliver_now.delay", portions.append)

    services._publish([str(number) for number in range(45)])

    assert [len(portion) for portion in portions] == [20, 20, 5]


# --- sending --------------------------------------------------------------------------------------


def test_a_sent_message_keeps_what_was_said(carrier):
    notify(notice(channel="email"))

    deliver_due(seconds=5)

    sent = stored()
    assert sent.state == State.SENT
    assert sent.title == "Your Mianyue password has been changed"
    assert "Your password has been changed." in sent.body
    assert sent.provider_id == "id"
    assert sent.claimed_until is None


def test_a_desk_message_is_delivered_as_soon_as_it_is_written():
    params = {"candidate": "张三", "position": "焊工", "kind": "ai", "reason": "时间冲突"}
    notify(notice(event="interview_cancelled", channel="desk", address="user:1", params=params))

    deliver_due(seconds=5)

    assert stored().state == State.DELIVERED
    assert stored().title.startswith("张三 has cancelled")


def test_only_what_was_asked_for_is_sent(carrier):
    notify(notice("1"), notice("2"), notice("3"))

    deliver_due(among=["1", "3"], seconds=5)

    assert carrier.sent == ["1", "3"]
    assert stored("2").state == State.QUEUED


def test_a_message_that_breaks_does_not_hold_up_the_others(carrier, caplog):
    notify(notice("broken", event="no_such_event"), notice("whole"))

    with time_machine.travel(timezone.now(), tick=False) as clock:
        deliver_due(seconds=5)
        assert stored("whole").state == State.SENT
        for wait in BACKOFF:
            assert stored("broken").state == State.QUEUED
            clock.shift(wait)
            deliver_due(seconds=5)

    assert stored("broken").state == State.FAILED
    assert stored("broken").error_code == "error"
    assert "+8613800000001" not in caplog.text


def test_sending_stops_in_time_and_leaves_the_rest(carrier):
    notify(notice())

    assert deliver_due(seconds=0) == 0
    assert stored().state == State.QUEUED


def test_a_lease_that_ended_lets_another_worker_send(carrier):
    notify(notice())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert claim(timezone.now())
        assert not claim(timezone.now())

        clock.shift(settings.DELIVERY_LEASE)
        assert not claim(timezone.now())
        clock.shift(timedelta(milliseconds=1))
        (again,) = claim(timezone.now())
        assert again.attempts == 2


def test_a_worker_that_comes_back_late_changes_nothing(carrier):
    notify(notice())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        (late,) = claim(timezone.now())
        clock.shift(settings.DELIVERY_LEASE * 2)
        (other,) = claim(timezone.now())

        carrier.trouble = Refused("21211")
        deliver(late)
        assert stored().state == State.SENDING

        carrier.trouble = None
        deliver(other)
    assert stored().state == State.SENT


def test_a_worker_that_comes_back_late_with_success_changes_nothing(carrier):
    notify(notice())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        (late,) = claim(timezone.now())
        clock.shift(settings.DELIVERY_LEASE * 2)
        claim(timezone.now())

        deliver(late)

    assert (stored().state, stored().attempts, stored().sent_at) == (State.SENDING, 2, None)


def test_who_was_told_what_to_send_leaves_to_the_sweep_what_was_left_behind(carrier):
    notify(notice())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        claim(timezone.now())  # and the worker dies
        clock.shift(settings.DELIVERY_LEASE * 2)

        assert deliver_due(among=["1"], seconds=5) == 0
        assert deliver_due(seconds=5) == 1


def test_messages_of_one_task_are_claimed_at_once_and_each_ends_by_itself(
    carrier, django_assert_num_queries
):
    notify(*(notice(str(number)) for number in range(3)))
    deliver_due(seconds=5)  # what is looked up once
    notify(*(notice(f"{number}a") for number in range(3)))

    with django_assert_num_queries(4):
        deliver_due(among=["0a", "1a", "2a"], seconds=5)

    assert len(carrier.sent) == 6


def test_what_waited_longest_goes_first_and_what_is_due_soonest_before_it(carrier):
    now = timezone.now()
    deadline = now + timedelta(hours=2)
    notify(
        notice("later", not_before=now - timedelta(minutes=1), deadline=deadline),
        notice("earlier", not_before=now - timedelta(minutes=9), deadline=deadline),
        notice("soon", deadline=now + timedelta(hours=1)),
    )

    deliver_due(seconds=5)

    assert carrier.sent == ["soon", "earlier", "later"]


def test_what_is_named_is_not_looked_for_among_all_that_waits():
    given = {"now": timezone.now(), "until": timezone.now(), "resting": [], "most": 1}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + services.AMONG, {**given, "among": ["1"]})
        plan = [line for (line,) in cursor.fetchall()]

    assert any("Index Cond" in line and "dedupe_key" in line for line in plan)
    assert not any("notification_queued" in line for line in plan)


def test_what_a_message_kills_is_not_the_others(carrier):
    notify(*(notice(str(number)) for number in range(3)))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        while batch := claim(timezone.now()):
            for each in batch:
                if each.dedupe_key == "0" and each.attempts <= len(BACKOFF) + 1:
                    break  # the worker dies of it
                deliver(each)
            clock.shift(settings.DELIVERY_LEASE * 2)

    assert stored("0").state == State.FAILED
    assert [stored("1").state, stored("2").state] == [State.SENT, State.SENT]


def test_what_was_claimed_and_not_begun_goes_back_with_its_tries(carrier, monkeypatch):
    monkeypatch.setattr(services, "IN_HAND", 0)
    notify(notice())

    assert deliver_due(seconds=0.05) == 0
    assert (stored().state, stored().attempts) == (State.QUEUED, 0)


def test_what_is_superseded_while_others_of_the_batch_go_out_does_not_go(carrier, monkeypatch):
    monkeypatch.setattr(services, "LOOK_AGAIN", 0)
    notify(notice("1"), notice("2"))

    def overtaking(notification, message):
        Notification.objects.exclude(pk=notification.pk).update(state=State.SUPERSEDED)
        return carrier.send(notification, message)

    monkeypatch.setattr(channels, "send", overtaking)
    deliver_due(seconds=5)

    assert len(carrier.sent) == 1


def test_a_message_that_kills_its_workers_is_given_up(carrier):
    notify(notice())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(len(BACKOFF) + 1):
            assert claim(timezone.now())  # and the worker dies
            clock.shift(settings.DELIVERY_LEASE * 2)
        deliver_due(seconds=5)

    assert stored().state == State.FAILED
    assert stored().error_code == "crash"
    assert not carrier.sent


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_take_the_same_message():
    notify(*(notice(str(number)) for number in range(40)))
    taken = []

    def work():
        try:
            while batch := claim(timezone.now(), most=3):
                taken.extend(each.pk for each in batch)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(taken) == 40
    assert len(set(taken)) == 40


# --- secrets --------------------------------------------------------------------------------------

CODE = {"code": "135790", "minutes": 5}


@pytest.mark.parametrize("trouble", [None, Refused("21211")])
def test_a_code_is_not_kept_once_it_is_sent_or_failed(carrier, trouble):
    carrier.trouble = trouble
    notify(notice(event="sign_in_code", params=CODE))

    deliver_due(seconds=5)

    assert stored().state == (State.FAILED if trouble else State.SENT)
    assert stored().params == {}
    assert stored().body == ""


def test_a_code_that_will_be_tried_again_is_kept(carrier):
    carrier.trouble = TryAgain("timeout")
    notify(notice(event="sign_in_code", params=CODE))

    deliver_due(seconds=5)

    assert stored().params == CODE


def test_a_code_that_has_run_out_is_not_sent(carrier):
    notify(notice(event="sign_in_code", params=CODE))

    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        deliver_due(seconds=5)

    assert stored().state == State.SUPERSEDED
    assert stored().params == {}
    assert not carrier.sent


def test_in_demo_mode_nothing_leaves_and_everything_can_be_read(settings):
    settings.MESSAGES_STAY_HERE = True
    notify(notice(event="sign_in_code", params=CODE), notice("2", channel="email"))

    deliver_due(seconds=5)

    assert stored().state == State.SENT
    assert "135790" in stored().body
    assert stored("2").state == State.SENT


# --- sending again --------------------------------------------------------------------------------


def test_a_failed_message_can_be_sent_again_with_all_its_tries(carrier):
    carrier.trouble = Refused("21610")
    notify(notice("1"), notice("2", event="sign_in_code", params=CODE), notice("3"))
    deliver_due(among=["1", "2"], seconds=5)
    carrier.trouble = None

    assert [n.dedupe_key for n in send_again(Notification.objects.all())] == ["1"]

    assert (stored("1").state, stored("1").attempts) == (State.QUEUED, 0)
    assert stored("2").state == State.FAILED
    deliver_due(seconds=5)
    assert sorted(carrier.sent) == ["1", "3"]


# --- overtaken ------------------------------------------------------------------------------------


def test_a_superseded_message_is_not_sent_and_others_are(carrier):
    notify(notice(), notice("2", "sign_in_code", params=CODE), notice("3", subject="user:2"))

    supersede("user:1", ["password_changed"])
    deliver_due(seconds=5)

    assert stored().state == State.SUPERSEDED
    assert carrier.sent == ["2", "3"]


def test_a_message_superseded_on_its_way_is_not_tried_again(carrier):
    notify(notice())
    (notification,) = claim(timezone.now())
    supersede("user:1", ["password_changed"])
    carrier.trouble = TryAgain("busy")

    deliver(notification)

    assert stored().state == State.SUPERSEDED
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        assert deliver_due(seconds=5) == 0


def test_a_message_superseded_and_then_abandoned_by_its_worker_is_not_tried_again(carrier):
    notify(notice())
    claim(timezone.now())
    supersede("user:1", ["password_changed"])

    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        assert deliver_due(seconds=5) == 0
    assert carrier.sent == []


def test_a_message_waiting_for_its_next_try_is_superseded(carrier):
    notify(notice())
    carrier.trouble = TryAgain("busy")
    deliver_due(seconds=5)

    supersede("user:1", ["password_changed"])

    assert stored().state == State.SUPERSEDED


def test_a_message_superseded_too_late_says_that_it_was_sent(carrier):
    notify(notice())
    (notification,) = claim(timezone.now())
    supersede("user:1", ["password_changed"])

    deliver(notification)

    assert stored().state == State.SENT


def test_what_was_sent_cannot_be_superseded(carrier):
    notify(notice())
    deliver_due(seconds=5)

    supersede("user:1", ["password_changed"])

    assert stored().state == State.SENT
