"""Addresses within messages, as links."""

import re

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# Ours are ASCII and end where something else begins; Django's urlize wants a space before them,
# which Chinese does not write.
_ADDRESS = re.compile(r"https?://[^\s<>\"\u0080-\U0010ffff]*[\w/=&#+~-]", re.ASCII)


@register.filter
def linked(text: str) -> SafeString:
    """The text with every address in it to click on, whatever stands before and after it."""
    pieces, end = [], 0
    for found in _ADDRESS.finditer(text):
        pieces.append(escape(text[end : found.start()]))
        pieces.append(format_html('<a href="{0}" rel="nofollow">{0}</a>', found[0]))
        end = found.end()
    pieces.append(escape(text[end:]))
    return mark_safe("".join(pieces))  # noqa: S308 - every piece is escaped above
