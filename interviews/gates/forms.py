"""The shape of what candidates hand in, and of what HR says of it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from interviews.forms import SaneDateField, WordsField
from interviews.gates.models import LARGEST_DOCUMENT, NOTE_MAX, StageGate
from interviews.gates.queries import ORDER
from interviews.models import Application, Stage

_LARGE = _("The file is larger than 5 MB. Take a smaller picture, or save it smaller.")


class UploadForm(forms.Form):
    """One document; its date of expiry where the gate wants one."""

    use_required_attribute = False

    file = forms.FileField(
        label=_("File"),
        help_text=_("PDF, JPEG or PNG, at most 5 MB."),
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/jpeg,image/png"}),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty. Choose another one."),
        },
    )
    expires_on = SaneDateField(label=_("Valid until"))

    def __init__(self, *args: Any, gate: StageGate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"prefix": f"gate{gate.pk}"})
        self.gate = gate
        if not gate.expires:
            del self.fields["expires_on"]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_DOCUMENT:
            raise forms.ValidationError(_LARGE)
        return file


class CheckForm(forms.Form):
    """Whether a document is accepted, and until when it is valid; if not, why."""

    use_required_attribute = False

    verdict = forms.ChoiceField(
        label=_("Is it the right one?"),
        choices=[("accept", _("Yes, accept it")), ("reject", _("No"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    expires_on = SaneDateField(
        label=_("Valid until"),
        help_text=_("As it stands in the document: what the candidate entered may be wrong."),
        required=False,
    )
    note = WordsField(
        label=_("What is wrong with it"),
        help_text=_("The candidate reads it."),
        required=False,
        max_length=NOTE_MAX,
    )

    def __init__(self, *args: Any, expires: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not expires:
            del self.fields["expires_on"]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("verdict") == "reject" and not cleaned.get("note", "").strip():
            self.add_error("note", _("Say what is wrong, so that the next one is right."))
        return cleaned


class PassForm(forms.Form):
    """Why HR lets an application through."""

    use_required_attribute = False

    reason = forms.CharField(
        label=_("Why do you let them through?"),
        help_text=_("For colleagues."),
        min_length=5,
        max_length=NOTE_MAX,
        error_messages={
            "required": _("Say in a sentence why."),
            "min_length": _("Say in a sentence why."),
        },
    )


class StageForm(forms.Form):
    """Where an application goes next."""

    use_required_attribute = False

    stage = forms.ChoiceField(
        label=_("Move the application on to"),
        help_text=_(
            "Where it ends, interviews still to come are called off and the candidate is told."
        ),
    )

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        onward = ORDER[ORDER.index(application.stage) + 1 :]
        field = self.fields["stage"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        field.choices = [(stage, Stage(stage).label) for stage in onward]
