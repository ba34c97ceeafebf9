"""Whether the reason somebody gives for leaving fits what was observed. The rules are data; what
they find is a hint for HR to look, never a verdict."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cancellations.help.models import Fact, PlausibilityRule
from interviews.models import RoomEventKind

_COUNTED: dict[Fact, Sequence[RoomEventKind]] = {
    Fact.LINE_LOST: [RoomEventKind.OFFLINE],
    Fact.ERRORS: [
        RoomEventKind.SERVER_ERROR,
        RoomEventKind.PLATFORM_ERROR,
        RoomEventKind.SCRIPT_ERROR,
    ],
    Fact.DEVICE_ERRORS: [RoomEventKind.DEVICE_ERROR],
    Fact.TURNED_AWAY: [RoomEventKind.HIDDEN],
    Fact.TROUBLES: [
        RoomEventKind.OFFLINE,
        RoomEventKind.AWAY,
        RoomEventKind.DEVICE_ERROR,
        RoomEventKind.SCRIPT_ERROR,
        RoomEventKind.SERVER_ERROR,
        RoomEventKind.PLATFORM_ERROR,
    ],
}


def facts_of(evidence: Mapping[str, Any], *, minutes: int) -> dict[str, int]:
    """What is known of a sitting, by Fact: from its evidence (interviews.room.queries) and how long
    ago it was entered."""
    events, answered = evidence["events"], evidence["answered"]
    questions, seconds = evidence["questions"], evidence["seconds"]
    return {
        **{
            str(fact): sum(events.get(kind, 0) for kind in kinds)
            for fact, kinds in _COUNTED.items()
        },
        str(Fact.MINUTES): minutes,
        str(Fact.ANSWERED_SHARE): answered * 100 // questions if questions else 0,
        str(Fact.SECONDS_PER_ANSWER): seconds // answered if answered else 0,
    }


def hints(reason_id: int, facts: Mapping[str, int]) -> list[PlausibilityRule]:
    """The rules about this reason that these facts meet."""
    rules = PlausibilityRule.objects.filter(reason=reason_id, is_active=True)
    return [rule for rule in rules if meets(rule, facts)]


def meets(rule: PlausibilityRule, facts: Mapping[str, int]) -> bool:
    """Both bounds count, and what is not known meets no rule."""
    value = facts.get(rule.fact)
    if value is None:
        return False
    low = rule.at_least is None or value >= rule.at_least
    high = rule.at_most is None or value <= rule.at_most
    return low and high


def hints_of(numbers: Iterable[int]) -> list[PlausibilityRule]:
    """The rules with these numbers, as an exit keeps them; those removed since are left out."""
    return list(PlausibilityRule.objects.filter(pk__in=list(numbers)))
