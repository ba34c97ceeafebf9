"""How many text messages a text makes: what it costs, and what phones put together again."""

from dataclasses import dataclass

# 3GPP TS 23.038: the default alphabet, and what takes an escape before it.
GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = frozenset("^{}\\[~]|€\f")


@dataclass(frozen=True)
class Length:
    """`units` of `room` that one message has, or each of several."""

    encoding: str
    units: int
    segments: int
    room: int


def count(text: str) -> Length:
    """As carriers count: 160 septets or 70 UTF-16 units; 153 or 67 each where there are several,
    and no character is ever cut in two."""
    if all(each in GSM_7 or each in ESCAPED for each in text):
        return _length("GSM-7", [1 + (each in ESCAPED) for each in text], 160, 153)
    return _length("UCS-2", [1 + (ord(each) > 0xFFFF) for each in text], 70, 67)


def _length(encoding: str, sizes: list[int], alone: int, together: int) -> Length:
    units = sum(sizes)
    if units <= alone:
        return Length(encoding, units, min(units, 1), alone)
    segments, free = 1, together
    for size in sizes:
        if size > free:
            segments, free = segments + 1, together
        free -= size
    return Length(encoding, units, segments, together)
