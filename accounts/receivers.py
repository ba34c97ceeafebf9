"""What people are told of what the apps below noticed."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models import Q
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import browsers
from accounts.models import User
from accounts.permissions import Role
from notifications import reach
from notifications.models import Notification, Webhook
from notifications.services import Notice, notify
from notifications.signals import message_failed, webhook_switched_off


@receiver(message_failed, sender=Notification)
def find_another_way(notification: Notification, **kwargs: Any) -> None:
    """What does not reach a candidate in one way goes the other; staff have their desk."""
    whose, _colon, number = notification.recipient.partition(":")
    if whose != "user" or not number.isdecimal():
        return
    user = User.objects.filter(pk=number, role=Role.CANDIDATE).only("mobile", "email").first()
    if user is not None:
        reach.fall_back(notification, {"sms": user.mobile, "email": user.email})


@receiver(user_logged_in, sender=User)
def end_what_others_had_shown(request: HttpRequest, user: User, **kwargs: Any) -> None:
    browsers.signed_in(request, user)


@receiver(user_logged_out)
def show_nothing_more(request: HttpRequest, **kwargs: Any) -> None:
    browsers.signed_out(request)


@receiver(webhook_switched_off, sender=Webhook)
def tell_administrators(webhook: Webhook, **kwargs: Any) -> None:
    notify(*switched_off(webhook))


def switched_off(webhook: Webhook) -> Iterator[Notice]:
    """Each administrator finds it among their messages at the desk, and in the mail."""
    administrators = User.objects.filter(
        Q(role=Role.ADMINISTRATOR) | Q(is_superuser=True), is_active=True
    )
    happened = uuid4().hex
    failing_at = webhook.failing_since or timezone.now()
    for user in administrators:
        for channel, address in (("desk", ""), ("email", user.email)):
            if address is None:
                continue
            yield Notice(
                event="webhook_switched_off",
                channel=channel,
                recipient=f"user:{user.pk}",
                address=address,
                language=user.language,
                subject=f"webhook:{webhook.pk}",
                dedupe_key=f"webhook_switched_off:{happened}:{user.pk}:{channel}",
                time_zone=user.time_zone,
                params={"name": webhook.name, "failing_at": failing_at.isoformat()},
            )
