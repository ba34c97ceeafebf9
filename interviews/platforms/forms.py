"""The shape of what administrators type about a platform."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.references import ALPHABET, LENGTH
from interviews.platforms import written
from interviews.platforms.models import Platform, Sign
from notifications.channels.webhook import URL_MAX


class OnceForm(forms.Form):
    """The number by which a form has its effect once, however often it is sent."""

    number = forms.RegexField(f"^[{ALPHABET}]{{{LENGTH}}}$")


class MappingField(forms.CharField):
    """JSON, told exactly where it breaks."""

    empty_values = [None, ""]  # an empty object is something, and said what is missing of it
    widget = forms.Textarea(
        attrs={"rows": 24, "spellcheck": "false", "class": "platform-mapping", "wrap": "off"}
    )

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        if len(text) > written.LARGEST:
            words = _("Please keep it under %(count)d characters.")
            raise ValidationError(words, params={"count": written.LARGEST})
        try:
            read = json.loads(text, parse_constant=_no_number)
            _no_signs(json.dumps(read, ensure_ascii=False))
            return read
        except json.JSONDecodeError as error:
            words = _("This is no JSON: line %(line)d, column %(column)d.")
            params = {"line": error.lineno, "column": error.colno}
            raise ValidationError(words, params=params) from None
        except RecursionError:
            raise ValidationError(_("This is nested too deeply.")) from None

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return json.dumps(value, indent=2, ensure_ascii=False)
        return value


def _no_number(name: str) -> None:
    words = _("“%(key)s” is no number that JSON knows.")
    raise ValidationError(words, params={"key": name})


def _no_signs(text: str) -> None:
    """Raises ValidationError for signs that no text has: half ones, and NUL, which is written so
    in JSON."""
    is_whole = text.encode(errors="replace").decode() == text
    if not is_whole or "\\u0000" in text:
        raise ValidationError(_("It holds signs that no text can have."))


class PlatformForm(forms.ModelForm):
    """A platform: how it is reached, how it knows us, and where its API keeps what."""

    use_required_attribute = False
    mapping = MappingField(
        label=gettext_lazy("Mapping"),
        help_text=gettext_lazy("JSON; docs/platforms.md describes it. Begin with an example."),
    )

    class Meta:
        model = Platform
        fields = (
            "name", "slug", "base_url", "sign", "client_id", "secret", "webhook_secret", "mapping",
        )  # fmt: skip
        labels = {
            "slug": gettext_lazy("Name in addresses"),
            "base_url": gettext_lazy("Address of its API"),
            "sign": gettext_lazy("How it knows us"),
            "client_id": gettext_lazy("Client id or app key"),
            "secret": gettext_lazy("Secret"),
            "webhook_secret": gettext_lazy("Secret its events are signed with"),
        }
        help_texts = {
            "slug": gettext_lazy("Its events come to /platforms/<this>/events/."),
            "sign": gettext_lazy("The mapping says the rest: “token” or “signature”."),
        }
        widgets = {
            "base_url": forms.URLInput(attrs={"spellcheck": "false", "placeholder": "https://"}),
            "sign": forms.RadioSelect(),
            "secret": forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            "webhook_secret": forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        }
        field_classes = {"secret": forms.CharField, "webhook_secret": forms.CharField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance.pk is None
        for field in self.fields.values():
            field.error_messages["required"] = _("“%(key)s” is missing.") % {"key": field.label}
        self.fields["base_url"].max_length = URL_MAX  # type: ignore[attr-defined]
        self.fields["sign"].choices = Sign.choices  # type: ignore[attr-defined]
        self.fields["secret"].required = is_new
        if not is_new:
            del self.fields["slug"]  # their webhook calls it
        kept = _("Leave it empty to keep the one there is.")
        self.fields["secret"].help_text = "" if is_new else kept
        self.fields["webhook_secret"].help_text = (
            _("Only if the platform gives you one; otherwise leave it empty, and one is made.")
            if is_new
            else kept
        )

    def clean(self) -> None:
        super().clean()
        given, sign = self.cleaned_data.get("mapping"), self.cleaned_data.get("sign")
        if given is None or not sign:
            return
        try:
            written.parse(given, sign=sign)
        except written.Wrong as wrong:
            for message in wrong.messages[:12]:
                self.add_error("mapping", message)

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug == "new":
            raise ValidationError(_("Choose another name: this one is taken by a page."))
        return slug

    def given(self) -> dict[str, Any]:
        """What set_up takes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields if name in self.fields}
