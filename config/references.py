"""Public ids: short, unguessable, easy to read aloud."""

import re
import secrets
from typing import Protocol

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no I, L, O, U
LENGTH = 10  # 50 bits
_LOOKALIKES = str.maketrans("ILO", "110")


def new_reference() -> str:
    bits = secrets.randbits(5 * LENGTH)
    return "".join(ALPHABET[bits >> shift & 31] for shift in range(0, 5 * LENGTH, 5))


def normalise(text: str) -> str:
    """What a person may have meant by `text`: upper case, no separators, lookalikes resolved."""
    return re.sub(r"[\s-]", "", text).upper().translate(_LOOKALIKES)


def as_reference(text: str) -> str:
    """The reference that a typed text may be, or nothing."""
    reference = normalise(text)
    return reference if len(reference) == LENGTH and set(reference) <= set(ALPHABET) else ""


def as_key(text: str) -> int:
    """The primary key that a sent text may be; 0, which is nobody's, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


class ReferenceConverter:
    """`<reference:…>` in URL patterns; anything else is a 404 before a view runs."""

    regex = f"[{ALPHABET}]{{{LENGTH}}}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Named(Protocol):
    """What is known by a reference."""

    @property
    def reference(self) -> str: ...
