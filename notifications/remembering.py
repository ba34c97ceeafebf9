"""What each message asks for and what seldom changes."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
KNOWN_FOR = 5.0  # seconds after which a worker uses what was changed meanwhile


class Remembered(Generic[T]):
    """What `look_up` found, in this process, until it is KNOWN_FOR seconds old."""

    def __init__(self, look_up: Callable[[], T]) -> None:
        self._look_up = look_up
        self._found: tuple[float, T] | None = None

    def __call__(self) -> T:
        found = self._found  # another thread may forget it meanwhile
        if found is None or time.monotonic() >= found[0]:
            found = self._found = (time.monotonic() + KNOWN_FOR, self._look_up())
        return found[1]

    def forget(self) -> None:
        """In this process what was changed counts at once."""
        self._found = None
