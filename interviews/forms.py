"""Days, times and words as people type them."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from interviews.booking.models import DETAIL_MAX
from interviews.models import EARLIEST, LATEST, SANE_TIME

_OUT_OF_RANGE = _("Choose a day between 2000 and 2099.")


class SaneDateField(forms.DateField):
    """A day of this century."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            validators=[
                MinValueValidator(EARLIEST.date(), message=_OUT_OF_RANGE),
                MaxValueValidator(LATEST.date(), message=_OUT_OF_RANGE),
            ],
            error_messages={"invalid": _OUT_OF_RANGE},
            **kwargs,
        )


def as_moment(text: str) -> datetime | None:
    """The moment that a page sent back to say what it showed; None for anything else."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None


class MomentField(forms.DateTimeField):
    """A day and a time of day in the writer's own time zone, to the minute."""

    def __init__(self, **kwargs: Any) -> None:
        wrong = _("Choose a day between 2000 and 2099, and a time.")
        own = {
            "input_formats": ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
            "widget": forms.DateTimeInput(
                format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}
            ),
            "validators": [type(each)(each.limit_value, message=wrong) for each in SANE_TIME],
            "error_messages": {"invalid": wrong},
        }
        super().__init__(**kwargs | own)


class WordsField(forms.CharField):
    """A few sentences. The box takes more than may be kept: cut silently, somebody's last words
    would be missing; so the form says that it is too long, and shows all of it."""

    def __init__(self, **kwargs: Any) -> None:
        own: dict[str, Any] = {
            "max_length": DETAIL_MAX,
            "widget": forms.Textarea(attrs={"rows": 2}),
        }
        super().__init__(**own | kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attrs = super().widget_attrs(widget)
        attrs.pop("maxlength", None)
        return attrs
