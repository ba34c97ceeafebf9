"""Files as people upload them: read as a stream, or refused in one sentence."""

import io
import re
import zipfile
import zlib
from contextlib import suppress
from datetime import datetime

import openpyxl
import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from interviews.imports import files
from interviews.imports.problems import ImportRefused


def read(data):
    with files.opened(io.BytesIO(data)) as table:
        return table.titles, list(table.rows)


def xlsx(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def zipped(parts):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


EXPECTED = (["姓名", "状态"], [(2, ["张三", "已完成"]), (3, ["李四", "未到场"])])
TEXT = "姓名,状态\r\n张三,已完成\r\n李四,未到场\r\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("gb18030"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace("\r\n", "\n").encode(),
        xlsx(["姓名", "状态"], ["张三", "已完成"], ["李四", "未到场"]),
    ],
    ids=["utf-8", "utf-8 with mark", "gb18030", "semicolons", "tabs", "unix lines", "xlsx"],
)
def test_file_is_read_whatever_its_encoding(data):
    assert read(data) == EXPECTED


def test_line_is_the_one_a_row_begins_on():
    _, rows = read(b'a,b\n"one\ntwo",1\nthree,2\n')
    assert rows == [(2, ["one\ntwo", "1"]), (4, ["three", "2"])]


def test_blank_rows_are_not_rows():
    _, rows = read("a,b\n\n1,2\n,\n , \u3000\n3,4\n,\n\n".encode())
    assert rows == [(3, ["1", "2"]), (6, ["3", "4"])]
    _, rows = read(xlsx(["a", "b"], ["1", "2"], [None, " "], ["3", "4"], ["", None], [None, ""]))
    assert rows == [(2, ["1", "2"]), (4, ["3", "4"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_of_a_csv_are_counted_whatever_ends_its_lines(end):
    data = end.join(["a,b", *["1,2"] * 3000, ""]).encode()
    with files.opened(io.BytesIO(data)) as table:
        assert table.estimate == len(list(table.rows)) == 3000


@pytest.mark.parametrize(
    ("dimension", "estimate"),
    [(b"", None), (b'<dimension ref="A1"/>', None), (b'<dimension ref="A1:B3"/>', 2)],
)
def test_sheet_is_read_whatever_it_says_of_its_size(dimension, estimate):
    with files.opened(io.BytesIO(sized(dimension))) as table:
        assert (table.titles, list(table.rows)) == EXPECTED
        assert table.estimate == estimate


def sized(dimension: bytes) -> bytes:
    """EXPECTED as a workbook whose sheet says this of its size."""
    with zipfile.ZipFile(io.BytesIO(xlsx(EXPECTED[0], *(cells for _, cells in EXPECTED[1])))) as it:
        parts = {name: it.read(name) for name in it.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet], found = re.subn(rb"<dimension [^>]*>", dimension, parts[sheet])
    assert found == 1
    return zipped(parts)


MOMENT = datetime.fromisoformat("2026-05-09 14:00")


def test_xlsx_numbers_and_dates_read_like_a_csv():
    _, [(_, cells)] = read(
        xlsx(
            list("abcdef"),
            [
                13800000001,
                1.5,
                MOMENT,
                MOMENT.date(),
                MOMENT.time(),
                True,
            ],
        )
    )
    assert cells == [
        "13800000001", "1.5", "2026-05-09 14:00:00", "2026-05-09 00:00:00", "14:00:00", "TRUE",
    ]  # fmt: skip


BOMB = zipped(
    {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": "<workbook/>",
        "xl/worksheets/sheet1.xml": b"<row/>" * 5_000_000,
    }
)
LAUGHS = zipped(
    {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>',
    }
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\n\n\n", "titles"),
        (b",,,\n1,2,3\n", "titles"),
        (b"a,b\n1,\x002\n", "Line 2 holds a NUL"),
        (b"a,b\n1,\xff\xfe\xff2\n", "encoding"),
        ("a,b\nMüller,Åse\nJosé,é".encode("latin-1"), "encoding"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"%PDF-1.7 whatever", "kind of file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old excel", "kind of file"),
        (zipped({"hello.txt": "hello"}), "kind of file"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (xlsx(["a"], ["1"])[:-200], "damaged"),
        (BOMB, "far too large"),
        (LAUGHS, "damaged"),
        (b"a,A \n1,2\n", "Two columns"),
        (",".join(f"c{n}" for n in range(201)).encode(), "201 columns"),
        (b'a,b\n"1,2\n' + b"3" * 200_000, "Line 2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unreadable_file_is_refused_in_a_sentence(data, words):
    with pytest.raises(ImportRefused, match=words):
        read(data)


ENTITIES = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    "start",
    [
        f"<!-- {'-' * 5000}<row> -->{ENTITIES}".encode(),
        f"{' ' * 100_000}{ENTITIES}".encode(),
        f"<!-- {' ' * 100_000} -->{ENTITIES}".encode(),
        f'<?xml version="1.0"?>\n{ENTITIES}'.encode("utf-8-sig"),
        f'<?xml version="1.0"?>{ENTITIES}'.encode("utf-16"),
        f'<?xml version="1.0"?>{ENTITIES}'.encode("utf-16-le"),
        f'<?xml version="1.0"?>{ENTITIES}'.encode("utf-16-be"),
    ],
    ids=["comment", "space", "long comment", "utf-8", "utf-16", "little endian", "big endian"],
)
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.bin"])
def test_xml_with_entities_of_its_own_is_refused_however_it_is_hidden(part, start):
    parts = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>", part: start}
    archive = zipped(parts)

    with pytest.raises(ImportRefused, match="damaged"):
        files._weigh(io.BytesIO(archive), len(archive))


def test_xml_without_entities_is_let_through():
    parts = {
        "[Content_Types].xml": '<?xml version="1.0"?>\n<!-- one --><!-- two -->\n<Types/>',
        "xl/workbook.xml": '<?xml version="1.0"?><workbook/>'.encode("utf-16"),
        "xl/media/image1.png": b"\x89PNG",
        "xl/empty.bin": b"",
    }
    archive = zipped(parts)

    files._weigh(io.BytesIO(archive), len(archive))


def test_xlsx_damaged_far_into_its_sheet_is_refused():
    """So far that it shows only while rows are read: the decompressor trips, not the parser."""
    name = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(xlsx(["a"], *([n] for n in range(5000))))) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    sheet = parts.pop(name)
    deflate = zlib.compressobj(wbits=-15)
    start = deflate.compress(sheet[: 2 * files.LONGEST_PROLOG]) + deflate.flush(zlib.Z_FULL_FLUSH)
    stream = io.BytesIO(zipped(parts))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(name, start + b"\x07" * len(sheet))
        archive.getinfo(name).compress_type = zipfile.ZIP_DEFLATED

    with pytest.raises(ImportRefused, match="damaged") as refused:
        read(stream.getvalue())

    assert isinstance(refused.value.__cause__, zlib.error)


def test_bomb_is_small_and_would_unpack_large():
    assert len(BOMB) < 100_000


def test_oversized_file_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(files, "LARGEST_CSV", 10)
    with pytest.raises(ImportRefused, match="larger than"):
        read(b"a,b\n1,2\n3,4\n")
    monkeypatch.setattr(files, "LARGEST_XLSX", 10)
    with pytest.raises(ImportRefused, match="larger than"):
        read(xlsx(["a"], ["1"]))


def _tolerated(data):
    """Anything but a refusal is an error."""
    with suppress(ImportRefused):
        read(data)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_never_break_the_reader(data):
    _tolerated(data)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_after_a_zip_mark_never_break_the_reader(data):
    _tolerated(b"PK\x03\x04" + data)


WHOLE = xlsx(["a", "b"], ["1", "2"], ["3", "4"])


@settings(deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
def test_damaged_xlsx_never_breaks_the_reader(place, bits):
    _tolerated(WHOLE[:place] + bits + WHOLE[place + len(bits) :])


@settings(deadline=None)
@given(
    st.sampled_from(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"]),
    st.text(),
)
def test_xlsx_with_nonsense_inside_never_breaks_the_reader(part, nonsense):
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = parts[part][: len(parts[part]) // 2] + nonsense.encode("utf-8", "replace")
    _tolerated(zipped(parts))
