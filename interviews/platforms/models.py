"""Which platforms there are, what each knows of our interviews, and what they have told us."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.encryption import EncryptedCharField
from config.references import new_reference
from config.tracking import ADMINISTRATORS, tracked
from interviews.platforms.base import Standing


class Sign(models.TextChoices):
    """How a platform knows that it is us."""

    OAUTH = "oauth", _("OAuth 2 client credentials")
    HMAC = "hmac", _("Signature (HMAC)")


class Wish(models.TextChoices):
    """What a platform is still to be told."""

    BOOK = "book", _("The appointment")
    CANCEL = "cancel", _("That it does not take place")


class Difference(models.TextChoices):
    """Where a platform and we disagree and neither is plainly right: what HR has to look at."""

    REFUSED = "platform_refused", _("The interview platform does not accept the appointment.")
    GOES_ON = "platform_goes_on", _("It has begun on the platform, though here it has not.")
    TOOK_PLACE = "platform_took_place", _("The platform reports it completed.")
    ENDED = "platform_ended", _("The platform reports that it began and ended early.")
    LEFT = "platform_left", _("The platform reports that the candidate left in the middle.")
    MISSED = "platform_missed", _("The platform reports that nobody came.")
    CANCELLED = "platform_cancelled", _("It was cancelled on the platform, and not here.")
    NOT_BEGUN = "platform_not_begun", _("It is under way here and has not begun on the platform.")
    MISSING = "platform_missing", _("The platform knows nothing of it any more.")
    FAILED = "platform_failed", _("It failed on the platform. That is not the candidate’s fault.")
    UNCLEAR = "platform_unclear", _("The platform names a state that the mapping does not know.")


class Outcome(models.TextChoices):
    """What became of an event."""

    FOLLOWED = "followed", _("The interview followed")
    AGREED = "agreed", _("Known already")
    NOTED = "noted", _("Noted")
    LATE = "late", _("Overtaken by a later event")
    DIFFERS = "differs", _("Does not fit: HR looks at it")
    UNKNOWN = "unknown", _("About no interview of ours")


class Platform(models.Model):
    """One account with an AI-interview platform. `mapping` says where its API keeps what
    (docs/platforms.md); `slug` stands in the address its webhooks call."""

    slug = models.SlugField(_("name in addresses"), unique=True)
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=100)
    base_url = models.CharField(_("address"), max_length=500)
    sign = models.CharField(_("signs by"), max_length=10, choices=Sign.choices)
    client_id = models.CharField(_("client id"), max_length=200, blank=True)
    secret = EncryptedCharField(_("secret"), blank=True, default="")
    webhook_secret = EncryptedCharField(_("secret of its webhooks"), blank=True, default="")
    previous_webhook_secret = EncryptedCharField(blank=True, default="", editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    mapping = models.JSONField(_("mapping"), default=dict)
    is_active = models.BooleanField(_("switched on"), default=True)
    # The circuit breaker: after some failures in a row nothing is called until then.
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    rests_until = models.DateTimeField(_("left alone until"), null=True, editable=False)
    reconciled_at = models.DateTimeField(_("last reconciled"), null=True, editable=False)
    # The last event that was not let in, for whoever sets the webhook up over there.
    refused_at = models.DateTimeField(_("last event refused"), null=True, editable=False)
    refused_code = models.CharField(max_length=60, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("interview platform")
        verbose_name_plural = _("interview platforms")
        ordering = ["name", "pk"]
        triggers = [
            tracked("slug", "name", "sign", "mapping", "is_active", departments=ADMINISTRATORS)
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rests(self) -> bool:
        """Whether it is left alone for a while because it failed."""
        return self.rests_until is not None and self.rests_until > timezone.now()

    @property
    def both_verify(self) -> bool:
        """Whether events signed with the webhook secret before are still let in."""
        return self.previous_until is not None and self.previous_until > timezone.now()


class PlatformLink(models.Model):
    """One interview as a platform holds it. `wanted` is what we still have to tell it: the outbox
    of calls, one row an interview, so that only the newest wish is sent."""

    interview = models.OneToOneField(
        "interviews.Interview",
        on_delete=models.PROTECT,
        related_name="platform_link",
        verbose_name=_("interview"),
    )
    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="links", verbose_name=_("platform")
    )
    external_id = models.CharField(_("id there"), max_length=200, blank=True, default="")
    external_status = models.CharField(
        _("state there"), max_length=40, choices=Standing.choices, blank=True, default=""
    )
    external_starts_at = models.DateTimeField(_("start there"), null=True, blank=True)
    scores = models.JSONField(_("scores"), default=dict, blank=True)
    wanted = models.CharField(
        _("still to be told"), max_length=10, choices=Wish.choices, blank=True, default=""
    )
    wanted_at = models.DateTimeField(null=True, blank=True, editable=False)
    not_before = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    told_at = models.DateTimeField(_("last told"), null=True, blank=True)
    heard_at = models.DateTimeField(_("last heard of"), null=True, blank=True)
    error_code = models.CharField(_("error code"), max_length=60, blank=True, default="")
    difference = models.CharField(
        _("differs"), max_length=40, choices=Difference.choices, blank=True, default=""
    )

    class Meta:
        verbose_name = _("interview on a platform")
        verbose_name_plural = _("interviews on platforms")
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "external_id"],
                name="platform_link_once",
                condition=~Q(external_id=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["platform", "not_before"],
                name="platform_link_waiting",
                condition=~Q(wanted=""),
            ),
            models.Index(
                fields=["platform", "id"],
                name="platform_link_not_over",
                condition=Q(external_status__in=["booked", "started"]),
            ),
            models.Index(
                fields=["platform", "id"],
                name="platform_link_differs",
                condition=~Q(difference=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.platform} · {self.external_id}"


class PlatformEvent(models.Model):
    """One webhook of a platform, kept as it was understood; its id there makes it count once.
    `body` holds what the mapping takes out of it, nothing else."""

    platform = models.ForeignKey(
        Platform,
        on_delete=models.CASCADE,
        related_name="events",
        db_index=False,
        verbose_name=_("platform"),
    )
    reference = models.CharField(max_length=10, unique=True, default=new_reference, editable=False)
    event_id = models.CharField(_("event's id"), max_length=200)
    external_id = models.CharField(_("id there"), max_length=200)
    at = models.DateTimeField(_("at"), help_text=_("By the platform's clock."))
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    body = models.JSONField(_("content"), default=dict)
    outcome = models.CharField(
        _("what became of it"), max_length=20, choices=Outcome.choices, blank=True, default=""
    )

    class Meta:
        verbose_name = _("event of a platform")
        verbose_name_plural = _("events of platforms")
        constraints = [
            models.UniqueConstraint(fields=["platform", "event_id"], name="platform_event_once"),
        ]
        indexes = [
            models.Index(fields=["platform", "external_id", "at"], name="platform_event_about"),
            models.Index(fields=["platform", "-id"], name="platform_event_log"),
            models.Index(fields=["received_at"], name="platform_event_old"),
        ]

    def __str__(self) -> str:
        return f"{self.platform} · {self.event_id}"

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))


class PlatformCall(models.Model):
    """One request to a platform: what for, how it ended, how long it took. Nothing of what was
    sent or answered."""

    platform = models.ForeignKey(
        Platform,
        on_delete=models.CASCADE,
        related_name="calls",
        db_index=False,
        verbose_name=_("platform"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    operation = models.CharField(_("what for"), max_length=10)
    reference = models.CharField(_("interview"), max_length=10, blank=True, default="")
    status_code = models.PositiveSmallIntegerField(_("answer"), null=True)
    error_code = models.CharField(_("error code"), max_length=60, blank=True, default="")
    milliseconds = models.PositiveIntegerField(_("duration"), default=0)

    class Meta:
        verbose_name = _("call to a platform")
        verbose_name_plural = _("calls to platforms")
        indexes = [
            models.Index(fields=["platform", "-id"], name="platform_call_log"),
            models.Index(fields=["at"], name="platform_call_old"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} · {self.error_code or self.status_code}"
