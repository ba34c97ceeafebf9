"""The shape of what is decided about absences, and of what is said against marks."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from candidates.models import LONGEST_APPEAL
from interviews.formats import format_of
from interviews.forms import WordsField
from interviews.models import Slot
from interviews.templatetags.when import when

LARGEST_FILE = 5 * 1024 * 1024  # bytes


class NoteForm(forms.Form):
    """A word along with a decision, for colleagues; `must` is why there has to be one."""

    use_required_attribute = False

    note = WordsField(
        label=_("Note"),
        help_text=_("Colleagues read it; the candidate does not."),
        required=False,
    )

    def __init__(self, *args: Any, must: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if must:
            self.fields["note"].required = True
            self.fields["note"].error_messages["required"] = must


class RebookForm(forms.Form):
    """Another time, of those with a free place."""

    use_required_attribute = False

    slot = forms.TypedChoiceField(
        label=_("Another time"),
        coerce=int,
        error_messages={
            "required": _("Choose a time."),
            "invalid_choice": _("This time has just been taken. Choose another one."),
        },
    )

    def __init__(self, *args: Any, slots: list[Slot], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["slot"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        field.choices = [(str(slot.pk), when(slot.starts_at)) for slot in slots]


class AppealDecisionForm(NoteForm):
    """What the candidate reads along with the decision about their appeal."""

    note = WordsField(
        label=_("Note to the candidate"),
        help_text=_("The candidate reads it. To let the mark stand, a reason is needed."),
        required=False,
    )


class AppealForm(forms.Form):
    """A sentence, and a file where one helps; neither has to be there."""

    use_required_attribute = False

    text = WordsField(
        label=_("Why should it not stand?"),
        help_text=_("One sentence is enough."),
        required=False,
        max_length=LONGEST_APPEAL,
    )
    file = forms.FileField(
        label=_("A file"),
        help_text=_("A photo or a PDF of at most 5 MB, if you have one."),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,application/pdf"}),
    )

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\x00", "").strip()

    def clean_file(self) -> UploadedFile | None:
        """`content_type` is what it is, whatever it is called."""
        file: UploadedFile | None = self.cleaned_data["file"]
        self.content_type = ""
        if not file:
            return None
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than 5 MB. Choose a smaller one."))
        self.content_type = format_of(file.read(8))
        file.seek(0)
        if not self.content_type:
            raise forms.ValidationError(_("Choose a photo (JPEG or PNG) or a PDF."))
        return file
