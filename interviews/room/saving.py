"""What a room full of people does all the time, each in one statement: saving an answer, and a
sign of life. The statement itself checks that whoever sends it may: that the session is alive and
theirs, the account active, the interview going on.

It can, because the page carries a token: who sits where, and a digest of what their session must
still agree with, signed for that session. Zero rows mean that something is wrong, and only then
anybody asks what (interviews/room/views.py).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.core import signing
from django.core.signing import BadSignature
from django.db import connection

from accounts.models import User
from interviews.room import queries
from interviews.room.models import Sitting

# Control characters but tab and new line, and halves of characters that stand alone, which neither
# UTF-8 nor PostgreSQL can hold.
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str) -> str:
    """The text as it is kept."""
    return _NOT_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


@dataclass(frozen=True)
class Token:
    """Who sits where. `digest` is over what ends a session (accounts.models.User) and over the
    sitting's key, so that it says nothing of either."""

    sitting: int
    user: int
    digest: str
    session: str

    @classmethod
    def of(cls, sitting: Sitting, user: User, session: str) -> Self:
        ends = f"{user.password}:{user.sessions_ended}:{sitting.key}"
        return cls(sitting.pk, user.pk, hashlib.sha256(ends.encode()).hexdigest(), session)

    @classmethod
    def read(cls, text: str, session: str | None) -> Self | None:
        """None for one that was not made here for this session."""
        if not session:
            return None
        try:
            sitting, user, digest = _signer(session).unsign(text).split(".")
        except (BadSignature, ValueError):
            return None
        return cls(int(sitting), int(user), digest, session)

    def __str__(self) -> str:
        return _signer(self.session).sign(f"{self.sitting}.{self.user}.{self.digest}")


def _signer(session: str) -> signing.Signer:
    return signing.Signer(salt=f"interviews.room:{session}")


@dataclass(frozen=True)
class Draft:
    """What a tab wants to be kept of an answer. `base` is the revision it began from, `sequence`
    counts what this tab has sent."""

    number: int
    text: str
    base: int
    tab: str
    sequence: int


# That all is well with the sitting s, its interview i, their user u and the session d.
_ALL_IS_WELL = """s.id = %(sitting)s AND s.ended_at IS NULL AND s.resume_until > %(now)s
    AND i.id = s.interview_id AND i.reference = %(reference)s AND i.status = 'in_progress'
    AND u.id = %(user)s AND u.is_active
    AND d.session_key = %(session)s AND d.expire_date > %(now)s
    AND encode(sha256(convert_to(u.password || ':' || u.sessions_ended || ':' || s.key, 'UTF8')),
        'hex') = %(digest)s"""

# As queries.current_seconds: what has passed since they were last seen counts if it is not long.
_SECONDS = """s.current_seconds + CASE
    WHEN %(now)s - s.last_seen_at BETWEEN interval '0' AND %(gap)s
    THEN extract(epoch FROM %(now)s - s.last_seen_at)::float ELSE 0 END"""

# The sitting is shared with whoever else saves, and kept from whoever ends it.
_SAVE = f"""
WITH room AS (
    SELECT s.id, s.current, {_SECONDS} AS seconds,
        (s.questions -> %(number)s::int - 1 ->> 'seconds')::float AS allowed
    FROM interviews_sitting s, interviews_interview i, accounts_user u, django_session d
    WHERE {_ALL_IS_WELL}
    FOR SHARE OF s
)
UPDATE interviews_answer a
SET text = %(text)s, revision = a.revision + 1, tab = %(tab)s, tab_sequence = %(sequence)s,
    saved_at = %(now)s
FROM room
WHERE a.sitting_id = room.id AND a.number = %(number)s::int
    AND (a.revision = %(base)s::int OR a.tab = %(tab)s AND a.tab_sequence < %(sequence)s::int)
    AND (room.allowed IS NULL OR
        CASE WHEN room.current = a.number THEN room.seconds ELSE a.seconds END
        <= room.allowed + %(grace)s::float)
RETURNING a.revision
"""  # noqa: S608 - put together from pieces of this page

_SEE = f"""
UPDATE interviews_sitting s
SET current_seconds = {_SECONDS}, last_seen_at = greatest(s.last_seen_at, %(now)s)
FROM interviews_interview i, accounts_user u, django_session d
WHERE {_ALL_IS_WELL}
RETURNING s.current, s.current_seconds, (s.questions -> s.current - 1 ->> 'seconds')::float
"""  # noqa: S608


def save(token: Token, reference: str, draft: Draft, now: datetime) -> int | None:
    """Keep the text, where it is based on what is kept or comes later from the same tab; the new
    revision. None where nothing was kept."""
    row = _run(_SAVE, token, reference, now, grace=queries.GRACE, **vars(draft))
    return row[0] if row else None


@dataclass(frozen=True)
class Seen:
    """What a tab learns when it says that it is there."""

    current: int
    left: float | None  # seconds


def see(token: Token, reference: str, now: datetime) -> Seen | None:
    """A sign of life: the clock of the question in view moves on. None where they are not, or no
    longer, in the room."""
    row = _run(_SEE, token, reference, now)
    if row is None:
        return None
    current, seconds, allowed = row
    is_limited = current > 0 and allowed is not None  # -1 is the last one, counted from the end
    return Seen(current, max(0.0, allowed - seconds) if is_limited else None)


def _run(
    sql: str, token: Token, reference: str, now: datetime, **values: Any
) -> tuple[Any, ...] | None:
    given = {"reference": reference, "now": now, "gap": queries.LONGEST_GAP, **vars(token)}
    with connection.cursor() as cursor:
        cursor.execute(sql, given | values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
