"""What a text message costs."""

import pytest

from notifications.segments import count


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        # An escape is never cut off from what it escapes: 152 and a half of two fit in 153.
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("é\n£", "GSM-7", 3, 1),
        ("ê", "UCS-2", 1, 1),
        ("面" * 70, "UCS-2", 70, 1),
        ("面" * 71, "UCS-2", 71, 2),
        ("面" * 134, "UCS-2", 134, 2),
        ("面" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        # 33 pairs in 67 units, for a pair is never cut in two.
        ("😀" * 36, "UCS-2", 72, 2),
        ("😀" * 67, "UCS-2", 134, 3),
    ],
)
def test_a_text_is_counted_as_carriers_count(text, encoding, units, segments):
    length = count(text)

    assert (length.encoding, length.units, length.segments) == (encoding, units, segments)
