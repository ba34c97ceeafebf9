"""Shape of what people type to sign in."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm as BaseSetPasswordForm
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import identifiers, queries, time_zones, two_step
from accounts.models import User
from accounts.permissions import Role
from notifications import preferences
from notifications.events import OF_CANDIDATES

CODE_LENGTH = 6
RECOVERY_CODE_LENGTH = 8


class IdentifierField(forms.CharField):
    """What was typed, once it is known to be a mobile number, ID number or email address."""

    default_error_messages = {"required": _("Enter your mobile number or ID number.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)
        self.widget.attrs.update(
            autocomplete="username", autocapitalize="none", spellcheck="false", autofocus=True
        )

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and len(value) <= 254 and "\x00" not in value:
            identifiers.parse(value)


class CodeField(forms.CharField):
    """Digits of a one-time code, spaces forgiven."""

    default_error_messages = {"required": _("Enter the six-digit code.")}
    lengths: tuple[int, ...] = (CODE_LENGTH,)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=20, **kwargs)
        self.widget.attrs.update(autocomplete="one-time-code", inputmode="numeric", autofocus=True)

    def to_python(self, value: Any) -> str:
        return "".join((super().to_python(value) or "").split())

    def validate(self, value: str) -> None:
        super().validate(value)
        if len(value) not in self.lengths or not (value.isascii() and value.isdigit()):
            raise ValidationError(self.error_messages["required"], code="code")


def password_field(label: Any, *, autocomplete: str = "current-password") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        error_messages={"required": _("Enter your password.")},
    )


class SignInForm(forms.Form):
    identifier = IdentifierField(label=_("Mobile number or ID number"))
    password = password_field(_("Password"))


class DeskSignInForm(forms.Form):
    identifier = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        error_messages={"required": _("Enter your email address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = password_field(_("Password"))


class RequestCodeForm(forms.Form):
    identifier = IdentifierField(
        label=_("Mobile number or ID number"),
        help_text=_("The code goes to the mobile number you applied with."),
    )


class CodeForm(forms.Form):
    code = CodeField(label=_("Six-digit code"))


class SecondStepField(CodeField):
    """What an authenticator app shows, or a recovery code."""

    default_error_messages = {
        "required": _("Enter the six-digit code of the app, or a recovery code.")
    }
    lengths = (CODE_LENGTH, RECOVERY_CODE_LENGTH)


class SecondStepForm(forms.Form):
    code = SecondStepField(
        label=_("Six-digit code"), help_text=_("Or one of your recovery codes, eight digits.")
    )


class ForgottenForm(forms.Form):
    identifier = IdentifierField(label=_("Mobile number, ID number or email address"))


class SetPasswordForm(BaseSetPasswordForm):
    """A new password, twice; the rules are below the field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].help_text = _(
            "At least 8 characters, not only digits, and nothing like your name."
        )
        for name in ("new_password1", "new_password2"):
            self.fields[name].max_length = 256  # type: ignore[attr-defined]
        self.fields["new_password1"].widget.attrs["autofocus"] = True


class ChangePasswordForm(SetPasswordForm):
    """The current password first: an open session alone must not be enough."""

    current_password = password_field(_("Current password"))
    field_order = ["current_password", "new_password1", "new_password2"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["new_password1"].widget.attrs["autofocus"]
        self.fields["current_password"].widget.attrs["autofocus"] = True


NO_CHOICE = "default"


def _own_choice(value: str) -> str:
    return "" if value == NO_CHOICE else value


class SettingsForm(forms.Form):
    """Language and time zone; nothing chosen means as the browser says, and as the company's clocks
    do, and comes out empty."""

    language = forms.TypedChoiceField(
        label=_("Language"),
        coerce=_own_choice,
        choices=[(NO_CHOICE, _("As the browser says")), *settings.LANGUAGES],
    )
    time_zone = forms.TypedChoiceField(
        label=_("Time zone"),
        coerce=_own_choice,
        help_text=_("UTC+8 means eight hours ahead of universal time, as of today."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = timezone.now()
        company = _("As the company's clocks: %(zone)s") % {
            "zone": time_zones.label(settings.TIME_ZONE, now)
        }
        kept = self.initial.get("time_zone", NO_CHOICE)
        chosen = "" if kept == NO_CHOICE else kept
        field = self.fields["time_zone"]
        field.choices = [(NO_CHOICE, company), *time_zones.groups(now, chosen)]  # type: ignore[attr-defined]


class AnyOf(forms.MultipleChoiceField):
    """None of them is an answer too, so nothing here is optional."""

    def validate(self, value: Any) -> None:
        if value:
            super().validate(value)


class MessagesForm(forms.Form):
    """Which of the messages one may do without are sent, and how."""

    def __init__(self, *args: Any, wanted: Mapping[tuple[str, str], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for group in OF_CANDIDATES:
            self.fields[group.value] = AnyOf(
                label=group.label,
                choices=[(channel.value, channel.label) for channel in preferences.CHANNELS],
                initial=[channel for (name, channel), on in wanted.items() if on and name == group],
                widget=forms.CheckboxSelectMultiple,
            )

    def wanted(self) -> dict[tuple[str, str], bool]:
        """What was chosen, for each group and channel."""
        return {
            (group.value, channel.value): channel.value in self.cleaned_data[group.value]
            for group in OF_CANDIDATES
            for channel in preferences.CHANNELS
        }


class BrowserForm(forms.Form):
    """What a browser gives us to reach it by (RFC 8030, RFC 8291)."""

    endpoint = forms.URLField(max_length=500, assume_scheme="https")
    key = forms.RegexField(r"^[A-Za-z0-9_-]{80,120}={0,2}$")
    secret = forms.RegexField(r"^[A-Za-z0-9_-]{16,40}={0,2}$")


class TwoStepOnForm(forms.Form):
    """The first code from the app. The page carries the secret, signed, beside these fields, so
    that looking at it changes nothing and a mistyped code needs no second scan."""

    password = password_field(_("Current password"))
    code = CodeField(label=_("Six-digit code from the app"))

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        del self.fields["code"].widget.attrs["autofocus"]
        self.user = user
        self.carried = self._read(self.data.get("secret", ""))
        self.secret = self.carried or two_step.new_secret()

    @property
    def signed_secret(self) -> str:
        return signing.dumps([self.user.pk, self.secret], salt="accounts.two-step")

    def _read(self, signed: str) -> str:
        try:
            owner, secret = signing.loads(signed, salt="accounts.two-step", max_age=3600)
        except signing.BadSignature:
            return ""
        return str(secret) if owner == self.user.pk else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.carried:
            raise ValidationError(_("This page was open for too long. Scan the code once more."))
        code = cleaned.get("code")
        if code and not two_step.matches(self.secret, code):
            self.add_error("code", _("That is not the code the app shows now."))
        return cleaned


class TwoStepOffForm(forms.Form):
    password = password_field(_("Current password"))


class ConfirmForm(forms.Form):
    """The password once more, before something that opens the account in another way."""

    password = password_field(_("Current password"))


class PasskeyAnswerField(forms.JSONField):
    """What the browser says when it is asked for a passkey."""

    default_error_messages = {
        "required": _("The browser gave no passkey. Try again."),
        "invalid": _("The browser gave no passkey. Try again."),
    }
    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and ("\x00" in value or len(value) > 100_000):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            return super().to_python(value)
        except (RecursionError, ValueError):  # brackets or digits without end
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def bound_data(self, data: Any, initial: Any) -> str:
        """Never drawn again: it answered one challenge."""
        return ""

    def prepare_value(self, value: Any) -> str:
        return ""


class PasskeyAnswerForm(forms.Form):
    credential = PasskeyAnswerField()


class PasskeyForm(PasskeyAnswerForm):
    name = forms.CharField(
        label=pgettext_lazy("of a thing", "Name"),
        max_length=60,
        help_text=_("Where it is kept: “office laptop”, “blue security key”."),
        error_messages={"required": _("Give it a name, so that you know it again.")},
    )
    field_order = ["name", "credential"]


STAFF_ROLE_CHOICES = [
    (role.value, role.label)
    for role in (Role.DEPARTMENT_VIEWER, Role.RECRUITER, Role.HR_LEAD, Role.ADMINISTRATOR)
]


class AccessForm(forms.Form):
    """What a member of staff may do, and where."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=STAFF_ROLE_CHOICES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a role.")},
    )
    departments: "forms.ModelMultipleChoiceField[Any]" = forms.ModelMultipleChoiceField(
        label=_("Departments"),
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("They see interviews of these departments only. Administrators see all."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["departments"].queryset = queries.departments()  # type: ignore[attr-defined]


class InvitationForm(AccessForm):
    name = forms.CharField(
        label=pgettext_lazy("of a person", "Name"),
        max_length=100,
        error_messages={"required": _("Enter the name.")},
    )
    email = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        error_messages={"required": _("Enter the email address.")},
        help_text=_("A link to choose a password goes there. It is valid for 7 days."),
    )
    field_order = ["name", "email", "role", "departments"]

    def clean_email(self) -> str:
        email = identifiers.normalise_email(self.cleaned_data["email"])
        if User.objects.filter(email=email).exists():
            raise ValidationError(_("Somebody with this email address exists already."))
        return email


class PeopleFilterForm(forms.Form):
    """Whom the list of staff shows. A name or address travels in the body of a request only."""

    text = forms.CharField(label=_("Name or email address"), required=False, max_length=100)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)
