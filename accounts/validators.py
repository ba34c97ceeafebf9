"""What a person's settings may hold, wherever they are written."""

import zoneinfo
from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


@cache
def time_zones() -> tuple[str, ...]:
    """Area/City names, sorted; read from disk once."""
    return tuple(sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone))


def validate_language(value: str) -> None:
    if value not in dict(settings.LANGUAGES):
        raise ValidationError(_("Choose one of the languages offered."), code="language")


def validate_time_zone(value: str) -> None:
    if value not in time_zones():
        raise ValidationError(
            _("This time zone does not exist. Give one such as Asia/Shanghai."), code="time_zone"
        )
