"""Who waits for a time, the places that came free, and the offers made of them.

Lock order: candidate, interview, application, offer, place, entry, slot. Who holds a slot takes
entries only as they are free to take (SKIP LOCKED), and waits for none.
"""

from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from config.references import new_reference


class Why(models.IntegerChoices):
    """Why somebody waits; the numbers are the order in which they are asked."""

    TIME_CONFLICT = 1, _("Cancelled because of the time")
    ASKED = 2, _("Asked for another time")
    TALENT_POOL = 3, _("From the talent pool")


class EntryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SERVED = "served", _("Has a time")
    LEFT = "left", _("No longer interested")
    EXPIRED = "expired", _("Did not answer")


class WaitingEntry(models.Model):
    """Somebody who would take a place that comes free. `interview` is the appointment they had: its
    time is not offered again. Of somebody from the talent pool there is no application yet."""

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    position = models.ForeignKey(
        "interviews.Position",
        on_delete=models.PROTECT,
        related_name="waiting",
        db_index=False,  # both indexes below begin with it
        verbose_name=_("position"),
    )
    kind = models.CharField(_("kind"), max_length=10)
    candidate = models.ForeignKey(
        "candidates.Candidate",
        on_delete=models.PROTECT,
        related_name="waiting",
        verbose_name=_("candidate"),
    )
    application = models.ForeignKey(
        "interviews.Application",
        on_delete=models.PROTECT,
        null=True,
        related_name="waiting",
        verbose_name=_("application"),
    )
    interview = models.ForeignKey(
        "interviews.Interview",
        on_delete=models.PROTECT,
        null=True,
        related_name="waiting",
        verbose_name=_("interview"),
    )
    why = models.PositiveSmallIntegerField(_("why"), choices=Why.choices)
    since = models.DateTimeField(_("since"))
    state = FSMField(
        _("state"),
        max_length=10,
        choices=EntryState.choices,
        default=EntryState.WAITING,
        protected=True,
    )
    unanswered = models.PositiveSmallIntegerField(
        _("offers in a row without an answer"), default=0, editable=False
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("entry of a waiting list")
        verbose_name_plural = _("waiting lists")
        indexes = [
            models.Index(
                fields=["position", "kind", "why", "since", "id"],
                name="waiting_in_turn",
                condition=Q(state=EntryState.WAITING),
            ),
            models.Index(fields=["position", "-since"], name="waiting_of_position"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["candidate", "position", "kind"],
                name="waiting_once",
                condition=Q(state=EntryState.WAITING),
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=[
                    ("waiting", "served"),
                    ("waiting", "left"),
                    ("waiting", "expired"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    # --- transitions: they change memory only ---------------------------------------------------

    @transition(state, source=EntryState.WAITING, target=EntryState.SERVED)
    def serve(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(state, source=EntryState.WAITING, target=EntryState.LEFT)
    def leave(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(state, source=EntryState.WAITING, target=EntryState.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.ended_at = at


class Origin(models.TextChoices):
    GIVEN_UP = "given_up", _("Given up")
    FREE = "free", _("Free all along")


class FreedPlace(models.Model):
    """One place of a slot on its way to somebody: offered to one after the other until it is taken
    (`refilled_at`), or nobody is left to ask (`closed_at`) and anybody may book it.

    Those given up are what a recovery rate is of; those free all along are offered to who asks.
    """

    slot = models.ForeignKey(
        "interviews.Slot",
        on_delete=models.PROTECT,
        related_name="freed_places",
        verbose_name=_("slot"),
    )
    origin = models.CharField(
        _("how it came free"), max_length=10, choices=Origin.choices, default=Origin.GIVEN_UP
    )
    at = models.DateTimeField(_("came free"))
    refilled_at = models.DateTimeField(_("taken"), null=True, blank=True)
    closed_at = models.DateTimeField(_("nobody left to ask"), null=True, blank=True)

    class Meta:
        verbose_name = _("place that came free")
        verbose_name_plural = _("places that came free")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(
                fields=["at"],
                name="freed_on_its_way",
                condition=Q(refilled_at=None, closed_at=None),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="freed_taken_or_closed", condition=Q(refilled_at=None) | Q(closed_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slot_id} · {self.at:%Y-%m-%d %H:%M}"


class OfferState(models.TextChoices):
    OPEN = "open", _("Waiting for an answer")
    ACCEPTED = "accepted", _("Taken")
    DECLINED = "declined", _("Not taken")
    LAPSED = "lapsed", _("Not answered")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Offer(models.Model):
    """A place kept for one person until `held_until`: while it is open, the slot counts it among
    those booked."""

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    place = models.ForeignKey(
        FreedPlace, on_delete=models.PROTECT, related_name="offers", verbose_name=_("place")
    )
    slot = models.ForeignKey(
        "interviews.Slot", on_delete=models.PROTECT, related_name="offers", verbose_name=_("slot")
    )
    entry = models.ForeignKey(
        WaitingEntry, on_delete=models.PROTECT, related_name="offers", verbose_name=_("to")
    )
    made_at = models.DateTimeField(_("made"))
    held_until = models.DateTimeField(_("kept until"))
    state = FSMField(
        _("state"),
        max_length=10,
        choices=OfferState.choices,
        default=OfferState.OPEN,
        protected=True,
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    interview = models.OneToOneField(
        "interviews.Interview",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="offer",
        verbose_name=_("what it became"),
    )

    class Meta:
        verbose_name = _("offer of a place")
        verbose_name_plural = _("offers of places")
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["held_until"], name="offer_open", condition=Q(state=OfferState.OPEN)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["place"], name="offer_one_holder", condition=Q(state=OfferState.OPEN)
            ),
            models.UniqueConstraint(
                fields=["entry"], name="offer_one_at_a_time", condition=Q(state=OfferState.OPEN)
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=[
                    ("open", "accepted"),
                    ("open", "declined"),
                    ("open", "lapsed"),
                    ("open", "withdrawn"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def subject(self) -> str:
        """How messages name it."""
        return f"offer:{self.reference}"

    # --- transitions: they change memory only ---------------------------------------------------

    @transition(state, source=OfferState.OPEN, target=OfferState.ACCEPTED)
    def accept(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(state, source=OfferState.OPEN, target=OfferState.DECLINED)
    def decline(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(state, source=OfferState.OPEN, target=OfferState.LAPSED)
    def lapse(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(state, source=OfferState.OPEN, target=OfferState.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.ended_at = at
