"""The interviews behind a figure, as a list that goes on from page to page."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import DeskRequest, desk_required
from accounts.models import User
from accounts.permissions import DECIDE_CANCELLATION, STAFF_ROLES
from analytics import behind
from analytics.behind import ANY, Figure
from analytics.dashboards import words
from analytics.dashboards.asking import ask, in_words
from analytics.dashboards.pages import PAGES, with_query
from analytics.measures import HANDLING_MINUTES, NOTICE_HOURS
from cancellations.desk_filters import sent_query
from cancellations.models import Saved
from config.references import as_reference
from interviews import listing
from interviews.columns import chosen_columns
from interviews.models import ReminderRule
from interviews.queries import visible_to
from notifications.models import State

# The page on which a map's figures stand.
ON = {
    "reasons": "reasons",
    "requests": "decisions",
    "handling": "decisions",
    "saved": "decisions",
    "notice": "timing",
    "hours": "timing",
    "exits": "exits",
    "reminders": "attendance",
    "absences": "attendance",
    "venues": "attendance",
    "answers": "attendance",
    "delivery": "delivery",
    "quality": "quality",
}


@never_cache
@desk_required
@require_safe
def rows(request: DeskRequest) -> HttpResponse:
    """The latest first. Which figure stands in the address, as its map and key."""
    of = behind.figure(request.GET.get("figure", "")[:200])
    figure = in_words_of(of) if of else ""
    if of is None or not figure or not _may_see(request.user, of):
        raise Http404
    asked = ask(request.GET, request.user)
    reference = as_reference(request.GET.get("after", "")[:40])
    after = listing.place_of(reference, request.user) if reference else None
    found, has_more = behind.interviews(asked.chosen, asked.period, of, after=after)
    columns = chosen_columns([])
    paths = dict.fromkeys(["reference", *(column.path for column in columns)])
    shown = visible_to(request.user).filter(pk__in=found).order_by("-listed_at", "-pk")
    listed = list(shown.values(*paths))
    page = PAGES[ON[of.map]]
    here, query = asked.behind(of.map, *of.parts), asked.query
    if "from" in request.GET:
        query = sent_query(request.GET, "from").urlencode()
        here += f"&{urlencode({'from': query})}"
    context = {
        "place": "insights",
        "page": page,
        "back": with_query(reverse(page.url_name), query),
        "figure": figure,
        "period": in_words(asked.period),
        "form": asked.form,
        "chips": asked.form.chips(),
        "columns": columns,
        "rows": [
            (row["reference"], [(column, column.on_page(row[column.path])) for column in columns])
            for row in listed
        ],
        "first": here if after else "",
        "more": f"{here}&after={listed[-1]['reference']}" if has_more and listed else "",
    }
    return render(request, "analytics/rows.html", context)


def _may_see(user: User, of: Figure) -> bool:
    """Who decided how much is for those who decide, as on the page of decisions."""
    by_person = of.map == "handling" and of.parts[0] != ANY
    return not by_person or user.has_perm(DECIDE_CANCELLATION)


# --- in words -------------------------------------------------------------------------------------

_REQUESTS = {
    "asked": _lazy("Requests"),
    "at_once": _lazy("Decided at once"),
    "by_hr": _lazy("Decided by HR"),
    "by_default": _lazy("By the default"),
    "declined": pgettext_lazy("figures", "Declined"),
    "lapsed": _lazy("Taken back"),
    "reversed": _lazy("Reinstated"),
    "in_time": _lazy("Within the promise"),
}
_ENDED = {
    "exit": pgettext_lazy("figures", "Left midway"),
    "lapse": _lazy("Did not come back"),
}
_FATES = {
    "came": words.STEPS["attended"],
    "missed": pgettext_lazy("figures", "Did not come"),
    "cancelled": pgettext_lazy("figures", "Cancelled"),
}
_HAPPENED = {"starts": words.STEPS["booked"], **_FATES, "no_show": _FATES["missed"]}
_SETTLED = {
    "open": pgettext_lazy("figures", "Open"),
    "settled": _lazy("Settled"),
}


def in_words_of(of: Figure) -> str:
    """What is counted, as its page says it; what may be anything is left out. Nothing where a key
    of its map does not look like that."""
    told = _told(of)
    said = (str(tell(part)) for tell, part in zip(told, of.parts, strict=False) if part != ANY)
    return " · ".join(each for each in said if each) if len(told) == len(of.parts) else ""


Tell = Callable[[str], object]


def _told(of: Figure) -> list[Tell]:
    """How each part of its key is told."""
    match of.map:
        case "reasons":
            return [_of(words.PARTIES), _reason(of.parts[0])]
        case "requests":
            return [_of(words.REQUESTED), _of(_REQUESTS)]
        case "handling":
            return [_person, _step(HANDLING_MINUTES, words.handling_step)]
        case "notice":
            return [_step(NOTICE_HOURS, words.notice_step)]
        case "hours":
            return [_of(_HAPPENED), _weekday, lambda hour: f"{hour}:00"]
        case "exits":
            return [_of(_ENDED), lambda by: "", _where(of.parts)]
        case "reminders":
            reached = of.parts[0] == "reached"
            return [lambda what: "", _of(words.REACHED) if reached else _rule, _of(_FATES)]
        case "absences":
            return [lambda code: words.work_code("absence", code), words.decided]
        case "saved":
            return [_reason("candidate"), words.offered, _of(dict(Saved.choices))]
        case "delivery":
            return [words.channel, words.provider, _of(dict(State.choices)), words.cause]
        case "quality":
            return [lambda kind: "", _work(of.parts[0]), _of(_SETTLED)]
        case "venues":
            return [str, _of(_FATES)]
    return [words.question, words.answer, _of(_FATES)]


def _of(labels: Mapping[str, object]) -> Tell:
    return lambda code: labels.get(code, code)


def _reason(party: str) -> Tell:
    labels = words.reason_labels()
    return lambda code: labels.get((party, code), code)


def _work(kind: str) -> Tell:
    return lambda code: words.work_code(kind, code)


def _person(pk: str) -> str:
    if pk == "0":
        return _("The policy’s default")
    staff = User.objects.filter(role__in=STAFF_ROLES)
    found = staff.filter(pk=pk) if pk.isdecimal() and len(pk) < 19 else staff.none()
    return found.values_list("name", flat=True).first() or _("not known any more")


def _rule(pk: str) -> str:
    rules = ReminderRule.objects.filter(pk=pk) if pk.isdecimal() else ReminderRule.objects.none()
    return words.rule(rules.first())


def _weekday(number: str) -> object:
    return WEEKDAYS[int(number)] if number in {*"0123456"} else ""


def _step(edges: tuple[int, ...], tell: Callable[[float | None, float | None], str]) -> Tell:
    """The bucket of that number, between two edges."""
    bounds = [None, *edges, None]

    def told(number: str) -> str:
        known = number.isascii() and number.isdecimal() and int(number) <= len(edges)
        return tell(bounds[int(number)], bounds[int(number) + 1]) if known else ""

    return told


def _where(parts: tuple[str, ...]) -> Tell:
    match parts:
        case [_ended, "stage", _code]:
            return words.stage
        case [_ended, "ending", _code]:
            return words.ending
    return words.at_question
