"""The shape of what is typed about reminders."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from interviews.forms import WordsField
from interviews.reminders.models import LONGEST_TROUBLE, ReminderRule, TroubleKind
from interviews.reminders.rules import Anchor, What, When

UNITS = {"minutes": 1, "hours": 60, "days": 24 * 60}
FITTING = {
    When.INVITED: {Anchor.INVITED, Anchor.DEADLINE},
    When.BOOKED: {Anchor.BOOKED, Anchor.START, Anchor.END},
    When.STARTED: {Anchor.START, Anchor.END},
}
# What is over then, and not before.
OVER = {When.INVITED: Anchor.DEADLINE, When.BOOKED: Anchor.END, When.STARTED: Anchor.END}


class TroubleForm(forms.Form):
    """What kept somebody from coming in."""

    use_required_attribute = False

    kind = forms.ChoiceField(
        label=_("What is wrong?"),
        choices=TroubleKind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what fits best.")},
    )
    detail = WordsField(
        label=_("In your words"),
        help_text=_("Only HR reads it."),
        required=False,
        max_length=LONGEST_TROUBLE,
        error_messages={
            "max_length": _("Please keep it under %(limit_value)d characters."),
        },
    )


class RuleForm(forms.ModelForm):
    """One rule for reminders: how long before or after what, and what then happens."""

    use_required_attribute = False

    amount = forms.IntegerField(
        label=_("How long"),
        min_value=0,
        max_value=60 * 24 * 60,
        error_messages={
            "required": _("Enter a whole number, for example 24."),
            "invalid": _("Enter a whole number, for example 24."),
        },
    )
    unit = forms.ChoiceField(
        label=_("Unit"),
        choices=[
            # Elsewhere the plural alone names a field: how long something lasts.
            ("minutes", pgettext_lazy("unit of time", "minutes")),
            ("hours", _("hours")),
            ("days", _("days")),
        ],
        initial="hours",
    )
    side = forms.ChoiceField(
        label=_("Before or after"),
        choices=[("before", _("before it")), ("after", _("after it"))],
        initial="before",
    )

    class Meta:
        model = ReminderRule
        labels = {"channels": _("By")}
        fields = (
            "stage",
            "kind",
            "anchor",
            "what",
            "message",
            "channels",
            "unless",
            "whom",
            "useful_minutes",
            "is_active",
        )

    field_order = (
        "stage",
        "kind",
        "amount",
        "unit",
        "side",
        "anchor",
        "what",
        "message",
        "channels",
        "unless",
        "whom",
        "useful_minutes",
        "is_active",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["kind"]
        kind.choices = [("", _("Any")), *list(kind.choices)[1:]]  # type: ignore[attr-defined]
        if self.instance.pk and self.instance.minutes is not None:
            minutes = abs(self.instance.minutes)
            unit = "minutes" if minutes % UNITS["hours"] else "hours"
            if minutes >= 3 * UNITS["days"] and minutes % UNITS["days"] == 0:
                unit = "days"
            self.initial.update(
                amount=minutes // UNITS[unit],
                unit=unit,
                side="before" if self.instance.minutes < 0 else "after",
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        amount, unit, side = (cleaned.get(name) for name in ("amount", "unit", "side"))
        if amount is not None and unit and side:
            minutes = amount * UNITS[unit]
            if minutes > 60 * 24 * 60:
                self.add_error("amount", _("Choose at most 60 days."))
            self.instance.minutes = -minutes if side == "before" else minutes
        stage, anchor, what = (cleaned.get(name) for name in ("stage", "anchor", "what"))
        if stage and anchor and anchor not in FITTING[When(stage)]:
            self.add_error("anchor", _("An interview in that status has no such time."))
        if what == What.MESSAGE and not cleaned.get("message"):
            self.add_error("message", _("Choose what the candidate is written."))
        if what and what != What.MESSAGE:
            cleaned["message"] = ""
        is_before = self.instance.minutes is not None and self.instance.minutes < 0
        if what == What.TROUBLE and stage and stage != When.BOOKED:
            self.add_error("what", _("Only who has booked can be asked that."))
        elif what == What.TROUBLE and (anchor == Anchor.BOOKED or is_before):
            self.add_error("what", _("Nobody is missing before the start. Ask at it or after."))
        if what == What.CLOSE and stage and (anchor != OVER[When(stage)] or is_before):
            self.add_error("what", _("A window closes at its end or after it, never before."))
        if what == What.CLOSE and cleaned.get("useful_minutes") is not None:
            self.add_error("useful_minutes", _("Leave it empty: a window is always closed."))
        helps = what in {What.MESSAGE, What.FOLLOW_UP} and stage == When.BOOKED
        if cleaned.get("whom") and what and stage and not helps:
            self.add_error(
                "whom", _("Only a message or a follow-up of a booked appointment can be for some.")
            )
        if not self.errors and self._is_there_already(cleaned):
            self.add_error(None, _("There is such a rule already."))
        return cleaned

    def _is_there_already(self, cleaned: dict[str, Any]) -> bool:
        same = ("stage", "kind", "anchor", "what", "message", "whom")
        others = ReminderRule.objects.exclude(pk=self.instance.pk)
        said = {name: cleaned[name] for name in same}
        return others.filter(minutes=self.instance.minutes, **said).exists()
