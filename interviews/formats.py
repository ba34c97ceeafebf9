"""Which files people may hand in, told by how they begin: what a file is called, or what the
browser says of it, counts for nothing."""

import re

_FORMATS = [
    (re.compile(rb"%PDF-1\.[0-9]|%PDF-2\.0"), "application/pdf"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
]


def format_of(content: bytes) -> str:
    """Of a file or its first bytes; empty where it is none that we take."""
    found = (content_type for mark, content_type in _FORMATS if mark.match(content))
    return next(found, "")
