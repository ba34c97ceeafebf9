"""Cells: how many interviews of which kind stood where, per local day and position; and what they
add up to. Whatever is in them can be counted anew from the interviews (analytics/cells.py)."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

ALL = "*"  # the source and the kind of a row that counts every source and kind together
COMPANY = 0  # the owner of what is counted for the whole company


# What rates are made of.
RATED = (
    "invited",
    "booked",
    "attended",
    "completed",
    "cancelled",
    "cancelled_by_candidate",
    "exited",
    "incomplete",
    "no_show",
)


class Scope(models.TextChoices):
    POSITION = "position", _("Position")
    DEPARTMENT = "department", _("Department")
    COMPANY = "company", _("Company")


class Span(models.TextChoices):
    DAY = "day", _("Day")
    MONTH = "month", _("Month")


def _count() -> "models.IntegerField[int, int]":
    return models.IntegerField(default=0)


def _counts() -> "models.JSONField[dict[str, int] | None, dict[str, int] | None]":
    return models.JSONField(null=True)


class Cell(models.Model):
    """What is counted of the interviews of one owner in one span of time, of one source and kind;
    or, with both "*", of all sources and kinds together.

    Cells are those of a position and a day; the others are sums of them. Every interview is in one
    cell: that of the local day of its start, or, before it has one, of the day it was made.
    Whatever belongs to an interview counts in the interview's cell; but what became of an
    invitation in that of the day it was made, and a place that came free in that of its slot, with
    the source "". The maps count by keys whose parts stand between "|"
    (analytics/measures.py says which). A cell says in which department's sums it is: until it has
    been counted anew, in those of the department its position was in before.
    """

    scope = models.CharField(max_length=10, choices=Scope.choices)
    span = models.CharField(max_length=5, choices=Span.choices)
    owner = models.BigIntegerField()
    since = models.DateField()
    source = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    department = models.BigIntegerField(null=True)  # of a cell, not of a sum

    # The way of an interview.
    invited = _count()
    opened = _count()
    booked = _count()
    confirmed = _count()
    attended = _count()
    completed = _count()
    # Where it ended otherwise.
    cancelled = _count()
    cancelled_by_candidate = _count()
    cancelled_by_company = _count()
    cancelled_unbooked = _count()
    declined = _count()
    withdrawn = _count()
    exited = _count()
    incomplete = _count()
    no_show = _count()
    missed_invitation = _count()
    # Where it stands while it has not ended.
    open_invitation = _count()
    upcoming = _count()
    cancelling = _count()
    in_progress = _count()
    exiting = _count()
    # What else is known of it.
    asked_late = _count()
    moved = _count()
    moves = _count()
    without_end = _count()
    without_booking_time = _count()

    reasons = _counts()
    requests = _counts()
    handling = _counts()
    notice = _counts()
    hours = _counts()
    exits = _counts()
    reminders = _counts()
    absences = _counts()
    saved = _counts()
    refill = _counts()
    delivery = _counts()
    quality = _counts()
    invitations = _counts()
    venues = _counts()
    answers = _counts()

    class Meta:
        verbose_name = _("cell")
        verbose_name_plural = _("cells")
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "span", "owner", "since", "source", "kind"], name="cell_once"
            ),
        ]
        indexes = [
            # RATED of all sources and kinds together: five hundred positions stand beside
            # one another without their cells being read, which are a hundred times as wide.
            models.Index(
                fields=["scope", "span", "since", "owner"],
                include=RATED,
                condition=models.Q(source=ALL, kind=ALL),
                name="cell_rated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope}:{self.owner} · {self.since} ({self.span})"

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.scope, self.span, self.owner, self.since, self.source, self.kind)


class DirtyCell(models.Model):
    """A cell whose interviews have changed since it was counted, as often as they have.

    PostgreSQL writes these in the transaction of the change, whoever makes it
    (analytics/migrations/0001_cells.py). There is no "once": who checks whether a mark is there
    already waits for whoever is writing or removing it, and trusts one that is just being removed.
    `department` is that of the interview then: its sums change as well. Without a position (0),
    they alone are added up anew, from the cells.
    """

    day = models.DateField()
    position = models.BigIntegerField()
    department = models.BigIntegerField()

    class Meta:
        verbose_name = _("cell to be counted anew")
        verbose_name_plural = _("cells to be counted anew")
        indexes = [models.Index(fields=["position", "day"], name="dirty_cell")]

    def __str__(self) -> str:
        return f"{self.position} · {self.day}"
