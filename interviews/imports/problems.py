"""What can be wrong with a file, a mapping or a row."""

from dataclasses import dataclass
from datetime import datetime


class ImportRefused(Exception):
    """Nothing was imported; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one row: where, what stands there, and what to do about it."""

    column: str
    value: str
    message: str


@dataclass(frozen=True)
class Rejection:
    """A row that was not imported, by its line in the file, with everything wrong with it."""

    line: int
    problems: tuple[Problem, ...]
    key: str = ""  # as far as it could be told, like the start
    starts_at: datetime | None = None

    @property
    def columns(self) -> str:
        return "; ".join(problem.column for problem in self.problems if problem.column)

    @property
    def values(self) -> str:
        return "; ".join(problem.value for problem in self.problems if problem.value)

    @property
    def message(self) -> str:
        return " ".join(problem.message for problem in self.problems)
