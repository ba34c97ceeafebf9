"""Departments, positions, slots, applications, interviews and their history.

Lock order everywhere: candidate, interview, application, cancellation, slot.
"""

from datetime import UTC, datetime

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import FSMField, TransitionNotAllowed, transition

from accounts.models import User
from candidates.models import Candidate
from config.prepared import Later, Prepared
from config.references import new_reference
from config.tracking import never_emptied, tracked
from interviews import copies
from interviews.states import REINSTATABLE, InterviewStatus

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
SANE_TIME = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]


class Department(models.Model):
    """A part of the company. Its staff see its interviews; nobody else at the desk does."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=100)
    email = models.EmailField(
        _("mailbox"), blank=True, help_text=_("Told of what happens in the department.")
    )
    staff = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="departments", verbose_name=_("staff")
    )

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        ordering = ["name"]
        triggers = [tracked("code", "name", departments="ARRAY[{row}.id]")]

    def __str__(self) -> str:
        return self.name

    @property
    def audience(self) -> str:
        return f"department:{self.pk}"


class DepartmentStaff(Department.staff.through):  # type: ignore[name-defined]
    """Who works for which department."""

    class Meta:
        proxy = True
        verbose_name = _("member of staff")
        verbose_name_plural = _("members of staff")
        triggers = [
            tracked(
                "department_id",
                "user_id",
                part_of=("interviews.department", "department_id"),
                departments="ARRAY[{row}.department_id]",
            )
        ]


class PositionCategory(models.Model):
    """Frontline, technical, management…: what policies tell apart."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=100)

    class Meta:
        verbose_name = _("position category")
        verbose_name_plural = _("position categories")
        ordering = ["name"]
        triggers = [tracked("code", "name")]

    def __str__(self) -> str:
        return self.name


class Position(models.Model):
    """A job people apply for."""

    code = models.CharField(_("code"), max_length=100, unique=True)
    title = models.CharField(_("title"), max_length=200)
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, related_name="positions", verbose_name=_("department")
    )
    category = models.ForeignKey(
        PositionCategory,
        on_delete=models.PROTECT,
        related_name="positions",
        verbose_name=_("category"),
    )
    recruiter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="recruited_positions",
        verbose_name=_("recruiter"),
    )
    city = models.CharField(_("city"), max_length=100, blank=True)
    is_open = models.BooleanField(_("open"), default=True)
    requirements = models.JSONField(
        _("what it asks for"),
        default=dict,
        db_default={},
        blank=True,
        help_text=_("Codes such as travel, nights, skills: what is held against résumés."),
    )
    platform = models.ForeignKey(
        "interviews.Platform",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="positions",
        verbose_name=_("interview platform"),
        help_text=_("Where its AI interviews take place; empty: in the room of this product."),
    )
    refill_hold_minutes = models.PositiveSmallIntegerField(
        _("minutes a place is kept"),
        default=60,
        db_default=60,
        validators=[MinValueValidator(10), MaxValueValidator(24 * 60)],
        help_text=_("For whom a place that came free is offered to; then it goes to the next."),
    )
    refill_near_minutes = models.PositiveSmallIntegerField(
        _("minutes before the start in which no place is offered"),
        default=180,
        db_default=180,
        validators=[MaxValueValidator(7 * 24 * 60)],
    )
    refill_from_pool = models.BooleanField(
        _("ask the talent pool"),
        default=True,
        db_default=True,
        help_text=_("Where nobody waits, people of the talent pool whom the position suits."),
    )
    invitation_days = models.PositiveSmallIntegerField(
        _("days to book an interview"),
        default=7,
        db_default=7,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("Until when an invitation can be booked, counted from when it is sent."),
    )

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        ordering = ["title"]
        triggers = [
            tracked(
                "code",
                "title",
                "department_id",
                "category_id",
                "recruiter_id",
                "city",
                "is_open",
                "platform_id",
                "refill_hold_minutes",
                "refill_near_minutes",
                "refill_from_pool",
                "invitation_days",
                departments="ARRAY[{row}.department_id]",
            ),
            copies.ON_POSITION,
        ]

    def __str__(self) -> str:
        return self.title


class InterviewKind(models.TextChoices):
    AI = "ai", _("AI interview")
    ON_SITE = "on_site", _("On-site interview")


class Slot(models.Model):
    """A bookable time with a capacity."""

    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, related_name="slots", verbose_name=_("position")
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=InterviewKind.choices, default=InterviewKind.AI
    )
    starts_at = models.DateTimeField(_("starts"), validators=SANE_TIME)
    ends_at = models.DateTimeField(_("ends"), validators=SANE_TIME)
    capacity = models.PositiveIntegerField(_("capacity"), default=1)
    booked = models.PositiveIntegerField(_("booked"), default=0, editable=False)
    series = models.ForeignKey(
        "interviews.SlotSeries",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="slots",
        verbose_name=_("series"),
    )
    # Nobody can book it any more. What its series takes back has nobody who closed it, and may be
    # opened by it again.
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("closed by"),
    )

    class Meta:
        verbose_name = _("slot")
        verbose_name_plural = _("slots")
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                name="slot_within_capacity", condition=Q(booked__lte=F("capacity"))
            ),
            models.CheckConstraint(
                name="slot_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.UniqueConstraint(
                fields=["position", "kind", "starts_at"], name="slot_once_per_position_and_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} {timezone.localtime(self.starts_at):%Y-%m-%d %H:%M}"

    @property
    def free(self) -> int:
        """How many can still book it, were it offered."""
        return 0 if self.closed_at else self.capacity - self.booked

    @property
    def is_full(self) -> bool:
        return self.booked >= self.capacity


class Stage(models.TextChoices):
    APPLIED = "applied", _("Applied")
    SCREENED = "screened", _("Résumé screened")
    AI_INTERVIEW = "ai_interview", _("AI interview")
    SECOND_INTERVIEW = "second_interview", _("Second interview")
    OFFER = "offer", _("Offer")
    HIRED = "hired", _("Hired")
    ENDED = "ended", _("Ended")


class Application(models.Model):
    """One candidate for one position, moving through the hiring pipeline."""

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    candidate = models.ForeignKey(
        Candidate,
        on_delete=models.PROTECT,
        related_name="applications",
        verbose_name=_("candidate"),
    )
    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, related_name="applications", verbose_name=_("position")
    )
    stage = models.CharField(
        _("stage"), max_length=20, choices=Stage.choices, default=Stage.APPLIED
    )
    applied_at = models.DateTimeField(_("applied"), validators=SANE_TIME)
    screened_at = models.DateTimeField(
        _("résumé screened"), null=True, blank=True, validators=SANE_TIME
    )
    source = models.CharField(_("source"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        triggers = [copies.ON_APPLICATION]

    def __str__(self) -> str:
        return self.reference


PEOPLE = ("application__candidate__user", "application__position__recruiter", "interviewer")
PRIVATE_FIELDS = ("password", "national_id", "national_id_index", "last_login", "date_joined")


class InterviewQuerySet(models.QuerySet["Interview"]):
    def with_facts(self) -> "InterviewQuerySet":
        """Everything a page or a rule asks of an interview, in one query; of people nothing that
        only sign-in needs."""
        return self.select_related("application__position__department", *PEOPLE).defer(
            *(f"{person}__{field}" for person in PEOPLE for field in PRIVATE_FIELDS)
        )

    def with_shared_facts(self) -> "InterviewQuerySet":
        """The same for hundreds at once, where many share a position, a recruiter, an interviewer:
        those are read, and made into objects, once each."""
        person = PEOPLE[0]
        return (
            self.select_related(person)
            .defer(*(f"{person}__{field}" for field in PRIVATE_FIELDS))
            .prefetch_related("application__position__department", *PEOPLE[1:])
        )

    def lock(self, reference: str) -> "Interview":
        """The interview's row, locked until the transaction ends, with its facts.

        Raises Interview.DoesNotExist.
        """
        return self.with_facts().select_for_update(of=("self",)).get(reference=reference)

    def lock_own(self, reference: str, user: User) -> "Interview":
        """The same, where `user` is the candidate; else Interview.DoesNotExist."""
        for interview in _locked_own(reference=reference, user=user.pk):
            return interview
        raise Interview.DoesNotExist


_locked_own = Prepared(
    lambda: (
        Interview.objects.with_facts()
        .filter(reference=Later("reference"), application__candidate__user=Later("user"))
        .select_for_update(of=("self",))
    )
)


_legal_moves = [
    ("invited", "booked"),
    ("invited", "cancelled"),
    ("invited", "withdrawn"),
    ("invited", "no_show"),
    ("booked", "in_progress"),
    ("booked", "cancelling"),
    ("booked", "cancelled"),
    ("booked", "withdrawn"),
    ("booked", "no_show"),
    ("cancelling", "booked"),
    ("cancelling", "cancelled"),
    ("in_progress", "booked"),
    ("in_progress", "completed"),
    ("in_progress", "incomplete"),
    ("in_progress", "exiting"),
    ("exiting", "in_progress"),
    ("exiting", "withdrawn"),
    ("cancelled", "booked"),
    ("withdrawn", "booked"),
    ("no_show", "booked"),
    ("incomplete", "booked"),
]


class Interview(models.Model):
    """One appointment of an application. Its status changes only through the transitions below,
    called by services that hold the row's lock and save afterwards; PostgreSQL refuses any other
    move."""

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    application = models.ForeignKey(
        Application,
        on_delete=models.PROTECT,
        related_name="interviews",
        verbose_name=_("application"),
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=InterviewKind.choices, default=InterviewKind.AI
    )
    status = FSMField(
        _("status"),
        max_length=12,
        choices=InterviewStatus.choices,
        default=InterviewStatus.INVITED,
        protected=True,
    )
    slot = models.ForeignKey(
        Slot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="interviews",
        verbose_name=_("slot"),
        help_text=_("Held until the interview is cancelled; the time below stays."),
    )
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True, validators=SANE_TIME)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True, validators=SANE_TIME)
    link = models.URLField(_("link"), blank=True)
    location = models.CharField(_("place"), max_length=200, blank=True)
    interviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="interviews_given",
        verbose_name=_("interviewer"),
    )
    deadline = models.DateTimeField(
        _("deadline"),
        null=True,
        blank=True,
        help_text=_("Until when an invitation can be booked."),
        validators=SANE_TIME,
    )
    opened_at = models.DateTimeField(
        _("invitation opened"), null=True, blank=True, help_text=_("By its link, the first time.")
    )
    booked_at = models.DateTimeField(_("booked"), null=True, blank=True)
    moves = models.PositiveSmallIntegerField(
        _("moved"),
        default=0,
        db_default=0,
        editable=False,
        help_text=_("How often it was given another time."),
    )
    confirmed_at = models.DateTimeField(
        _("confirmed"), null=True, blank=True, help_text=_("When the candidate said they come.")
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    source = models.CharField(_("source"), max_length=40, blank=True)
    source_key = models.CharField(_("key at the source"), max_length=200, blank=True)
    extra = models.JSONField(
        _("further answers"),
        default=dict,
        blank=True,
        help_text=_("Codes a mapping carries over; no personal data."),
    )
    # What lists are read by; the database keeps all four (interviews/copies.py).
    listed_department = models.BigIntegerField(editable=False)
    listed_position = models.BigIntegerField(editable=False)
    listed_at = models.GeneratedField(
        expression=Coalesce("starts_at", "created_at"),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    asked_late = models.BooleanField(_("asked late"), default=False, editable=False)

    objects = InterviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("interview")
        verbose_name_plural = _("interviews")
        permissions = [("import_interviews", "Can import interviews")]
        indexes = [
            models.Index(fields=["status", "starts_at"], name="interview_status_start"),
            models.Index(fields=["starts_at"], name="interview_start"),
            models.Index(fields=["listed_department", "listed_at", "id"], name="interview_listed"),
            models.Index(
                fields=["listed_department", "status", "listed_at", "id"],
                name="interview_listed_status",
            ),
            models.Index(
                fields=["listed_department", "kind", "listed_at", "id"],
                name="interview_listed_kind",
            ),
            models.Index(
                fields=["listed_department", "source", "listed_at", "id"],
                name="interview_listed_source",
            ),
            models.Index(
                fields=["listed_department", "listed_at", "id"],
                name="interview_listed_late",
                condition=Q(asked_late=True),
            ),
            models.Index(
                fields=["listed_position", "listed_at", "id"], name="interview_listed_position"
            ),
            models.Index(fields=["listed_position", "created_at"], name="interview_invited"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_key"],
                name="interview_once_per_source_key",
                condition=~Q(source_key=""),
            ),
            models.UniqueConstraint(
                fields=["application", "kind"],
                name="interview_one_open_invitation",
                condition=Q(status="invited", source=""),
            ),
            models.CheckConstraint(
                name="interview_booked_has_time",
                condition=Q(status="invited")
                | Q(status="cancelled")
                | Q(status="withdrawn")
                | Q(status="no_show")
                | Q(starts_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.FSM(name="legal_moves", field="status", transitions=_legal_moves),
            copies.ON_INTERVIEW,
            copies.ON_LISTED_ELSEWHERE,
            copies.ON_LOOKED_AT_ELSEWHERE,
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def subject(self) -> str:
        """How messages and work items name it."""
        return f"interview:{self.reference}"

    @property
    def position(self) -> Position:
        return self.application.position

    @property
    def candidate(self) -> Candidate:
        return self.application.candidate

    @property
    def is_confirmed(self) -> bool:
        """Whether the candidate has said that they come, to the time as it is booked now."""
        if self.confirmed_at is None:
            return False
        return self.booked_at is None or self.confirmed_at >= self.booked_at

    @property
    def was_booked(self) -> bool:
        """Whether there ever was an appointment; imported rows may lack when it was made."""
        return self.booked_at is not None or self.starts_at is not None

    @property
    def has_declined(self) -> bool:
        """Whether they left before there was an appointment: the invitation was declined."""
        return self.status == InterviewStatus.WITHDRAWN and not self.was_booked

    @property
    def kind_word(self) -> str:
        """As get_kind_display, which looks through all choices each time."""
        return str(InterviewKind(self.kind).label)

    # --- transitions ------------------------------------------------------------------------
    # They change memory only. `at` is when it happened for the person, in UTC.

    @transition(status, source=InterviewStatus.INVITED, target=InterviewStatus.BOOKED)
    def book(self, *, slot: Slot, at: datetime) -> None:
        self.slot, self.starts_at, self.ends_at, self.booked_at = (
            slot,
            slot.starts_at,
            slot.ends_at,
            at,
        )

    @transition(status, source=InterviewStatus.BOOKED, target=InterviewStatus.IN_PROGRESS)
    def start(self) -> None: ...

    @transition(status, source=InterviewStatus.IN_PROGRESS, target=InterviewStatus.COMPLETED)
    def complete(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(status, source=InterviewStatus.IN_PROGRESS, target=InterviewStatus.INCOMPLETE)
    def lapse(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(status, source=InterviewStatus.IN_PROGRESS, target=InterviewStatus.BOOKED)
    def step_back(self) -> None:
        """It was entered by mistake: as if it had not begun."""

    @transition(status, source=InterviewStatus.BOOKED, target=InterviewStatus.CANCELLING)
    def request_cancel(self) -> None: ...

    @transition(
        status,
        source=[InterviewStatus.INVITED, InterviewStatus.BOOKED, InterviewStatus.CANCELLING],
        target=InterviewStatus.CANCELLED,
    )
    def cancel(self, *, at: datetime) -> None:
        self.slot, self.ended_at = None, at

    @transition(status, source=InterviewStatus.IN_PROGRESS, target=InterviewStatus.EXITING)
    def request_exit(self) -> None: ...

    @transition(status, source=InterviewStatus.EXITING, target=InterviewStatus.IN_PROGRESS)
    @transition(status, source=InterviewStatus.CANCELLING, target=InterviewStatus.BOOKED)
    def decline(self) -> None:
        """The pending request came to nothing: declined by HR, or taken back."""

    @transition(
        status,
        source=[InterviewStatus.INVITED, InterviewStatus.BOOKED, InterviewStatus.EXITING],
        target=InterviewStatus.WITHDRAWN,
    )
    def withdraw(self, *, at: datetime) -> None:
        self.slot, self.ended_at = None, at

    @transition(
        status,
        source=[InterviewStatus.INVITED, InterviewStatus.BOOKED],
        target=InterviewStatus.NO_SHOW,
    )
    def miss(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(status, source=sorted(REINSTATABLE), target=InterviewStatus.BOOKED)
    def reinstate(self, *, slot: Slot | None, at: datetime) -> None:
        self.slot, self.booked_at, self.ended_at = slot, at, None
        if slot:
            self.starts_at, self.ends_at = slot.starts_at, slot.ends_at

    # --- not a transition -------------------------------------------------------------------

    def reschedule(self, *, slot: Slot, at: datetime) -> None:
        """Another time for what stays booked. Raises TransitionNotAllowed in any other status."""
        if self.status != InterviewStatus.BOOKED:
            raise TransitionNotAllowed(f"Cannot move an interview that is {self.status}")
        self.slot, self.starts_at, self.ends_at = slot, slot.starts_at, slot.ends_at
        self.booked_at, self.moves = at, self.moves + 1


class HistoryEntry(models.Model):
    """One thing that happened to one interview; never changed, never removed. Only when an import
    is undone does the entry that tells of it move to RemovedInterview.

    Each entry carries the hash of the one before it for the same interview (interviews/history.py).
    `data` holds ids, codes, times and states, nothing personal.
    """

    interview = models.ForeignKey(
        Interview,
        on_delete=models.PROTECT,
        related_name="history",
        db_index=False,  # the constraint below brings one that begins with it
        verbose_name=_("interview"),
    )
    sequence = models.PositiveIntegerField(_("number"))
    event = models.CharField(_("event"), max_length=60)
    actor = models.CharField(_("by"), max_length=60, help_text=_("user:12, system or import"))
    at = models.DateTimeField(_("at"))
    data = models.JSONField(_("data"), default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    # What lists are read by; PostgreSQL keeps these (interviews/copies.py).
    listed_department = models.BigIntegerField(editable=False)
    listed_position = models.BigIntegerField(editable=False)
    listed_source = models.CharField(max_length=40, editable=False)
    by_candidate = models.BooleanField(editable=False)

    class Meta:
        verbose_name = _("history entry")
        verbose_name_plural = _("history")
        permissions = [("read_history", "Can read the history of interviews")]
        ordering = ["interview", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["interview", "sequence"], name="history_one_chain"),
        ]
        indexes = [
            models.Index(fields=["at"], name="history_at"),
            models.Index(fields=["listed_department", "at", "id"], name="history_listed"),
            models.Index(fields=["listed_position", "at", "id"], name="history_listed_position"),
            models.Index(
                fields=["listed_department", "event", "at", "id"], name="history_listed_event"
            ),
            models.Index(
                fields=["listed_department", "actor", "at", "id"], name="history_listed_actor"
            ),
            models.Index(
                fields=["listed_department", "listed_source", "at", "id"],
                name="history_listed_source",
                condition=~Q(listed_source=""),
            ),
            models.Index(
                fields=["listed_department", "at", "id"],
                name="history_listed_candidate",
                condition=Q(by_candidate=True),
            ),
        ]
        triggers = [
            copies.ON_ENTRY,
            copies.MOVED_NOT_LOST,
            pgtrigger.Protect(
                name="never_changed",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["listed_department", "listed_position"]),
            ),
            never_emptied("History is never removed."),
        ]

    def __str__(self) -> str:
        return f"{self.interview_id}/{self.sequence} {self.event}"


class RemovedInterview(models.Model):
    """An interview that came by mistake and went when its import was undone: its only entry of
    history, whole, under the key it had there, so that its hash and the seals over it still hold;
    and who removed it, when, by which job. Never changed, never removed."""

    reference = models.CharField(_("reference"), max_length=10, unique=True)
    entry = models.BigIntegerField(unique=True)
    event = models.CharField(_("event"), max_length=60)
    actor = models.CharField(_("by"), max_length=60)
    at = models.DateTimeField(_("at"))
    data = models.JSONField(_("data"))
    hash = models.CharField(max_length=64)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("removed by"),
    )
    removed_at = models.DateTimeField(_("removed"))
    job = models.CharField(_("job"), max_length=10)

    class Meta:
        verbose_name = _("removed interview")
        verbose_name_plural = _("removed interviews")
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            never_emptied("What was removed stays on record."),
        ]

    def __str__(self) -> str:
        return self.reference


class HistorySeal(models.Model):
    """What all history written until then comes to, in one fingerprint, and the seal before it.

    Whoever keeps a printed seal can tell later that nothing older was written anew, not even by
    somebody who holds the database (interviews/seals.py).
    """

    number = models.PositiveIntegerField(_("number"), unique=True)
    at = models.DateTimeField(_("sealed"))
    last_entry = models.BigIntegerField(
        help_text=_("Every entry up to this one is under the seal.")
    )
    entries = models.PositiveIntegerField(_("entries"))
    last_change = models.BigIntegerField()
    changes = models.PositiveIntegerField(_("changes of the configuration"))
    content = models.CharField(max_length=64)
    previous_fingerprint = models.CharField(max_length=64, blank=True)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)

    class Meta:
        verbose_name = _("seal on history")
        verbose_name_plural = _("seals on history")
        ordering = ["-number"]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            never_emptied("History is never removed."),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.fingerprint}"


class Move(models.TextChoices):
    """What staff may set right by hand: the name of a transition, in words."""

    REINSTATE = "reinstate", _("Reinstate: the interview takes place after all")
    COMPLETE = "complete", _("Completed: the interview took place")
    MISS = "miss", _("Missed: the candidate did not come")
    LAPSE = "lapse", _("Incomplete: it was begun and not finished")
    WITHDRAW = "withdraw", _("Left: the candidate has withdrawn")


class Correction(models.Model):
    """A status set right by hand. The words stand here, where they can be blanked; the history of
    the interview names this row by its reference."""

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    interview = models.ForeignKey(
        Interview,
        on_delete=models.PROTECT,
        related_name="corrections",
        verbose_name=_("interview"),
    )
    move = models.CharField(_("correction"), max_length=10, choices=Move.choices)
    before = models.CharField(_("status before"), max_length=12, choices=InterviewStatus.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"))
    reason = models.TextField(_("reason"), blank=True, max_length=500)
    note = models.TextField(_("note to the candidate"), blank=True, max_length=500)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")

    def __str__(self) -> str:
        return self.reference


class JobState(models.TextChoices):
    QUEUED = "queued", _("Waiting to begin")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


class Job(models.Model):
    """Something long, done in the background for a member of staff, item after item.

    `done` of `total` items are dealt with; each batch commits together with the rows of the report
    that tell of it, so a job goes on exactly where a worker that died left it (interviews/jobs.py).
    `attempts` counts how often it was taken up since it last came forward.
    """

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    kind = models.CharField(_("kind"), max_length=30)
    params = models.JSONField(_("parameters"), default=dict)
    file_name = models.CharField(_("file"), max_length=200, blank=True, default="")
    file = models.BinaryField(null=True, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="jobs",
        verbose_name=_("requested by"),
    )
    state = FSMField(
        _("state"),
        max_length=10,
        choices=JobState.choices,
        default=JobState.QUEUED,
        protected=True,
    )
    total = models.PositiveIntegerField(_("items"), default=0)
    done = models.PositiveIntegerField(_("dealt with"), default=0)
    stop_asked = models.BooleanField(_("asked to stop"), default=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    error_code = models.CharField(_("error code"), max_length=60, blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    claimed_until = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, editable=False)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(fields=["requested_by", "-id"], name="job_of_person"),
            models.Index(
                fields=["claimed_until"],
                name="job_unfinished",
                condition=Q(state__in=["queued", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.reference}"

    @property
    def is_over(self) -> bool:
        return self.state in {JobState.DONE, JobState.STOPPED, JobState.FAILED}

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    # --- transitions: they change memory only ---------------------------------------------------

    @transition(state, source=[JobState.QUEUED, JobState.RUNNING], target=JobState.RUNNING)
    def run(self) -> None: ...

    @transition(state, source=JobState.RUNNING, target=JobState.DONE)
    def finish(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(state, source=[JobState.QUEUED, JobState.RUNNING], target=JobState.STOPPED)
    def stop(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(state, source=[JobState.QUEUED, JobState.RUNNING], target=JobState.FAILED)
    def fail(self, *, at: datetime, code: str) -> None:
        self.ended_at, self.error_code = at, code


class JobRow(models.Model):
    """What became of one item of a job. `detail` holds what the report needs beside codes; of an
    import that may be what a cell said, so reports are kept only for a while."""

    job = models.ForeignKey(
        Job, on_delete=models.CASCADE, related_name="rows", db_index=False, verbose_name=_("job")
    )
    number = models.PositiveIntegerField(_("number"))
    outcome = models.CharField(_("outcome"), max_length=30)
    subject = models.CharField(_("about"), max_length=60, blank=True, default="")
    detail = models.JSONField(_("detail"), default=dict)

    class Meta:
        verbose_name = _("line of a report")
        verbose_name_plural = _("lines of reports")
        ordering = ["job", "number", "id"]
        indexes = [models.Index(fields=["job", "number"], name="job_row_in_order")]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.number} {self.outcome}"


class SavedView(models.Model):
    """A list of interviews somebody comes back to: which, and with which columns. `query` is what
    stands behind the question mark of the address; it holds ids and codes only."""

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="saved_views",
        db_index=False,  # the constraint below brings one that begins with it
        verbose_name=_("user"),
    )
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=60)
    query = models.CharField(_("query"), max_length=2000, blank=True)
    is_default = models.BooleanField(_("opens first"), default=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_view_once_per_name"),
            models.UniqueConstraint(
                fields=["user"], name="saved_view_one_default", condition=Q(is_default=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Access(models.TextChoices):
    REVEALED = "revealed", _("Contact details revealed")
    EXPORTED = "exported", _("List exported")
    LISTENED = "listened", _("Recording heard")
    READ = "read", _("Document read")
    OPENED = "opened", _("Candidate’s file opened")


class AccessLog(models.Model):
    """Who looked at personal data, when, at whose, what of it and why; never changed, never
    removed. `detail` holds codes, ids and counts: nothing personal, nothing anybody typed."""

    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="accesses",
        db_index=False,
        verbose_name=_("by"),
    )
    action = models.CharField(_("what was done"), max_length=10, choices=Access.choices)
    subject = models.CharField(_("about"), max_length=60, blank=True)
    detail = models.JSONField(_("detail"), default=dict)
    # Whose the interview is; PostgreSQL keeps it (interviews/copies.py).
    listed_department = models.BigIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = _("access to personal data")
        verbose_name_plural = _("accesses to personal data")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["at", "id"], name="access_at"),
            models.Index(fields=["by", "at", "id"], name="access_by"),
            models.Index(fields=["action", "at", "id"], name="access_action"),
            models.Index(fields=["listed_department", "at", "id"], name="access_listed"),
            models.Index(
                fields=["by", "at", "id"],
                name="access_taken_along",
                condition=Q(action="exported", listed_department=None),
            ),
            models.Index(fields=["subject", "-id"], name="access_subject"),
        ]
        triggers = [
            copies.ON_ACCESS,
            pgtrigger.Protect(name="never_removed", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="never_changed",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["listed_department"]),
            ),
            pgtrigger.Trigger(
                name="no_truncate",
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'The log of accesses is never emptied.';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


# Django looks for an app's models here; those of one subject have a module of their own.
from interviews.booking.models import Closure as Closure  # noqa: E402
from interviews.booking.models import Decline as Decline  # noqa: E402
from interviews.booking.models import DeclineReason as DeclineReason  # noqa: E402
from interviews.booking.models import SlotSeries as SlotSeries  # noqa: E402
from interviews.gates.models import Document as Document  # noqa: E402
from interviews.gates.models import GatePass as GatePass  # noqa: E402
from interviews.gates.models import StageGate as StageGate  # noqa: E402
from interviews.platforms.models import Platform as Platform  # noqa: E402
from interviews.platforms.models import PlatformCall as PlatformCall  # noqa: E402
from interviews.platforms.models import PlatformEvent as PlatformEvent  # noqa: E402
from interviews.platforms.models import PlatformLink as PlatformLink  # noqa: E402
from interviews.refill.models import FreedPlace as FreedPlace  # noqa: E402
from interviews.refill.models import Offer as Offer  # noqa: E402
from interviews.refill.models import WaitingEntry as WaitingEntry  # noqa: E402
from interviews.reminders.models import ReminderRule as ReminderRule  # noqa: E402
from interviews.reminders.models import Step as Step  # noqa: E402
from interviews.reminders.models import TroubleReport as TroubleReport  # noqa: E402
from interviews.room.models import Answer as Answer  # noqa: E402
from interviews.room.models import Ending as Ending  # noqa: E402
from interviews.room.models import Question as Question  # noqa: E402
from interviews.room.models import QuestionSet as QuestionSet  # noqa: E402
from interviews.room.models import QuestionStage as QuestionStage  # noqa: E402
from interviews.room.models import Recording as Recording  # noqa: E402
from interviews.room.models import RoomEvent as RoomEvent  # noqa: E402
from interviews.room.models import RoomEventKind as RoomEventKind  # noqa: E402
from interviews.room.models import Sitting as Sitting  # noqa: E402
