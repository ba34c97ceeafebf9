"""Choices drawn without the detour over a widget's own templates, ten of them a field."""

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import cast

from django import forms, template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def options(field: forms.BoundField) -> SafeString:
    """The options of a select."""
    asked = field.field
    assert isinstance(asked, forms.ChoiceField)  # noqa: S101 - tells mypy
    choices = cast(Iterable[tuple[str, str]], asked.choices)
    drawn = _drawn(tuple((str(value), str(label)) for value, label in choices))
    chosen = f'<option value="{escape(str(field.value() or ""))}"'
    return mark_safe(drawn.replace(f"{chosen}>", f"{chosen} selected>", 1))  # noqa: S308 - escaped


@lru_cache(maxsize=64)
def _drawn(choices: tuple[tuple[str, str], ...]) -> str:
    """With none chosen: a company has hundreds of positions, and every list offers them."""
    return "".join(
        f'<option value="{escape(value)}">{escape(label)}</option>' for value, label in choices
    )
