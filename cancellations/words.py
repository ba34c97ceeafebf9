"""Policies in words: scopes, notices and tiers as people say them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from cancellations import rules
from cancellations.models import Policy
from cancellations.queries import EXIT_COLUMNS, EXIT_STAGES, MOVE_COLUMNS
from interviews.templatetags.when import moment

OUTCOMES: dict[str, Promise] = {
    rules.Outcome.AUTOMATIC: gettext_lazy("cancelled at once"),
    rules.Outcome.NEEDS_HR: gettext_lazy("HR decides"),
    rules.Outcome.REFUSED: gettext_lazy("refused"),
}


def in_words(minutes: int) -> str:
    """24 hours, 1 hour and 30 minutes; days from the third on, as people say it."""
    days, hours = divmod(minutes // 60, 24)
    if days < 3:
        days, hours = 0, minutes // 60
    units = [
        (days, ngettext("%(count)d day", "%(count)d days", days)),
        (hours, ngettext("%(count)d hour", "%(count)d hours", hours)),
        (minutes % 60, ngettext("%(count)d minute", "%(count)d minutes", minutes % 60)),
    ]
    return _(" and ").join(words % {"count": count} for count, words in units if count)


def notice_in_words(minutes: int) -> str:
    """The tier without notice takes whatever is asked later than the others."""
    return in_words(minutes) or _("until the start")


def span_in_words(notice: timedelta) -> str:
    return in_words(int(notice.total_seconds() // 60))


def said(label: str, value: str) -> str:
    return _("%(label)s: %(value)s") % {"label": label, "value": value}


@dataclass(frozen=True)
class Step:
    """One line of a policy: when a request is made, and what then happens to it."""

    when: str
    outcome: rules.Outcome
    short_notice: bool
    is_written: bool  # False: no tier says so, and therefore it is refused

    @property
    def what(self) -> str:
        words = str(OUTCOMES[self.outcome])
        if self.short_notice:
            return _("%(outcome)s, recorded as short notice") % {"outcome": words}
        return words

    def __str__(self) -> str:
        return said(self.when, self.what)


def steps(tiers: Sequence[rules.Tier]) -> list[Step]:
    """The tiers, longest notice first, and what is left over below them."""
    result: list[Step] = []
    above: timedelta | None = None
    for tier in tiers:
        when = _when(tier.notice, above)
        result.append(Step(when, tier.outcome, tier.short_notice, is_written=True))
        above = tier.notice
    if above is not None and above > timedelta(0):
        result.append(
            Step(_when(timedelta(0), above), rules.Outcome.REFUSED, False, is_written=False)
        )
    return result


def _when(notice: timedelta, above: timedelta | None) -> str:
    least, below = span_in_words(notice), span_in_words(above) if above else ""
    if not below:
        return _("%(time)s or more before the start") % {"time": least} if least else _("Always")
    if not least:
        return _("Less than %(time)s before") % {"time": below}
    return _("Less than %(below)s, at least %(least)s before") % {"below": below, "least": least}


def scope_in_words(policy: Policy) -> str:
    """Everything, or each of what the policy is limited to."""
    parts = [
        str(each)
        for each in (
            policy.position,
            policy.category,
            policy.department,
            policy.get_kind_display() if policy.kind else None,
        )
        if each
    ]
    return " · ".join(parts) or _("All interviews")


CONCERNS: dict[rules.Concern, Promise] = {
    rules.Concern.REFUSES_ALL: gettext_lazy(
        "This policy refuses every request: nobody it applies to can cancel any more."
    ),
    rules.Concern.LEAVES_GAP: gettext_lazy(
        "Its last tier ends before the start: whoever asks later than that is refused."
    ),
    rules.Concern.EASIER_LATE: gettext_lazy(
        "Somebody who asks late is treated more kindly than somebody who asks early."
    ),
}
NO_GENERAL = gettext_lazy(
    "It is the one for interviews in general: without it, HR decides every request that no other "
    "policy covers."
)


def describe(columns: dict[str, Any], tiers: Sequence[rules.Tier]) -> list[tuple[str, str]]:
    """A policy as label and value, line by line, for putting two of them side by side."""
    lines = [(label(column), value_in_words(column, value)) for column, value in columns.items()]
    return [*lines, (_("What happens"), "; ".join(map(str, steps(tiers))))]


def leaving(policy: Policy) -> list[tuple[str, str]]:
    """What it says about leaving midway, line by line."""
    return [(label(each), value_in_words(each, getattr(policy, each))) for each in EXIT_COLUMNS]


def moving(policy: Policy) -> list[tuple[str, str]]:
    """What it says about moving, line by line."""
    return [(label(each), value_in_words(each, getattr(policy, each))) for each in MOVE_COLUMNS]


def tiers_of(snapshot: dict[str, Any], notice: timedelta | None) -> list[tuple[str, bool]]:
    """What the policy that a request keeps said at which notice, and whether that was the one the
    request made; none was where no time had been chosen yet."""
    tiers = [
        rules.Tier(
            timedelta(minutes=tier["notice_minutes"]),
            rules.Outcome(tier["outcome"]),
            tier["short_notice"],
        )
        for tier in snapshot.get("tiers", [])
    ]
    made = [notice is not None and notice >= tier.notice for tier in tiers]
    applies = made.index(True) if any(made) else None
    return [(str(step), number == applies) for number, step in enumerate(steps(tiers))]


def exit_rules(snapshot: dict[str, Any], stage: str) -> list[tuple[str, bool]]:
    """What the policy that an exit keeps said of each part of the interview, and whether that was
    the part (`stage`) they were in."""
    parts: dict[str, str] = snapshot.get("exit", {})
    columns = {part: f"exit_{part}" for part in parts if f"exit_{part}" in EXIT_STAGES}
    return [
        (
            said(label(column), value_in_words(column, parts[part])),
            part == (stage or "introduction"),
        )
        for part, column in columns.items()
    ]


def value_in_words(column: str, value: Any) -> str:
    """One column's value as people read it; `value` may be an object or what it is called."""
    if column in {"since", "until"}:
        return moment(value) if value else "—"
    if column in {"department", "category", "position", "kind"} and not value:
        return _("Any")
    if column in {"promised_minutes", "default_minutes_before", "move_minutes_before"}:
        return in_words(value) or _("%(count)d minutes") % {"count": 0}
    if isinstance(value, bool):
        return pgettext("a setting", "yes") if value else pgettext("a setting", "no")
    choices = _field(column).choices
    return str(dict(choices)[value]) if choices and value in dict(choices) else str(value)


def label(column: str) -> str:
    return str(capfirst(_field(column).verbose_name))


def _field(column: str) -> "models.Field[Any, Any]":
    field = Policy._meta.get_field(column)
    assert isinstance(field, models.Field)  # noqa: S101 - tells mypy
    return field
