"""Typed reading of environment variables; every problem is reported at once, in plain words."""

import os
from collections.abc import Sequence
from datetime import time
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

NAMES: list[str] = []  # every variable the settings read; the README's table is checked against it
_problems: list[str] = []


def _raw(name: str) -> str:
    if name not in NAMES:
        NAMES.append(name)
    return os.environ.get(name, "").strip()


def text(name: str, default: str | None = None, *, hint: str = "") -> str:
    """A string; required when there is no default."""
    value = _raw(name)
    if value:
        return value
    if default is None:
        _problems.append(f"{name} is not set. {hint}".strip())
        return ""
    return default


def number(name: str, default: int, *, minimum: int = 0) -> int:
    """A whole number of at least `minimum`."""
    value = _raw(name)
    if not value:
        return default
    try:
        parsed = int(value)
    except ValueError:
        parsed = minimum - 1
    if parsed < minimum:
        _problems.append(f"{name} must be a whole number of at least {minimum}, not {value!r}.")
        return default
    return parsed


def flag(name: str, default: bool = False) -> bool:
    """true/false, yes/no, on/off or 1/0."""
    value = _raw(name).lower()
    if not value:
        return default
    if value in {"true", "yes", "on", "1"}:
        return True
    if value in {"false", "no", "off", "0"}:
        return False
    _problems.append(f"{name} must be true or false, not {value!r}.")
    return default


def choice(name: str, choices: Sequence[str], default: str) -> str:
    """One of `choices`."""
    value = _raw(name) or default
    if value not in choices:
        _problems.append(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
        return default
    return value


def url(
    name: str, default: str | None = None, *, schemes: Sequence[str], hint: str = ""
) -> SplitResult:
    """An address that begins with one of `schemes`; required when there is no default. It may hold
    a password, so a problem does not repeat it."""
    value = text(name, default, hint=hint)
    try:
        parsed = urlsplit(value)
        port_is_sound = parsed.port is None or parsed.port > 0
    except ValueError:
        parsed, port_is_sound = urlsplit(""), False
    if value and not (port_is_sound and parsed.scheme in schemes):
        beginnings = " or ".join(f"{scheme}://" for scheme in schemes)
        _problems.append(f"{name} must be an address that begins with {beginnings}. {hint}".strip())
        return urlsplit("")
    return parsed


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in (_raw(name) or default).split(",") if word.strip()]


def pairs(name: str) -> dict[str, str]:
    """A comma-separated list of key=value."""
    found = {}
    for word in words(name):
        key, equals, value = (part.strip() for part in word.partition("="))
        if not (key and equals and value):
            _problems.append(f"{name} must be key=value pairs separated by commas, not {word!r}.")
        found[key] = value
    return found


def hours(name: str, default: str) -> tuple[time, time]:
    """Two times of day such as 21:00-08:00; the same one twice means no time at all."""
    value = _raw(name) or default
    try:
        begins, ends = value.split("-")
        return time.fromisoformat(begins.strip()), time.fromisoformat(ends.strip())
    except ValueError:
        _problems.append(f"{name} must be two times such as {default}, not {value!r}.")
        return time(), time()


def complain(problem: str) -> None:
    """Add a problem found by the caller to those reported by `finish`."""
    _problems.append(problem)


def finish() -> None:
    """Raise ImproperlyConfigured naming everything that is wrong."""
    if _problems:
        found = "\n".join(f"  - {problem}" for problem in _problems)
        _problems.clear()
        raise ImproperlyConfigured(f"The environment is not complete:\n{found}")
