"""Counting tries, also where many come at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone, translation

from accounts import throttling
from accounts.hashers import Hasher
from accounts.throttling import Limit, TooManyTries

LIMIT = Limit("test", 5, timedelta(minutes=10))


def test_tries_at_the_same_moment_count_each():
    start = threading.Barrier(20)

    def attempt(_):
        start.wait()
        try:
            throttling.spend(LIMIT, "somebody")
        except TooManyTries:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        allowed = list(pool.map(attempt, range(20)))

    assert allowed.count(True) == 5


def test_window_is_counted_from_the_first_try():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        throttling.spend(LIMIT, "somebody")
        clock.shift(timedelta(minutes=9))
        for _ in range(4):
            throttling.spend(LIMIT, "somebody")

        with pytest.raises(TooManyTries) as refused:
            throttling.spend(LIMIT, "somebody")

        assert refused.value.wait == timedelta(minutes=1)
        assert throttling.wait_left(LIMIT, "somebody") == timedelta(minutes=1)
        clock.shift(timedelta(minutes=1))
        assert throttling.wait_left(LIMIT, "somebody") == timedelta(0)
        throttling.spend(LIMIT, "somebody")


def test_what_is_given_back_is_not_counted():
    for _ in range(20):
        throttling.spend(LIMIT, "somebody")
        throttling.give_back(LIMIT, "somebody")


def test_one_key_however_a_number_is_written():
    keys = {
        throttling.account_key(text)
        for text in ["13800000001", "+86 138 0000 0001", "138-0000-0001", " 13800000001 "]
    }

    assert len(keys) == 1
    assert throttling.account_key("13800000002") not in keys


@pytest.mark.parametrize(
    ("wait", "english", "chinese"),
    [
        (timedelta(seconds=1), "in 1 second.", "请在1秒后再试。"),
        (timedelta(seconds=59), "in 59 seconds.", "请在59秒后再试。"),
        (timedelta(seconds=59.5), "in 1 minute.", "请在1分钟后再试。"),
        (timedelta(seconds=61), "in 2 minutes.", "请在2分钟后再试。"),
        (timedelta(minutes=119), "in 119 minutes.", "请在119分钟后再试。"),
        (timedelta(hours=12), "in 12 hours.", "请在12小时后再试。"),
    ],
)
def test_wait_is_told_in_words_and_never_too_short(wait, english, chinese):
    error = TooManyTries(wait)

    assert str(error) == f"Too many tries. Try again {english}"
    with translation.override("zh-hans"):
        assert str(error) == f"尝试次数过多，{chinese}"


def test_passwords_are_hashed_with_what_we_promise():
    hashed = Hasher().encode("x", "saltsaltsalt")

    assert hashed.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert Hasher().verify("x", hashed)
