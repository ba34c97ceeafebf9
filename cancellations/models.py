"""Reasons, policies with their tiers, and cancellations.

Lock order everywhere: candidate, interview, cancellation, slot.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    BigIntegerRangeField,
    DateTimeRangeField,
    RangeOperators,
)
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import FSMField, transition

from accounts.models import User
from accounts.permissions import DECIDE_CANCELLATION
from cancellations import rules
from cancellations.help.models import Offer as HelpOffer
from config.languages import worded
from config.prepared import Later, Prepared
from config.references import new_reference
from config.tracking import tracked
from interviews.models import (
    PEOPLE,
    PRIVATE_FIELDS,
    SANE_TIME,
    Department,
    Interview,
    InterviewKind,
    Position,
    PositionCategory,
    Slot,
)

DETAIL_MAX = 500
DETAIL_MIN = 5


class Purpose(models.TextChoices):
    CANCEL = "cancel", _("Cancelling")
    COMPANY = "company", _("Cancelling by the company")
    EXIT = "exit", _("Leaving")


class Reason(models.Model):
    """Why. The code never changes, the wording may."""

    purpose = models.CharField(_("for"), max_length=10, choices=Purpose.choices)
    code = models.SlugField(_("code"))
    label_zh = models.CharField(_("wording in Chinese"), max_length=100)
    label_en = models.CharField(_("wording in English"), max_length=100)
    needs_detail = models.BooleanField(_("needs a sentence of detail"), default=False)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        verbose_name = _("reason")
        verbose_name_plural = _("reasons")
        ordering = ["purpose", "order", "code"]
        constraints = [
            models.UniqueConstraint(fields=["purpose", "code"], name="reason_code_once"),
        ]
        triggers = [
            tracked("purpose", "code", "label_zh", "label_en", "needs_detail", "order", "is_active")
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return worded(self.label_zh, self.label_en)

    def label_in(self, language: str) -> str:
        return worded(self.label_zh, self.label_en, language)

    def clean_detail(self, detail: str) -> str:
        """The detail without white space at its ends. Raises ValidationError where it is needed and
        missing, or too long."""
        detail = detail.replace("\x00", "").strip()
        if self.needs_detail and len(detail) < DETAIL_MIN:
            raise ValidationError(
                _("Please describe it in a sentence (at least %(count)d characters)."),
                code="detail",
                params={"count": DETAIL_MIN},
            )
        if len(detail) > DETAIL_MAX:
            raise ValidationError(
                _("Please keep it under %(count)d characters."),
                code="detail",
                params={"count": DETAIL_MAX},
            )
        return detail


def _exactly(number: models.Expression) -> Func:
    """One whole number as a range: ranges are what GiST compares without an extension."""
    return Func(
        number, number, Value("[]"), function="int8range", output_field=BigIntegerRangeField()
    )


_KIND_NUMBER = Case(
    When(kind=InterviewKind.AI, then=Value(1)),
    When(kind=InterviewKind.ON_SITE, then=Value(2)),
    default=Value(0),
)


def _departments_of(policy: str) -> str:
    """SQL for the departments a policy concerns: its own, its position's, or everybody."""
    return f"""CASE
        WHEN {policy}.department_id IS NOT NULL THEN ARRAY[{policy}.department_id]
        WHEN {policy}.position_id IS NOT NULL THEN
            ARRAY(SELECT department_id FROM interviews_position WHERE id = {policy}.position_id)
    END"""  # noqa: S608 - written into a migration


EXIT_OUTCOMES = [
    (rules.Outcome.AUTOMATIC.value, _("at once, after confirming")),
    (rules.Outcome.NEEDS_HR.value, _("HR decides")),
]


class Policy(models.Model):
    """For some interviews, what happens to a request at which notice. The most specific wins.

    It holds from `since` until before `until`, each empty without a limit, while it is switched on.
    """

    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=100)
    is_active = models.BooleanField(_("switched on"), default=True)
    since = models.DateTimeField(
        _("in force from"),
        null=True,
        blank=True,
        validators=SANE_TIME,
        help_text=_("Empty: from when it is switched on."),
    )
    until = models.DateTimeField(
        _("in force until"),
        null=True,
        blank=True,
        validators=SANE_TIME,
        help_text=_("Empty: until it is switched off or another one takes its place."),
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("department")
    )
    category = models.ForeignKey(
        PositionCategory,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("position category"),
    )
    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("position")
    )
    kind = models.CharField(
        _("kind of interview"), max_length=10, choices=InterviewKind.choices, blank=True, default=""
    )
    promised_minutes = models.PositiveSmallIntegerField(
        _("promised minutes"),
        default=15,
        validators=[MinValueValidator(1)],
        help_text=_("Within how many minutes HR promises to decide; told to the candidate."),
    )
    default_decision = models.CharField(
        _("where HR does not decide in time"),
        max_length=10,
        choices=[
            (rules.Default.APPROVE.value, _("approve")),
            (rules.Default.DECLINE.value, _("decline")),
        ],
        default=rules.Default.APPROVE.value,
    )
    default_minutes_before = models.PositiveSmallIntegerField(
        _("minutes before the start"), default=30, help_text=_("When that default falls due.")
    )
    exit_introduction = models.CharField(
        _("leaving during the introduction"),
        max_length=10,
        choices=EXIT_OUTCOMES,
        default=rules.Outcome.AUTOMATIC.value,
        db_default=rules.Outcome.AUTOMATIC.value,
    )
    exit_professional = models.CharField(
        _("leaving during the professional questions"),
        max_length=10,
        choices=EXIT_OUTCOMES,
        default=rules.Outcome.AUTOMATIC.value,
        db_default=rules.Outcome.AUTOMATIC.value,
    )
    exit_closing = models.CharField(
        _("leaving during the closing part"),
        max_length=10,
        choices=EXIT_OUTCOMES,
        default=rules.Outcome.AUTOMATIC.value,
        db_default=rules.Outcome.AUTOMATIC.value,
    )
    exit_second_factor = models.BooleanField(
        _("leaving needs a code by text message"), default=False, db_default=False
    )
    cooldown_days = models.PositiveSmallIntegerField(
        _("days without a new application after leaving"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(365)],
        help_text=_("0: none. Told before anybody leaves."),
    )
    misstart_minutes = models.PositiveSmallIntegerField(
        _("minutes in which leaving is a false start"),
        default=3,
        db_default=3,
        validators=[MaxValueValidator(60)],
        help_text=_("With nothing answered yet; the appointment stands then."),
    )
    resume_hours = models.PositiveSmallIntegerField(
        _("hours to come back to an interview"),
        default=24,
        db_default=24,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 14)],
        help_text=_("Counted from entering it. After that it is incomplete."),
    )
    self_rebooking = models.BooleanField(
        _("who left may book again alone"),
        default=True,
        db_default=True,
        help_text=_("Otherwise they are told whom to ask."),
    )
    move_minutes_before = models.PositiveIntegerField(
        _("candidates may move it until (minutes before the start)"),
        default=120,
        db_default=120,
        validators=[MaxValueValidator(14 * 24 * 60)],
    )
    moves_most = models.PositiveSmallIntegerField(
        _("how often candidates may move it"),
        default=2,
        db_default=2,
        validators=[MaxValueValidator(20)],
        help_text=_("0: never without HR."),
    )
    mark_days = models.PositiveSmallIntegerField(
        _("days a mark for an absence stays"),
        default=180,
        db_default=180,
        validators=[MinValueValidator(1), MaxValueValidator(730)],
        help_text=_("Counted from the day it is set; candidates see until when."),
    )

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        ordering = ["name"]
        triggers = [
            tracked(
                "name",
                "is_active",
                "since",
                "until",
                "department_id",
                "category_id",
                "position_id",
                "kind",
                "promised_minutes",
                "default_decision",
                "default_minutes_before",
                "exit_introduction",
                "exit_professional",
                "exit_closing",
                "exit_second_factor",
                "cooldown_days",
                "misstart_minutes",
                "resume_hours",
                "self_rebooking",
                "move_minutes_before",
                "moves_most",
                "mark_days",
                departments=_departments_of("{row}"),
            )
        ]
        constraints = [
            ExclusionConstraint(
                name="policy_one_at_a_time_per_scope",
                expressions=[
                    *(
                        (_exactly(Coalesce(F(field), 0)), RangeOperators.OVERLAPS)
                        for field in ("department", "category", "position")
                    ),
                    (_exactly(_KIND_NUMBER), RangeOperators.OVERLAPS),
                    (
                        Func(
                            F("since"),
                            F("until"),
                            Value("[)"),
                            function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(is_active=True),
                violation_error_message=_("Another policy is switched on for exactly this scope."),
            ),
            models.CheckConstraint(
                name="policy_begins_before_it_ends",
                condition=Q(since=None) | Q(until=None) | Q(since__lt=F("until")),
                violation_error_message=_("A policy begins before it ends."),
            ),
        ]
        permissions = [("edit_policies", "Can write and switch policies")]

    def __str__(self) -> str:
        return self.name


class Tier(models.Model):
    """One step of a policy: at least this notice, this outcome."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="tiers")
    notice_minutes = models.PositiveIntegerField(
        _("notice in minutes, at least"), validators=[MaxValueValidator(90 * 24 * 60)]
    )
    outcome = models.CharField(
        _("what happens"),
        max_length=10,
        choices=[
            (rules.Outcome.AUTOMATIC.value, _("cancelled at once")),
            (rules.Outcome.NEEDS_HR.value, _("HR decides")),
            (rules.Outcome.REFUSED.value, _("refused")),
        ],
    )
    short_notice = models.BooleanField(_("recorded as short notice"), default=False)

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ["policy", "-notice_minutes"]
        triggers = [
            tracked(
                "policy_id",
                "notice_minutes",
                "outcome",
                "short_notice",
                part_of=("cancellations.policy", "policy_id"),
                departments=f"""(
                    SELECT {_departments_of("p")} FROM cancellations_policy p
                    WHERE p.id = {{row}}.policy_id
                )""",  # noqa: S608 - written into a migration
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "notice_minutes"], name="tier_once_per_notice"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice_minutes} min: {self.get_outcome_display()}"


class CancellationStatus(models.TextChoices):
    REQUESTED = "requested", _("Being handled")
    APPROVED = "approved", _("Cancelled")
    DECLINED = "declined", _("Declined")
    LAPSED = "lapsed", _("Taken back")
    REVERSED = "reversed", _("Cancelled, then reinstated")


# What these are called where the request was to leave midway.
EXIT_ENDED = {
    CancellationStatus.APPROVED: _("Left midway"),
    CancellationStatus.REVERSED: _("Left midway, then booked again"),
}


class Party(models.TextChoices):
    CANDIDATE = "candidate", _("Candidate")
    COMPANY = "company", _("Company")


def may_decide(cancellation: Any, user: Any) -> bool:
    """Nobody decides a request they made themselves. (Typed as loosely as django-fsm asks.)"""
    return bool(user.has_perm(DECIDE_CANCELLATION)) and cancellation.requested_by_id != user.pk


class CancellationQuerySet(models.QuerySet["Cancellation"]):
    def with_facts(self) -> "CancellationQuerySet":
        """Everything a page asks of a cancellation, in one query."""
        people = ["decided_by", *(f"interview__{person}" for person in PEOPLE)]
        return self.select_related(
            "reason", "interview__application__position__department", *people
        ).defer(*(f"{person}__{field}" for person in people for field in PRIVATE_FIELDS))

    def lock(self, cancellation_id: int) -> "Cancellation":
        """The row with its interview, both locked, the interview first.

        Raises Cancellation.DoesNotExist.
        """
        for interview in _interview_of(cancellation=cancellation_id):
            _lock_interview(interview=interview[0])
            return _locked(cancellation=cancellation_id)[0]
        raise Cancellation.DoesNotExist


_interview_of = Prepared(
    lambda: Cancellation.objects.filter(pk=Later("cancellation")).values_list("interview_id")
)
_lock_interview = Prepared(
    lambda: Interview.objects.filter(pk=Later("interview")).select_for_update().values_list("pk")
)
_locked = Prepared(
    lambda: (
        Cancellation.objects.with_facts()
        .filter(pk=Later("cancellation"))
        .select_for_update(of=("self",))
    )
)


class Cancellation(models.Model):
    """A request to call an interview off, or (`is_exit`) to leave one that has begun, with what the
    policy said of it at that moment. Its reference is the receipt's number.

    `evidence` of an exit says how far the candidate had come, in codes and numbers:
    {"answered", "questions", "number", "stage", "seconds", "hints"}.
    """

    reference = models.CharField(
        _("receipt"), max_length=10, unique=True, default=new_reference, editable=False
    )
    interview = models.ForeignKey(
        Interview,
        on_delete=models.PROTECT,
        related_name="cancellations",
        db_index=False,  # cancellation_interview below begins with it
        verbose_name=_("interview"),
    )
    party = models.CharField(
        _("asked for by"), max_length=10, choices=Party.choices, default=Party.CANDIDATE
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("requested by"),
    )
    reason = models.ForeignKey(
        Reason, on_delete=models.PROTECT, related_name="cancellations", verbose_name=_("reason")
    )
    detail = models.TextField(_("detail"), blank=True, max_length=DETAIL_MAX)
    requested_at = models.DateTimeField(_("asked"))
    starts_at = models.DateTimeField(
        _("start"), null=True, help_text=_("Of the appointment as it stood when this was asked.")
    )
    slot = models.ForeignKey(
        Slot,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("slot held then"),
    )
    notice = models.DurationField(_("notice"))
    outcome = models.CharField(_("what the policy said"), max_length=10)
    short_notice = models.BooleanField(_("short notice"), default=False)
    policy = models.JSONField(_("policy as it stood"), default=dict)
    decide_by = models.DateTimeField(_("default falls due"), null=True, blank=True)
    status = FSMField(
        _("status"),
        max_length=10,
        choices=CancellationStatus.choices,
        default=CancellationStatus.REQUESTED,
        protected=True,
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
        help_text=_("Empty: by the policy."),
    )
    note = models.TextField(_("note"), blank=True, max_length=DETAIL_MAX)
    reversed_at = models.DateTimeField(_("reinstated"), null=True, blank=True)
    is_exit = models.BooleanField(_("left midway"), default=False, db_default=False)
    evidence = models.JSONField(_("evidence"), default=dict, db_default={}, blank=True)
    cooldown_until = models.DateTimeField(_("no new application until"), null=True, blank=True)

    objects = CancellationQuerySet.as_manager()

    class Meta:
        verbose_name = _("cancellation")
        verbose_name_plural = _("cancellations")
        permissions = [
            ("decide_cancellation", "Can decide cancellations"),
            ("read_detail", "Can read what candidates tell HR"),
        ]
        indexes = [
            models.Index(fields=["interview", "-id"], name="cancellation_interview"),
            models.Index(
                fields=["decide_by"], name="cancellation_open", condition=Q(status="requested")
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["interview"], name="cancellation_one_open", condition=Q(status="requested")
            ),
            models.UniqueConstraint(
                fields=["interview"],
                name="cancellation_one_carried_out",
                condition=Q(status="approved"),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="marks_interview_late",  # what lists are filtered by (interviews/copies.py)
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__is_exit=False)
                & (
                    pgtrigger.Q(new__short_notice=True)
                    | pgtrigger.Q(new__outcome=rules.Outcome.NEEDS_HR.value)
                ),
                func="""
                    UPDATE interviews_interview SET asked_late = true
                    WHERE id = NEW.interview_id AND NOT asked_late;
                    RETURN NULL;
                """,
            ),
            pgtrigger.FSM(
                name="legal_moves",
                field="status",
                transitions=[
                    ("requested", "approved"),
                    ("requested", "declined"),
                    ("requested", "lapsed"),
                    ("approved", "reversed"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def promised_by(self) -> datetime:
        """Until when HR has promised to decide."""
        return self.requested_at + timedelta(minutes=self.policy.get("promised_minutes", 0))

    @property
    def was_overtaken(self) -> bool:
        """The company called the interview off itself while this request waited."""
        lapsed = self.status == CancellationStatus.LAPSED
        return lapsed and self.decided_by_id != self.requested_by_id

    def get_status_display(self) -> str:  # type: ignore[no-redef]  # Django lets models say it
        if self.was_overtaken:
            return str(_("Overtaken: the company cancelled"))
        if self.is_exit and self.status in EXIT_ENDED:
            return str(EXIT_ENDED[CancellationStatus(self.status)])
        return str(CancellationStatus(self.status).label)

    @property
    def for_history(self) -> dict[str, str | None]:
        """What the entries about this cancellation say of it, for receipts to be held against."""
        return {
            "receipt": self.reference,
            "asked_at": self.requested_at.astimezone(UTC).isoformat(),
            "starts_at": self.starts_at.astimezone(UTC).isoformat() if self.starts_at else None,
        }

    def _decide(self, by: User | None, at: datetime, note: str = "") -> None:
        self.decided_by, self.decided_at, self.note = by, at, note

    # --- transitions: they change memory only ---------------------------------------------------

    @transition(
        status,
        source=CancellationStatus.REQUESTED,
        target=CancellationStatus.APPROVED,
        permission=may_decide,
    )
    def approve(self, *, by: User | None, at: datetime, note: str = "") -> None:
        self._decide(by, at, note)

    @transition(
        status,
        source=CancellationStatus.REQUESTED,
        target=CancellationStatus.DECLINED,
        permission=may_decide,
    )
    def decline(self, *, by: User | None, at: datetime, note: str = "") -> None:
        self._decide(by, at, note)

    @transition(status, source=CancellationStatus.REQUESTED, target=CancellationStatus.LAPSED)
    def lapse(self, *, by: User | None, at: datetime) -> None:
        self._decide(by, at)

    @transition(status, source=CancellationStatus.APPROVED, target=CancellationStatus.REVERSED)
    def reverse(self, *, at: datetime) -> None:
        """The interview was reinstated: what this called off takes place after all."""
        self.reversed_at = at


class Saved(models.TextChoices):
    """What became of an interview that somebody was about to cancel."""

    MOVED = "moved", _("Moved to another time")
    KEPT = "kept", _("Kept")
    CANCELLED = "cancelled", _("Cancelled all the same")


class Saving(models.Model):
    """Something was offered instead of cancelling, and whether it kept the interview. `outcome` is
    empty until that is known."""

    interview = models.ForeignKey(
        Interview,
        on_delete=models.PROTECT,
        related_name="savings",
        verbose_name=_("interview"),
    )
    reason = models.CharField(_("reason"), max_length=50)
    offered = models.CharField(_("offered"), max_length=12, choices=HelpOffer.choices)
    at = models.DateTimeField(_("at"))
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=Saved.choices, blank=True, default=""
    )
    settled_at = models.DateTimeField(_("known since"), null=True, blank=True)

    class Meta:
        verbose_name = _("offer instead of cancelling")
        verbose_name_plural = _("offers instead of cancelling")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["at"], name="saving_undecided", condition=Q(outcome="")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["interview"], name="saving_one_undecided", condition=Q(outcome="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interview} · {self.offered}"


# Django looks for an app's models here; those of one subject have a module of their own.
from cancellations.absences.models import Absence as Absence  # noqa: E402
from cancellations.help.models import Fact as Fact  # noqa: E402
from cancellations.help.models import FaqEntry as FaqEntry  # noqa: E402
from cancellations.help.models import HelpConversation as HelpConversation  # noqa: E402
from cancellations.help.models import HelpTurn as HelpTurn  # noqa: E402
from cancellations.help.models import Offer as Offer  # noqa: E402
from cancellations.help.models import PlausibilityRule as PlausibilityRule  # noqa: E402
