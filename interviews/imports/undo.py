"""Undoing an import: what it made goes, as far as nothing has happened to it since.

An interview goes with its people, application and position, where nothing else needs those. Its
history, which is one entry, moves to RemovedInterview: what happened stays on record, and the seals
over it hold.
"""

from collections.abc import Collection, Iterable, Sequence

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import ManyToOneRel, Model, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from candidates.models import Candidate
from interviews.models import (
    Application,
    Department,
    HistoryEntry,
    Interview,
    JobRow,
    Position,
    PositionCategory,
    RemovedInterview,
    Slot,
    Step,
)
from notifications.models import Notification, WorkItem

# Each before what it refers to.
ORDER: tuple[type[Model], ...] = (
    Interview,
    Slot,
    Application,
    Candidate,
    User,
    Position,
    PositionCategory,
    Department,
)


class Fate(TextChoices):
    """What became of a row."""

    REMOVED = "removed", pgettext_lazy("row of an import", "Removed")
    KEPT = "kept", pgettext_lazy("row of an import", "Kept")


class Why(TextChoices):
    """Why something stays, or why not all of it went."""

    GONE = "gone", _("It is no longer there.")
    CHANGED = "changed", _("Something has happened to it since.")
    USED = "used", _("Something else needs it.")
    EDITED = "edited", _("It was edited by hand.")
    TOLD = "told", _("A message or a work item is about it.")
    SIGNED_IN = "signed_in", _("The person has signed in since.")
    SHARED = "shared", _("What came with it is needed elsewhere and stays.")


Reasons = dict[int, Why]


def remove(rows: Sequence[JobRow], *, job: str, by: User) -> list[tuple[JobRow, Fate, Why | None]]:
    """Take away what these rows of an import's report made; the last rows of the file come first.

    The caller is in a transaction; everything is locked before it is looked at.
    """
    made: dict[type[Model], set[int]] = {
        model: {
            created[model._meta.label_lower]
            for row in rows
            if model._meta.label_lower in (created := row.detail.get("created", {}))
        }
        for model in ORDER
    }
    _locked(Candidate, made[Candidate])
    people = _people_known(_locked(User, made[User]))
    kept: dict[type[Model], Reasons] = {}
    for model in ORDER:
        there = _locked(model, made[model])
        reasons = dict.fromkeys(made[model] - there, Why.GONE)
        reasons |= _touched(model, there, people)
        free = there - reasons.keys()
        if model is Interview:
            _move_history(free, job=job, by=by)
        model._base_manager.filter(pk__in=free).delete()
        kept[model] = reasons
    return [(row, *_fate(row, kept)) for row in rows]


def _fate(row: JobRow, kept: dict[type[Model], Reasons]) -> tuple[Fate, Why | None]:
    """Of the row's own thing, and whether something that came with it stays."""
    created = row.detail.get("created", {})
    own, *others = [
        kept[model].get(created[model._meta.label_lower])
        for model in ORDER
        if model._meta.label_lower in created
    ] or [Why.GONE]
    if own:
        return Fate.KEPT, own
    return Fate.REMOVED, Why.SHARED if any(others) else None


def _locked(model: type[Model], keys: Collection[int]) -> set[int]:
    """Those that are there. Nobody can refer to them any more until the transaction ends."""
    if not keys:
        return set()
    rows = model._base_manager.select_for_update().filter(pk__in=keys).order_by("pk")
    return set(rows.values_list("pk", flat=True))


def _touched(model: type[Model], keys: set[int], people: Reasons) -> Reasons:
    """Why some of them stay; what is said last weighs most."""
    if not keys:
        return {}
    # What was planned for an interview goes with it; what was done of it has left other traces.
    apart: tuple[type[Model], ...] = (HistoryEntry, Step) if model is Interview else ()
    reasons = dict.fromkeys(_used(model, keys, apart), Why.USED)
    reasons |= dict.fromkeys(_edited(model, keys), Why.EDITED)
    if model is Interview:
        reasons |= _told(keys) | _changed(keys)
    elif model is Candidate:
        users = Candidate.objects.filter(pk__in=keys, user__in=people)
        reasons |= {key: people[user] for key, user in users.values_list("pk", "user_id")}
    elif model is User:
        reasons |= {key: why for key, why in people.items() if key in keys}
    return reasons


def _used(model: type[Model], keys: set[int], apart: Collection[type[Model]]) -> set[int]:
    """Those to which a row of any table refers, apart from some."""
    used: set[int] = set()
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ManyToOneRel) or relation.related_model in apart:
            continue
        link = relation.field
        rows = link.model._base_manager.filter(**{f"{link.name}__in": keys})
        used |= set(rows.values_list(link.attname, flat=True))
    return used


def _edited(model: type[Model], keys: set[int]) -> set[int]:
    log = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=map(str, keys)
    )
    return {int(key) for key in log.values_list("object_id", flat=True) if key}


def _changed(keys: set[int]) -> Reasons:
    """More history than its import, or another status than it came with."""
    entries = HistoryEntry.objects.filter(interview__in=keys)
    untouched: dict[int, bool] = {}
    for key, event, before, now in entries.values_list(
        "interview_id", "event", "data__status", "interview__status"
    ):
        untouched[key] = key not in untouched and event == "imported" and before == now
    return {key: Why.CHANGED for key in keys if not untouched.get(key)}


def _told(keys: set[int]) -> Reasons:
    interviews = Interview.objects.filter(pk__in=keys).only("reference")
    by_subject = {each.subject: each.pk for each in interviews}
    return dict.fromkeys(_named(by_subject, "subject", (Notification, WorkItem)), Why.TOLD)


def _people_known(keys: set[int]) -> Reasons:
    """People who were here, or heard from us."""
    users = User.objects.filter(pk__in=keys)
    here = [user.pk for user in users if user.last_login or user.has_usable_password()]
    names = {f"user:{key}": key for key in keys}
    return (
        dict.fromkeys(_used(User, keys, (Candidate,)), Why.USED)
        | dict.fromkeys(_edited(User, keys), Why.EDITED)
        | dict.fromkeys(_named(names, "recipient", (Notification,)), Why.TOLD)
        | dict.fromkeys(here, Why.SIGNED_IN)
    )


def _named(
    names: dict[str, int], field: str, models: Iterable[type[Notification] | type[WorkItem]]
) -> set[int]:
    return {
        names[name]
        for model in models
        for name in model._base_manager.filter(**{f"{field}__in": list(names)}).values_list(
            field, flat=True
        )
    }


def _move_history(keys: set[int], *, job: str, by: User) -> None:
    now = timezone.now()
    entries = HistoryEntry.objects.filter(interview__in=keys)
    RemovedInterview.objects.bulk_create(
        RemovedInterview(
            reference=entry.interview.reference,
            entry=entry.pk,
            event=entry.event,
            actor=entry.actor,
            at=entry.at,
            data=entry.data,
            hash=entry.hash,
            removed_by=by,
            removed_at=now,
            job=job,
        )
        for entry in entries.select_related("interview")
    )
    entries.delete()
