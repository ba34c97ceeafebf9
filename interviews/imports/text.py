"""What people type, made comparable; and what we write, made harmless in a spreadsheet."""

import unicodedata
from functools import lru_cache

# A cell that begins with one of these is run by spreadsheets.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def tidy(text: str) -> str:
    """One line without white space at its ends, doubled spaces or characters nobody can see."""
    if text.isprintable():  # the only white space this allows is the plain space
        return " ".join(text.split()) if " " in text else text
    kept = (
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return " ".join("".join(kept).split())


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """What two spellings of one word have in common: letter case, width and white space aside."""
    if text.isascii():
        return tidy(text).casefold()
    return tidy(unicodedata.normalize("NFKC", text)).casefold()


def harmless(text: str) -> str:
    """`text` as a cell no spreadsheet runs."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def shortened(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
