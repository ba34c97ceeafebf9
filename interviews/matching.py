"""What a position asks for, held against a résumé. Pure: both are written by hand or imported, and
what is no mapping says nothing."""

from collections.abc import Mapping
from typing import Any


def fit(requirements: Any, city: str, *, attributes: Any, lives_in: str) -> int | None:
    """How much speaks for it; None where something rules it out: what the candidate will not do,
    and the position asks for (travel, nights)."""
    wanted = requirements if isinstance(requirements, dict) else {}
    attributes = attributes if isinstance(attributes, dict) else {}
    for name in ("travel", "nights"):
        if wanted.get(name) and attributes.get(name) is False:
            return None
    skills = _skills(wanted) & _skills(attributes)
    return len(skills) * 2 + (3 if lives_in and city == lives_in else 0)


def _skills(said: Mapping[str, Any]) -> set[str]:
    named = said.get("skills")
    return {each for each in named if isinstance(each, str)} if isinstance(named, list) else set()
