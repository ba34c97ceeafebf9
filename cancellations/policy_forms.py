"""The shape of a policy as people write it: a scope, tiers in hours or minutes, a time it holds."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from cancellations import policies, queries, rules, words
from cancellations.models import Policy
from interviews.forms import MomentField
from interviews.models import Department, Position
from interviews.queries import departments_of, sees_everything

MOST_TIERS = 12
MOST_MINUTES = 7 * 24 * 60
UNITS = {"minutes": 1, "hours": 60, "days": 24 * 60}
LONGEST = timedelta(days=90)
_FOR_OTHERS = _("Choose your department: only administrators write for others.")
_MINUTES = _("Enter a number of minutes, for example 15.")


class PolicyForm(forms.ModelForm):
    """Everything about a policy but its tiers. Of one that is switched on, whom it is for stays."""

    use_required_attribute = False

    class Meta:
        model = Policy
        fields = list(queries.POLICY_FIELDS)
        field_classes = {"since": MomentField, "until": MomentField}
        labels = {
            "name": pgettext_lazy("of a thing", "Name"),
            "department": _("Department"),
            "category": _("Position category"),
            "position": _("Position"),
            "kind": _("Kind of interview"),
            "default_decision": _("Where HR does not decide in time"),
            "since": _("In force from"),
            "until": _("In force until"),
            "exit_introduction": _("Leaving during the introduction"),
            "exit_professional": _("Leaving during the professional questions"),
            "exit_closing": _("Leaving during the closing part"),
            "exit_second_factor": _("Leaving needs a code by text message"),
            "cooldown_days": _("Days without a new application after leaving"),
            "misstart_minutes": _("Minutes in which leaving is a false start"),
            "resume_hours": _("Hours to come back to an interview"),
            "self_rebooking": _("Who left may choose another time alone"),
            "move_minutes_before": _("Candidates may move it until (minutes before the start)"),
            "moves_most": _("How often candidates may move it"),
            "mark_days": _("Days a mark for an absence stays"),
        }
        error_messages = {
            "name": {"required": _("Give the policy a name.")},
            "department": {"required": _FOR_OTHERS},
        }
        help_texts = {
            "name": _("Only staff see it."),
            "since": _("Empty: from when it is switched on."),
            "until": _("Empty: until it is switched off or another one takes its place."),
        }

    promised_minutes = forms.IntegerField(
        label=_("HR promises to decide within (minutes)"),
        help_text=_("Candidates read it before they ask."),
        initial=15,
        min_value=1,
        max_value=MOST_MINUTES,
        error_messages={"required": _MINUTES, "invalid": _MINUTES},
    )
    default_minutes_before = forms.IntegerField(
        label=_("It is then decided (minutes before the start)"),
        help_text=_("Who asks later than that is answered half-way between asking and the start."),
        initial=30,
        min_value=0,
        max_value=MOST_MINUTES,
        error_messages={"required": _MINUTES, "invalid": _MINUTES},
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, by: User, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["version"] = self.instance.version
        self.by, self.now = by, now
        departments, positions = Department.objects.all(), Position.objects.all()
        if not sees_everything(by):
            departments = departments_of(by)
            positions = positions.filter(department__in=departments.values("pk"))
        chosen = Q(pk=self.instance.position_id or self.initial.get("position"))
        if sees_everything(by) or (self.instance.pk and not self.instance.department_id):
            self._offer("department", departments, _("Any"))
        else:
            self._ask_for_department(departments)
        self._offer("category", None, _("Any"))
        self._offer("position", positions.filter(Q(is_open=True) | chosen), _("Any"))
        kind = self.fields["kind"]
        kind.choices = [("", _("Any")), *list(kind.choices)[1:]]  # type: ignore[attr-defined]
        if self.instance.pk and self.instance.is_active:
            for name in policies.SCOPE:
                self.fields[name].disabled = True
            self.fields["since"].disabled = has_begun(self.instance, now)

    def _offer(self, name: str, rows: Any, anything: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells mypy
        if rows is not None:
            field.queryset = rows
        field.empty_label = anything

    def _ask_for_department(self, own: QuerySet[Department]) -> None:
        """Who writes for their own departments alone says for which one; of one, it is clear."""
        mine = list(own[:2])
        self._offer("department", own, "—" if len(mine) != 1 else None)
        self.fields["department"].required = True
        if len(mine) == 1:
            self.initial["department"] = mine[0].pk

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        position, department = cleaned.get("position"), cleaned.get("department")
        if position and department and position.department_id != department.pk:
            self.add_error(
                "position",
                _("%(position)s belongs to %(department)s. Leave one of the two empty.")
                % {"position": position, "department": position.department},
            )
        category = cleaned.get("category")
        if position and category and position.category_id != category.pk:
            self.add_error(
                "category",
                _("%(position)s is in the category %(category)s. Leave one of the two empty.")
                % {"position": position, "category": position.category},
            )
        if "department" not in self.errors and not queries.may_edit_policy(
            self.by, department.pk if department else None, position
        ):
            self.add_error("department", _FOR_OTHERS)
        since, until = cleaned.get("since"), cleaned.get("until")
        if until and until <= max(since or self.now, self.now):
            self.add_error(
                "until",
                _("Choose a moment that is still to come and later than when it begins."),
            )
        return cleaned

    def _post_clean(self) -> None:
        """The service writes what was cleaned; the object stays as it was read, for comparing."""

    def columns(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in queries.POLICY_FIELDS}


def has_begun(policy: Policy, now: datetime) -> bool:
    return policy.is_active and (policy.since is None or policy.since <= now)


class TierForm(forms.Form):
    """One tier: so much notice or more, this outcome. A row left blank is none."""

    use_required_attribute = False

    amount = forms.IntegerField(
        label=_("At least"),
        required=False,
        min_value=0,
        max_value=90 * 24 * 60,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": _("Enter a whole number, for example 24.")},
    )
    unit = forms.ChoiceField(
        label=_("Unit"),
        choices=[
            ("hours", _("hours before")),
            ("minutes", _("minutes before")),
            ("days", _("days before")),
        ],
        initial="hours",
        required=False,
    )
    outcome = forms.ChoiceField(
        label=_("What happens"),
        choices=[("", "—"), *words.OUTCOMES.items()],
        required=False,
    )
    short_notice = forms.BooleanField(label=_("Recorded as short notice"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if self.errors:
            return cleaned
        amount, outcome = cleaned.get("amount"), cleaned.get("outcome")
        if amount is None and not outcome:
            return cleaned
        if amount is None:
            self.add_error("amount", _("How long before the start, at least? 0 means until then."))
        elif not outcome:
            self.add_error("outcome", _("Choose what happens."))
        else:
            notice = timedelta(minutes=amount * UNITS[cleaned.get("unit") or "hours"])
            if notice > LONGEST:
                self.add_error("amount", _("A notice is at most 90 days."))
            else:
                cleaned["tier"] = rules.Tier(
                    notice, rules.Outcome(outcome), cleaned.get("short_notice", False)
                )
        return cleaned


class BaseTierFormSet(forms.BaseFormSet):
    default_error_messages = {"too_many_forms": _("A policy has at most %(num)d tiers.")}

    def tiers(self) -> tuple[rules.Tier, ...]:
        """What was written and understood, longest notice first."""
        kept = [form for form in self.forms if not self._is_removed(form)]
        found = [form.cleaned_data["tier"] for form in kept if "tier" in form.cleaned_data]
        return tuple(sorted(found, key=lambda tier: tier.notice, reverse=True))

    def _is_removed(self, form: forms.Form) -> bool:
        return not hasattr(form, "cleaned_data") or bool(form.cleaned_data.get("DELETE"))

    def clean(self) -> None:
        if any(self.errors):
            return
        tiers = self.tiers()
        if not tiers:
            raise ValidationError(
                _(
                    "A policy needs at least one tier, for example: notice 0 minutes, HR decides. "
                    "Without one it says nothing."
                )
            )
        notices = [tier.notice for tier in tiers]
        twice = next((each for each in notices if notices.count(each) > 1), None)
        if twice is not None:
            raise ValidationError(
                _("Two tiers have the same notice, %(notice)s. Give each its own, or remove one.")
                % {"notice": words.notice_in_words(int(twice.total_seconds() // 60))}
            )


TierFormSet = forms.formset_factory(
    TierForm,
    formset=BaseTierFormSet,
    extra=2,
    can_delete=True,
    max_num=MOST_TIERS,
    absolute_max=MOST_TIERS + 20,
    validate_max=True,
)


def rows_of(tiers: Iterable[rules.Tier]) -> list[dict[str, Any]]:
    """Tiers as the form shows them, each in the unit people would use."""
    rows = []
    for tier in tiers:
        minutes = int(tier.notice.total_seconds() // 60)
        unit = "minutes" if minutes % 60 else "hours"
        if minutes >= 3 * UNITS["days"] and minutes % UNITS["days"] == 0:
            unit = "days"
        rows.append(
            {
                "amount": minutes // UNITS[unit],
                "unit": unit,
                "outcome": tier.outcome.value,
                "short_notice": tier.short_notice,
            }
        )
    return rows


def check_default(form: PolicyForm, tiers: tuple[rules.Tier, ...]) -> None:
    """A default that would fall due before anybody can have asked is a slip of the pen."""
    longest = rules.longest_waiting(tiers)
    minutes = form.cleaned_data.get("default_minutes_before")
    if longest is not None and minutes is not None and timedelta(minutes=minutes) >= longest:
        form.add_error(
            "default_minutes_before",
            _(
                "HR decides only what is asked less than %(longest)s before the start. Choose a "
                "shorter time, or it would be decided before anybody has asked."
            )
            % {"longest": words.span_in_words(longest)},
        )


class SwitchForm(forms.Form):
    """What somebody says along with switching a policy on or off."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    is_meant = forms.BooleanField(required=False)
    replacing = forms.BooleanField(required=False)
