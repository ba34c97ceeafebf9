"""Time zones as people choose them: the ones many need first, by the names people give them."""

from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User

Choice = tuple[str, str]
COMMON = {
    "Asia/Shanghai": _("Beijing time"),
    "Asia/Hong_Kong": _("Hong Kong"),
    "Asia/Taipei": _("Taipei"),
    "Asia/Singapore": _("Singapore, Kuala Lumpur"),
    "Asia/Tokyo": _("Tokyo"),
    "Asia/Seoul": _("Seoul"),
    "Asia/Kolkata": _("India"),
    "Asia/Dubai": _("Dubai"),
    "Europe/London": _("London"),
    "Europe/Paris": _("Paris, Berlin, Rome"),
    "America/New_York": _("New York, Toronto"),
    "America/Chicago": _("Chicago"),
    "America/Los_Angeles": _("Los Angeles, Vancouver"),
    "Australia/Sydney": _("Sydney, Melbourne"),
}
REGIONS = {
    "Asia": _("Asia"),
    "Europe": _("Europe"),
    "America": _("Americas"),
    "Africa": _("Africa"),
    "Australia": _("Australia"),
    "Pacific": _("Pacific Ocean"),
    "Indian": _("Indian Ocean"),
    "Atlantic": _("Atlantic Ocean"),
    "Arctic": _("Arctic"),
    "Antarctica": _("Antarctica"),
}
UNIVERSAL = "Etc/UTC"
OTHER = _("Other names")


@cache
def _rules(zone: str) -> ZoneInfo:
    """Read from disk once: ZoneInfo itself soon forgets what nobody holds."""
    return ZoneInfo(zone)


def label(zone: str, now: datetime) -> str:
    """Beijing time (UTC+8); a zone without a name of ours goes by its city."""
    region, _slash, city = zone.partition("/")
    if region not in REGIONS:
        city = zone
    name = COMMON.get(zone) or city.replace("_", " ").replace("/", ", ")
    return f"{name} ({_offset(now.astimezone(_rules(zone)).utcoffset())})"


def as_of(user: User) -> AbstractContextManager[object]:
    """Times as this person reads them in their messages, for pages that are open without signing
    in."""
    return timezone.override(_rules(user.time_zone)) if user.time_zone else nullcontext()


def here(now: datetime) -> str:
    """The zone in which times are shown now, by its name."""
    return label(timezone.get_current_timezone_name(), now)


def _offset(ahead: timedelta | None) -> str:
    minutes = int(ahead.total_seconds()) // 60 if ahead else 0
    if not minutes:
        return "UTC"
    sign = "+" if minutes > 0 else "\N{MINUS SIGN}"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}:{rest:02}" if rest else f"UTC{sign}{hours}"


@cache
def in_use() -> frozenset[str]:
    """The zones that some country keeps its clocks by, and universal time: of the many names a zone
    has had, the one it goes by today."""
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (row.split("\t") for row in table.splitlines() if not row.startswith("#"))
    return frozenset({UNIVERSAL, *(row[2] for row in rows)})


def groups(now: datetime, chosen: str = "") -> list[tuple[Promise, list[Choice]]]:
    """Every zone once, as a select's option groups: the common ones, then each region's. What was
    `chosen` before stays among them, by whatever name."""
    found: dict[Promise, list[Choice]] = defaultdict(list)
    for zone in sorted(in_use() | ({chosen} if chosen else set())):
        if zone not in COMMON:
            region = REGIONS.get(zone.partition("/")[0], OTHER)
            found[region].append((zone, label(zone, now)))
    common: list[Choice] = [(zone, label(zone, now)) for zone in COMMON]
    ordered = [(region, found[region]) for region in (*REGIONS.values(), OTHER) if found[region]]
    return [(_("Often chosen"), common), *ordered]
