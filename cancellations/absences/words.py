"""What is known of an absence, in plain words: the same for HR and for the candidate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cancellations.absences.rules import Obstacle
from cancellations.story import MESSAGES
from interviews.reminders.models import TroubleKind
from interviews.room.models import RoomEventKind
from notifications.models import Channel, State


@dataclass(frozen=True)
class Line:
    """One thing that is known."""

    what: str
    at: datetime | None = None
    more: str = ""


def lines(evidence: Mapping[str, Any]) -> list[Line]:
    """Evidence, as Known.as_evidence keeps it, in the order in which it happened."""
    return list(_lines(evidence))


def _lines(evidence: Mapping[str, Any]) -> Iterator[Line]:
    if booked_at := _time(evidence.get("booked_at")):
        yield Line(_("Booked"), booked_at)
    if opened_at := _time(evidence.get("opened_at")):
        yield Line(_("Invitation opened"), opened_at)
    for message in evidence.get("messages", []):
        yield _message(message)
    if confirmed_at := _time(evidence.get("confirmed_at")):
        yield Line(_("Said they will come"), confirmed_at)
    else:
        yield Line(_("Did not confirm"))
    trouble = evidence.get("trouble", "")
    if trouble in TroubleKind:
        yield Line(_("Told of trouble at the start"), more=str(TroubleKind(trouble).label))
    troubles: Mapping[str, int] = evidence.get("troubles", {})
    for kind, count in troubles.items():
        if kind in RoomEventKind:
            times = ngettext("%(count)d time", "%(count)d times", count) % {"count": count}
            yield Line(str(RoomEventKind(kind).label), more=times)
    if not troubles and not trouble:
        yield Line(_("No trouble with device or line was seen"))


def _message(message: Mapping[str, str]) -> Line:
    event = message.get("event", "")
    channel, state = message.get("channel", ""), message.get("state", "")
    said = [
        str(Channel(channel).label) if channel in Channel else channel,
        str(State(state).label) if state in State else state,
    ]
    what = str(MESSAGES.get(event) or event.replace("_", " ").capitalize())
    return Line(what, _time(message.get("at")), " · ".join(filter(None, said)))


def obstacles(evidence: Mapping[str, Any]) -> list[str]:
    """Why it cannot be held against anybody, in words."""
    codes = evidence.get("obstacles", [])
    return [str(Obstacle(code).label) for code in codes if code in Obstacle]


def _time(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None
