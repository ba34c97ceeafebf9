"""What is said of an action, and of the days before and since."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics.charts import Lines, Series
from analytics.dashboards.asking import in_words, on_axis
from analytics.dashboards.telling import count, out_of, percent, rate
from analytics.figures import Rate
from analytics.findings.codes import Side
from analytics.findings.intervals import Interval
from analytics.findings.looking import between, signed
from analytics.findings.models import ANY, Action
from analytics.findings.proof import Change, Course, Proof, Verdict
from analytics.findings.proof import Side as OneSide
from interviews.imports.answers import source_title


def concerns(action: Action) -> str:
    """What is no longer there has no name."""
    if action.scope == Side.COMPANY:
        return _("The whole company")
    owner = action.position if action.scope == Side.POSITION else action.department
    return str(owner) if owner else _("not known any more")


def narrowed(action: Action) -> list[str]:
    """Of which source and kind only, where it is not all."""
    found = []
    if action.kind:
        found.append(str(action.get_kind_display()))
    if action.source != ANY:
        found.append(source_title(action.source) or action.source or _("Our own"))
    return found


def verdict(proof: Proof) -> str:
    """One sentence; it says what changed since, not why."""
    change = proof.change
    said = {"before": rate(change.before.rate), "after": rate(change.after.rate)}
    match proof.verdict:
        case Verdict.EARLY:
            return _("Too early to tell: no day is over since then.")
        case Verdict.GROWING:
            return _("Not all days are over: %(before)s before, %(after)s so far.") % said
        case Verdict.FEW:
            return " ".join([_("Too little to tell."), *_lacking(change)])
        case Verdict.UNCLEAR:
            sentence = _("Too little to tell: %(before)s before, %(after)s since.") % said
            if change.needed is None:
                return sentence
            more = _(
                "To tell a difference of this size from none, about %(count)s on either side would"
                " be needed."
            )
            return f"{sentence} {more % {'count': count(change.needed)}}"
        case Verdict.BETTER:
            return _("Improved since then: %(before)s before, %(after)s since.") % said
    return _("Worsened since then: %(before)s before, %(after)s since.") % said


def _lacking(change: Change) -> list[str]:
    """How many more there have to be, on which side."""
    found = []
    if lacks := change.before.lacks:
        found.append(
            ngettext(
                "Before it there is %(count)d too few: a longer time may have enough.",
                "Before it there are %(count)d too few: a longer time may have enough.",
                lacks,
            )
            % {"count": lacks}
        )
    if lacks := change.after.lacks:
        found.append(
            ngettext(
                "Since then %(count)d more is needed at least.",
                "Since then %(count)d more are needed at least.",
                lacks,
            )
            % {"count": lacks}
        )
    return found


def growing(proof: Proof) -> str:
    """Until the days since are as many as those before."""
    if proof.days_left <= 0:
        return ""
    return ngettext(
        "%(count)d day of those since is still to come: whether it got better is said then.",
        "%(count)d days of those since are still to come: whether it got better is said then.",
        proof.days_left,
    ) % {"count": proof.days_left}


def rest(proof: Proof) -> str:
    """What the other interviews did in the same days."""
    if proof.verdict == Verdict.EARLY:
        return ""
    if not proof.rest.after.rate.denominator + proof.rest.before.rate.denominator:
        return _("There are no other interviews that you see to hold it against.")
    said = {"before": rate(proof.rest.before.rate), "after": rate(proof.rest.after.rate)}
    if not proof.rest.is_comparable:
        return (
            _(
                "The other interviews you see: %(before)s before, %(after)s since; too few to"
                " compare."
            )
            % said
        )
    sentence = _("The other interviews you see: %(before)s before, %(after)s since.") % said
    if proof.verdict in {Verdict.BETTER, Verdict.WORSE} and proof.rest_moved_likewise:
        likewise = _(
            "They moved in the same direction, so the change may have little to do with what was"
            " done."
        )
        return f"{sentence} {likewise}"
    return sentence


def difference(change: Change) -> str:
    """In percentage points, with what fits."""
    interval: Interval | None = change.interval
    if interval is None:
        return _("too few to compare")
    return _("%(points)s points (95 per cent interval: %(low)s to %(high)s)") % {
        "points": signed(change.difference),
        "low": signed(interval.low),
        "high": signed(interval.high),
    }


def sides(proof: Proof) -> list[dict[str, Any]]:
    """The rows of the table: before, since."""

    def row(label: str, own: OneSide, others: OneSide) -> dict[str, Any]:
        return {
            "label": label,
            "days": in_words(own.period) if own.period.days else _("no day yet"),
            "own": rate(own.rate),
            "sample": "" if own.rate.is_small else out_of(own.rate),
            "interval": between(own.rate, own.interval) if own.interval else "",
            "rest": rate(others.rate),
            "rest_sample": "" if others.rate.is_small else out_of(others.rate),
        }

    return [
        row(pgettext("figures", "Before"), proof.change.before, proof.rest.before),
        row(pgettext("figures", "Since"), proof.change.after, proof.rest.after),
    ]


def chart(course: Course, action: Action) -> Lines:
    """Only steps with enough are drawn."""
    labels = [on_axis(since, course.step) for since, _rate in course.own]
    series = [_series(concerns(action), [each for _since, each in course.own])]
    others = [each for _since, each in course.rest]
    if any(not each.is_small for each in others):
        series.append(_series(_("the others"), others, is_before=True))
    about = _("In per cent; only steps with enough. The line marks the day something was done.")
    return Lines(
        str(action.get_measure_display()),
        about,
        labels,
        series,
        unit="%",
        marked=course.marked,
        marked_as=pgettext("findings", "done"),
    )


def _series(label: str, rates: list[Rate], *, is_before: bool = False) -> Series:
    values = [-1.0 if each.is_small else (each.share or 0) * 100 for each in rates]
    said = [f"{percent(each.share or 0)}, {out_of(each)}" for each in rates]
    return Series(label, values, said, is_before)
