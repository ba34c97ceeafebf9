"""The outbox, as administrators see it: what happened to each message, not what it said."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from config.read_only import ReadOnly
from notifications import services
from notifications.models import (
    ChatGroup,
    MessageTemplate,
    Notification,
    OutOfReach,
    Preference,
    PushSubscription,
    Webhook,
    WebhookDelivery,
    WorkItem,
)


@admin.register(Notification)
class NotificationAdmin(admin.ModelAdmin):
    """Read-only. Words and parameters are not shown, addresses are masked: none is needed to see
    why a message did not arrive."""

    fields = readonly_fields = (
        "event",
        "channel",
        "state",
        "error_code",
        "attempts",
        "recipient",
        "masked_address",
        "language",
        "subject",
        "created_at",
        "not_before",
        "deadline",
        "sent_at",
        "arrived_at",
        "provider_id",
    )
    list_display = (
        "created_at",
        "event",
        "channel",
        "state",
        "error_code",
        "attempts",
        "masked_address",
        "sent_at",
    )
    list_filter = ("state", "channel", "event", "created_at")
    search_fields = ("=subject", "=recipient", "=provider_id")
    search_help_text = _("A subject such as interview:7K2M9QX4TB, a recipient such as user:12.")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("send_again",)

    @admin.display(description=_("address"))
    def masked_address(self, notification: Notification) -> str:
        return mask(notification.address)

    @admin.action(description=_("Send failed messages again"), permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Notification]) -> None:
        """Queue them; what cannot be sent again is left as it is."""
        queued = services.send_again(chosen)
        for notification in queued:
            self.log_change(request, notification, "send again")
        done = ngettext(
            "%d message will be sent again.", "%d messages will be sent again.", len(queued)
        )
        messages.success(request, done % len(queued))
        left = chosen.count() - len(queued)
        if left:
            kept = ngettext(
                "%d was left alone: only failed messages can be sent again, and codes never.",
                "%d were left alone: only failed messages can be sent again, and codes never.",
                left,
            )
            messages.warning(request, kept % left)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notification | None = None) -> bool:
        return False


@admin.register(WorkItem)
class WorkItemAdmin(ReadOnly, admin.ModelAdmin):
    """Claimed and resolved at the desk."""

    list_display = ("reference", "kind", "audience", "subject", "assignee", "due_at", "closed_at")
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "kind", "due_at")
    ordering = ("-pk",)
    search_fields = ("=reference", "=subject", "=assignee", "=audience")
    search_help_text = _("A reference, a subject such as interview:7K2M9QX4TB, or user:12.")
    show_full_result_count = False
    exclude = ("task", "note")


@admin.register(Webhook)
class WebhookAdmin(ReadOnly, admin.ModelAdmin):
    """Set up at the desk; secrets are shown nowhere."""

    list_display = ("name", "url", "is_active", "failures", "failing_since", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "url")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "created_at",
        "webhook",
        "event",
        "state",
        "attempts",
        "status_code",
        "error_code",
        "milliseconds",
    )
    list_filter = ("state", "event", "created_at")
    list_select_related = ("webhook",)
    ordering = ("-pk",)
    search_fields = ("=event_id", "webhook__name")
    show_full_result_count = False
    exclude = ("body",)


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ReadOnly, admin.ModelAdmin):
    """Written at the desk, where they are checked before they are kept."""

    list_display = ("event", "channel", "language", "changed_at")
    list_filter = ("channel", "language")
    search_fields = ("event",)


@admin.register(Preference)
class PreferenceAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("recipient", "group", "channel", "is_wanted", "changed_at")
    list_filter = ("group", "channel", "is_wanted")
    ordering = ("-pk",)
    search_fields = ("=recipient",)
    show_full_result_count = False


@admin.register(OutOfReach)
class OutOfReachAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("recipient", "since", "code", "solved_at")
    list_filter = (("solved_at", admin.EmptyFieldListFilter), "code")
    ordering = ("-pk",)
    search_fields = ("=recipient",)


@admin.register(ChatGroup)
class ChatGroupAdmin(ReadOnly, admin.ModelAdmin):
    """Set up at the desk; addresses hold the bots' keys and are shown nowhere."""

    list_display = ("name", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name",)


@admin.register(PushSubscription)
class PushSubscriptionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("recipient", "created_at")
    ordering = ("-pk",)
    search_fields = ("=recipient",)
    exclude = ("endpoint",)


def mask(address: str) -> str:
    """Enough to recognise an address one knows: +8613****0001, z****@example.com."""
    name, at, domain = address.partition("@")
    if at:
        return f"{name[:1]}****@{domain}"
    if address.startswith("+"):
        return f"{address[:5]}****{address[-4:]}"
    return address
