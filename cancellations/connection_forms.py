"""The shape of what administrators type about connections to other systems."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from accounts.models import User
from accounts.permissions import STAFF_ROLES, allows
from accounts.scopes import NEEDS, Scope
from config.references import ALPHABET, LENGTH, new_reference
from interviews.events import EVENTS
from interviews.models import Department
from notifications.channels.webhook import URL_MAX
from notifications.models import Webhook

VALID_FOR = [30, 90, 365]


class NumberForm(forms.Form):
    """The number by which a form that makes a secret works once, however often it is sent."""

    number = forms.RegexField(f"^[{ALPHABET}]{{{LENGTH}}}$", widget=forms.HiddenInput)

    @classmethod
    def fresh(cls) -> "NumberForm":
        return cls(initial={"number": new_reference()})


class StaffField(forms.ModelChoiceField):
    def label_from_instance(self, user: Any) -> str:
        return f"{user.name} · {user.get_role_display()}"


class TokenForm(forms.Form):
    """A token for another system."""

    use_required_attribute = False

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=100,
        error_messages={"required": _("Say what it is for.")},
        help_text=_("For example the name of the system that calls."),
    )
    acts_as = StaffField(
        label=_("Acts as"),
        queryset=User.objects.none(),
        empty_label=_("Choose somebody"),
        error_messages={"required": _("Choose whom it acts as.")},
        help_text=_(
            "It sees the departments of this member of staff and never does more than their role "
            "allows. History names them, and that it was through this token."
        ),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What may it do?"),
        choices=[(scope.value, scope.label) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        choices=lambda: [
            (days, ngettext("%(count)d day", "%(count)d days", days) % {"count": days})
            for days in VALID_FOR
        ],
        coerce=int,
        initial=90,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(role__in=STAFF_ROLES, is_active=True).order_by("name", "pk")
        field = self.fields["acts_as"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells mypy
        field.queryset = staff.defer("national_id")

    def clean(self) -> None:
        user, scopes = self.cleaned_data.get("acts_as"), self.cleaned_data.get("scopes", [])
        if user is None:
            return
        beyond = [Scope(each).label for each in scopes if not allows(user, NEEDS[each])]
        if beyond:
            message = _("The role of %(name)s does not allow: %(scopes)s.")
            words = {"name": user.name, "scopes": ", ".join(map(str, beyond))}
            self.add_error("scopes", message % words)

    def given(self) -> dict[str, Any]:
        """What issue_token takes."""
        chosen = dict(self.cleaned_data)
        days = timedelta(days=chosen.pop("days"))
        return {**chosen, "expires_at": timezone.now() + days}


class WebhookForm(forms.Form):
    """Where events go, and which."""

    use_required_attribute = False

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=100,
        error_messages={"required": _("Say what it is for.")},
        help_text=_("For example the name of the system that is told."),
    )
    url = forms.CharField(
        label=_("Address that receives events"),
        max_length=URL_MAX,
        error_messages={"required": _("Enter the address.")},
        widget=forms.URLInput(attrs={"spellcheck": "false", "placeholder": "https://"}),
    )
    departments = forms.ModelMultipleChoiceField(
        label=_("Of which departments?"),
        queryset=Department.objects.all(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None chosen: of all departments."),
    )
    events = forms.MultipleChoiceField(
        label=_("Which events?"),
        choices=list(EVENTS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None chosen: every event, those of later versions as well."),
    )

    @classmethod
    def of(cls, hook: Webhook) -> dict[str, Any]:
        """What the form shows of a webhook that is there."""
        departments = [each.removeprefix("department:") for each in hook.audiences]
        return {
            "name": hook.name,
            "url": hook.url,
            "departments": departments,
            "events": hook.events,
        }

    def given(self) -> dict[str, Any]:
        """What set_up takes."""
        chosen = self.cleaned_data
        return {
            "name": chosen["name"],
            "url": chosen["url"],
            "events": chosen["events"],
            "audiences": [department.audience for department in chosen["departments"]],
        }


STATE_WORDS = {
    "http": pgettext_lazy("webhook", "answered %(code)s"),
    "timeout": pgettext_lazy("webhook", "no answer in time"),
    "unreachable": pgettext_lazy("webhook", "cannot be reached"),
    "tls": pgettext_lazy("webhook", "certificate not accepted"),
    "private_address": pgettext_lazy("webhook", "leads into a private network"),
    "unknown_host": pgettext_lazy("webhook", "host not known"),
    "not_wanted": pgettext_lazy("webhook", "no longer of its departments"),
}


def why(code: str) -> str:
    """An error code of a delivery in words; one without words, as it is."""
    kind, _underscore, status = code.partition("_")
    if kind == "http" and status:
        return str(STATE_WORDS["http"]) % {"code": status}
    return str(STATE_WORDS.get(code, code))
