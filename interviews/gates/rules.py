"""Whether a gate is open. Pure: no ORM, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Standing(StrEnum):
    """How an application stands before one gate."""

    OPEN = "open"
    MISSING = "missing"  # nothing was uploaded
    TO_CHECK = "to_check"  # HR has not looked at it yet
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNSCORED = "unscored"
    BELOW = "below"


# What the candidate can do something about.
ASKED_FOR = frozenset({Standing.MISSING, Standing.REJECTED, Standing.EXPIRED})


@dataclass(frozen=True)
class Paper:
    """One document: `checked` says how, and is None while nobody has looked."""

    checked: bool | None
    expires_on: date | None


def document(papers: Iterable[Paper], *, needed_on: date) -> Standing:
    """By the latest document, which comes first: accepted and valid on the day it is needed.

    One that waits to be checked does not close what an accepted one before it keeps open.
    """
    papers = list(papers)
    valid = [each for each in papers if each.checked and not _has_expired(each, needed_on)]
    if valid:
        return Standing.OPEN
    if not papers:
        return Standing.MISSING
    latest = papers[0]
    if latest.checked is None:
        return Standing.TO_CHECK
    return Standing.EXPIRED if latest.checked else Standing.REJECTED


def _has_expired(paper: Paper, on: date) -> bool:
    """A document is valid on its last day."""
    return paper.expires_on is not None and paper.expires_on < on


def score(scores: Mapping[str, float], *, dimension: str, minimum: float) -> Standing:
    """The minimum itself is enough."""
    reached = scores.get(dimension)
    if reached is None:
        return Standing.UNSCORED
    return Standing.OPEN if reached >= minimum else Standing.BELOW
