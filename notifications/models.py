"""The outbox, one row a message to one person on one channel; and what staff have to do."""

import zoneinfo
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.encryption import EncryptedCharField
from config.references import new_reference
from config.tracking import ADMINISTRATORS, tracked


class Channel(models.TextChoices):
    SMS = "sms", pgettext_lazy("channel", "Text message")
    EMAIL = "email", pgettext_lazy("channel", "Email")
    DESK = "desk", pgettext_lazy("channel", "Desk")
    CHAT = "chat", pgettext_lazy("channel", "Group chat")
    PUSH = "push", pgettext_lazy("channel", "Push message")


class State(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    BOUNCED = "bounced", _("Bounced")
    SUPERSEDED = "superseded", _("Superseded")


class NotificationQuerySet(models.QuerySet["Notification"]):
    def waiting(self, now: datetime) -> "NotificationQuerySet":
        """Allowed to go, what has to be there soonest first."""
        return self.filter(state=State.QUEUED, not_before__lte=now).order_by("urgent_by")

    def abandoned(self, now: datetime) -> "NotificationQuerySet":
        """Claimed by a worker that never came back."""
        return self.filter(state=State.SENDING, claimed_until__lt=now).order_by("claimed_until")


class Notification(models.Model):
    """Stored in the transaction of what it tells of, sent after that commits.

    It knows no domain model: `subject` and `recipient` are plain strings such as
    "interview:7K2M9QX4TB" and "user:12"; `params` are what the template is filled with and may hold
    a name, so erasure blanks them together with `address`, `title` and `body`. After `deadline` it
    is of no more use and is not sent; by `urgent_by` it should have gone, whether it has to or not,
    and after an hour without a provider messages go in that order.
    """

    event = models.CharField(_("event"), max_length=60)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    recipient = models.CharField(_("recipient"), max_length=60)
    address = models.CharField(_("address"), max_length=254, blank=True)
    language = models.CharField(_("language"), max_length=10)
    time_zone = models.CharField(_("time zone"), max_length=40, blank=True, default="")
    subject = models.CharField(_("about"), max_length=60)
    params = models.JSONField(_("parameters"), default=dict)
    dedupe_key = models.CharField(max_length=200, unique=True)

    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    not_before = models.DateTimeField(_("not before"))
    deadline = models.DateTimeField(_("of use until"), null=True, blank=True)
    urgent_by = models.DateTimeField(null=True, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)

    title = models.CharField(pgettext_lazy("message", "title"), max_length=200, blank=True)
    body = models.TextField(_("text"), blank=True)
    provider_id = models.CharField(_("provider's id"), max_length=120, blank=True)
    error_code = models.CharField(_("error code"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("created"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    arrived_at = models.DateTimeField(_("arrived"), null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            models.Index(
                fields=["urgent_by", "not_before"],
                name="notification_queued",
                condition=Q(state=State.QUEUED),
            ),
            models.Index(
                fields=["claimed_until"],
                name="notification_sending",
                condition=Q(state=State.SENDING),
            ),
            models.Index(
                fields=["created_at"], name="notification_failed", condition=Q(state=State.FAILED)
            ),
            models.Index(fields=["subject"], name="notification_subject"),
            models.Index(fields=["recipient", "channel", "-id"], name="notification_recipient"),
            # What mail providers report names nothing of ours; a hash of these long names is small.
            HashIndex(
                fields=["provider_id"],
                name="notification_mail",
                condition=Q(channel=Channel.EMAIL) & ~Q(provider_id=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} · {self.get_channel_display()}"

    @property
    def zone(self) -> zoneinfo.ZoneInfo | None:
        return zoneinfo.ZoneInfo(self.time_zone) if self.time_zone else None


class MessageTemplate(models.Model):
    """Words of the company's own for one event, channel and language, instead of those that come
    with the product (templates/notifications/). Removing the row brings the product's back."""

    event = models.CharField(_("event"), max_length=60)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    language = models.CharField(_("language"), max_length=10)
    title = models.CharField(
        pgettext_lazy("message", "title"), max_length=200, blank=True, default=""
    )
    body = models.TextField(_("text"), max_length=5000)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("words of a message")
        verbose_name_plural = _("words of messages")
        ordering = ["event", "channel", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel", "language"], name="message_template_once"
            ),
        ]
        triggers = [tracked("event", "channel", "language", "title", "body")]

    def __str__(self) -> str:
        return f"{self.event} · {self.channel} · {self.language}"


class Preference(models.Model):
    """What somebody said of a group of messages on a channel: send them, or do not.

    Where nothing is said they are sent. Only groups that are optional are asked about.
    """

    recipient = models.CharField(_("recipient"), max_length=60)
    group = models.CharField(_("messages"), max_length=20)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    is_wanted = models.BooleanField(_("wanted"))
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("choice about messages")
        verbose_name_plural = _("choices about messages")
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "group", "channel"], name="preference_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipient} · {self.group} · {self.channel}"


class OutOfReach(models.Model):
    """Nothing we have leads to somebody: every channel failed for good.

    Reminders wait until it is solved: another number or address (a trigger of accounts.User sees to
    it, whoever writes them), something that arrives after all, or a member of staff who has settled
    it. `subject` is what the last message was about; `told_at` is when work was opened for it.
    """

    recipient = models.CharField(_("recipient"), max_length=60)
    subject = models.CharField(_("about"), max_length=60)
    since = models.DateTimeField(_("since"))
    code = models.CharField(_("error code"), max_length=60)
    told_at = models.DateTimeField(null=True, blank=True, editable=False)
    solved_at = models.DateTimeField(_("solved"), null=True, blank=True)

    class Meta:
        verbose_name = _("person out of reach")
        verbose_name_plural = _("people out of reach")
        constraints = [
            models.UniqueConstraint(
                fields=["recipient"], name="out_of_reach_once", condition=Q(solved_at=None)
            ),
        ]
        indexes = [
            models.Index(
                fields=["since"],
                name="out_of_reach_untold",
                condition=Q(solved_at=None, told_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.recipient


class ChatGroup(models.Model):
    """A group of HR in a chat, told what the desk of these audiences is told.

    `url` is Apprise's address of its bot and holds the bot's key, so it is shown nowhere. No
    `audiences` means all of them, no `events` every event.
    """

    name = models.CharField(_("what it is called"), max_length=100)
    url = EncryptedCharField(editable=False)
    audiences = ArrayField(
        models.CharField(max_length=60), verbose_name=_("departments"), default=list, blank=True
    )
    language = models.CharField(_("language"), max_length=10, blank=True, default="")
    is_active = models.BooleanField(_("switched on"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("group chat")
        verbose_name_plural = _("group chats")
        ordering = ["name", "pk"]
        triggers = [tracked("name", "audiences", "is_active", departments=ADMINISTRATORS)]

    def __str__(self) -> str:
        return self.name


class PushSubscription(models.Model):
    """A browser in which somebody, signed in, asked to be told there (RFC 8030).

    `endpoint` leads to that browser alone and the keys encrypt what only it can read; a browser
    that withdrew answers 404 or 410 and its row goes.
    """

    recipient = models.CharField(_("recipient"), max_length=60)
    endpoint = models.CharField(_("address"), max_length=500, unique=True)
    key = EncryptedCharField(editable=False)
    secret = EncryptedCharField(editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("browser that is told")
        verbose_name_plural = _("browsers that are told")
        indexes = [models.Index(fields=["recipient"], name="push_recipient")]

    def __str__(self) -> str:
        return self.recipient


COMPANY = "company"  # the audience of what no department answers for alone: administrators


class WorkKind(models.TextChoices):
    CANCELLATION = "cancellation", _("Late cancellation")
    ANOMALY = "anomaly", _("Anomaly")
    FOLLOW_UP = "follow_up", _("Follow-up")
    ABSENCE = "absence", _("Absence")
    APPEAL = "appeal", _("Appeal against a mark")
    WRONG_CONTACT = "wrong_contact", _("Wrong contact")
    DOCUMENT = "document", _("Document to check")


class WorkItemQuerySet(models.QuerySet["WorkItem"]):
    def open(self) -> "WorkItemQuerySet":
        return self.filter(closed_at=None)

    def by_urgency(self) -> "WorkItemQuerySet":
        return self.order_by("due_at", "pk")

    def after(self, item: "WorkItem") -> "WorkItemQuerySet":
        """What is due later than `item`."""
        later = Q(due_at__gt=item.due_at) | Q(due_at=item.due_at, pk__gt=item.pk)
        return self.filter(later, due_at__gte=item.due_at)


class WorkItem(models.Model):
    """Something a member of staff must do by a certain time.

    Like a notification it knows no domain model: `audience`, `subject`, `assignee` and `closed_by`
    are plain strings such as "department:3", "interview:7K2M9QX4TB", "user:12" and "system";
    `params` holds ids and codes that the page needs, nothing personal. `task` and `note` are what
    staff wrote and may hold a name, so erasure blanks them. At `remind_at` the assignee is
    reminded, at `escalate_at` the HR lead is told; each is emptied once that has happened. What
    happens at `due_at` is the business of who opened it.
    """

    reference = models.CharField(
        _("reference"), max_length=10, unique=True, default=new_reference, editable=False
    )
    kind = models.CharField(_("kind"), max_length=30, choices=WorkKind.choices)
    audience = models.CharField(_("whose work"), max_length=60)
    subject = models.CharField(_("about"), max_length=60)
    params = models.JSONField(_("parameters"), default=dict)
    task = models.TextField(_("what to do"), blank=True, default="", db_default="", max_length=500)
    opened_at = models.DateTimeField(_("opened"))
    due_at = models.DateTimeField(_("due"))
    remind_at = models.DateTimeField(_("reminder"), null=True, blank=True)
    escalate_at = models.DateTimeField(_("escalation"), null=True, blank=True)
    assignee = models.CharField(_("assignee"), max_length=60, blank=True, default="")
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=60, blank=True, default="")
    note = models.TextField(_("note"), blank=True, max_length=500)

    objects = WorkItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("work item")
        verbose_name_plural = _("work items")
        indexes = [
            models.Index(
                fields=["audience", "due_at"], name="work_of_audience", condition=Q(closed_at=None)
            ),
            models.Index(
                fields=["assignee", "due_at"], name="work_of_person", condition=Q(closed_at=None)
            ),
            models.Index(
                fields=["kind", "due_at"], name="work_of_kind", condition=Q(closed_at=None)
            ),
            models.Index(fields=["due_at"], name="work_due", condition=Q(closed_at=None)),
            models.Index(
                fields=["remind_at"],
                name="work_reminder",
                condition=Q(closed_at=None, remind_at__isnull=False),
            ),
            models.Index(
                fields=["escalate_at"],
                name="work_escalation",
                condition=Q(closed_at=None, escalate_at__isnull=False),
            ),
            models.Index(fields=["subject"], name="work_subject"),
            # Of everybody, and of one department: of those who have several, whichever is shorter.
            models.Index(
                fields=["-closed_at", "-id"], name="work_done", condition=Q(closed_at__isnull=False)
            ),
            models.Index(
                fields=["audience", "-closed_at", "-id"],
                name="work_done_of_audience",
                condition=Q(closed_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "kind"], name="work_once", condition=Q(closed_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.reference}"


class Webhook(models.Model):
    """An address of another system that is told of what happens to interviews.

    `audiences` are those of work items, such as "department:3". Nothing in `events` or `audiences`
    means all of them. While a secret is being replaced both sign. `failing_since` and `failures`
    count from the last delivery that arrived; until `rests_until` nothing is tried. While it is
    switched off, events are kept for it.
    """

    name = models.CharField(_("what it is for"), max_length=100)
    url = models.CharField(_("address"), max_length=500)
    events = ArrayField(
        models.CharField(max_length=60), verbose_name=_("events"), default=list, blank=True
    )
    audiences = ArrayField(
        models.CharField(max_length=60), verbose_name=_("departments"), default=list, blank=True
    )
    secret = EncryptedCharField(editable=False)
    previous_secret = EncryptedCharField(editable=False, blank=True, default="")
    previous_until = models.DateTimeField(null=True, editable=False)
    is_active = models.BooleanField(_("switched on"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    rests_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name", "pk"]
        # Not the address: those of chat services hold their key.
        triggers = [tracked("name", "events", "audiences", "is_active", departments=ADMINISTRATORS)]

    def __str__(self) -> str:
        return self.name

    @property
    def both_sign(self) -> bool:
        """Whether the secret before still signs along."""
        return self.previous_until is not None and self.previous_until > timezone.now()


class WebhookDelivery(models.Model):
    """One event for one webhook, stored in the transaction of what happened and sent after it.

    `event_id` stays the same however often it is sent, and so does `body`, byte for byte.
    """

    webhook = models.ForeignKey(
        Webhook,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("webhook"),
    )
    event_id = models.CharField(_("event's id"), max_length=60)
    event = models.CharField(_("event"), max_length=60)
    audience = models.CharField(_("department"), max_length=60)
    body = models.TextField(_("text"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    not_before = models.DateTimeField(_("not before"))
    claimed_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    status_code = models.PositiveSmallIntegerField(_("answer"), null=True)
    error_code = models.CharField(_("error code"), max_length=60, blank=True, default="")
    milliseconds = models.PositiveIntegerField(_("duration"), null=True)
    created_at = models.DateTimeField(_("created"))
    tried_at = models.DateTimeField(_("last try"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event_id"], name="webhook_told_once"),
        ]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="webhook_log"),
            models.Index(
                fields=["webhook", "not_before", "id"],
                name="webhook_next",
                condition=Q(state=State.QUEUED),
            ),
            models.Index(
                fields=["claimed_until"], name="webhook_sending", condition=Q(state=State.SENDING)
            ),
            models.Index(fields=["created_at"], name="webhook_old"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} · {self.event}"
