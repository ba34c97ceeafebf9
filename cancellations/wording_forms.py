"""The shape of what HR writes of messages and group chats."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from interviews.models import Department
from notifications import wording
from notifications.channels import chat
from notifications.rendering import TITLED, Source


class WordingForm(forms.Form):
    """Title and text of one message; text messages have no title."""

    use_required_attribute = False

    title = forms.CharField(
        label=pgettext_lazy("message", "Title"),
        max_length=200,
        error_messages={"required": _("Write a title.")},
    )
    body = forms.CharField(
        label=_("Text"),
        max_length=5000,
        error_messages={"required": _("Write a text.")},
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "true"}),
    )

    def __init__(self, *args: Any, event: str, channel: str, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.event, self.channel, self.written_in = event, channel, language
        if channel not in TITLED:
            del self.fields["title"]

    def source(self) -> Source:
        """What was written."""
        body = self.cleaned_data["body"].replace("\r\n", "\n")
        return Source(self.cleaned_data.get("title", ""), body)

    def clean(self) -> None:
        if self.errors:
            return
        try:
            wording.check(self.event, self.channel, self.source(), self.written_in)
        except ValidationError as error:
            self.add_error("body", error.messages)


class ChatGroupForm(forms.Form):
    """A group and its bot."""

    use_required_attribute = False

    name = forms.CharField(
        label=_("What is it called?"),
        max_length=100,
        error_messages={"required": _("Say what it is called.")},
    )
    url = forms.CharField(
        label=_("Address of its bot"),
        max_length=500,
        error_messages={"required": _("Enter the address.")},
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text=_(
            "As Apprise writes it: dingtalk://token/, wecombot://key/, feishu://token/ or "
            "lark://token/. It is kept encrypted and not shown again."
        ),
    )
    departments = forms.ModelMultipleChoiceField(
        label=_("Of which departments?"),
        queryset=Department.objects.all(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None chosen: of all departments."),
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=lambda: settings.LANGUAGES, initial=settings.LANGUAGE_CODE
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        if not chat.is_known(url):
            raise forms.ValidationError(
                _("This is not a whole address of one of these bots. Compare it once more.")
            )
        return url

    def given(self) -> dict[str, Any]:
        """What a ChatGroup is made of."""
        chosen = dict(self.cleaned_data)
        departments = chosen.pop("departments")
        return {**chosen, "audiences": [department.audience for department in departments]}
