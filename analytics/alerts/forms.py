"""The shape of a rule."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from analytics.alerts.models import AlertRule

WHOLE = _("Enter a whole number.")


class RuleForm(forms.ModelForm):
    """What is watched where, and from when on it is an alert."""

    use_required_attribute = False

    class Meta:
        model = AlertRule
        fields = (
            "rate",
            "scope",
            "kind",
            "days",
            "threshold",
            "margin",
            "minimum",
            "name",
            "is_active",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["kind"]
        kind.choices = [("", _("Any")), *list(kind.choices)[1:]]  # type: ignore[attr-defined]
        for name in ("days", "threshold", "margin", "minimum"):
            self.fields[name].error_messages |= {"required": WHOLE, "invalid": WHOLE}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        threshold, margin = cleaned.get("threshold"), cleaned.get("margin")
        if threshold and margin and margin > threshold:
            said = _("It has to close at 0 %% or above: at most %(most)d.")
            self.add_error("margin", said % {"most": threshold})
        return cleaned
