"""Mappings: what is wrong with one is said in plain words, all of it at once."""

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from interviews.imports import mapping
from interviews.imports.problems import ImportRefused
from interviews.imports.rows import Record, RowReader

GOOD = """
source = "old_ats"
key = ["number"]
[dates]
shapes = ["%Y-%m-%d"]
[fields]
number = { column = "No" }
name = { column = "Name" }
department = { column = "Department" }
position = { column = "Position" }
starts_at = { column = "Date", optional = true }
status = { column = "Status", values = { "Came" = "completed" } }
"""


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


def test_good_mapping_is_understood():
    chosen = mapping.parse(GOOD, name="mine")
    assert (chosen.source, chosen.key) == ("old_ats", ("number",))


@pytest.mark.parametrize("name", mapping.shipped())
def test_shipped_mappings_are_sound(name):
    assert name.startswith(mapping.load(name).source)


def test_shipped_mapping_never_reads_gender_or_marital_status():
    chosen = mapping.load("attendance")
    columns = [*chosen.fields.values(), *chosen.extra.values()]
    titles = {title for column in columns for title in (*column.titles, *column.times)}
    assert not titles & {"Gender", "Marital Status"}


def test_mapping_can_be_given_by_path(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    assert mapping.load(str(tmp_path / "mine.toml")).name == "mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("source = ", "source - "), "not valid TOML"),
        (('source = "old_ats"', 'source = "Old ATS!"'), "short code"),
        (('source = "old_ats"', "source = 5"), "must be a text"),
        (('key = ["number"]', 'key = ["nothing"]'), "“key” must list"),
        (('key = ["number"]', "key = []"), "“key” must list"),
        (('key = ["number"]', 'keys = ["number"]'), "“keys” is not a setting"),
        (('shapes = ["%Y-%m-%d"]', "shapes = []"), "at least one shape"),
        (('shapes = ["%Y-%m-%d"]', 'shapes = ["%Q"]'), "not a shape"),
        (('shapes = ["%Y-%m-%d"]', 'shapes = ["%Y"]\ntime = "noon"'), "must be a time"),
        (('shapes = ["%Y-%m-%d"]', 'shapes = ["%Y"]\nearliest = 0240-01-01'), "must be a time"),
        (('shapes = ["%Y-%m-%d"]', 'shapes = ["%Y"]\nclean = [["(", ""]]'), "regular expression"),
        (('shapes = ["%Y-%m-%d"]', 'shapes = ["%Y"]\nclean = ["x"]'), "list pairs"),
        (('name = { column = "Name" }\n', ""), "“name” is missing"),
        (('{ column = "Name" }', '{ colum = "Name" }'), "fields.name.colum"),
        (('{ column = "Name" }', "{}"), "needs a column or a default"),
        (('{ column = "Name" }', '"Name"'), "must be a table"),
        (('{ column = "Name" }', '{ column = "Name", values = "cities" }'), "no values named"),
        (('"Came" = "completed"', '"Came" = "arrived"'), "“arrived” is not a value"),
        (("number = {", 'gender = { column = "G" }\nnumber = {'), "“gender” is not a field"),
        (("[dates]", 'time_zone = "Mars/Olympus"\n[dates]'), "not a time zone"),
        (("[dates]", '[extra.answer]\ncolumn = "Q"\n[dates]'), "needs values"),
        (
            ("[dates]", '[extra.answer]\ncolumn = "Q"\nvalues = { a = "What they said" }\n[dates]'),
            "is not a code",
        ),
    ],
)
def test_problem_in_a_mapping_is_said_in_plain_words(change, words):
    text = GOOD.replace(*change)
    assert text != GOOD
    with pytest.raises(ImportRefused, match=words):
        mapping.parse(text, name="mine")


def test_every_problem_is_said_at_once():
    text = GOOD.replace('source = "old_ats"', 'source = ""').replace("%Y-%m-%d", "%Q")
    with pytest.raises(ImportRefused, match=r"short code.*not a shape"):
        mapping.parse(text, name="mine")


@pytest.mark.parametrize("name", ["nonsense", "", "a\x00b", "/etc", "../rows.py"])
def test_unknown_mapping_is_refused(name):
    with pytest.raises(ImportRefused):
        mapping.load(name)


@settings(deadline=None)
@given(st.text())
def test_random_text_is_refused_not_crashed_on(text):
    with pytest.raises(ImportRefused):
        mapping.parse(text, name="mine")


json = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.text(alphabet="ab%Y", max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=5,
)


def as_toml(value):
    match value:
        case dict():
            return "{" + ", ".join(f"{key} = {as_toml(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case _:
            return str(value)


@settings(deadline=None)
@given(
    st.sampled_from(["source", "key", "dates", "fields", "extra", "values", "time_zone"]),
    st.sampled_from(
        ["", "column", "columns", "drop", "times", "clean", "shapes", "time", "latest"]
    ),
    json,
)
def test_settings_of_the_wrong_shape_are_refused_not_crashed_on(setting, inner, value):
    value = {inner: value} if inner else value
    text = f"{setting} = {as_toml(value)}\n"
    with pytest.raises(ImportRefused):
        mapping.parse(text, name="mine")


TITLES = ["No", "Name", "Department", "Position", "Date", "Status"]


def read(cells, titles=TITLES, text=GOOD):
    return RowReader(mapping.parse(text, name="mine"), titles).read(2, cells)


def test_row_becomes_a_record():
    record = read(["7", " 张三 ", "制造部", "装配工", "2026-05-09", "came"])
    assert isinstance(record, Record)
    assert (record.key, record["name"], record["status"]) == ("7", "张三", "completed")


def test_everything_wrong_with_a_row_is_said_with_its_column_and_value():
    rejection = read(["", "张三", "", "装配工", "tomorrow", "maybe"])
    assert [(p.column, p.value) for p in rejection.problems] == [
        ("Department", ""),
        ("Status", "maybe"),
        ("Date", "tomorrow"),
        ("No", ""),
    ]
    assert all(problem.message for problem in rejection.problems)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["7", "张三", "制造部", "装配工", "2026-05-09", "came", "surplus"], "comma too many"),
        (["7", "张三", "制造部", "装配工", "", "came"], "must not be empty"),
        (["7", "张" * 101, "制造部", "装配工", "2026-05-09", "came"], "too long"),
        (["7", "\x00\x01", "制造部", "装配工", "2026-05-09", "came"], "must not be empty"),
    ],
)
def test_bad_row_is_rejected(cells, words):
    assert words in read(cells).message


def test_missing_columns_are_named_with_the_nearest_match():
    with pytest.raises(ImportRefused, match=r"“Name” .did you mean “Nmae”.*“Status”"):
        RowReader(mapping.parse(GOOD, name="mine"), ["No", "Nmae", "Department", "Position"])


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), max_size=30))
def test_random_cells_never_break_a_reader(cells):
    for name in mapping.shipped():
        chosen = mapping.load(name)
        titles = [
            c.titles[0] for c in (*chosen.fields.values(), *chosen.extra.values()) if c.titles
        ]
        RowReader(chosen, list(dict.fromkeys(titles))).read(2, cells)


@pytest.mark.parametrize(
    ("title", "language", "shown"),
    [
        ('title = "Old records"', "zh-hans", "Old records"),
        ('title = { zh-hans = "旧记录", en = "Old records" }', "zh-hans", "旧记录"),
        ('title = { zh-hans = "旧记录", en = "Old records" }', "en", "Old records"),
        ('title = { zh-hans = "旧记录" }', "en", "mine"),
        ("", "en", "mine"),
    ],
)
def test_mapping_is_called_by_its_title_in_the_readers_language(title, language, shown):
    with translation.override(language):
        assert mapping.parse(f"{title}\n{GOOD}", name="mine").title == shown


@pytest.mark.parametrize("title", ["title = 3", "title = [1]", "title = { en = 3 }"])
def test_title_that_is_no_text_is_said_in_plain_words(title):
    with pytest.raises(ImportRefused, match="“title” must be a text"):
        mapping.parse(f"{title}\n{GOOD}", name="mine")
