"""The shape of what candidates and staff send."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from cancellations.models import Purpose, Reason
from cancellations.queries import offered_reasons
from config.references import ReferenceConverter, as_reference
from interviews.forms import SaneDateField, WordsField
from interviews.models import Department, InterviewQuerySet
from interviews.states import ENDED, InterviewStatus
from interviews.templatetags.when import day
from notifications.models import WorkItemQuerySet, WorkKind

_ONLY_THIS = _("This calls off only this interview. Your other applications stay as they are.")
_A_SENTENCE = _("One sentence is enough.")

# What may help instead of cancelling, or is good to know, by reason.
ADVICE: dict[str, Promise] = {
    "time_conflict": _("If only the time does not suit you, another one can."),
    "unwell": _("Get well first. A later time can often be found."),
    "difficulty": _("It is easier than it looks: the next page shows how it works, in pictures."),
    "career_change": _ONLY_THIS,
    "not_interested": _ONLY_THIS,
    "accepted_offer": _("Congratulations, and thank you for freeing your place in time."),
    "personal": _A_SENTENCE,
    "other": _A_SENTENCE,
}


@dataclass(frozen=True)
class ReasonRow:
    """One reason as the page offers it."""

    code: str
    label: str
    needs_detail: bool
    chosen: bool
    advice: Promise | None


class CancellationForm(forms.Form):
    """Why, and a sentence of detail where the reason asks for one."""

    purpose = Purpose.CANCEL
    use_required_attribute = False

    reason = forms.TypedChoiceField(
        label=_("Why do you want to cancel?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason."), "invalid_choice": _("Choose a reason.")},
    )
    detail = forms.CharField(
        label=_("In a sentence"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reasons = {reason.code: reason for reason in offered_reasons(self.purpose)}
        field = self.fields["reason"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - tells mypy
        field.choices = [(reason.code, reason.label) for reason in self.reasons.values()]
        field.coerce = self.reasons.__getitem__

    @property
    def asking_for_detail(self) -> list[str]:
        """The reasons that need a sentence, quoted."""
        return [f"“{reason.label}”" for reason in self.reasons.values() if reason.needs_detail]

    def rows(self) -> list[ReasonRow]:
        chosen = self["reason"].value()
        return [
            ReasonRow(code, reason.label, reason.needs_detail, code == chosen, ADVICE.get(code))
            for code, reason in self.reasons.items()
        ]

    def clean(self) -> None:
        reason: Reason | None = self.cleaned_data.get("reason")
        if reason is None or "detail" not in self.cleaned_data:
            return
        try:
            self.cleaned_data["detail"] = reason.clean_detail(self.cleaned_data["detail"])
        except ValidationError as error:
            self.add_error("detail", error)


class ExitForm(CancellationForm):
    """The same for leaving an interview midway."""

    purpose = Purpose.EXIT

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("Why are you leaving?")


class CodeForm(forms.Form):
    """The six digits of a text message."""

    use_required_attribute = False

    code = forms.CharField(
        label=_("Code"),
        max_length=12,
        error_messages={"required": _("Enter the code from the text message.")},
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


def _in_words(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.ChoiceField):
        return next(str(label) for key, label in field.widget.choices if key == value)
    return day(value)


class MineFilter(forms.Form):
    """Which of one's own interviews to show; lives in the address. Bound only where something is
    asked: else there is nothing to check."""

    position = forms.ChoiceField(label=_("Position"), required=False)
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Any")), *InterviewStatus.choices]
    )
    period = forms.ChoiceField(
        label=_("Time"),
        required=False,
        choices=[("", _("Any")), ("upcoming", _("Upcoming")), ("past", _("Past"))],
    )
    since = SaneDateField(label=_("From"), required=False)
    until = SaneDateField(label=_("To"), required=False)

    def __init__(self, query: QueryDict, *, positions: dict[int, str]) -> None:
        super().__init__(query if any(query.get(name) for name in self.base_fields) else None)
        field = self.fields["position"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        by_title = sorted(positions.items(), key=lambda position: position[1])
        field.choices = [("", _("Any")), *((str(pk), title) for pk, title in by_title)]

    @property
    def is_active(self) -> bool:
        return self.is_bound

    def chosen(self) -> list[tuple[str, str]]:
        """What is asked for, as label and value."""
        return [
            (str(self[name].label), _in_words(self.fields[name], value))
            for name, value in self.cleaned_data.items()
            if value
        ]

    def narrow(self, interviews: InterviewQuerySet) -> InterviewQuerySet:
        """The interviews asked for; what could not be understood narrows nothing."""
        chosen = self.cleaned_data
        if chosen.get("position"):
            interviews = interviews.filter(application__position=chosen["position"])
        if chosen.get("status"):
            interviews = interviews.filter(status=chosen["status"])
        if chosen.get("period") == "upcoming":
            interviews = interviews.exclude(status__in=ENDED)
        elif chosen.get("period") == "past":
            interviews = interviews.filter(status__in=ENDED)
        since: date | None = chosen.get("since")
        until: date | None = chosen.get("until")
        if since:
            interviews = interviews.filter(starts_at__date__gte=since)
        if until:
            interviews = interviews.filter(starts_at__date__lte=until)
        return interviews


class ReceiptNumberForm(forms.Form):
    """A receipt's number as somebody typed it off a screen or a sheet of paper."""

    use_required_attribute = False

    number = forms.CharField(
        label=_("Receipt number"),
        help_text=_("The ten letters and digits on the receipt; spaces do not matter."),
        max_length=40,
        error_messages={"required": _("Enter the number on the receipt.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )

    def clean_number(self) -> str:
        number = as_reference(self.cleaned_data["number"])
        if not number:
            raise ValidationError(
                _("A receipt number has ten letters and digits. Please compare it once more.")
            )
        return number


class DecisionForm(forms.Form):
    """What HR tells the candidate with the decision."""

    note = WordsField(
        label=_("Note to the candidate"),
        required=False,
    )


@dataclass(frozen=True)
class Chip:
    """One thing a list is narrowed to, and the address's query without it."""

    label: str
    value: str
    without: str


ASSIGNEES = [  # beside the colleagues by name
    ("", _("Any")),
    ("me", _("me")),
    ("nobody", _("nobody yet")),
    ("somebody", _("somebody")),
]


class QueueFilter(forms.Form):
    """What of the queue to show; lives in the address. What could not be understood narrows
    nothing."""

    department = forms.ChoiceField(label=_("Department"), required=False)
    kind = forms.ChoiceField(
        label=pgettext_lazy("of work", "Kind"),
        required=False,
        choices=[("", _("Any")), *WorkKind.choices],
    )
    assignee = forms.ChoiceField(label=_("Taken on by"), required=False)

    def __init__(
        self,
        query: QueryDict,
        *,
        departments: Iterable[Department],
        colleagues: Iterable[User] = (),
    ) -> None:
        super().__init__(query)
        department, assignee = self.fields["department"], self.fields["assignee"]
        assert isinstance(department, forms.ChoiceField)  # noqa: S101 - tells mypy
        assert isinstance(assignee, forms.ChoiceField)  # noqa: S101 - tells mypy
        department.choices = [("", _("Any")), *((str(each.pk), each.name) for each in departments)]
        people = [(f"user:{each.pk}", each.name) for each in colleagues]
        assignee.choices = [*ASSIGNEES, *people]
        self.chosen = {name: value for name, value in self.understood().items() if value}

    def understood(self) -> dict[str, str]:
        self.is_valid()
        return self.cleaned_data

    @property
    def query(self) -> str:
        """As it stands in an address."""
        return urlencode(self.chosen)

    def chips(self) -> list[Chip]:
        """What is asked for, each with the address's query that asks for it no more."""
        return [
            Chip(
                str(self.fields[name].label),
                _in_words(self.fields[name], value),
                urlencode({other: self.chosen[other] for other in self.chosen if other != name}),
            )
            for name, value in self.chosen.items()
        ]

    def narrow(self, items: WorkItemQuerySet, user: User) -> WorkItemQuerySet:
        if "department" in self.chosen:
            items = items.filter(audience=f"department:{self.chosen['department']}")
        if "kind" in self.chosen:
            items = items.filter(kind=self.chosen["kind"])
        match self.chosen.get("assignee"):
            case "me":
                items = items.filter(assignee=f"user:{user.pk}")
            case "nobody":
                items = items.filter(assignee="")
            case "somebody":
                items = items.filter(assignee__gt="")
            case str(colleague):
                items = items.filter(assignee=colleague)
        return items


class ResolutionForm(forms.Form):
    """How an anomaly or a follow-up was settled, for the colleagues."""

    note = WordsField(
        label=_("What was done"),
        error_messages={"required": _("Write in a sentence what was done.")},
    )
    use_required_attribute = False


MOST_AT_ONCE = 100  # requests decided with one press


class BulkForm(forms.Form):
    """Several requests decided at once, alike."""

    action = forms.ChoiceField(
        choices=[("approve", _("Approve")), ("decline", _("Decline"))],
        error_messages={
            "required": _("Choose what to do with them."),
            "invalid_choice": _("Choose what to do with them."),
        },
    )
    receipt = forms.MultipleChoiceField(
        error_messages={
            "required": _("Choose at least one request."),
            "invalid_choice": _("Choose at least one request."),
        }
    )
    note = WordsField(
        label=_("Note to the candidates"),
        required=False,
    )
    use_required_attribute = False

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        field = self.fields["receipt"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - tells mypy
        known = re.compile(ReferenceConverter.regex)
        field.choices = [(each, each) for each in data.getlist("receipt") if known.fullmatch(each)]

    def clean_receipt(self) -> list[str]:
        receipts = list(dict.fromkeys(self.cleaned_data["receipt"]))
        if len(receipts) > MOST_AT_ONCE:
            raise ValidationError(
                _("Please choose no more than %(count)d requests."), params={"count": MOST_AT_ONCE}
            )
        return receipts
