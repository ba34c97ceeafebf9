"""Who changed a policy, and what: read from the configuration's history, told in words.

The database writes that history itself (config/tracking.py); the rows of one transaction are one
change.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import ConfigurationChange
from cancellations import words
from cancellations.actors import names_of
from cancellations.models import Policy
from interviews.models import Department, Position, PositionCategory

SUBJECT = "cancellations.policy"
ROWS = 200  # of the newest; a page shows far fewer
_NAMED = {
    "department_id": Department,
    "category_id": PositionCategory,
    "position_id": Position,
}


@dataclass(frozen=True)
class Change:
    """What one person did to a policy at one time."""

    at: datetime
    by: str
    lines: list[str]


def of_policy(policy: Policy) -> list[Change]:
    """The changes of a policy and its tiers, the latest first."""
    rows = list(
        ConfigurationChange.objects.filter(subject=SUBJECT, subject_id=policy.pk).order_by(
            "-at", "-id"
        )[:ROWS]
    )
    names = names_of(row.actor for row in rows)
    return [
        Change(at, names.get(actor) or _("the system"), list(_lines(group)))
        for (at, actor), group in groupby(rows, key=lambda row: (row.at, row.actor))
    ]


def _lines(rows: Iterable[ConfigurationChange]) -> Iterator[str]:
    """The policy itself before its tiers, and these with the longest notice first."""
    tiers = []
    for row in rows:
        if row.kind == SUBJECT:
            yield from _policy_lines(row)
        else:
            tiers.append(row)
    for row in sorted(tiers, key=lambda row: -_said(row)["notice_minutes"]):
        yield _tier_line(row)


def _said(row: ConfigurationChange) -> dict[str, Any]:
    return row.after or row.before or {}


def _policy_lines(row: ConfigurationChange) -> Iterator[str]:
    before, after = row.before, row.after or {}
    if before is None:
        yield _("Written: %(name)s") % {"name": after["name"]}
        return
    for column, value in after.items():
        if value == before.get(column):
            continue
        if column == "is_active":
            yield _("Switched on") if value else _("Switched off")
            continue
        field = column.removesuffix("_id")
        yield _("%(field)s: %(before)s → %(after)s") % {
            "field": words.label(field),
            "before": _value(column, before.get(column)),
            "after": _value(column, value),
        }


def _value(column: str, value: Any) -> str:
    if column in _NAMED and value is not None:
        named = _NAMED[column]._default_manager.filter(pk=value).first()
        return str(named or value)
    if column in {"since", "until"} and value is not None:
        value = parse_datetime(value)
    return words.value_in_words(column.removesuffix("_id"), value)


def _tier_line(row: ConfigurationChange) -> str:
    said = _said(row)
    tier = {"notice": words.notice_in_words(said["notice_minutes"]), "outcome": _outcome(said)}
    if row.before is None:
        return _("Tier added: %(notice)s, %(outcome)s") % tier
    if row.after is None:
        return _("Tier removed: %(notice)s, %(outcome)s") % tier
    tier["before"] = _outcome(row.before)
    return _("Tier %(notice)s: %(before)s → %(outcome)s") % tier


def _outcome(said: dict[str, Any]) -> str:
    outcome = str(words.OUTCOMES[said["outcome"]])
    if said["short_notice"]:
        return _("%(outcome)s, recorded as short notice") % {"outcome": outcome}
    return outcome
