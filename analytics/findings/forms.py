"""The shape of what HR writes down about a finding."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from analytics import figures
from analytics.figures import Filter, Period
from analytics.findings.codes import WATCHED, Done, Found, Side
from analytics.findings.models import ANY, LONGEST_NOTE, Action
from interviews.forms import SaneDateField, WordsField
from interviews.listing import OURS, departments_offered, positions_offered
from interviews.models import InterviewKind, Position
from interviews.queries import sees_everything

LONG_AGO = timedelta(days=2 * 365)


class ActionForm(forms.Form):
    """What was done, when, and a few words about it."""

    use_required_attribute = False

    done = forms.ChoiceField(
        label=pgettext_lazy("findings", "What was done"),
        choices=[("", gettext_lazy("Choose")), *Done.choices],
        error_messages={"required": gettext_lazy("Choose what fits best.")},
    )
    done_on = SaneDateField(
        label=gettext_lazy("Done on"),
        help_text=gettext_lazy("The days before it are compared with those since."),
    )
    note = WordsField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What exactly, for colleagues. No names of candidates."),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_done_on(self) -> date:
        day: date = self.cleaned_data["done_on"]
        if day > self.today:
            raise ValidationError(_("That day is still to come: log it when it is done."))
        if day < self.today - LONG_AGO:
            raise ValidationError(_("Choose a day of the last two years."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("done") == Done.OTHER and not cleaned.get("note", "").strip():
            self.add_error("note", _("Say in a few words what was done."))
        return cleaned


class LogForm(ActionForm):
    """The same with what stood out, for which interviews and in which period; the page of findings
    fills that in."""

    field_order = ("concerns", "done", "done_on", "note")

    concerns = forms.ChoiceField(
        label=gettext_lazy("What it concerns"),
        error_messages={"required": gettext_lazy("Choose what fits best.")},
    )
    found = forms.ChoiceField(choices=Found.choices, widget=forms.HiddenInput)
    since = SaneDateField()
    until = SaneDateField()
    kind = forms.ChoiceField(
        choices=[("", ""), *InterviewKind.choices], required=False, widget=forms.HiddenInput
    )
    source = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)

    def __init__(
        self, sent: QueryDict | None, *, user: User, today: date, asked: QueryDict
    ) -> None:
        names = ("concerns", "found", "since", "until", "kind", "source")
        initial = {name: asked[name][:40] for name in names if asked.get(name)}
        super().__init__(sent, today=today, initial=initial | {"done_on": today})
        self.user = user
        for name in ("since", "until"):
            self.fields[name].widget = forms.HiddenInput()
        concerns = self.fields["concerns"]
        assert isinstance(concerns, forms.ChoiceField)  # noqa: S101 - tells mypy
        departments = departments_offered(user)
        concerns.choices = self._offered(departments)
        if sees_everything(user):
            self.initial.setdefault("concerns", str(Side.COMPANY))
        elif len(departments) == 1:
            self.initial.setdefault("concerns", f"{Side.DEPARTMENT}:{departments[0][0]}")

    def _offered(self, departments: list[tuple[int, str]]) -> list[Any]:
        """What this member of staff sees, the widest first."""
        positions = positions_offered(self.user)
        found: list[Any] = [("", _("Choose"))]
        if sees_everything(self.user):
            found.append((str(Side.COMPANY), _("The whole company")))
        groups = (
            (_("Departments"), Side.DEPARTMENT, [(pk, name) for pk, name in departments]),
            (_("Positions"), Side.POSITION, [(each[0], each[1]) for each in positions]),
        )
        for title, side, rows in groups:
            if rows:
                found.append((title, [(f"{side}:{pk}", name) for pk, name in rows]))
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            raise ValidationError(_("The period ends before it begins."))
        return cleaned

    @property
    def understood(self) -> tuple[Found, Period] | None:
        """What stood out and when: the address that leads here says it. None where it does not."""
        known = self.data if self.is_bound else self.initial
        days = [self.fields[name] for name in ("since", "until")]
        try:
            since, until = (
                field.clean(known.get(name))
                for field, name in zip(days, ("since", "until"), strict=True)
            )
        except ValidationError:
            return None
        if known.get("found") not in Found.values or since > until:
            return None
        return Found(known["found"]), Period(since, until)

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["since"], self.cleaned_data["until"])

    @property
    def chosen(self) -> Filter:
        """The interviews it concerns."""
        side, key = self._side
        narrowed = {} if side == Side.COMPANY else {side: key}
        said = self.cleaned_data
        source = "" if said["source"] == OURS else said["source"] or None
        return figures.filter_for(self.user, **narrowed, source=source, kind=said["kind"] or None)

    @property
    def _side(self) -> tuple[str, int]:
        side, _colon, key = self.cleaned_data["concerns"].partition(":")
        return side, int(key or 0)

    def action(self) -> Action:
        """What is to be kept, without the figures."""
        said = self.cleaned_data
        side, key = self._side
        position = Position.objects.get(pk=key) if side == Side.POSITION else None
        department = key if side == Side.DEPARTMENT else None
        source = said["source"]
        return Action(
            found=said["found"],
            measure=WATCHED[Found(said["found"])],
            scope=side,
            position=position,
            department_id=position.department_id if position else department,
            source="" if source == OURS else source or ANY,
            kind=said["kind"],
            since=said["since"],
            until=said["until"],
            done=said["done"],
            done_on=said["done_on"],
            note=said["note"],
        )
