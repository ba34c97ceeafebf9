"""One-time codes: six digits, valid for ten minutes, for five wrong tries and for one right one.

Only a keyed hash is kept, in the cache, under a random token that the session of the person asking
holds. A code is therefore good in that session alone, and asking for one spoils nobody else's.
"""

import secrets
import time
from enum import Enum, auto

from django.core.cache import cache
from django.utils.crypto import constant_time_compare, salted_hmac

MINUTES = 10
WRONG_TRIES = 5


class Verdict(Enum):
    RIGHT = auto()
    WRONG = auto()
    SPENT = auto()


def issue() -> tuple[str, str]:
    """A token to keep and a code to send."""
    token, code = secrets.token_urlsafe(16), f"{secrets.randbelow(10**6):06}"
    seconds = MINUTES * 60
    cache.set(_tries(token), 0, timeout=seconds + 60)
    cache.set(_code(token), (_digest(token, code), time.time() + seconds), timeout=seconds)
    return token, code


def check(token: str, code: str) -> Verdict:
    """Whether this is the code; a right one is used up, even where two arrive at once."""
    stored = cache.get(_code(token))
    if stored is None or stored[1] <= time.time():
        return Verdict.SPENT
    if cache.incr(_tries(token)) > WRONG_TRIES:
        return Verdict.SPENT
    if not constant_time_compare(stored[0], _digest(token, code)):
        return Verdict.WRONG
    return Verdict.RIGHT if cache.delete(_code(token)) else Verdict.SPENT


def _digest(token: str, code: str) -> str:
    return salted_hmac("accounts.codes", f"{token}:{code}", algorithm="sha256").hexdigest()


def _code(token: str) -> str:
    return f"code:{token}"


def _tries(token: str) -> str:
    return f"code-tries:{token}"
