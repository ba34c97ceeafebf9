"""Entries for people's calendars (RFC 5545, RFC 5546), made of what the `calendar` parameter of a
message says: {"method", "uid", "sequence", "starts_at", "ends_at", "changed_at", "summary",
"location", "description", "url", "attendee"}."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from icalendar import Calendar, Event, vCalAddress, vText

PRODUCT = "-//Mianyue//Interviews//ZH"
NAMES = {"REQUEST": "invite.ics", "CANCEL": "cancelled.ics", "PUBLISH": "interview.ics"}


def entry(said: Mapping[str, Any]) -> bytes:
    """One appointment, in UTC: every calendar shows it in its own zone, and no zone's rules are to
    be had along."""
    method = said["method"]
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    event = Event()
    event.add("uid", said["uid"])
    event.add("sequence", said["sequence"])
    event.add("dtstamp", _moment(said["changed_at"]))
    event.add("dtstart", _moment(said["starts_at"]))
    event.add("dtend", _moment(said["ends_at"]))
    event.add("summary", said["summary"])
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if method == "CANCEL" else "OPAQUE")
    for name in ("location", "description", "url"):
        if said.get(name):
            event.add(name, said[name])
    event["organizer"] = _organizer()
    if said.get("attendee") and method != "PUBLISH":  # a published entry has none (RFC 5546, 3.2.1)
        event["attendee"] = _attendee(said["attendee"])
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)


def _organizer() -> vCalAddress:
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    organizer = vCalAddress(f"mailto:{address}")
    if name:
        organizer.params["CN"] = vText(name)
    return organizer


def _attendee(address: str) -> vCalAddress:
    """Whoever is invited; they answer in the portal, not by mail."""
    attendee = vCalAddress(f"mailto:{address}")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["PARTSTAT"] = vText("ACCEPTED")
    attendee.params["RSVP"] = vText("FALSE")
    return attendee
