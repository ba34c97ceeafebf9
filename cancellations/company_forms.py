"""The shape of what staff send when they call interviews off, or set a status right by hand."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from cancellations.company import MOST_AT_ONCE
from cancellations.models import DETAIL_MIN, Purpose, Reason
from cancellations.queries import offered_reasons
from config.references import ALPHABET, LENGTH, new_reference, normalise
from interviews.forms import WordsField
from interviews.models import EARLIEST, LATEST, Move, Slot
from interviews.templatetags.when import moment

_OTHER = "other"


class CompanyCancellationForm(forms.Form):
    """Why the company cancels, and what the candidates read of it."""

    use_required_attribute = False

    reason = forms.TypedChoiceField(
        label=_("Why does the company cancel?"),
        widget=forms.RadioSelect,
        help_text=_("The candidates read it."),
        error_messages={"required": _("Choose a reason."), "invalid_choice": _("Choose a reason.")},
    )
    note = WordsField(
        label=_("Words to the candidates"),
        help_text=_("They are added to the message, which already says sorry and whom to call."),
        required=False,
    )
    detail = WordsField(
        label=_("For colleagues"),
        help_text=_("Only HR reads this. Some reasons need it."),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reasons = {reason.code: reason for reason in offered_reasons(Purpose.COMPANY)}
        field = self.fields["reason"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - tells mypy
        field.choices = [(reason.code, reason.label) for reason in reasons.values()]
        field.coerce = reasons.__getitem__

    def clean(self) -> None:
        reason: Reason | None = self.cleaned_data.get("reason")
        if reason is None or "detail" not in self.cleaned_data:
            return
        try:
            self.cleaned_data["detail"] = reason.clean_detail(self.cleaned_data["detail"])
        except ValidationError as error:
            self.add_error("detail", error)


class ReferencesForm(forms.Form):
    """Which interviews: pasted, or ticked in the list."""

    use_required_attribute = False

    references = forms.CharField(
        label=_("References"),
        help_text=_("One on each line, or separated by commas; spaces inside do not matter."),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "reference"}),
        error_messages={"required": _("Enter at least one reference.")},
    )

    def clean_references(self) -> list[str]:
        """Each once, in the order given."""
        found: dict[str, None] = {}
        strange: list[str] = []
        for piece in re.split(r"[\r\n,;，；、]+", self.cleaned_data["references"]):
            text = normalise(piece)
            if not text:
                continue
            if len(text) % LENGTH or set(text) - set(ALPHABET):
                strange.append(piece.strip()[:40])
                continue
            for start in range(0, len(text), LENGTH):
                found[text[start : start + LENGTH]] = None
        if strange:
            raise ValidationError(
                ngettext_lazy(
                    "This is not a reference; one has ten letters and digits: %(which)s",
                    "%(count)d of these are not references; one has ten letters and digits: "
                    "%(which)s",
                    len(strange),
                ),
                params={"count": len(strange), "which": " · ".join(strange[:5])},
            )
        if not found:
            raise ValidationError(self.fields["references"].error_messages["required"])
        if len(found) > MOST_AT_ONCE:
            raise ValidationError(
                _("At most %(most)d interviews can be cancelled at once."),
                params={"most": MOST_AT_ONCE},
            )
        return list(found)


class JobNumberForm(forms.Form):
    """The number that makes a form sent twice start one job."""

    job = forms.RegexField(f"^[{ALPHABET}]{{{LENGTH}}}$", widget=forms.HiddenInput)

    @classmethod
    def fresh(cls) -> "JobNumberForm":
        return cls(initial={"job": new_reference()})


class CorrectionForm(forms.Form):
    """What a status is set right to, when an interview that is reinstated takes place, and why."""

    use_required_attribute = False

    expected = forms.CharField(max_length=12, widget=forms.HiddenInput)
    move = forms.TypedChoiceField(
        label=_("What is right?"),
        widget=forms.RadioSelect,
        coerce=Move,
        error_messages={"required": _("Choose one."), "invalid_choice": _("Choose one.")},
    )
    when = forms.ChoiceField(
        label=_("When does it take place?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a time."), "invalid_choice": _("Choose a time.")},
    )
    time = forms.DateTimeField(
        label=_("Another time"),
        required=False,
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": _("Enter a day and a time.")},
        validators=[
            MinValueValidator(EARLIEST, message=_("Enter a day between 2000 and 2099.")),
            MaxValueValidator(LATEST, message=_("Enter a day between 2000 and 2099.")),
        ],
    )
    reason = WordsField(
        label=_("Why is it set right?"),
        help_text=_("For colleagues. It is kept with the correction, and not sent."),
        min_length=DETAIL_MIN,
        error_messages={
            "required": _("Say in a sentence why."),
            "min_length": _("Say in a sentence why."),
        },
    )
    note = WordsField(
        label=_("Words to the candidate"),
        help_text=_("They are added to the message that tells of the correction."),
        required=False,
    )

    def __init__(
        self, *args: Any, moves: Sequence[Move], slots: Sequence[Slot], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        move = self.fields["move"]
        assert isinstance(move, forms.TypedChoiceField)  # noqa: S101 - tells mypy
        move.choices = [(each.value, each.label) for each in moves]
        if len(moves) == 1:
            self.initial.setdefault("move", moves[0].value)
        if Move.REINSTATE not in moves:
            del self.fields["when"], self.fields["time"]
            return
        when = self.fields["when"]
        assert isinstance(when, forms.ChoiceField)  # noqa: S101 - tells mypy
        when.choices = [
            *((slot.starts_at.isoformat(), _slot_in_words(slot)) for slot in slots),
            (_OTHER, _("Another time, outside the slots")),
        ]

    def clean(self) -> None:
        """`starts_at` is the time chosen, of a slot or typed."""
        when = self.cleaned_data.get("when")
        if not when:
            return
        if when == _OTHER:
            starts_at = self.cleaned_data.get("time")
            if starts_at is None and "time" not in self.errors:
                self.add_error("time", _("Enter a day and a time."))
            elif starts_at is not None and starts_at <= timezone.now():
                self.add_error("time", _("Choose a time that lies ahead."))
        else:
            starts_at = datetime.fromisoformat(when)
        self.cleaned_data["starts_at"] = starts_at


def _slot_in_words(slot: Slot) -> str:
    left = slot.capacity - slot.booked
    words = ngettext_lazy("%(time)s, %(count)d place left", "%(time)s, %(count)d places left", left)
    return str(words % {"time": moment(slot.starts_at), "count": left})
