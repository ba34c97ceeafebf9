"""How an interview stands on its platform, and what candidates scored, for pages that show one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.utils.translation import gettext as _

from interviews.models import Interview, InterviewKind, PlatformEvent, PlatformLink
from interviews.platforms import adapters, builtin
from interviews.platforms.base import EventKind
from interviews.states import InterviewStatus

register = template.Library()
HELD_BEFORE = [InterviewStatus.COMPLETED, InterviewStatus.INCOMPLETE, InterviewStatus.WITHDRAWN]


@dataclass(frozen=True)
class Results:
    """What came of an interview: where it was held, and the scores by name."""

    interview: Interview
    where: str
    scores: list[tuple[str, str]]


@register.inclusion_tag("interviews/platforms/state.html", takes_context=True)
def platform_state(context: dict[str, Any], interview: Interview) -> dict[str, Any]:
    """What its platform holds of it, and what came of earlier interviews of the application."""
    links = {
        link.interview_id: link
        for link in PlatformLink.objects.select_related("platform").filter(
            interview__application=interview.application_id
        )
    }
    link = links.get(interview.pk)
    return {
        "perms": context.get("perms"),
        "link": link,
        "why": adapters.why(link.error_code) if link else "",
        "fault_at": _last_fault(link) if link else None,
        "scores": written(link.scores) if link else [],
        "earlier": [*_earlier(interview, links)],
    }


def written(scores: dict[str, float]) -> list[tuple[str, str]]:
    """Scores as they are shown: whole numbers without a point."""
    return [(name, f"{value:g}") for name, value in scores.items()]


def _last_fault(link: PlatformLink) -> datetime | None:
    """When the platform last told of an error of its own about it."""
    faults = PlatformEvent.objects.filter(
        platform=link.platform_id, external_id=link.external_id, body__kind=EventKind.ERROR
    )
    return faults.order_by("-at").values_list("at", flat=True).first() if link.external_id else None


def _earlier(interview: Interview, links: dict[int, PlatformLink]) -> list[Results]:
    others = Interview.objects.filter(
        application=interview.application_id, kind=InterviewKind.AI, status__in=HELD_BEFORE
    ).exclude(pk=interview.pk)
    found = []
    for other in others.order_by("starts_at", "pk"):
        if link := links.get(other.pk):
            found.append(Results(other, link.platform.name, written(link.scores)))
        else:
            found.append(Results(other, _("our own room"), _in_the_room(other)))
    return [each for each in found if each.scores]


def _in_the_room(interview: Interview) -> list[tuple[str, str]]:
    results = builtin.held(interview).scores
    if not results.get("questions"):
        return []
    answered = _("%(answered)d of %(questions)d") % results
    minutes = _("%(count)d min") % {"count": round(results["seconds"] / 60)}
    return [(_("Questions answered"), answered), (_("Time spent"), minutes)]
