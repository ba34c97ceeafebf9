"""What the page of history is narrowed to: all of it lives in the address, as ids and codes."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.permissions import STAFF_ROLES
from cancellations.configuration import KINDS
from cancellations.desk_filters import ANY, Narrowing
from config import tracking
from interviews import accesses
from interviews.events import EVENTS
from interviews.history import SYSTEM
from interviews.imports.store import ACTOR as IMPORT
from interviews.listing import departments_offered, positions_offered, sources_offered
from interviews.models import Access
from interviews.queries import departments_of
from interviews.trail import CANDIDATE, Wanted

AUTOMATIC = [(SYSTEM, _("The rule")), (IMPORT, _("An import"))]


class HistoryFilter(Narrowing):
    """Which part of the history of interviews."""

    department = forms.ChoiceField(label=_("Department"), required=False)
    position = forms.ChoiceField(label=_("Position"), required=False)
    source = forms.ChoiceField(label=_("Source"), required=False)
    actor = forms.ChoiceField(label=pgettext_lazy("who did it", "By"), required=False)
    event = forms.ChoiceField(label=pgettext_lazy("column", "What happened"), required=False)

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        departments = departments_offered(user)
        sources = sources_offered(pk for pk, _name in departments)
        self.offer("department", [(str(pk), name) for pk, name in departments])
        self.offer("position", [(str(each[0]), each[1]) for each in positions_offered(user)])
        self.offer("source", [(each, each) for each in sources])
        self.offer("actor", [(CANDIDATE, _("Candidate")), *AUTOMATIC, *colleagues(user)])
        self.offer("event", sorted(EVENTS.items(), key=lambda each: str(each[1])))
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
        self.offer("kind", sorted(KINDS.items(), key=lambda each: str(each[1])))
        elsewhere = [(tracking.UNKNOWN, _("Outside the desk")), (IMPORT, _("An import"))]
        self.offer("actor", [*elsewhere, *colleagues(user)])
        self.full_clean()


class AccessFilter(Narrowing):
    """Which looks at contact details, and which lists taken along."""

    actor = forms.ChoiceField(label=pgettext_lazy("who did it", "By"), required=False)
    action = forms.ChoiceField(
        label=pgettext_lazy("column", "What happened"),
        required=False,
        choices=[ANY, *Access.choices],
    )

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        self.offer("actor", colleagues(user))
        self.full_clean()

    @property
    def wanted(self) -> accesses.Wanted:
        chosen = self.cleaned_data
        return accesses.Wanted(
            since=chosen.get("since"),
            until=chosen.get("until"),
            by=int(chosen.get("actor", "").removeprefix("user:") or 0) or None,
            action=chosen.get("action", ""),
        )


def colleagues(user: User) -> list[tuple[str, str]]:
    """The staff this person works with, by what history knows them by."""
    staff = User.objects.filter(role__in=STAFF_ROLES).order_by("name", "pk")
    if not user.has_perm("accounts.manage_staff"):
        together = departments_of(user).values("pk")
        staff = staff.filter(departments__in=together).distinct()
    return [(f"user:{pk}", name) for pk, name in staff.values_list("pk", "name")]
