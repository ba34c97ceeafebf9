"""What a call is asked for: read as the desk's pages read their addresses, but what cannot be
understood is refused, since nobody would see that it narrowed nothing."""

from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.models import User
from analytics.dashboards.asking import PRESETS, Asked, ask
from interviews.listing import OURS
from interviews.models import InterviewKind, Position, PositionCategory
from interviews.queries import departments_of

MOST_STEPS = 400  # of a series
MOST_DAYS = 366  # of rows
STEPS = ["day", "week", "month", "quarter"]
DIMENSIONS = ["department", "position", "category", "source", "kind"]
NOT_YOURS = {
    "department": gettext_lazy("No department of yours has this code."),
    "position": gettext_lazy("No position of yours has this code."),
    "category": gettext_lazy("No position of yours is of this category."),
}


class FigureQuery(serializers.Serializer):
    """Which interviews, and of which days."""

    since = serializers.DateField(
        required=False, help_text="The first day. Days are those of the company's time zone."
    )
    until = serializers.DateField(required=False, help_text="The last day, itself included.")
    period = serializers.ChoiceField(
        list(PRESETS),
        required=False,
        help_text="In the place of days. Without either, the last 30 days.",
    )
    department = serializers.SlugField(required=False, max_length=50, help_text="Its code.")
    position = serializers.CharField(required=False, max_length=100, help_text="Its code.")
    category = serializers.SlugField(required=False, max_length=50, help_text="Its code.")
    source = serializers.CharField(  # type: ignore[assignment]
        required=False,
        max_length=40,
        help_text=f"The system they were imported from; `{OURS}` for our own.",
    )
    recruiter = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        help_text="As in `user:12` of the history.",
    )
    kind = serializers.ChoiceField(InterviewKind.choices, required=False)

    def asked(self, user: User) -> Asked:
        """Raises ValidationError."""
        self._refuse_unknown()
        self.is_valid(raise_exception=True)
        chosen = self.validated_data
        if "period" in chosen and {"since", "until"} & chosen.keys():
            raise ValidationError({"period": [_("Give days or a period, not both.")]})
        said = QueryDict(mutable=True)
        for name in ("since", "until", "period", "source", "recruiter", "kind"):
            if name in chosen:
                said[name] = str(chosen[name])
        for name, key in _named(user, chosen).items():
            said[name] = str(key)
        asked = ask(said, user)
        if asked.form.errors:
            raise ValidationError({name: [*wrong] for name, wrong in asked.form.errors.items()})
        return asked

    def _refuse_unknown(self) -> None:
        given: QueryDict = self.initial_data
        wrong = {
            name: [_("There is no such parameter.")]
            for name in given
            if name not in self.fields and name != "format"
        }
        wrong |= {name: [_("Give it once.")] for name in given if len(given.getlist(name)) > 1}
        if wrong:
            raise ValidationError(wrong)


class InsightQuery(FigureQuery):
    compare = serializers.BooleanField(
        default=False, help_text="With the figures of the period before beside them."
    )


class SeriesQuery(InsightQuery):
    """As a series, and beside one another."""

    step = serializers.ChoiceField(
        STEPS,
        required=False,
        help_text="Of the series; by itself as fits the period.",
    )
    by = serializers.ChoiceField(
        DIMENSIONS, required=False, help_text="What to tell apart in `rows`."
    )

    def asked(self, user: User) -> Asked:
        asked = super().asked(user)
        step = self.validated_data.get("step")
        # A quarter has a few days: cheap to count, and never too many.
        if step and len(asked.period.starts(step)) > MOST_STEPS:
            raise ValidationError(
                {"step": [_("At most %(count)d steps at once.") % {"count": MOST_STEPS}]}
            )
        return asked


class MetricQuery(FigureQuery):
    """Rows of at most a year at once: whoever wants more asks for one period after the other."""

    def asked(self, user: User) -> Asked:
        asked = super().asked(user)
        if asked.period.days > MOST_DAYS:
            raise ValidationError(
                {"until": [_("At most %(count)d days at once.") % {"count": MOST_DAYS}]}
            )
        return asked


def _named(user: User, chosen: dict[str, Any]) -> dict[str, int]:
    """The keys of what is named by its code. Raises ValidationError for what is not this user's."""
    own = departments_of(user)
    positions = Position.objects.filter(department__in=own.values("pk"))
    rows: dict[str, QuerySet[Any]] = {
        "department": own.filter(code=chosen.get("department")),
        "position": positions.filter(code=chosen.get("position")),
        "category": PositionCategory.objects.filter(
            code=chosen.get("category"), pk__in=positions.values("category")
        ),
    }
    keys = {
        name: found.values_list("pk", flat=True).first()
        for name, found in rows.items()
        if name in chosen
    }
    if wrong := {name: [str(NOT_YOURS[name])] for name, key in keys.items() if key is None}:
        raise ValidationError(wrong)
    return {name: key for name, key in keys.items() if key is not None}
