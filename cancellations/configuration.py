"""Changes of the configuration, told in words: what was changed, from what to what, by whom."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Field, ForeignKey, Model, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import ConfigurationChange, User
from cancellations import words
from config import tracking
from config.encryption import EncryptedCharField
from interviews.imports.store import ACTOR as IMPORT
from interviews.keyset import midnight
from interviews.queries import departments_of
from interviews.templatetags.calendar import weekdays
from interviews.templatetags.when import moment

USER = "accounts.user"
# What changes are filed under, as people call it.
KINDS: dict[str, Promise] = {
    "cancellations.policy": gettext_lazy("Rules for cancelling"),
    "cancellations.reason": gettext_lazy("Reasons"),
    "interviews.department": gettext_lazy("Departments and their staff"),
    "interviews.position": gettext_lazy("Positions"),
    "interviews.positioncategory": gettext_lazy("Position categories"),
    USER: gettext_lazy("Roles and access"),
    "accounts.apitoken": gettext_lazy("API tokens"),
    "notifications.webhook": gettext_lazy("Webhooks"),
    "interviews.platform": gettext_lazy("Interview platforms"),
    "interviews.slotseries": gettext_lazy("Series of slots"),
    "interviews.closure": gettext_lazy("Closures"),
    "interviews.stagegate": gettext_lazy("Gates between stages"),
    "interviews.reminderrule": gettext_lazy("Reminders"),
    "alerts.alertrule": gettext_lazy("Alerts"),
    "notifications.messagetemplate": gettext_lazy("Words of messages"),
    "notifications.chatgroup": gettext_lazy("Group chats"),
    "findings.action": gettext_lazy("What was done about findings"),
}
NOTICES = frozenset(
    {"notice_minutes", "promised_minutes", "default_minutes_before", "move_minutes_before"}
)
NOTHING = "—"
EMPTY = (None, "")


@dataclass(frozen=True)
class Line:
    """One setting: what it was and what it is."""

    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Told:
    """One change as the page shows it."""

    at: datetime
    action: str
    label: str
    kind: str
    title: str
    who: str
    lines: list[Line]


def visible_changes(user: User) -> QuerySet[ConfigurationChange]:
    """All of them to administrators; to others what concerns their departments, and the people in
    these."""
    changes = ConfigurationChange.objects.all()
    if user.has_perm("accounts.manage_staff"):
        return changes
    own = departments_of(user)
    together = User.objects.filter(departments__in=own.values("pk"))
    return changes.filter(
        Q(departments=None)
        | Q(departments__overlap=ArraySubquery(own.order_by().values("pk")))
        | Q(subject=USER, subject_id__in=together.values("pk"))
    )


def narrowed(
    changes: QuerySet[ConfigurationChange], chosen: Mapping[str, Any]
) -> QuerySet[ConfigurationChange]:
    """By what ChangeFilter understood."""
    exact = {"subject": chosen.get("kind"), "actor": chosen.get("actor")}
    changes = changes.filter(**{name: value for name, value in exact.items() if value})
    if since := chosen.get("since"):
        changes = changes.filter(at__gte=midnight(since))
    if until := chosen.get("until"):
        changes = changes.filter(at__lt=midnight(until + timedelta(days=1)))
    return changes


def told(changes: Iterable[ConfigurationChange]) -> list[Told]:
    """One query for each kind of thing they name, however many they are."""
    changes = list(changes)
    names = _Names(changes)
    return [_told(change, names) for change in changes]


def _told(change: ConfigurationChange, names: "_Names") -> Told:
    model = _model(change.kind)
    return Told(
        at=change.at,
        action=change.action,
        label=change.get_action_display(),
        kind=str(model._meta.verbose_name) if model else change.kind,
        title=names.title(change),
        who=names.who(change.actor),
        lines=list(_lines(change, model, names)),
    )


def _lines(
    change: ConfigurationChange, model: type[Model] | None, names: "_Names"
) -> Iterator[Line]:
    before, after = change.before or {}, change.after or {}
    fields = _fields(model)
    for column in after or before:
        was, became = before.get(column), after.get(column)
        if was == became or column == _link(change, fields) or (was in EMPTY and became in EMPTY):
            continue
        field = fields.get(column)
        title = str(field.verbose_name) if field else column
        if isinstance(was, dict) or isinstance(became, dict):
            yield from _inside(title, was, became)
            continue
        yield Line(
            title,
            _value(column, field, was, names) if change.before else "",
            _value(column, field, became, names) if change.after else "",
        )


def _inside(title: str, was: Any, became: Any) -> Iterator[Line]:
    """Of a whole document only what is not the same any more, each piece by its path."""
    if not isinstance(was, dict) or not isinstance(became, dict):
        return  # there was none, or there is none any more
    for key in sorted({*was, *became}):
        before, after = was.get(key), became.get(key)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _inside(f"{title} · {key}", before, after)
        else:
            shown = [NOTHING if each is None else _written(each) for each in (before, after)]
            yield Line(f"{title} · {key}", *shown)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _link(change: ConfigurationChange, fields: Mapping[str, Field]) -> str:
    """The column that says what a piece is part of; that is its title already."""
    if change.subject == change.kind:
        return ""
    whole = _model(change.subject)
    links = (name for name, field in fields.items() if whole and field.related_model is whole)
    return next(links, "")


def _value(column: str, field: Field | None, value: Any, names: "_Names") -> str:
    if value in EMPTY:
        return NOTHING
    if column == "weekdays":
        return weekdays(value)
    if isinstance(value, list):
        return ", ".join(str(each) for each in value) or NOTHING
    if isinstance(value, bool):
        return pgettext("a setting", "yes") if value else pgettext("a setting", "no")
    if column in NOTICES:
        return words.in_words(value) or _("none")
    if isinstance(field, ForeignKey):
        return names.of(field.related_model, value)
    if field is not None and field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    if field is not None and field.get_internal_type() == "DateTimeField":
        return moment(parse_datetime(value))
    return str(value)


class _Names:
    """What the rows that changes name are called today, looked up together."""

    def __init__(self, changes: list[ConfigurationChange]) -> None:
        wanted: dict[type[Model], set[int]] = {}
        for change in changes:
            if whole := _model(change.subject):
                wanted.setdefault(whole, set()).add(change.subject_id)
            if change.actor.startswith("user:"):
                wanted.setdefault(User, set()).add(int(change.actor.removeprefix("user:")))
            fields = _fields(_model(change.kind))
            for said in (change.before or {}, change.after or {}):
                for column, value in said.items():
                    field = fields.get(column)
                    if value and isinstance(field, ForeignKey):
                        wanted.setdefault(field.related_model, set()).add(value)
        self.known = {model: _in_bulk(model, keys) for model, keys in wanted.items()}
        pieces = {(each.subject, each.subject_id) for each in changes if each.kind != each.subject}
        there = {
            (model._meta.label_lower, key) for model, rows in self.known.items() for key in rows
        }
        self.gone = _last_names(pieces - there) if pieces - there else {}

    def of(self, model: Any, key: int) -> str:
        """What no longer exists goes by its number."""
        return self.known.get(model, {}).get(key) or f"#{key}"

    def title(self, change: ConfigurationChange) -> str:
        whole = _model(change.subject)
        if known := self.known.get(whole, {}).get(change.subject_id) if whole else "":
            return known
        if (change.subject, change.subject_id) in self.gone:
            return self.gone[change.subject, change.subject_id]
        return _name_in(change)

    def who(self, actor: str) -> str:
        automatic = {
            tracking.UNKNOWN: _("Outside the desk"),
            IMPORT: _("An import"),
            "system": _("The system"),
        }
        return automatic.get(actor) or self.of(User, int(actor.removeprefix("user:")))


def _name_in(change: ConfigurationChange) -> str:
    said = change.after or change.before or {}
    return next(
        (str(said[name]) for name in ("name", "title", "code", "event") if said.get(name)), ""
    )


def _last_names(gone: set[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """What those that were removed were called last, for their pieces to be told under."""
    removed = ConfigurationChange.objects.filter(
        action=ConfigurationChange.Action.REMOVED,
        kind=F("subject"),
        subject__in={kind for kind, _key in gone},
        subject_id__in={key for _kind, key in gone},
    )
    return {(each.subject, each.subject_id): _name_in(each) for each in removed}


def _in_bulk(model: type[Model], keys: set[int]) -> dict[int, str]:
    fields = model._meta.concrete_fields
    secret = [each.name for each in fields if isinstance(each, EncryptedCharField)]
    rows: QuerySet[Any] = model._default_manager.filter(pk__in=keys).defer(*secret)
    return {row.pk: str(row) for row in rows}


def _model(label: str) -> type[Model] | None:
    """None for what an older version knew."""
    try:
        return apps.get_model(label)
    except LookupError:
        return None


def _fields(model: type[Model] | None) -> dict[str, Field]:
    return {str(field.column): field for field in model._meta.concrete_fields} if model else {}
