"""Choices drawn without the detour over a widget's own templates, ten of them a field."""

from collections.abc import Iterable
from typing import cast

from django import forms, template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def options(field: forms.BoundField) -> SafeString:
    """The options of a select."""
    asked = field.field
    assert isinstance(asked, forms.ChoiceField)  # noqa: S101 - tells mypy
    choices = cast(Iterable[tuple[str, str]], asked.choices)
    chosen = str(field.value() or "")
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((value, " selected" if str(value) == chosen else "", label) for value, label in choices),
    )
