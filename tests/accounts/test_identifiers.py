import pytest
from django.core.exceptions import ValidationError

from accounts import identifiers
from accounts.identifiers import Identifier, IdentifierKind


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("13800000001", IdentifierKind.MOBILE, "+8613800000001"),
        ("138 0000-0001", IdentifierKind.MOBILE, "+8613800000001"),
        ("+86 138 0000 0001", IdentifierKind.MOBILE, "+8613800000001"),
        ("+44 7400 123456", IdentifierKind.MOBILE, "+447400123456"),
        ("11010519491231002x", IdentifierKind.NATIONAL_ID, "11010519491231002X"),
        ("110105 19491231 002X", IdentifierKind.NATIONAL_ID, "11010519491231002X"),
        # A county founded in 1990 gave a number to somebody born before it.
        ("44030619800101001X", IdentifierKind.NATIONAL_ID, "44030619800101001X"),
        ("HR@Demo.Example ", IdentifierKind.EMAIL, "hr@demo.example"),
    ],
)
def test_identifier_is_recognised_however_it_is_typed(text, kind, value):
    assert identifiers.parse(text) == Identifier(kind, value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "110105194912310021",  # check character
        "110105194913310020",  # month 13
        "1101051949123100",
        "11010519491231002Ⅹ",
        "12345",
        "not a number",
        "a@",
        "\x00",
        "1" * 10_000,
    ],
)
def test_what_is_no_identifier_is_refused(text):
    with pytest.raises(ValidationError):
        identifiers.parse(text)
