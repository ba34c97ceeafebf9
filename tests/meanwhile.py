"""What somebody else does at the worst moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def before_first_query_of(table: str, change: Callable[[], object]) -> Iterator[None]:
    """Let `change` happen right before the first statement that reads from `table`."""
    waiting = [change]

    def intervene(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if waiting and f'FROM "{table}"' in sql:
            waiting.pop()()
        return execute(sql, *args)

    with connection.execute_wrapper(intervene):
        yield
    assert not waiting, "the statement never came"
