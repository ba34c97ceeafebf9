"""The shape of what HR sends about slots, series and closures."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.time_zones import groups
from interviews.booking.models import MOST_TIMES, Closure, SlotSeries
from interviews.booking.queries import visible_positions
from interviews.booking.rules import meeting, overlapping
from interviews.forms import MomentField, SaneDateField
from interviews.models import Department, InterviewKind, Position, Slot
from interviews.queries import departments_of, sees_everything

MOST_PLACES = 1000
_PLACES = _("Enter a number between 1 and 1000.")
_MINUTES = _("Enter a number of minutes between 5 and 480.")
_TIME = re.compile(r"(\d{1,2})[:：](\d{2})", re.ASCII)


class CalendarFilter(forms.Form):
    """Whose slots, of which week; lives in the address."""

    department = forms.ModelChoiceField(
        Department.objects.none(),
        label=_("Department"),
        required=False,
        empty_label=_("All my departments"),
    )
    position = forms.ModelChoiceField(
        Position.objects.none(),
        label=_("Position"),
        required=False,
        empty_label=_("All positions"),
    )
    day = SaneDateField(label=_("Week of"), required=False)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "department", departments_of(by).order_by("name"))
        _offer(self, "position", visible_positions(by))

    @property
    def chosen(self) -> dict[str, Any]:
        """What was understood of it; the rest is as if it had not been asked."""
        self.is_valid()
        return self.cleaned_data


def _offer(form: forms.BaseForm, name: str, rows: Any) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells mypy
    field.queryset = rows


class SlotForm(forms.Form):
    """One more time to book."""

    use_required_attribute = False

    position = forms.ModelChoiceField(
        Position.objects.none(),
        label=_("Position"),
        error_messages={"required": _("Choose a position.")},
    )
    kind = forms.ChoiceField(label=_("Kind of interview"), choices=InterviewKind.choices)
    starts_at = MomentField(label=_("Start"), help_text=_("In your own time zone."))
    minutes = forms.IntegerField(
        label=_("Minutes"),
        initial=30,
        min_value=5,
        max_value=480,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), _MINUTES),
    )
    capacity = forms.IntegerField(
        label=_("Places"),
        initial=1,
        min_value=1,
        max_value=MOST_PLACES,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), _PLACES),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "position", visible_positions(by).filter(is_open=True))

    def clean_starts_at(self) -> datetime:
        starts_at: datetime = self.cleaned_data["starts_at"]
        if starts_at <= timezone.now():
            raise ValidationError(_("Choose a time that lies ahead."))
        return starts_at

    def slot(self) -> Slot:
        """As typed, not stored."""
        given = dict(self.cleaned_data)
        length = timedelta(minutes=given.pop("minutes"))
        return Slot(ends_at=given["starts_at"] + length, **given)


class CapacityForm(forms.Form):
    """How many places a slot has."""

    use_required_attribute = False

    capacity = forms.IntegerField(
        label=_("Places"),
        min_value=1,
        max_value=MOST_PLACES,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), _PLACES),
    )


class TimesField(forms.CharField):
    """Times of day, and spans of them: 09:00, 10:30, 14:00–17:00. A span is filled with one slot
    after the other, which the form does once it knows how long one lasts."""

    def to_python(self, value: Any) -> Any:
        """[(first, last or None), …]"""
        text: str = super().to_python(value) or ""
        found = []
        for piece in re.split(r"[,，;；、\s]+", re.sub(r"\s*[-–—~～至]\s*", "–", text)):
            if piece:
                first, dash, last = piece.partition("–")
                found.append((_time(first), _time(last) if dash else None))
        return found


def _time(text: str) -> time:
    """Raises ValidationError."""
    match = _TIME.fullmatch(text.strip())
    hour, minute = map(int, match.groups()) if match else (24, 0)
    if hour > 23 or minute > 59:
        raise ValidationError(
            _("“%(what)s” is no time of day. Write 09:00, or 09:00–12:00."),
            params={"what": text[:20]},
        )
    return time(hour, minute)


def spread(spans: Iterable[tuple[time, time | None]], minutes: int) -> list[time]:
    """Each time of day that is meant, once, in order: a span holds as many as fit into it."""
    found: set[time] = set()
    for first, last in spans:
        at = first.hour * 60 + first.minute
        end = at + minutes if last is None else last.hour * 60 + last.minute
        if last is not None and last <= first:
            raise ValidationError(
                _("From %(first)s to %(last)s: the end has to come after the start."),
                params={"first": f"{first:%H:%M}", "last": f"{last:%H:%M}"},
            )
        if last is not None and end < at + minutes:
            raise ValidationError(
                _("From %(first)s to %(last)s is too short for one of %(minutes)d minutes."),
                params={"first": f"{first:%H:%M}", "last": f"{last:%H:%M}", "minutes": minutes},
            )
        while at + minutes <= end and at < 24 * 60:
            found.add(time(at // 60, at % 60))
            at += minutes
    return sorted(found)


class SeriesForm(forms.ModelForm):
    """The same times every week."""

    use_required_attribute = False

    class Meta:
        model = SlotSeries
        fields = (
            "position", "kind", "weekdays", "times", "minutes", "capacity", "since", "until",
            "zone",
        )  # fmt: skip
        labels = {
            "position": _("Position"),
            "kind": _("Kind of interview"),
            "zone": _("Time zone"),
        }

    weekdays = forms.TypedMultipleChoiceField(
        label=_("Days of the week"),
        choices=list(WEEKDAYS.items()),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one day.")},
    )
    times = TimesField(
        label=_("Times of day"),
        max_length=500,
        help_text=_("For example 09:00, 10:30, 14:00–17:00. A span holds one after another."),
        error_messages={"required": _("Enter at least one time, for example 09:00.")},
    )
    minutes = SlotForm.base_fields["minutes"]
    capacity = SlotForm.base_fields["capacity"]
    since = SaneDateField(label=_("First day"))
    until = SaneDateField(label=_("Last day"), required=False, help_text=_("Empty: it goes on."))
    zone = forms.ChoiceField(label=_("Time zone"))

    def __init__(self, *args: Any, by: User, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "position", visible_positions(by).filter(is_open=True))
        zone = self.fields["zone"]
        assert isinstance(zone, forms.ChoiceField)  # noqa: S101 - tells mypy
        zone.choices = groups(timezone.now(), self.instance.zone if self.instance.pk else "")
        self._today = today
        if self.instance.pk:
            self.fields["position"].disabled = self.fields["kind"].disabled = True
            _offer(self, "position", visible_positions(by))
            self.initial["times"] = ", ".join(f"{at:%H:%M}" for at in self.instance.times)
        else:
            self.initial.setdefault("since", today)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "times" in cleaned and "minutes" in cleaned:
            try:
                cleaned["times"] = spread(cleaned["times"], cleaned["minutes"])
            except ValidationError as error:
                self.add_error("times", error)
            else:
                if len(cleaned["times"]) > MOST_TIMES:
                    message = _("At most %(most)d times a day. Make two series of it.")
                    self.add_error("times", ValidationError(message, params={"most": MOST_TIMES}))
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day comes before the first one."))
        if not self.errors:
            self._refuse_what_meets(cleaned)
        return cleaned

    def _refuse_what_meets(self, cleaned: dict[str, Any]) -> None:
        """One time at once: who takes several people then gives a time several places."""
        pattern = SlotSeries(**cleaned).pattern
        if pair := overlapping(pattern.times, pattern.length):
            message = _(
                "%(first)s and %(second)s overlap: each lasts %(minutes)d minutes. For several"
                " people at once, give a time more places."
            )
            first, second = (f"{each:%H:%M}" for each in pair)
            said = {"first": first, "second": second, "minutes": cleaned["minutes"]}
            self.add_error("times", ValidationError(message, params=said))
            return
        others = SlotSeries.objects.filter(position=cleaned["position"], kind=cleaned["kind"])
        for other in others.exclude(pk=self.instance.pk).order_by("pk"):
            if at := meeting(pattern, other.pattern, self._today):
                message = _(
                    "Another series of this position, at %(times)s, takes place at the same time,"
                    " the first time on %(day)s. Change that one, or choose other times."
                )
                params = {
                    "times": ", ".join(f"{each:%H:%M}" for each in other.times),
                    "day": f"{timezone.localtime(at, pattern.zone):%Y-%m-%d %H:%M}",
                }
                self.add_error("times", ValidationError(message, params=params))
                return


class ClosureForm(forms.ModelForm):
    """Days on which nothing is offered, of one's departments, or (administrators) of everybody."""

    use_required_attribute = False

    class Meta:
        model = Closure
        fields = ("name", "first_day", "last_day", "department")
        labels = {"name": _("What it is called"), "department": _("Department")}
        help_texts = {"name": _("Only staff see it, for example: Spring Festival.")}
        error_messages = {"name": {"required": _("Give it a name.")}}

    first_day = SaneDateField(label=_("First day"))
    last_day = SaneDateField(label=_("Last day"))

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["department"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells mypy
        field.queryset = departments_of(by).order_by("name")
        field.empty_label = _("The whole company")
        field.help_text = ""
        if not sees_everything(by):
            field.required = True
            field.empty_label = _("Choose")
            field.error_messages["required"] = _(
                "Choose your department: only administrators close the whole company."
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day comes before the first one."))
        return cleaned
