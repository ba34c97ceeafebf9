"""What every template may show."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from cancellations import queue


def product(request: HttpRequest) -> dict[str, Any]:
    """The product's name and where a person finds help."""
    return {
        "product_name": settings.PRODUCT_NAME,
        "hotline": settings.HOTLINE,
        "help_mailbox": settings.HELP_MAILBOX,
        "demo": settings.DEMO,
    }


def desk(request: HttpRequest) -> dict[str, Any]:
    """How much waits for them, counted only by a template that says so."""
    user = getattr(request, "user", None)  # an error may come before anybody is known
    if not isinstance(user, User) or not user.works_at_desk:
        return {}
    return {"waiting": SimpleLazyObject(lambda: queue.waiting(user))}
