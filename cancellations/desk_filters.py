"""Which interviews a list at the desk shows, and with which columns: all of it lives in the
address, as ids and codes."""

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.choices import BaseChoiceIterator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from cancellations.forms import Chip
from interviews.columns import ALWAYS, COLUMNS, USUAL, Column, chosen_columns
from interviews.forms import SaneDateField
from interviews.listing import (
    MORE_STATUSES,
    OURS,
    Wanted,
    departments_offered,
    positions_offered,
    sources_offered,
)
from interviews.models import InterviewKind
from interviews.states import InterviewStatus
from interviews.templatetags.when import day

ANY = ("", _("Any"))
OUR_OWN = _("Our own")
Choice = tuple[str, Any]


class Pairs(BaseChoiceIterator):
    """Choices that are pairs already, by the hundred: Django need not go through them."""

    def __init__(self, pairs: list[Choice]) -> None:
        self.pairs = pairs

    def __iter__(self) -> Iterator[Choice]:
        return iter(self.pairs)


def sent_query(data: QueryDict, name: str = "query") -> QueryDict:
    """The list or page that something was asked from, as it came along."""
    return QueryDict(data.get(name, "")[:2000])


class Narrowing(forms.Form):
    """What a list is narrowed to. What could not be understood narrows nothing, and says so."""

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
                said[name] = "1" if value is True else str(value)
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
        return "" if value is True else day(value)

    def offer(self, name: str, choices: Iterable[Choice]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        field.choices = Pairs([ANY, *choices])


class InterviewFilter(Narrowing):
    """Which interviews, and with which columns."""

    field_order = ("status", "department", "position", "category", "recruiter", "kind", "source")

    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[ANY, *InterviewStatus.choices, *MORE_STATUSES],
    )
    department = forms.ChoiceField(label=_("Department"), required=False)
    position = forms.ChoiceField(label=_("Position"), required=False)
    category = forms.ChoiceField(label=_("Category"), required=False)
    recruiter = forms.ChoiceField(label=_("Recruiter"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[ANY, *InterviewKind.choices])
    source = forms.ChoiceField(label=_("Source"), required=False)
    late = forms.BooleanField(label=_("Asked late"), required=False)
    columns = forms.MultipleChoiceField(
        label=_("Columns"),
        required=False,
        choices=[(key, column.title) for key, column in COLUMNS.items() if key != ALWAYS],
    )

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        departments = departments_offered(user)
        positions = positions_offered(user)
        recruiters = {str(each[2]): each[3] for each in positions if each[2]}
        categories = {str(each[4]): each[5] for each in positions}
        sources = sources_offered(pk for pk, _name in departments)
        offered: dict[str, list[Choice]] = {
            "department": [(str(pk), name) for pk, name in departments],
            "position": [(str(each[0]), each[1]) for each in positions],
            "category": sorted(categories.items(), key=lambda each: each[1]),
            "recruiter": sorted(recruiters.items(), key=lambda each: str(each[1])),
            "source": [
                *([(OURS, OUR_OWN)] if sources else []),
                *((each, each) for each in sources),
            ],
        }
        for name, choices in offered.items():
            self.offer(name, choices)
        self.full_clean()

    @property
    def wanted(self) -> Wanted:
        chosen = self.cleaned_data
        return Wanted(
            status=chosen.get("status", ""),
            kind=chosen.get("kind", ""),
            source=chosen.get("source", ""),
            department=_number(chosen.get("department")),
            position=_number(chosen.get("position")),
            category=_number(chosen.get("category")),
            recruiter=_number(chosen.get("recruiter")),
            since=chosen.get("since"),
            until=chosen.get("until"),
            late=chosen.get("late", False),
        )

    @property
    def shown(self) -> list[Column]:
        return chosen_columns(self.cleaned_data.get("columns", []))

    @property
    def ticked(self) -> set[str]:
        """The columns as their boxes stand."""
        return {column.key for column in self.shown}

    @property
    def narrowing(self) -> dict[str, Any]:
        return {name: value for name, value in super().narrowing.items() if name != "columns"}

    def query(self, *, without: str = "") -> str:
        """The usual columns go without saying."""
        said = QueryDict(super().query(without=without), mutable=True)
        keys = [column.key for column in self.shown if column.key != ALWAYS]
        if {*keys, ALWAYS} != set(USUAL):
            said.setlist("columns", keys)
        return said.urlencode()


class SavedViewForm(forms.Form):
    """What a list somebody wants to come back to is called."""

    use_required_attribute = False

    name = forms.CharField(
        label=pgettext_lazy("of a thing", "Name"),
        max_length=60,
        error_messages={"required": _("Give the view a name.")},
    )
    is_default = forms.BooleanField(label=_("Open the list with this view"), required=False)


class SearchForm(forms.Form):
    """What somebody searches everywhere for; it travels in the body, never in an address."""

    use_required_attribute = False

    q = forms.CharField(
        label=_("Search everywhere"),
        max_length=200,
        help_text=_(
            "A reference, a name or its beginning, or a whole mobile number, ID number or email"
            " address."
        ),
        error_messages={"required": _("Enter what you are looking for.")},
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


# What somebody may need a candidate's details for; the log keeps the code.
WHY = [
    ("contact", _("To call or write to them")),
    ("identity", _("To check who they are")),
    ("record", _("To set a record right")),
]


class RevealForm(forms.Form):
    """Why somebody has to see how a candidate is reached."""

    use_required_attribute = False

    why = forms.ChoiceField(
        label=_("What do you need them for?"),
        choices=WHY,
        error_messages={
            "required": _("Say what you need them for."),
            "invalid_choice": _("Say what you need them for."),
        },
    )


def _number(text: str | None) -> int | None:
    return int(text) if text else None
