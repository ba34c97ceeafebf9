"""What the API says of figures: codes and counts, every rate with what it is a part of."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from accounts.permissions import DECIDE_CANCELLATION
from analytics import figures
from analytics.dashboards import words
from analytics.dashboards.asking import Asked
from analytics.figures import NUMBERS, SMALL, Dimension, Expected, Handling, Period, Rate, Step
from interviews.models import Department, Position, PositionCategory

Told = dict[str, Any]
FEW = f"Null of nothing, and of fewer than {SMALL}: too few for a percentage."


# --- the shapes -----------------------------------------------------------------------------------


class RateSerializer(serializers.Serializer):
    """So many of so many."""

    numerator = serializers.IntegerField()
    denominator = serializers.IntegerField()
    share = serializers.SerializerMethodField(help_text=f"Between 0 and 1. {FEW}")

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_share(self, rate: Rate) -> float | None:
        return None if rate.is_small else rate.share


# What each count is; those left out are called what they are.
COUNTED = {
    "invited": "All interviews, whatever became of them.",
    "booked": "Ever booked.",
    "confirmed": "Said that they come, since it was booked.",
    "attended": "Began, whatever came of it.",
    "cancelled": "Of those booked.",
    "cancelled_by_candidate": "Of those booked.",
    "cancelled_by_company": "Of those booked.",
    "cancelled_unbooked": "Invitations called off.",
    "declined": "Invitations declined.",
    "withdrawn": "The candidate left: before it, or midway.",
    "exited": "Left midway.",
    "incomplete": "Left unfinished without saying so.",
    "no_show": "Of those booked.",
    "missed_invitation": "Invitations that ran out.",
    "open_invitation": "Not booked yet.",
    "upcoming": "Booked and still to come.",
    "cancelling": "HR has to decide.",
    "exiting": "HR has to decide.",
    "asked_late": "Ever asked to be cancelled late.",
    "moved": "Moved at least once.",
    "moves": "How often they were moved, in all.",
    "without_end": "Ended, and nobody knows when.",
    "without_booking_time": "Booked, and nobody knows when.",
}


class InterviewCountsSerializer(serializers.Serializer):
    """How many interviews."""

    def get_fields(self) -> dict[str, serializers.Field]:
        counted: dict[str, serializers.Field] = {
            name: serializers.IntegerField(help_text=COUNTED.get(name)) for name in NUMBERS
        }
        due = serializers.IntegerField(help_text="Whose time came: `attended` and `no_show`.")
        return super().get_fields() | counted | {"due": due}


class InterviewRatesSerializer(serializers.Serializer):
    cancelled = RateSerializer(source="cancel_rate", help_text="Of those booked.")
    cancelled_by_candidate = RateSerializer(
        source="candidate_cancel_rate", help_text="Of those booked."
    )
    no_show = RateSerializer(source="no_show_rate", help_text="Of those due.")
    exited = RateSerializer(source="exit_rate", help_text="Of those who began.")
    incomplete = RateSerializer(source="incomplete_rate", help_text="Of those who began.")
    completed = RateSerializer(source="completion_rate", help_text="Of those invited.")


class ToldApartSerializer(serializers.Serializer):
    key = serializers.CharField(
        allow_null=True,
        help_text="The code of a department, position, category or kind; of a source, empty where"
        " it is our own. Null: not there any more.",
    )
    title = serializers.CharField(help_text="In the caller's language.")


class DecisionsSerializer(serializers.Serializer):
    """Requests of one sort and what became of them."""

    asked = serializers.IntegerField()
    late = serializers.IntegerField(help_text="At short notice.")
    waiting = serializers.IntegerField()
    approved = serializers.IntegerField()
    declined = serializers.IntegerField()
    taken_back = serializers.IntegerField(help_text="By who had asked.")
    overtaken = serializers.IntegerField(help_text="By what happened meanwhile.")
    reversed = serializers.IntegerField(help_text="Approved, and the interview reinstated.")
    at_once = serializers.IntegerField(help_text="Decided by the rule when they were made.")
    by_hr = serializers.IntegerField()
    by_default = serializers.IntegerField(help_text="Nobody had decided in time.")
    in_time = RateSerializer(help_text="Within the time promised.")
    default = RateSerializer(source="default_rate", help_text="Of what waited for a person.")


class SavedSerializer(serializers.Serializer):
    """What was offered instead of cancelling, and what came of it."""

    offered = serializers.IntegerField()
    moved = serializers.IntegerField()
    kept = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    open = serializers.IntegerField()
    saved = RateSerializer(source="rate", help_text="Of those of whom it is known.")


class CodeCountSerializer(serializers.Serializer):
    """How often."""

    code = serializers.CharField()
    count = serializers.IntegerField()


class RefilledSerializer(serializers.Serializer):
    """Places given up, and what became of them."""

    freed = serializers.IntegerField()
    taken = serializers.IntegerField()
    closed = serializers.IntegerField(help_text="Nobody was left to ask.")
    open = serializers.IntegerField()
    refilled = RateSerializer(source="rate")
    offers = serializers.SerializerMethodField(help_text="By their state.")

    @extend_schema_field(CodeCountSerializer(many=True))
    def get_offers(self, refilled: figures.Refilled) -> list[Told]:
        return _codes(refilled.offers)


class HistogramStepSerializer(serializers.Serializer):
    """One step of a histogram; null is without end."""

    from_ = serializers.FloatField(source="low", allow_null=True)
    below = serializers.FloatField(source="high", allow_null=True)
    count = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field]:
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class ExpectedSerializer(serializers.Serializer):
    """What became of those who were expected."""

    came = serializers.IntegerField()
    missed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    no_show = RateSerializer(source="no_show_rate", help_text="Of those due.")


# --- overview -------------------------------------------------------------------------------------


class OverviewStepSerializer(serializers.Serializer):
    """One step of a series; the first begins where its day, week, month or quarter does, and counts
    the days of the period alone."""

    since = serializers.DateField()
    counts = InterviewCountsSerializer()
    rates = InterviewRatesSerializer(source="counts")


class OverviewRowSerializer(ToldApartSerializer):
    counts = InterviewCountsSerializer()
    rates = InterviewRatesSerializer(source="counts")


class OverviewFiguresSerializer(serializers.Serializer):
    counts = InterviewCountsSerializer()
    rates = InterviewRatesSerializer(source="counts")
    saved = SavedSerializer()
    refilled = RefilledSerializer()
    cancel = DecisionsSerializer(help_text="What candidates asked for before the start.")
    exit = DecisionsSerializer(help_text="What candidates asked for midway.")
    step = serializers.ChoiceField(["day", "week", "month", "quarter"])
    series = OverviewStepSerializer(many=True)
    rows = OverviewRowSerializer(many=True, help_text="Beside one another, where `by` was given.")


def overview(asked: Asked, period: Period, step: Step, by: Dimension | None) -> Told:
    found = figures.overview(asked.chosen, period)
    rows = figures.by(asked.chosen, period, by) if by else []
    names = Names(asked, by)
    return {
        "counts": found.counts,
        "saved": found.saved,
        "refilled": found.refilled,
        "cancel": found.cancel,
        "exit": found.exit,
        "step": step,
        "series": figures.series(asked.chosen, period, step),
        "rows": [{**names(row.key), "counts": row.counts} for row in rows],
    }


# --- reasons --------------------------------------------------------------------------------------


class ReasonCountSerializer(serializers.Serializer):
    """How often a reason was given."""

    party = serializers.ChoiceField(
        list(words.PARTIES), help_text="Who ended it, and whether midway or before booking."
    )
    code = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="In the caller's language."
    )
    count = serializers.IntegerField()
    share = RateSerializer(help_text="Of all that this party gave.")


class ReasonStepSerializer(serializers.Serializer):
    since = serializers.DateField()
    reasons = ReasonCountSerializer(many=True)


class ReasonRowSerializer(ToldApartSerializer):
    reasons = ReasonCountSerializer(many=True)


class ReasonFiguresSerializer(serializers.Serializer):
    reasons = ReasonCountSerializer(many=True, help_text="The most frequent of each party first.")
    step = serializers.ChoiceField(["day", "week", "month", "quarter"])
    series = ReasonStepSerializer(many=True)
    rows = ReasonRowSerializer(many=True, help_text="Beside one another, where `by` was given.")


def reasons(asked: Asked, period: Period, step: Step, by: Dimension | None) -> Told:
    labels, names = words.reason_labels(), Names(asked, by)

    def told(counted: figures.Split) -> list[Told]:
        return [
            {
                "party": party,
                "code": code,
                "label": labels.get((party, code), code),
                "count": count,
                "share": Rate(count, sum(given.values())),
            }
            for party, given in figures.reasons_of(counted).items()
            for code, count in given.items()
        ]

    steps = figures.split_series(asked.chosen, period, "reasons", step)
    rows = figures.split_by(asked.chosen, period, "reasons", by) if by else {}
    return {
        "reasons": told(figures.split(asked.chosen, period, "reasons")),
        "step": step,
        "series": [{"since": since, "reasons": told(counted)} for since, counted in steps],
        "rows": [{**names(key), "reasons": told(counted)} for key, counted in rows.items()],
    }


# --- timing ---------------------------------------------------------------------------------------


class HourOfTheWeekSerializer(serializers.Serializer):
    """What begins in one hour of the week."""

    weekday = serializers.IntegerField(help_text="0 is Monday.")
    hour = serializers.IntegerField()
    booked = serializers.IntegerField(source="starts")
    attended = serializers.IntegerField(source="came")
    cancelled = serializers.IntegerField()
    no_show = serializers.IntegerField()


class TimingFiguresSerializer(serializers.Serializer):
    hours = HourOfTheWeekSerializer(
        many=True, help_text="Those in which anything begins, in local time."
    )
    notice = HistogramStepSerializer(
        many=True, help_text="Requests to cancel, by the hours left until the start."
    )
    within_a_day = RateSerializer(help_text="Requests to cancel less than 24 hours before it.")


def timing(asked: Asked, period: Period) -> Told:
    found = figures.splits(asked.chosen, period, "hours", "notice")
    notice = figures.notice_of(found["notice"])
    late = sum(bar.count for bar in notice if bar.high is not None and bar.high <= 24)
    return {
        "hours": [each for each in figures.hours_of(found["hours"]) if each.starts],
        "notice": notice,
        "within_a_day": Rate(late, sum(bar.count for bar in notice)),
    }


# --- exits ----------------------------------------------------------------------------------------


class ExitFiguresSerializer(serializers.Serializer):
    """Where people leave the interview (`exits`), and where they do not come back (`lapses`)."""

    began = serializers.IntegerField()
    exited = RateSerializer(help_text="Of those who began.")
    incomplete = RateSerializer(help_text="Of those who began.")
    exits_by_stage = CodeCountSerializer(many=True)
    exits_by_question = CodeCountSerializer(many=True, help_text="By its number.")
    lapses_by_stage = CodeCountSerializer(many=True)
    lapses_by_question = CodeCountSerializer(many=True, help_text="By its number.")
    lapses_by_ending = CodeCountSerializer(many=True, help_text="By how the sitting ended.")


def exits(asked: Asked, period: Period) -> Told:
    counts = figures.totals(asked.chosen, period)
    found = asdict(figures.exits(asked.chosen, period))
    return {
        "began": counts.attended,
        "exited": counts.exit_rate,
        "incomplete": counts.incomplete_rate,
        **{name: _codes(counted) for name, counted in found.items()},
    }


# --- attendance -----------------------------------------------------------------------------------


class ExpectedByReminderSerializer(ExpectedSerializer):
    reminder = serializers.ChoiceField(
        list(words.REACHED), help_text="How far it came; `confirmed`: they said that they come."
    )


class ExpectedByRuleSerializer(ExpectedSerializer):
    rule = serializers.IntegerField(help_text="The number of the step that wrote to them.")


class ExpectedByPlaceSerializer(ExpectedSerializer):
    place = serializers.CharField()


class ExpectedByAnswerSerializer(ExpectedSerializer):
    question = serializers.CharField(help_text="The code of what was asked beforehand.")
    answer = serializers.CharField(help_text="The code of the answer.")


class AbsenceCountSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="Why HR looked.")
    decision = serializers.CharField(help_text="`open` where there is none yet.")
    count = serializers.IntegerField()


class AttendanceFiguresSerializer(serializers.Serializer):
    no_show = RateSerializer(help_text="Of those due.")
    confirmed = RateSerializer(help_text="Of those booked.")
    opened = RateSerializer(help_text="Of those invited.")
    missed_invitation = RateSerializer(
        help_text="Of the invitations made in the period that are no longer open."
    )
    reminders = ExpectedByReminderSerializer(many=True)
    rules = ExpectedByRuleSerializer(many=True)
    places = ExpectedByPlaceSerializer(many=True)
    answers = ExpectedByAnswerSerializer(many=True)
    absences = AbsenceCountSerializer(many=True)


def attendance(asked: Asked, period: Period) -> Told:
    counts = figures.totals(asked.chosen, period)
    maps = figures.splits(
        asked.chosen, period, "reminders", "venues", "answers", "absences", "invitations"
    )
    reached = figures.reminded_of(maps["reminders"])
    answered = figures.answers_of(maps["answers"])
    decided = figures.absences_of(maps["absences"])
    return {
        "no_show": counts.no_show_rate,
        "confirmed": Rate(counts.confirmed, counts.booked),
        "opened": Rate(counts.opened, counts.invited),
        "missed_invitation": figures.ran_out_of(maps["invitations"]),
        "reminders": _expected("reminder", reached),
        "rules": _expected("rule", figures.reminded_by_rule_of(maps["reminders"])),
        "places": _expected("place", figures.venues_of(maps["venues"])),
        "answers": [
            {"question": question, **each}
            for question, answers in answered.items()
            for each in _expected("answer", answers)
        ],
        "absences": [
            {"code": code, "decision": decision, "count": count}
            for code, decisions in decided.items()
            for decision, count in decisions.items()
        ],
    }


def _expected(name: str, found: Mapping[Any, Expected]) -> list[Told]:
    """Read as the attributes of an Expected, with what it is of."""
    return [
        {
            name: key,
            "came": each.came,
            "missed": each.missed,
            "cancelled": each.cancelled,
            "no_show_rate": each.no_show_rate,
        }
        for key, each in found.items()
    ]


# --- decisions ------------------------------------------------------------------------------------


class WaitingTimesSerializer(serializers.Serializer):
    """How long requests waited that a person had to decide."""

    count = serializers.IntegerField()
    p50 = serializers.FloatField(allow_null=True, help_text=f"Minutes. {FEW}")
    p95 = serializers.FloatField(allow_null=True, help_text=f"Minutes. {FEW}")


class HandlingSerializer(WaitingTimesSerializer):
    histogram = HistogramStepSerializer(many=True, help_text="By minutes.")


class HandledBySerializer(WaitingTimesSerializer):
    """In the order of their ids: nothing here says who works well."""

    id = serializers.CharField(
        allow_null=True, help_text="As in `user:12` of the history. Null: the rule's default."
    )


class SavedByReasonSerializer(SavedSerializer):
    reason = serializers.CharField(help_text="Its code.")
    instead = serializers.CharField(help_text="The code of what was offered.")


class DecisionFiguresSerializer(serializers.Serializer):
    cancel = DecisionsSerializer(help_text="What candidates asked for before the start.")
    exit = DecisionsSerializer(help_text="What candidates asked for midway.")
    company = DecisionsSerializer(help_text="Called off by the company.")
    handling = HandlingSerializer()
    people = HandledBySerializer(
        many=True, allow_null=True, help_text="By who decided, for who may decide; else null."
    )
    saved = SavedByReasonSerializer(many=True)
    refilled = RefilledSerializer()


def decisions(asked: Asked, period: Period) -> Told:
    maps = figures.splits(asked.chosen, period, "requests", "handling", "saved", "refill")
    handling = figures.handling_of(maps["handling"])
    return {
        **figures.all_decisions_of(maps["requests"]),
        "handling": {**_times(handling), "histogram": handling.histogram},
        "people": _people(asked.user, figures.handling_by_person_of(maps["handling"])),
        "saved": [
            {
                "reason": reason,
                "instead": instead,
                **asdict(each),
                "offered": each.offered,
                "rate": each.rate,
            }
            for (reason, instead), each in figures.saved_by_reason_of(maps["saved"]).items()
        ],
        "refilled": figures.refilled_of(maps["refill"]),
    }


def _people(user: User, found: Mapping[int, Handling]) -> list[Told] | None:
    if not user.has_perm(DECIDE_CANCELLATION):
        return None
    return [{"id": str(pk) if pk else None, **_times(each)} for pk, each in found.items()]


def _times(each: Handling) -> Told:
    enough = each.count >= SMALL
    return {
        "count": each.count,
        "p50": each.p50 if enough else None,
        "p95": each.p95 if enough else None,
    }


# --- delivery -------------------------------------------------------------------------------------


class DeliveredSerializer(serializers.Serializer):
    """Messages about interviews, of one channel and provider."""

    channel = serializers.CharField()
    provider = serializers.CharField(help_text="Empty: directly.")
    sent = serializers.IntegerField(help_text="The provider has it; arrival is not known.")
    delivered = serializers.IntegerField()
    failed = serializers.IntegerField()
    bounced = serializers.IntegerField()
    superseded = serializers.IntegerField(help_text="Not needed any more when its time came.")
    lost = RateSerializer(source="failure_rate", help_text="Failed or bounced.")
    causes = serializers.SerializerMethodField(help_text="Of those, by the provider's code.")

    @extend_schema_field(CodeCountSerializer(many=True))
    def get_causes(self, delivered: figures.Delivered) -> list[Told]:
        return _codes(delivered.causes)


class DeliveryFiguresSerializer(serializers.Serializer):
    lost = RateSerializer(help_text="Failed or bounced.")
    channels = DeliveredSerializer(many=True)


def delivery(asked: Asked, period: Period) -> Told:
    found = figures.delivery(asked.chosen, period)
    return {
        "lost": sum((each.failure_rate for each in found), Rate(0, 0)),
        "channels": found,
    }


# --- quality --------------------------------------------------------------------------------------


class LookedAtSerializer(serializers.Serializer):
    """What HR was asked to look at."""

    kind = serializers.CharField()
    code = serializers.CharField()
    open = serializers.IntegerField()
    settled = serializers.IntegerField()


class LackingSerializer(serializers.Serializer):
    invited = serializers.IntegerField()
    without_end = RateSerializer(help_text="Ended, and nobody knows when.")
    without_booking_time = RateSerializer(help_text="Booked, and nobody knows when.")


class LackingBySourceSerializer(LackingSerializer, ToldApartSerializer):
    pass


class QualityFiguresSerializer(LackingSerializer):
    findings = LookedAtSerializer(many=True)
    sources = LackingBySourceSerializer(many=True)


def quality(asked: Asked, period: Period) -> Told:
    names = Names(asked, "source")
    return {
        **_lacking(figures.totals(asked.chosen, period)),
        "findings": [
            {"kind": kind, "code": code, **each}
            for (kind, code), each in figures.quality(asked.chosen, period).items()
        ],
        "sources": [
            {**names(row.key), **_lacking(row.counts)}
            for row in figures.by(asked.chosen, period, "source")
        ],
    }


def _lacking(counts: figures.Counts) -> Told:
    return {
        "invited": counts.invited,
        "without_end": Rate(counts.without_end, counts.invited),
        "without_booking_time": Rate(counts.without_booking_time, counts.booked),
    }


# --- pieces ---------------------------------------------------------------------------------------


def _codes(counted: Mapping[str, int]) -> list[Told]:
    return [{"code": code, "count": count} for code, count in counted.items()]


class Names:
    """What rows are of: codes in the place of keys, and titles."""

    def __init__(self, asked: Asked, dimension: Dimension | None) -> None:
        self.asked, self.dimension = asked, dimension
        self.known: dict[int, tuple[str, str]] = {}
        models = {
            "department": (Department, "name"),
            "position": (Position, "title"),
            "category": (PositionCategory, "name"),
        }
        if dimension in models:
            model, title = models[dimension]
            rows = model._default_manager.filter(pk__in=asked.form.names[dimension])
            self.known = {
                pk: (code, name) for pk, code, name in rows.values_list("pk", "code", title)
            }

    def __call__(self, key: int | str | None) -> Told:
        if self.dimension is not None and isinstance(key, str):
            return {"key": key, "title": self.asked.name_of(self.dimension, key)}
        if not isinstance(key, int) or key not in self.known:
            return {"key": None, "title": _("not known any more")}
        code, title = self.known[key]
        return {"key": code, "title": title}
