"""A candidate's record: marks, and appeals against them. Each function is one step of a use case in
the caller's transaction; who may is for the caller to say, but for who set a mark."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django_fsm import TransitionNotAllowed

from accounts.models import User
from candidates.models import Appeal, Candidate, Mark, MarkState


class Unfair(Exception):
    """Something speaks against holding it against anybody: `obstacles` are codes."""

    def __init__(self, obstacles: list[str]) -> None:
        super().__init__(", ".join(obstacles))
        self.obstacles = obstacles


def set_mark(
    candidate: Candidate,
    *,
    interview: str,
    starts_at: datetime,
    evidence: Mapping[str, Any],
    by: User,
    at: datetime,
    expires_at: datetime,
) -> Mark:
    """Hold an absence against somebody. Raises Unfair where the evidence names an obstacle."""
    if evidence["obstacles"]:
        raise Unfair(list(evidence["obstacles"]))
    return Mark.objects.create(
        candidate=candidate,
        interview=interview,
        starts_at=starts_at,
        evidence=dict(evidence),
        set_by=by,
        set_at=at,
        expires_at=expires_at,
    )


def lock_mark(reference: str) -> Mark:
    """Locked until the transaction ends. Raises Mark.DoesNotExist."""
    marks = Mark.objects.select_related("candidate__user", "set_by")
    return marks.select_for_update(of=("self",)).get(reference=reference)


def appeal(mark: Mark, *, text: str, file: bytes | None, content_type: str, at: datetime) -> Appeal:
    """The candidate objects. Raises TransitionNotAllowed where it is gone, or was appealed."""
    mark.appeal()
    mark.save(update_fields=["state"])
    return Appeal.objects.create(
        mark=mark, text=text, file=file, content_type=content_type, made_at=at
    )


def may_decide(mark: Mark, by: User) -> bool:
    """Nobody decides about what they have set themselves."""
    return mark.state == MarkState.APPEALED and mark.set_by_id != by.pk


def decide_appeal(mark: Mark, *, granted: bool, by: User, note: str, at: datetime) -> Appeal:
    """Lift the mark, or let it stand. Raises PermissionDenied to who set it, TransitionNotAllowed
    where it was decided meanwhile."""
    if mark.set_by_id == by.pk:
        raise PermissionDenied
    if mark.state != MarkState.APPEALED:  # the first decision stands
        raise TransitionNotAllowed
    if granted:
        mark.lift(at=at)
    else:
        mark.uphold()
    mark.save(update_fields=["state", "ended_at"])
    made = mark.appealed_by
    made.decided_by, made.decided_at, made.granted, made.note = by, at, granted, note
    made.save(update_fields=["decided_by", "decided_at", "granted", "note"])
    return made


def lift_mark(mark: Mark, *, at: datetime) -> None:
    """What it rested on no longer holds."""
    mark.lift(at=at)
    mark.save(update_fields=["state", "ended_at"])


def expire_mark(mark: Mark, *, at: datetime) -> None:
    """Its time has passed."""
    mark.expire(at=at)
    mark.save(update_fields=["state", "ended_at"])
