"""Figures for the tests here: cells as counting leaves them, without the interviews."""

from datetime import timedelta

from django.utils import timezone

from analytics.figures import COMPANY
from analytics.findings.models import Action
from analytics.models import Cell


def today():
    return timezone.localdate(timezone=timezone.get_default_timezone())


def day(ago=3):
    return today() - timedelta(days=ago)


def counted(position, *, on=None, source="", kind="ai", **values):
    """So much of one position on one day, in every sum it is part of. Numbers by name; maps as
    {"one|other": 3}."""
    on = on or day()
    owners = [("position", position.pk), ("department", position.department_id)]
    for scope, owner in [*owners, ("company", COMPANY)]:
        for span, since in (("day", on), ("month", on.replace(day=1))):
            for exact in ({"source": source, "kind": kind}, {"source": "*", "kind": "*"}):
                key = {"scope": scope, "span": span, "owner": owner, "since": since}
                cell, _made = Cell.objects.get_or_create(**key, **exact)
                for name, value in values.items():
                    setattr(cell, name, _sum(getattr(cell, name), value))
                cell.save()


def _sum(there, more):
    if not isinstance(more, dict):
        return there + more
    there = there or {}
    return there | {key: there.get(key, 0) + number for key, number in more.items()}


def expected(position, *, missed, of, **fields):
    """So many were expected, and some of them did not come."""
    counted(position, invited=of, booked=of, attended=of - missed, no_show=missed, **fields)


def logged(by, about, *, ago=40, **fields):
    """Something done about the absences of a position."""
    return Action.objects.create(
        **{
            "found": "no_show",
            "measure": "no_show",
            "scope": "position",
            "position": about,
            "department": about.department,
            "since": day(ago + 30),
            "until": day(ago + 1),
            "numerator": 20,
            "denominator": 100,
            "done": "slots",
            "note": "更多晚间场次",
            "done_on": day(ago),
            "logged_by": by,
        }
        | fields
    )
