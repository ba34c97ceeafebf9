"""Charts: where things stand in the drawing, what it says, and where it leads."""

import re
from xml.etree import ElementTree

import pytest

from analytics.charts import (
    Bars,
    Columns,
    Funnel,
    HeatMap,
    Histogram,
    Lines,
    Mark,
    Series,
    StackedBars,
    beside,
    every,
    fit,
    ticks,
    tone,
    units,
)

SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart, name="x"):
    """The drawing as a tree; raises where it is not well-formed."""
    whole = chart.svg(name).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return ElementTree.fromstring(whole)


def rects(chart, kind):
    found = drawn(chart).iter(f"{SVG}rect")
    return [each.attrib for each in found if kind in each.get("class", "").split()]


def test_a_chinese_character_is_as_wide_as_two_letters():
    assert units("abc") == 3
    assert units("时间冲突") == 8
    assert units("Q1 时间") == 7


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("装配技术员", 10, "装配技术员"),
        ("装配技术员", 9, "装配技术…"),
        ("Assembler", 9, "Assembler"),
        ("Assembler II", 9, "Assemble…"),
        ("a b c", 3, "a…"),
    ],
)
def test_a_label_is_cut_at_a_whole_character_that_still_fits(text, most, shown):
    assert fit(text, most) == shown
    assert units(fit(text, most)) <= most


def test_a_label_leaves_room_for_the_words_at_the_other_end():
    label = "Java 开发工程师（供应链平台方向，需要出差，可接受应届）"
    said = "12.8 % · 10 of 78"
    assert units(beside(label, said)) + units(said) <= 44
    assert beside("质检员", said) == "质检员"
    assert units(beside(label, "x" * 44)) > 10


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (4, [0, 1, 2, 3, 4]),
        (9, [0, 5, 10]),
        (100, [0, 50, 100]),
        (130, [0, 50, 100, 150]),
        (1999, [0, 500, 1000, 1500, 2000]),
    ],
)
def test_ticks_are_round_and_reach_the_largest(most, expected):
    assert ticks(most) == expected


def test_counts_have_no_halves():
    assert all(tick == int(tick) for most in range(1, 12) for tick in ticks(most))


def test_no_more_words_below_an_axis_than_there_is_room_for():
    assert every(5) == 1
    for steps in range(1, 100):
        assert len(range(0, steps, every(steps))) <= 6


@pytest.mark.parametrize(
    ("value", "strength"), [(0, 0), (1, 1), (20, 1), (21, 2), (99, 5), (100, 5)]
)
def test_a_cell_is_as_strong_as_its_value_is_large(value, strength):
    assert tone(value, 100) == strength


def test_tone_of_nothing_among_nothing():
    assert tone(0, 0) == 0


def test_bars_begin_at_nought_and_the_longest_is_whole():
    bars = Bars("x", "y", [Mark("a", 50), Mark("b", 200), Mark("c", 0)])
    marks = rects(bars, "tone-1")
    assert [(each["x"], each["width"]) for each in marks] == [
        ("0%", "25%"),
        ("0%", "100%"),
        ("0%", "0%"),
    ]
    assert bars.key == []


def test_the_period_before_counts_for_the_length_too():
    bars = Bars("x", "y", [Mark("a", 50, before=100)])
    assert rects(bars, "tone-1")[0]["width"] == "50%"
    assert rects(bars, "tone-before")[0]["width"] == "100%"
    assert [tone for tone, _label in bars.key] == ["tone-1", "tone-before"]


def test_bars_of_nothing_but_noughts_are_drawn():
    assert rects(Bars("x", "y", [Mark("a", 0)]), "tone-1")[0]["width"] == "0%"


def test_segments_stand_end_to_end():
    series = [Series("p", [1, 2]), Series("q", [3, 0])]
    chart = StackedBars("x", "y", ["a", "b"], series)
    assert chart.segments(0) == [(0, 25), (25, 75)]
    assert chart.segments(1) == [(0, 50), (50, 0)]
    whole = StackedBars("x", "y", ["a", "b"], series, is_share=True)
    assert whole.segments(1) == [(0, 100), (100, 0)]


def test_stacked_bars_of_nothing():
    chart = StackedBars("x", "y", ["a"], [Series("p", [0])])
    assert chart.segments(0) == [(0, 0)]
    assert rects(chart, "tone-1") == []


def test_columns_stand_on_the_axis_and_upon_one_another():
    chart = Columns("x", "y", ["Mon", "Tue"], [Series("p", [1, 4]), Series("q", [3, 0])])
    assert chart.scale == [0, 1, 2, 3, 4]
    base, top = chart.y(0), chart.y(4)
    (first_top, first), (second_top, second) = chart.segments(0)
    assert first_top + first == base
    assert second_top + second == pytest.approx(first_top)
    assert second_top == pytest.approx(top)
    assert chart.segments(1)[0][1] == pytest.approx(base - top)


def test_columns_fill_the_width_beside_the_words_of_the_axis():
    chart = Columns("x", "y", ["a", "b", "c"], [Series("p", [1, 1, 1])])
    slots = [chart.slot(number) for number in range(3)]
    assert slots[0][0] == 9
    assert sum(width for _x, width in slots) == pytest.approx(91)
    assert slots[-1][0] + slots[-1][1] == pytest.approx(100)


def test_columns_of_a_histogram_nearly_touch():
    histogram = Histogram("x", "y", ["a", "b"], [Series("p", [1, 1])])
    columns = Columns("x", "y", ["a", "b"], [Series("p", [1, 1])])

    def width(chart):
        return float(rects(chart, "tone-1")[0]["width"].rstrip("%"))

    assert width(histogram) > width(columns)


def test_a_line_is_broken_where_there_is_nothing_to_say():
    chart = Lines("x", "y", ["a", "b", "c", "d"], [Series("p", [10, -1, 20, 40])], unit="%")
    first, second = chart.path(chart.series[0])
    assert len(first) == 1
    assert [y for _x, y in second] == [50, 0]
    assert len(list(drawn(chart).iter(f"{SVG}circle"))) == 3
    assert "40%" in "".join(drawn(chart).itertext())


def test_the_line_of_the_period_before_looks_different():
    series = [Series("now", [1, 2]), Series("then", [2, 1], is_before=True)]
    chart = Lines("x", "y", ["a", "b"], series)
    assert chart.key == [("tone-1", "now"), ("tone-before", "then")]


def test_cells_of_a_heat_map():
    chart = HeatMap("x", "y", ["Mon", "Tue"], ["9", "10"], [[0, 5], [10, 1]])
    assert chart.cell(0, 0) == (9, 45.5, 22)
    assert chart.cell(1, 1) == (54.5, 45.5, 52)
    kinds = [each["class"].split()[-1] for each in rects(chart, "chart-mark")]
    assert kinds == ["heat-0", "heat-3", "heat-5", "heat-1"]


def test_a_funnel_stands_in_the_middle_and_narrows():
    chart = Funnel("x", "y", [Mark("in", 200), Mark("out", 50)])
    assert [chart.width(0), chart.width(1)] == [100, 25]
    assert chart.between(0) == [(0, 0), (100, 0), (62.5, 100), (37.5, 100)]
    assert rects(chart, "tone-1")[1]["x"] == "37.5%"
    assert len(list(drawn(chart).iter(f"{SVG}polygon"))) == 1


EACH = [
    Bars("题 <1>", "d & e", [Mark("<b>", 1, "1 & 1", "/x/?a=1&b=2")]),
    StackedBars("题 <1>", "d & e", ["<b>"], [Series("&", [1])], urls=["/x/"]),
    Columns("题 <1>", "d & e", ["<b>"], [Series("&", [1])], urls=["/x/"]),
    Histogram("题 <1>", "d & e", ["<b>"], [Series("&", [1])]),
    Lines("题 <1>", "d & e", ["<b>"], [Series("&", [1])]),
    HeatMap("题 <1>", "d & e", ["<b>"], ["&"], [[1]]),
    Funnel("题 <1>", "d & e", [Mark("<b>", 1)]),
]


@pytest.mark.parametrize("chart", EACH, ids=lambda chart: type(chart).__name__)
def test_every_drawing_is_named_and_holds_no_style_and_no_script(chart):
    tree = drawn(chart, "reasons")
    assert tree.find(f"{SVG}title").text == "题 <1>"
    assert tree.find(f"{SVG}desc").text == "d & e"
    assert tree.get("aria-labelledby") == "reasons-title"
    assert tree.get("aria-describedby") == "reasons-desc"
    links = list(tree.iter(f"{SVG}a"))
    # What is an image to a screen reader has nothing in it that could be reached.
    assert tree.get("role") == ("group" if links else "img")
    assert all(link.get("aria-label") for link in links)
    assert not re.search(r"style=|<script|<style|\son\w+=", chart.svg("x"))


@pytest.mark.parametrize("chart", EACH, ids=lambda chart: type(chart).__name__)
def test_every_drawing_ends_below_all_that_is_in_it(chart):
    for each in drawn(chart).iter(f"{SVG}rect"):
        assert float(each.get("y")) + float(each.get("height")) <= chart.height + 0.01


def test_columns_are_links_only_while_they_are_wide_enough_to_hit():
    def links(count):
        labels = [str(number) for number in range(count)]
        chart = Columns("x", "y", labels, [Series("p", [1] * count)], urls=["/x/"] * count)
        return len(list(drawn(chart).iter(f"{SVG}a")))

    assert links(12) == 12
    assert links(13) == 0
