"""The shape of what staff write when they put something on the queue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identifiers import normalise_email, normalise_mobile
from accounts.models import User
from cancellations.work import at_ten
from interviews.forms import MomentField, WordsField
from interviews.templatetags.when import when

_OWN = "own"
_FARTHEST = timedelta(days=365)


class ContactForm(forms.Form):
    """How somebody is reached whom nothing reached."""

    use_required_attribute = False

    mobile = forms.CharField(
        label=_("New mobile number"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    email = forms.CharField(
        label=_("New email address"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "off"}),
        help_text=_("As the candidate has told you; they sign in with them from then on."),
    )

    def clean_mobile(self) -> str:
        text: str = self.cleaned_data["mobile"]
        return normalise_mobile(text) if text else ""

    def clean_email(self) -> str:
        text: str = self.cleaned_data["email"]
        return normalise_email(text) if text else ""

    def clean(self) -> dict[str, Any]:
        if not self.errors and not any(self.cleaned_data.values()):
            self.add_error("mobile", _("Enter a number or an address."))
        return self.cleaned_data


class FollowUpForm(forms.Form):
    """What is to be done about an interview, by when, and who does it."""

    use_required_attribute = False

    task = WordsField(
        label=_("What is to be done?"),
        help_text=_("Colleagues read it; the candidate does not."),
        error_messages={"required": _("Say in a sentence what is to be done.")},
    )
    due = forms.ChoiceField(
        label=_("By when?"),
        widget=forms.RadioSelect,
        initial="tomorrow",
        error_messages={"required": _("Choose a time."), "invalid_choice": _("Choose a time.")},
    )
    time = MomentField(label=_("Another time"), required=False)
    whom = forms.ChoiceField(
        label=_("Who does it?"),
        initial="me",
        error_messages={"required": _("Choose one."), "invalid_choice": _("Choose one.")},
    )

    def __init__(self, *args: Any, by: User, colleagues: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = timezone.now()
        self.by = by
        self.times = {
            "soon": now + timedelta(hours=2),
            "tomorrow": at_ten(days=1),
            "later": at_ten(days=3),
        }
        self.people = {str(each.pk): each for each in colleagues if each != by}
        due, whom = self.fields["due"], self.fields["whom"]
        assert isinstance(due, forms.ChoiceField)  # noqa: S101 - tells mypy
        assert isinstance(whom, forms.ChoiceField)  # noqa: S101 - tells mypy
        due.choices = [
            *((name, when(moment)) for name, moment in self.times.items()),
            (_OWN, _("Another time")),
        ]
        whom.choices = [
            ("me", _("me")),
            ("anybody", _("whoever takes it on")),
            *((number, person.name) for number, person in self.people.items()),
        ]

    def clean(self) -> None:
        """`due_at` is the time chosen or typed, `to` whoever does it, where that is anybody."""
        due, whom = self.cleaned_data.get("due"), self.cleaned_data.get("whom", "")
        self.cleaned_data["to"] = self.by if whom == "me" else self.people.get(whom)
        due_at: datetime | None = self.times.get(due or "")
        if due == _OWN:
            due_at = self.cleaned_data.get("time")
            if due_at is None and "time" not in self.errors:
                self.add_error("time", _("Enter a day and a time."))
            elif due_at is not None and not timedelta(0) < due_at - timezone.now() < _FARTHEST:
                self.add_error("time", _("Choose a time within the next year."))
        self.cleaned_data["due_at"] = due_at
