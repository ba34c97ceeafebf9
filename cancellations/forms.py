"""The shape of what candidates and staff send."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cancellations.models import DETAIL_MAX, Purpose, Reason
from cancellations.queries import offered_reasons
from config.references import ALPHABET, LENGTH, normalise
from interviews.models import EARLIEST, LATEST, InterviewQuerySet
from interviews.states import ENDED, InterviewStatus
from interviews.templatetags.when import day

_ONLY_THIS = _("This calls off only this interview. Your other applications stay as they are.")
_A_SENTENCE = _("One sentence is enough.")

# What may help instead of cancelling, or is good to know, by reason.
ADVICE: dict[str, Promise] = {
    "time_conflict": _("If only the time does not suit you, ask your recruiter for another one."),
    "unwell": _("Get well first. Your recruiter can often find you a later time."),
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
        self.reasons = {reason.code: reason for reason in offered_reasons(Purpose.CANCEL)}
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


_OUT_OF_RANGE = _("Choose a day between 2000 and 2099.")


class SaneDateField(forms.DateField):
    """A day of this century."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            validators=[
                MinValueValidator(EARLIEST.date(), message=_OUT_OF_RANGE),
                MaxValueValidator(LATEST.date(), message=_OUT_OF_RANGE),
            ],
            error_messages={"invalid": _OUT_OF_RANGE},
            **kwargs,
        )


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
        number = normalise(self.cleaned_data["number"])
        if len(number) != LENGTH or set(number) - set(ALPHABET):
            raise ValidationError(
                _("A receipt number has ten letters and digits. Please compare it once more.")
            )
        return number


class DecisionForm(forms.Form):
    """What HR tells the candidate with the decision."""

    note = forms.CharField(
        label=_("Note to the candidate"),
        required=False,
        max_length=DETAIL_MAX,
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": None}),
    )
