"""The shape of what candidates send about an invitation."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cancellations.forms import ReasonRow
from interviews.booking.models import NEEDS_DETAIL, DeclineReason
from interviews.booking.services import clean_detail


class DeclineForm(forms.Form):
    """Why, and a sentence of detail where the reason asks for one."""

    use_required_attribute = False

    reason = forms.ChoiceField(
        label=_("Why do you decline?"),
        choices=DeclineReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason."), "invalid_choice": _("Choose a reason.")},
    )
    detail = forms.CharField(
        label=_("In a sentence"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def rows(self) -> list[ReasonRow]:
        chosen = self["reason"].value()
        return [
            ReasonRow(each.value, str(each.label), each in NEEDS_DETAIL, each == chosen, None)
            for each in DeclineReason
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if "reason" in cleaned and "detail" in cleaned:
            try:
                cleaned["detail"] = clean_detail(cleaned["reason"], cleaned["detail"])
            except ValidationError as error:
                self.add_error("detail", error)
        return cleaned
