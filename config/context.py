"""What every template may show."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def product(request: HttpRequest) -> dict[str, Any]:
    """The product's name and where a person finds help."""
    return {
        "product_name": settings.PRODUCT_NAME,
        "hotline": settings.HOTLINE,
        "help_mailbox": settings.HELP_MAILBOX,
        "demo": settings.DEMO,
    }
