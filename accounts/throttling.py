"""How often somebody may try. Counters live in the cache (Valkey) and hold no personal data: their
keys are keyed hashes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Network, ip_address
from math import ceil
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import ngettext

from accounts import crypto, identifiers

# Answers that must not tell a known number from an unknown one take at least this long.
ANSWER_SECONDS = 0.2


@dataclass(frozen=True)
class Limit:
    """At most `tries` in `per`, counted from the first of them."""

    name: str
    tries: int
    per: timedelta


PASSWORD_PER_ACCOUNT = Limit("password-account", 5, timedelta(minutes=15))
# Many people sign in from one address (a job fair, a campus), so this one is wide; tries that
# succeed are given back.
FAILURES_PER_ADDRESS = Limit("failures-address", 60, timedelta(minutes=15))
SECOND_STEP = Limit("second-step", 5, timedelta(minutes=15))
SENDING_GAP = Limit("sending-gap", 1, timedelta(seconds=60))
SENDING_PER_ACCOUNT = Limit("sending-account", 5, timedelta(hours=1))
SENDING_PER_ADDRESS = Limit("sending-address", 60, timedelta(hours=1))


class TooManyTries(Exception):
    """Come back after `wait`; its text says so in plain words."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait

    def __str__(self) -> str:
        seconds = ceil(self.wait.total_seconds())
        if seconds < 60:
            return ngettext(
                "Too many tries. Try again in %(count)d second.",
                "Too many tries. Try again in %(count)d seconds.",
                seconds,
            ) % {"count": seconds}
        minutes = ceil(seconds / 60)
        if minutes < 120:
            return ngettext(
                "Too many tries. Try again in %(count)d minute.",
                "Too many tries. Try again in %(count)d minutes.",
                minutes,
            ) % {"count": minutes}
        hours = ceil(minutes / 60)
        return ngettext(
            "Too many tries. Try again in %(count)d hour.",
            "Too many tries. Try again in %(count)d hours.",
            hours,
        ) % {"count": hours}


def spend(limit: Limit, key: str) -> None:
    """Count one try; raises TooManyTries beyond the limit. Tries at the same moment count each."""
    ends = _window(limit, key)
    if cache.incr(_counter(limit, key, ends)) > limit.tries:
        raise TooManyTries(timedelta(seconds=ends - time.time()))


def give_back(limit: Limit, key: str) -> None:
    """The try counted last was no failure."""
    cache.decr(_counter(limit, key, _window(limit, key)))


def forget(limit: Limit, key: str) -> None:
    cache.delete(_name(limit, key))


def wait_left(limit: Limit, key: str) -> timedelta:
    """How long `spend` would still raise."""
    ends = cache.get(_name(limit, key))
    if ends is None or cache.get(f"{_name(limit, key)}:{ends}", 0) < limit.tries:
        return timedelta(0)
    return timedelta(seconds=max(ends - time.time(), 0))


def _window(limit: Limit, key: str) -> float:
    """When the running window ends; begins one where none runs, once for all who come together."""
    name, seconds = _name(limit, key), limit.per.total_seconds()
    ends: Any = cache.get_or_set(name, lambda: time.time() + seconds, timeout=seconds)
    if ends <= time.time():
        cache.delete(name)
        ends = cache.get_or_set(name, lambda: time.time() + seconds, timeout=seconds)
    return float(ends)


def _counter(limit: Limit, key: str, ends: float) -> str:
    counter = f"{_name(limit, key)}:{ends}"
    # Outlives its window a little, so that it is still there for the try that comes at the end.
    cache.add(counter, 0, timeout=limit.per.total_seconds() + 60)
    return counter


def _name(limit: Limit, key: str) -> str:
    return f"limit:{limit.name}:{crypto.blind_index(key)}"


def account_key(identifier: str) -> str:
    """One key however a number is written; it does not depend on whether anybody has it."""
    try:
        parsed = identifiers.parse(identifier)
    except ValidationError:
        return crypto.blind_index(identifier)
    return crypto.blind_index(f"{parsed.kind}:{parsed.value}")


def axes_account(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """What django-axes counts by in place of the identifier somebody typed."""
    credentials = credentials or {}
    return account_key(str(credentials.get("identifier") or credentials.get("username") or ""))


def client_address(request: HttpRequest) -> str:
    """The address of the client as the outermost of our own proxies saw it; an IPv6 network of
    64 bits counts as one, and an IPv4 address in IPv6 notation as itself."""
    address = request.META.get("REMOTE_ADDR") or ""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if forwarded and settings.PROXY_COUNT:
        hops = forwarded.split(",")
        address = hops[-min(settings.PROXY_COUNT, len(hops))].strip()
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((parsed, 64), strict=False).network_address)
    return address


@contextmanager
def steady_answer() -> Iterator[None]:
    """Take ANSWER_SECONDS, whatever happens inside."""
    started = time.perf_counter()
    try:
        yield
    finally:
        time.sleep(max(0.0, ANSWER_SECONDS - (time.perf_counter() - started)))
