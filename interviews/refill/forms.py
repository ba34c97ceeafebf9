"""How the places of a position are offered, as HR sets it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from interviews.models import Position


class RefillForm(forms.ModelForm):
    use_required_attribute = False

    class Meta:
        model = Position
        fields = ("refill_hold_minutes", "refill_near_minutes", "refill_from_pool")
        labels = {
            "refill_hold_minutes": _("Keep a place for somebody, in minutes"),
            "refill_near_minutes": _("Offer nothing that begins within, in minutes"),
            "refill_from_pool": _("Where nobody waits, ask the talent pool"),
        }
        help_texts = {
            "refill_hold_minutes": _("Then it goes to the next. At night nobody is asked."),
            "refill_near_minutes": _("People need time to see the message and to come."),
            "refill_from_pool": _("Only people who agreed to it, and whom the position suits."),
        }

    def save(self, commit: bool = True) -> Any:
        """Only what stands in the form, and nothing back over what happened meanwhile."""
        self.instance.save(update_fields=list(self.Meta.fields))
        return self.instance
