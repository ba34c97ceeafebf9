"""Figures in words: rates, differences, spans of time, and tables of them for pages and files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from html import escape
from typing import Any, NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics.charts import Chart
from analytics.figures import SMALL, Rate
from cancellations.templatetags.desk import brief

NOTHING = "–"
MOST_ROWS = 50  # of a table on a page; its file holds all


def count(number: float) -> str:
    return f"{number:,.0f}"


def percent(share: float) -> str:
    """To one decimal place."""
    number = f"{share * 100:.1f}".removesuffix(".0")
    return pgettext("percentage", "%(number)s %%") % {"number": number}


def rate(of: Rate) -> str:
    """A percentage; of few, the counts."""
    if of.share is None:
        return NOTHING
    return out_of(of) if of.is_small else percent(of.share)


def out_of(of: Rate) -> str:
    return _("%(count)s of %(whole)s") % {
        "count": count(of.numerator),
        "whole": count(of.denominator),
    }


def sample(of: Rate) -> str:
    """What stands beside a percentage."""
    return "" if of.share is None or of.is_small else out_of(of)


def left_out(number: int) -> str:
    """What is said beside bars that are not those of everybody."""
    if not number:
        return ""
    return ngettext(
        "One with fewer than %(few)d expected stands in the table alone.",
        "%(count)d with fewer than %(few)d expected stand in the table alone.",
        number,
    ) % {"count": number, "few": SMALL}


def minutes(number: float | None) -> str:
    return NOTHING if number is None else brief(timedelta(minutes=round(number)))


def difference(now: float, before: float) -> str:
    """Of two counts, with its sign."""
    if now == before:
        return _("as before")
    more = count(abs(now - before))
    sign = "+" if now > before else "−"
    if before >= SMALL:
        share = percent(abs(now - before) / before)
        return _("%(sign)s%(count)s (%(share)s) on the period before") % {
            "sign": sign,
            "count": more,
            "share": share,
        }
    return _("%(sign)s%(count)s on the period before") % {"sign": sign, "count": more}


def rate_difference(now: Rate, before: Rate) -> str:
    """Of two rates, in percentage points; nothing is made of small numbers."""
    if now.share is None:
        return ""
    if before.share is None:
        return _("none before to compare")
    if now.is_small or before.is_small:
        return _("%(before)s before; too few to compare") % {"before": rate(before)}
    points = round((now.share - before.share) * 100, 1)
    if not points:
        return _("as before")
    return ngettext(
        "%(sign)s%(points)s point on the period before",
        "%(sign)s%(points)s points on the period before",
        1 if abs(points) == 1 else 2,
    ) % {
        "sign": "+" if points > 0 else "−",
        "points": f"{abs(points):g}",
    }


# --- tables ---------------------------------------------------------------------------------------


class What(StrEnum):
    """What the values of a column are, and how they are told."""

    TEXT = "text"
    COUNT = "count"
    RATE = "rate"
    MINUTES = "minutes"


@dataclass(frozen=True)
class Column:
    title: str
    what: What = What.COUNT

    @property
    def in_file(self) -> list["Column"]:
        """A rate goes into a file in its parts: what is calculated from it is then right."""
        if self.what == What.RATE:
            parts = (pgettext("figures", "number"), pgettext("figures", "of"), _("per cent"))
            return [Column(f"{self.title}: {part}") for part in parts]
        if self.what == What.MINUTES:
            return [Column(f"{self.title}: {pgettext('figures', 'minutes')}")]
        return [self]


@dataclass(frozen=True)
class Linked:
    """A value and where the rows behind it are."""

    value: Any
    url: str


class Shown(NamedTuple):
    """One cell as a page shows it."""

    text: str
    under: str = ""
    url: str = ""


def _cell(shown: Shown) -> str:
    text = escape(shown.text)
    if shown.url:
        text = f'<a href="{escape(shown.url)}">{text}</a>'
    if shown.under:
        text += f' <span class="soft sample">{escape(shown.under)}</span>'
    return text


@dataclass(frozen=True)
class Table:
    """The first column says what a row is of."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]] = ()

    @staticmethod
    def _shown(column: Column, value: Any) -> Shown:
        url, value = (value.url, value.value) if isinstance(value, Linked) else ("", value)
        text, under = str(value), ""
        match column.what:
            case What.COUNT:
                text = NOTHING if value is None else count(value)
            case What.RATE:
                text, under = rate(value), sample(value)
            case What.MINUTES:
                text = minutes(value)
        if text == NOTHING or getattr(value, "numerator", 1) == 0:  # there are no rows behind it
            url = ""
        return Shown(text, under, url)

    @property
    def shown(self) -> list[list[Shown]]:
        """As many as a page takes."""
        return [
            [self._shown(column, value) for column, value in zip(self.columns, row, strict=True)]
            for row in self.rows[:MOST_ROWS]
        ]

    @property
    def html(self) -> SafeString:
        """Its head and rows: a template would look up ten things for each cell."""
        kinds = ["" if each.what == What.TEXT else ' class="num"' for each in self.columns]
        titles = [escape(each.title) for each in self.columns]
        head = "".join(
            f'<th scope="col"{kind}>{title}</th>' for kind, title in zip(kinds, titles, strict=True)
        )
        # On a phone, where a row is a card, each cell says what it is itself.
        starts = [
            f'<td{kind} data-label="{title}">'
            for kind, title in zip(kinds[1:], titles[1:], strict=True)
        ]
        rows = "".join(
            f'<tr><th scope="row">{escape(first.text)}</th>'
            + "".join(
                f"{start}{_cell(each)}</td>" for start, each in zip(starts, rest, strict=True)
            )
            + "</tr>"
            for first, *rest in self.shown
        )
        whole = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
        return mark_safe(whole)  # noqa: S308 - every word in it was escaped above

    @property
    def is_cut(self) -> bool:
        return len(self.rows) > MOST_ROWS

    @property
    def titles(self) -> list[Column]:
        """Of a file."""
        return [part for column in self.columns for part in column.in_file]

    def values(self) -> Iterable[list[Any]]:
        """The rows of a file."""
        for row in self.rows:
            found: list[Any] = []
            for column, value in zip(self.columns, row, strict=True):
                found += self._exported(column, value)
            yield found

    @staticmethod
    def _exported(column: Column, value: Any) -> list[Any]:
        value = value.value if isinstance(value, Linked) else value
        if column.what == What.RATE:
            share = "" if value.share is None or value.is_small else round(value.share * 100, 2)
            return [value.numerator, value.denominator, share]
        if column.what == What.MINUTES:
            return ["" if value is None else round(value, 1)]
        return ["" if value is None else value]


def texts(*titles: str) -> list[Column]:
    return [Column(title, What.TEXT) for title in titles]


def numbers(*titles: str) -> list[Column]:
    return [Column(title) for title in titles]


def rates(*titles: str) -> list[Column]:
    return [Column(title, What.RATE) for title in titles]


# --- what a page is made of -----------------------------------------------------------------------


@dataclass(frozen=True)
class Tile:
    """One figure: what it is, how large, of what, and how it was before."""

    label: str
    value: str
    under: str = ""
    change: str = ""
    url: str = ""


@dataclass(frozen=True)
class Panel:
    """One question with its answer: a finding as the title, a chart, and the table it is drawn
    from. `key` names it on the page and its file."""

    key: str
    title: str
    table: Table
    chart: Chart | None = None
    note: str = ""
    is_wide: bool = False
    is_listed: bool = False  # the table stands open: it is the answer itself

    @property
    def is_empty(self) -> bool:
        return not self.table.rows


@dataclass(frozen=True)
class Board:
    """What one page shows."""

    tiles: Sequence[Tile] = ()
    panels: Sequence[Panel] = ()
    quotes: Sequence[Any] = field(default_factory=list)
    quotes_title: str = ""
    note: str = ""

    @property
    def is_empty(self) -> bool:
        return all(panel.is_empty for panel in self.panels)


def tile(label: str, now: Rate, before: Rate, url: str = "", *, under: str = "") -> Tile:
    """Of a rate, beside the one before."""
    return Tile(label, rate(now), under or sample(now), rate_difference(now, before), url)


def tile_of_count(label: str, now: int, before: int, url: str = "", under: str = "") -> Tile:
    return Tile(label, count(now), under, difference(now, before), url if now else "")
