"""Charts as SVG that a page holds: no script, no style of their own, colours by class.

Widths are shares of the whole, so that a drawing fits a phone and a sheet of paper while its
letters keep their size; heights are pixels. What is told by colour is told by a word as well, and
the page shows the numbers in a table beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from math import ceil, floor, log10
from typing import ClassVar
from unicodedata import east_asian_width

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

MOST_LINKS = 12  # columns that are links of their own: more would be too narrow to hit
MOST_TICKS = 6  # words below an axis, so that they have room on a phone
ROW_UNITS = 44  # of the words above a bar, on a phone; a Chinese character takes two
LABEL_UNITS = 14  # of them at least for what it is, however long the other words are
TONES = 5  # of a heat map, beside none
LAST = 95.0  # per cent from where on words end at the edge, so that they are not cut there
GUTTER = 9.0  # per cent, left of a plot, for the words of its axis


# --- measuring ------------------------------------------------------------------------------------


def units(text: str) -> int:
    """How wide it stands: a Chinese character is as wide as two letters."""
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def fit(text: str, most: int) -> str:
    """Cut to what there is room for, at a whole character."""
    if units(text) <= most:
        return text
    taken, left = "", most - 1
    for each in text:
        left -= units(each)
        if left < 0:
            break
        taken += each
    return f"{taken.rstrip()}…"


def beside(text: str, words: str) -> str:
    """As much of a label as there is room for beside the words at the other end."""
    return fit(text, max(LABEL_UNITS, ROW_UNITS - units(words) - 2))


def ticks(most: float, about: int = 4) -> list[float]:
    """Round numbers from nought to at least `most`, so many steps or a few more."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / about
    power: float = 10.0 ** floor(log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.999)
    if most >= 1 and step < 1:
        step = 1.0  # counts have no halves
    return [step * number for number in range(ceil(most / step - 1e-9) + 1)]


def every(count: int, most: int = MOST_TICKS) -> int:
    """Which of so many steps are named: each first of these."""
    return max(1, ceil(count / most))


def tone(value: float, most: float) -> int:
    """How strong a cell of a heat map is: 0 for nothing, 1 to TONES."""
    if value <= 0 or most <= 0:
        return 0
    return min(TONES, max(1, ceil(value / most * TONES - 1e-9)))


# --- pieces of a drawing --------------------------------------------------------------------------


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _share(value: float) -> str:
    return f"{_number(value)}%"


def _tag(name: str, content: str | None = None, /, **attributes: object) -> str:
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{said} />" if content is None else f"<{name}{said}>{content}</{name}>"


def _text(words: str, x: str, y: float, kind: str, anchor: str = "") -> str:
    place = f'x="{x}" y="{_number(y)}" class="{kind}"'
    if anchor:
        place += f' text-anchor="{anchor}"'
    return f"<text {place}>{escape(words)}</text>"


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Across in per cent, down in pixels. There is nothing in it to escape."""
    place = f'x="{_share(x)}" y="{_number(y)}" width="{_share(width)}" height="{_number(height)}"'
    return f'<rect {place} class="{kind}" />'


def _group(content: str, words: str, url: str) -> str:
    """What belongs together: a link where it leads somewhere, and what a pointer is told."""
    words = escape(words)
    told = f"<title>{words}</title>{content}"
    if url:
        return f'<a href="{escape(url)}" aria-label="{words}" class="chart-link">{told}</a>'
    return f"<g>{told}</g>"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return _tag("line", x1=_share(x1), y1=_number(y1), x2=_share(x2), y2=_number(y2), class_=kind)


# --- charts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mark:
    """One thing with a size. `said` is the size in words, `url` leads to the rows behind it, and
    `before` is what it was in the period before."""

    label: str
    value: float
    said: str = ""
    url: str = ""
    before: float | None = None

    @property
    def size(self) -> str:
        return self.said or _number(self.value)

    @property
    def words(self) -> str:
        return _("%(label)s: %(value)s") % {"label": self.label, "value": self.size}


@dataclass(frozen=True)
class Series:
    """Values of one kind, one a step."""

    label: str
    values: Sequence[float]
    said: Sequence[str] = ()
    is_before: bool = False

    def words(self, number: int) -> str:
        return self.said[number] if self.said else _number(self.values[number])


@dataclass(frozen=True)
class Chart:
    """A drawing with its title and what it says in a sentence."""

    title: str
    description: str

    @property
    def height(self) -> float:
        raise NotImplementedError

    @property
    def key(self) -> list[tuple[str, str]]:
        """What the colours stand for: class and words; none where labels say it."""
        return []

    def marks(self) -> Iterable[str]:
        """The drawing, piece by piece."""
        raise NotImplementedError

    def svg(self, name: str) -> SafeString:
        """The whole of it; `name` is its own on the page."""
        drawn = "".join(self.marks())
        named = _tag("title", escape(self.title), id=f"{name}-title")
        described = _tag("desc", escape(self.description), id=f"{name}-desc")
        whole = _tag(
            "svg",
            named + described + drawn,
            class_="chart-drawing",
            width="100%",
            height=_number(self.height),
            role="group" if "<a " in drawn else "img",
            aria_labelledby=f"{name}-title",
            aria_describedby=f"{name}-desc",
        )
        return mark_safe(whole)  # noqa: S308 - every word in it was escaped above


BAR_ROW, BAR_TOP, BAR_HEIGHT = 46.0, 22.0, 14.0


@dataclass(frozen=True)
class Bars(Chart):
    """One bar below the other, from nought, each under its own words; what was before stands as a
    thin line below."""

    bars: Sequence[Mark]
    most: float | None = None  # where the longest stands for something, such as 100 per cent

    @property
    def height(self) -> float:
        return BAR_ROW * len(self.bars)

    @property
    def key(self) -> list[tuple[str, str]]:
        if all(each.before is None for each in self.bars):
            return []
        return [("tone-1", _("this period")), ("tone-before", _("the period before"))]

    @cached_property
    def longest(self) -> float:
        sizes = [max(each.value, each.before or 0) for each in self.bars]
        return self.most or max([*sizes, 0]) or 1

    def width(self, value: float) -> float:
        return max(0.0, min(100.0, value / self.longest * 100))

    def marks(self) -> Iterable[str]:
        for number, each in enumerate(self.bars):
            y = number * BAR_ROW
            drawn = _rect(0, y, 100, BAR_ROW, "chart-hit")
            drawn += _text(beside(each.label, each.size), "0", y + 15, "chart-label")
            drawn += _text(each.size, "100%", y + 15, "chart-value", "end")
            drawn += _rect(0, y + BAR_TOP, 100, BAR_HEIGHT, "chart-track")
            drawn += _rect(0, y + BAR_TOP, self.width(each.value), BAR_HEIGHT, "chart-mark tone-1")
            if each.before is not None:
                below = y + BAR_TOP + BAR_HEIGHT + 1
                drawn += _rect(0, below, self.width(each.before), 4, "chart-mark tone-before")
            yield _group(drawn, each.words, each.url)


@dataclass(frozen=True)
class StackedBars(Chart):
    """One bar below the other, each made of the same series; all as long as the longest allows, or,
    with `is_share`, all of them whole."""

    labels: Sequence[str]
    series: Sequence[Series]
    totals: Sequence[str] = ()
    urls: Sequence[str] = ()
    is_share: bool = False

    @property
    def height(self) -> float:
        return BAR_ROW * len(self.labels)

    @property
    def key(self) -> list[tuple[str, str]]:
        return [(f"tone-{number}", each.label) for number, each in enumerate(self.series, 1)]

    def segments(self, row: int) -> list[tuple[float, float]]:
        """Where each series of a bar begins and how long it is, in per cent."""
        whole = sum(each.values[row] for each in self.series)
        longest = whole if self.is_share else self._longest
        found, at = [], 0.0
        for each in self.series:
            width = each.values[row] / longest * 100 if longest else 0.0
            found.append((at, width))
            at += width
        return found

    @cached_property
    def _longest(self) -> float:
        sums = (sum(each.values[row] for each in self.series) for row in range(len(self.labels)))
        return max(sums, default=0)

    def marks(self) -> Iterable[str]:
        for row, label in enumerate(self.labels):
            y = row * BAR_ROW
            total = self.totals[row] if self.totals else ""
            drawn = _rect(0, y, 100, BAR_ROW, "chart-hit")
            drawn += _text(beside(label, total), "0", y + 15, "chart-label")
            drawn += _text(total, "100%", y + 15, "chart-value", "end")
            drawn += _rect(0, y + BAR_TOP, 100, BAR_HEIGHT, "chart-track")
            for number, (x, width) in enumerate(self.segments(row), 1):
                if width:
                    kind = f"chart-mark tone-{number}"
                    drawn += _rect(x, y + BAR_TOP, width, BAR_HEIGHT, kind)
            parts = [f"{each.label} {each.words(row)}" for each in self.series if each.values[row]]
            words = _("%(label)s: %(value)s") % {"label": label, "value": ", ".join(parts)}
            yield _group(drawn, words, self.urls[row] if self.urls else "")


PLOT_TOP, PLOT_HEIGHT, AXIS = 20.0, 168.0, 24.0


@dataclass(frozen=True)
class Plot(Chart):
    """What has an axis below and one at its side."""

    labels: Sequence[str]
    series: Sequence[Series]
    unit: str = ""  # behind the numbers at the side

    @property
    def height(self) -> float:
        return PLOT_TOP + PLOT_HEIGHT + AXIS

    @property
    def key(self) -> list[tuple[str, str]]:
        if len(self.series) < 2:
            return []
        return [(self.tone_of(number), each.label) for number, each in enumerate(self.series)]

    def tone_of(self, number: int) -> str:
        if self.series[number].is_before:
            return "tone-before"
        return f"tone-{number + 1}"

    @property
    def largest(self) -> float:
        return max((max(each.values, default=0) for each in self.series), default=0)

    @cached_property
    def scale(self) -> list[float]:
        return ticks(self.largest)

    def y(self, value: float) -> float:
        """How far down a value stands, in pixels."""
        return PLOT_TOP + PLOT_HEIGHT * (1 - value / self.scale[-1])

    def slot(self, number: int) -> tuple[float, float]:
        """Where a step begins and how wide it is, in per cent."""
        width = (100 - GUTTER) / max(1, len(self.labels))
        return GUTTER + number * width, width

    def axes(self) -> Iterable[str]:
        for value in self.scale:
            kind = "chart-grid" if value else "chart-base"
            yield _line(GUTTER, self.y(value), 100, self.y(value), kind)
            words = f"{_number(value)}{self.unit}"
            yield _text(words, _share(GUTTER - 1), self.y(value) + 4, "chart-tick", "end")
        for number, label in enumerate(self.labels):
            if number % every(len(self.labels)) == 0:
                x, width = self.slot(number)
                at, anchor = x + width / 2, "middle"
                if at > LAST:
                    at, anchor = 100.0, "end"
                yield _text(label, _share(at), self.height - 6, "chart-tick", anchor)


@dataclass(frozen=True)
class Columns(Plot):
    """Beside one another, over time: the series of a step stand upon one another."""

    urls: Sequence[str] = ()
    gap: ClassVar[float] = 0.12  # at either side of a column, as a part of its step

    @property
    def largest(self) -> float:
        sums = (sum(each.values[step] for each in self.series) for step in range(len(self.labels)))
        return max(sums, default=0)

    def segments(self, step: int) -> list[tuple[float, float]]:
        """The top and the height of each series of a step, in pixels."""
        found, below = [], 0.0
        for each in self.series:
            top = self.y(below + each.values[step])
            found.append((top, self.y(below) - top))
            below += each.values[step]
        return found

    def marks(self) -> Iterable[str]:
        yield from self.axes()
        leads = bool(self.urls) and len(self.labels) <= MOST_LINKS
        for step, label in enumerate(self.labels):
            x, width = self.slot(step)
            drawn = _rect(x, PLOT_TOP, width, PLOT_HEIGHT, "chart-hit")
            for number, (top, height) in enumerate(self.segments(step)):
                if height:
                    kind = f"chart-mark {self.tone_of(number)}"
                    left, across = x + width * self.gap, width * (1 - 2 * self.gap)
                    drawn += _rect(left, top, across, height, kind)
            parts = [f"{each.label} {each.words(step)}" for each in self.series]
            words = _("%(label)s: %(value)s") % {"label": label, "value": ", ".join(parts)}
            yield _group(drawn, words, self.urls[step] if leads else "")


@dataclass(frozen=True)
class Histogram(Columns):
    """How often what size occurs: columns that touch."""

    gap: ClassVar[float] = 0.01


@dataclass(frozen=True)
class Lines(Plot):
    """How it went, over time: a line a series, the one before dashed. A value below nought is a
    step of which there is nothing to say: the line is broken there. A step can be `marked`, by a
    line from top to bottom that says what happened in it (`marked_as`)."""

    marked: int | None = None
    marked_as: str = ""

    def path(self, series: Series) -> list[list[tuple[float, float]]]:
        """The line in pieces, on a field of 100 × 100."""
        pieces: list[list[tuple[float, float]]] = [[]]
        for number, value in enumerate(series.values):
            if value < 0:
                pieces.append([])
                continue
            x, width = self.slot(number)
            pieces[-1].append((x + width / 2, 100 * (1 - value / self.scale[-1])))
        return [piece for piece in pieces if piece]

    def mark(self) -> Iterable[str]:
        """The line at the marked step, and its words on the side where there is room."""
        if self.marked is None:
            return
        x, width = self.slot(self.marked)
        at = x + width / 2
        words = f"{self.labels[self.marked]}: {self.marked_as}"
        bottom = PLOT_TOP + PLOT_HEIGHT
        drawn = _line(at, PLOT_TOP - 6, at, bottom, "chart-marked")
        anchor = "end" if at > 50 else "start"
        drawn += _text(self.marked_as, _share(at), PLOT_TOP - 9, "chart-tick", anchor)
        yield _group(drawn, words, "")

    def marks(self) -> Iterable[str]:
        yield from self.axes()
        yield from self.mark()
        for number, each in enumerate(self.series):
            kind = self.tone_of(number)
            drawn = "".join(
                _tag(
                    "polyline",
                    points=" ".join(f"{_number(x)},{_number(y)}" for x, y in piece),
                    class_=f"chart-line {kind}",
                )
                for piece in self.path(each)
            )
            yield _tag(
                "svg",
                drawn,
                x="0",
                y=_number(PLOT_TOP),
                width="100%",
                height=_number(PLOT_HEIGHT),
                viewBox="0 0 100 100",
                preserveAspectRatio="none",
            )
            for step, value in enumerate(each.values):
                if value >= 0:
                    yield self._dot(number, step, kind)

    def _dot(self, number: int, step: int, kind: str) -> str:
        each = self.series[number]
        x, width = self.slot(step)
        at = {"cx": _share(x + width / 2), "cy": _number(self.y(each.values[step]))}
        dot = _tag("circle", **at, r="3", class_=f"chart-dot {kind}")
        words = f"{each.label}, {self.labels[step]}: {each.words(step)}"
        return _group(dot, words, "")


HEAT_TOP, HEAT_ROW = 22.0, 30.0


@dataclass(frozen=True)
class HeatMap(Chart):
    """Rows and columns whose cells are as strong as their values are large."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]

    @property
    def height(self) -> float:
        return HEAT_TOP + HEAT_ROW * len(self.rows)

    @cached_property
    def most(self) -> float:
        return max((max(row, default=0) for row in self.values), default=0)

    def cell(self, row: int, column: int) -> tuple[float, float, float]:
        """Left and width in per cent, top in pixels."""
        width = (100 - GUTTER) / max(1, len(self.columns))
        return GUTTER + column * width, width, HEAT_TOP + row * HEAT_ROW

    def marks(self) -> Iterable[str]:
        for column, label in enumerate(self.columns):
            if column % every(len(self.columns), 13) == 0:
                x, width, _top = self.cell(0, column)
                yield _text(label, _share(x + width / 2), 14, "chart-tick", "middle")
        for row, label in enumerate(self.rows):
            top = HEAT_TOP + row * HEAT_ROW
            yield _text(label, _share(GUTTER - 1), top + 20, "chart-tick", "end")
            for column, name in enumerate(self.columns):
                yield self._cell(row, column, f"{label} {name}")

    def _cell(self, row: int, column: int, name: str) -> str:
        x, width, top = self.cell(row, column)
        value = self.values[row][column]
        strength = tone(value, self.most)
        drawn = _rect(x, top + 1, width * 0.96, HEAT_ROW - 2, f"chart-mark heat-{strength}")
        if value:
            at = _share(x + width * 0.48)
            drawn += _text(_number(value), at, top + 20, f"heat-value on-heat-{strength}", "middle")
        return _group(drawn, f"{name}: {_number(value)}", "")


FUNNEL_ROW, FUNNEL_TOP, FUNNEL_BAR = 58.0, 20.0, 24.0


@dataclass(frozen=True)
class Funnel(Chart):
    """What goes in and what comes out: one step below the other, each as wide as it is large."""

    steps: Sequence[Mark] = field(default_factory=list)

    @property
    def height(self) -> float:
        return FUNNEL_ROW * len(self.steps) - (FUNNEL_ROW - FUNNEL_TOP - FUNNEL_BAR)

    def width(self, number: int) -> float:
        most = max((each.value for each in self.steps), default=0)
        return self.steps[number].value / most * 100 if most else 0.0

    def between(self, number: int) -> list[tuple[float, float]]:
        """The corners of what leads from one step to the next, on a field of 100 × 100."""
        above, below = self.width(number) / 2, self.width(number + 1) / 2
        return [(50 - above, 0), (50 + above, 0), (50 + below, 100), (50 - below, 100)]

    def marks(self) -> Iterable[str]:
        for number, each in enumerate(self.steps):
            y = number * FUNNEL_ROW
            if number + 1 < len(self.steps):
                corners = " ".join(f"{_number(x)},{_number(c)}" for x, c in self.between(number))
                yield _tag(
                    "svg",
                    _tag("polygon", points=corners, class_="chart-between"),
                    x="0",
                    y=_number(y + FUNNEL_TOP + FUNNEL_BAR),
                    width="100%",
                    height=_number(FUNNEL_ROW - FUNNEL_BAR),
                    viewBox="0 0 100 100",
                    preserveAspectRatio="none",
                )
            width = self.width(number)
            drawn = _rect(0, y, 100, FUNNEL_TOP + FUNNEL_BAR, "chart-hit")
            drawn += _rect(
                (100 - width) / 2, y + FUNNEL_TOP, width, FUNNEL_BAR, "chart-mark tone-1"
            )
            drawn += _text(beside(each.label, each.size), "0", y + 14, "chart-label")
            drawn += _text(each.size, "100%", y + 14, "chart-value", "end")
            yield _group(drawn, each.words, each.url)
