"""Who is told of an alert: the desk of the department, or the administrators', and with it the
group chats; and, where nobody settles it, who took it on and who leads. Names of positions and
departments, counts and codes: never a person's."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import ngettext

from accounts.models import User
from analytics.alerts import words
from analytics.alerts.models import Alert
from interviews.notices import STAFF, addresses
from notifications.models import Channel, WorkItem
from notifications.services import Notice

# One message goes to the desk and to chats that may speak another language.
LANGUAGES = {"zh": "zh-hans", "en": "en"}
LISTED = 20  # alerts named in one message


def opened(alerts: Sequence[Alert], audiences: Mapping[int, str]) -> Iterator[Notice]:
    """One message to each desk, however many open at once; of a single one, what stands out."""
    yield from _told("alert_opened", alerts, audiences, _opening)


def closed(alerts: Sequence[Alert], audiences: Mapping[int, str]) -> Iterator[Notice]:
    yield from _told("alert_closed", alerts, audiences, lambda alert: [words.over(alert)])


def waiting(alert: Alert, item: WorkItem, step: str, people: Iterable[User]) -> Iterator[Notice]:
    """Its work has come to one of its times: these `people` are told, each in their language."""
    for person in people:
        for address in addresses(person, STAFF):
            with translation.override(address["language"]):
                what = words.title(alert, words.names_of_alerts([alert])[alert.pk])
            reached = f"{address['channel']}:{address['recipient']}"
            yield Notice(
                event="alert_waiting",
                subject=alert.subject,
                dedupe_key=f"alert_waiting:{step}:{item.reference}:{reached}",
                params={
                    "alert": alert.pk,
                    "path": reverse("alerts:alert", args=[alert.pk]),
                    "what": what,
                    "due_at": item.due_at.isoformat(),
                    "is_late": step == "escalate",
                },
                **address,
            )


def _opening(alert: Alert) -> list[str]:
    causes = words.causes_of(alert)
    names = words.named(causes, people=False)
    found = [words.sentence(cause, names) for cause in causes]
    return [words.opening(alert), *(found or [str(words.NO_CAUSE)])]


def _told(
    event: str,
    alerts: Sequence[Alert],
    audiences: Mapping[int, str],
    say: Callable[[Alert], list[str]],
) -> Iterator[Notice]:
    for audience in sorted({audiences[alert.pk] for alert in alerts}):
        theirs = [alert for alert in alerts if audiences[alert.pk] == audience]
        theirs.sort(key=lambda alert: -(alert.worst.share or 0))
        first = theirs[0]
        yield Notice(
            event=event,
            channel=Channel.DESK,
            recipient=audience,
            address=audience,
            language=settings.LANGUAGE_CODE,
            subject=first.subject,
            dedupe_key=f"{event}:{first.pk}:{audience}",
            params=_params(theirs, say),
        )


def _params(alerts: list[Alert], say: Callable[[Alert], list[str]]) -> dict[str, Any]:
    """Every text in both languages."""
    titles, lines = {}, {}
    for short, language in LANGUAGES.items():
        with translation.override(language):
            titles[short], lines[short] = _texts(alerts, say)
    alone = alerts[0].pk if len(alerts) == 1 else None
    return {
        "alert": alone,
        "path": reverse("alerts:alert", args=[alone]) if alone else reverse("alerts:index"),
        "title_zh": titles["zh"],
        "title_en": titles["en"],
        "lines": [{"zh": zh, "en": en} for zh, en in zip(lines["zh"], lines["en"], strict=True)],
    }


def _texts(alerts: list[Alert], say: Callable[[Alert], list[str]]) -> tuple[str, list[str]]:
    names = words.names_of_alerts(alerts[:LISTED])
    titles = [words.title(alert, names[alert.pk]) for alert in alerts[:LISTED]]
    if len(alerts) == 1:
        return titles[0], say(alerts[0])
    count = ngettext("%(count)d alert", "%(count)d alerts", len(alerts)) % {"count": len(alerts)}
    return f"{words.what(alerts[0])} · {count}", titles
