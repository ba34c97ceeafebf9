"""Structured logs. They carry ids, codes and times; no names, numbers, addresses or queries."""

import logging
import re
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

# What PostgreSQL adds to an error: whole rows and keys, over several lines where a value has them.
_VALUES = re.compile(r"(DETAIL|LINE \d+):.*?(?=\n\n(?:The above|During handling)|\Z)", re.DOTALL)


def without_values(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Leave out what a database error quotes: it may be a person's."""
    for key in ("event", "exception"):
        if isinstance(event.get(key), str):
            event[key] = _VALUES.sub(r"\1: (left out)", event[key])
    return event


class WithoutPath(logging.Filter):
    """Django's own lines about a request end in its path; RequestLog has named the route."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and record.args:
            record.args = (*record.args[:-1], "(path)")
        return True


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    without_values,
]


def configuration(level: str) -> dict[str, Any]:
    """A dictConfig that writes one JSON object a line to standard error."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "processor": structlog.processors.JSONRenderer(),
                "foreign_pre_chain": SHARED,
            }
        },
        "filters": {"without_path": {"()": "config.logs.WithoutPath"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Both would write request paths and queries of their own; RequestLog says it once.
            "django.server": {"handlers": [], "propagate": False},
            "django.request": {"level": "ERROR", "filters": ["without_path"]},
            "django.security.csrf": {"filters": ["without_path"]},
            "axes": {"level": "WARNING"},
            "twilio": {"level": "WARNING"},  # else a dozen lines a text message
            # Both would write addresses that hold the keys of group chats.
            "apprise": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
        },
    }
