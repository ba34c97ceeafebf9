"""The admin's history of changes, with the names of fields in the reader's language.

Django keeps them as they stand on forms, with a capital, which is not how they are translated.
"""

import json
from collections.abc import Iterable
from typing import Any

from django import template
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import override

register = template.Library()


@register.filter
def in_words(entry: LogEntry) -> str:
    """What was changed; what is no list of changes stays as it was written."""
    try:
        changes = json.loads(entry.change_message)
    except ValueError:
        return entry.get_change_message()
    if not isinstance(changes, list):
        return entry.get_change_message()
    for change in (each["changed"] for each in changes if "changed" in each):
        model = _model_named(change.get("name"), entry)
        titles = _titles(model) if model else {}
        change["fields"] = [titles.get(label, label) for label in change["fields"]]
    return LogEntry(change_message=json.dumps(changes)).get_change_message()


def _model_named(name: str | None, entry: LogEntry) -> type[Model] | None:
    """The model whose form was saved, or the one of that name edited along with it."""
    model: type[Model] | None = entry.content_type.model_class() if entry.content_type else None
    if model is None or name is None:
        return model
    with_it: Iterable[Any] = admin.site.get_model_admin(model).inlines
    with override(None):
        named = (inline.model for inline in with_it if inline.model._meta.verbose_name == name)
        return next(named, None)


def _titles(model: type[Model]) -> dict[str, str]:
    """By its label on the form, untranslated, each field's name as it is said."""
    fields = model._meta.concrete_fields
    with override(None):
        labels = [capfirst(str(field.verbose_name)) for field in fields]
    return {label: str(field.verbose_name) for label, field in zip(labels, fields, strict=True)}
