"""What the page of history is narrowed to: all of it lives in the address, as ids and codes."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.permissions import STAFF_ROLES
from cancellations.configuration import KINDS
from cancellations.desk_filters import ANY, Chip
from cancellations.forms import SaneDateField
from config import tracking
from interviews.events import EVENTS
from interviews.history import SYSTEM
from interviews.imports.store import ACTOR as IMPORT
from interviews.listing import sources_offered
from interviews.models import Position
from interviews.queries import departments_of
from interviews.templatetags.when import day
from interviews.trail import CANDIDATE, Wanted

AUTOMATIC = [(SYSTEM, _("The rule")), (IMPORT, _("An import"))]


class Narrowing(forms.Form):
    """What could not be understood narrows nothing, and says so."""

    use_required_attribute = False

    since = SaneDateField(label=_("From"), required=False)
    until = SaneDateField(label=_("To"), required=False)

    @property
    def narrowing(self) -> dict[str, Any]:
        """By name, what was understood."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def query(self, *, without: str = "") -> str:
        """What was understood, as it stands behind the question mark."""
        said = QueryDict(mutable=True)
        for name, value in self.narrowing.items():
            if name != without:
                said[name] = str(value)
        return said.urlencode()

    def chips(self) -> list[Chip]:
        return [
            Chip(str(self[name].label), self._in_words(name, value), self.query(without=name))
            for name, value in self.narrowing.items()
        ]

    def _in_words(self, name: str, value: Any) -> str:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            choices: Any = field.choices
            return next(str(label) for key, label in choices if str(key) == value)
        return day(value)

    def _offer(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        field.choices = [ANY, *choices]


class HistoryFilter(Narrowing):
    """Which part of the history of interviews."""

    department = forms.ChoiceField(label=_("Department"), required=False)
    position = forms.ChoiceField(label=_("Position"), required=False)
    source = forms.ChoiceField(label=_("Source"), required=False)
    actor = forms.ChoiceField(label=pgettext_lazy("who did it", "By"), required=False)
    event = forms.ChoiceField(label=pgettext_lazy("column", "What happened"), required=False)

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        departments = list(departments_of(user).values_list("pk", "name"))
        own = [pk for pk, _name in departments]
        positions = Position.objects.filter(department__in=own).order_by("title", "pk")
        titles = positions.values_list("pk", "title")
        self._offer("department", [(str(pk), name) for pk, name in departments])
        self._offer("position", [(str(pk), title) for pk, title in titles])
        self._offer("source", [(each, each) for each in sources_offered(own)])
        self._offer("actor", [(CANDIDATE, _("Candidate")), *AUTOMATIC, *colleagues(user)])
        self._offer("event", sorted(EVENTS.items(), key=lambda each: str(each[1])))
        self.full_clean()

    def wanted(self, interview_id: int | None) -> Wanted:
        chosen = self.cleaned_data
        return Wanted(
            since=chosen.get("since"),
            until=chosen.get("until"),
            department=int(chosen.get("department") or 0) or None,
            position=int(chosen.get("position") or 0) or None,
            source=chosen.get("source", ""),
            actor=chosen.get("actor", ""),
            event=chosen.get("event", ""),
            interview=interview_id,
        )


class ChangeFilter(Narrowing):
    """Which changes of the configuration."""

    kind = forms.ChoiceField(label=_("What was changed"), required=False)
    actor = forms.ChoiceField(label=pgettext_lazy("who did it", "By"), required=False)

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        self._offer("kind", sorted(KINDS.items(), key=lambda each: str(each[1])))
        elsewhere = [(tracking.UNKNOWN, _("Outside the desk")), (IMPORT, _("An import"))]
        self._offer("actor", [*elsewhere, *colleagues(user)])
        self.full_clean()


def colleagues(user: User) -> list[tuple[str, str]]:
    """The staff this person works with, by what history knows them by."""
    staff = User.objects.filter(role__in=STAFF_ROLES).order_by("name", "pk")
    if not user.has_perm("accounts.manage_staff"):
        together = departments_of(user).values("pk")
        staff = staff.filter(departments__in=together).distinct()
    return [(f"user:{pk}", name) for pk, name in staff.values_list("pk", "name")]
