"""What stands out in the figures of a period, in sentences with their numbers.

Nothing is said of fewer than figures.SMALL. What is compared with the rest stands out only where
the interval of the difference leaves out nought; of many positions beside one another, all of their
intervals together. What is not compared has to be clearly more than what is usual (`USUAL`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics import figures
from analytics.dashboards import words
from analytics.dashboards.asking import Asked
from analytics.dashboards.telling import count, percent
from analytics.figures import Counts, Hour, Period, Rate, Row, Split
from analytics.findings import watched
from analytics.findings.codes import WATCHED, Found
from analytics.findings.intervals import Interval, newcombe, quantile, wilson
from analytics.findings.ways import Way, Ways
from interviews.listing import LEFT_MIDWAY, RAN_OUT
from interviews.states import InterviewStatus

MAPS = (
    "reasons",
    "reminders",
    "exits",
    "delivery",
    "quality",
    "requests",
    "notice",
    "refill",
    "invitations",
)
MOST_OF_ONE = 3  # of the same finding about several positions or departments
EVENING = 18  # o'clock, from which on it is evening
EVENINGS = "18:00–20:00"
DAYTIME = "10:00–12:00, 14:00–17:00"
WEEKEND = 5  # Saturday; 0 is Monday

# A share stands out where it is clearly more than this.
USUAL = {
    Found.TIME_CONFLICT: 0.20,
    Found.OTHER_OFFER: 0.20,
    Found.NOT_INTERESTED: 0.20,
    Found.NOT_KNOWING_HOW: 0.10,
    Found.LATE_NOTICE: 0.50,
    Found.RAN_OUT: 0.20,
    Found.WRONG_CONTACT: 0.02,
    Found.UNDELIVERED: 0.05,
    Found.SLOW: 0.10,
    Found.DEFAULTS: 0.05,
}
MOSTLY_EMPTY = 0.5  # of freed places, where it is clearly less that are taken again


@dataclass(frozen=True)
class Finding:
    """One sentence with its numbers, how sure they are, and what may help. `touches` is how many
    interviews it is about; it says which comes first."""

    code: Found
    sentence: str
    advice: str
    touches: int
    evidence: str = ""
    ways: tuple[Way, ...] = ()
    rows: str = ""
    position: int | None = None
    department: int | None = None
    log_url: str = ""

    @property
    def measure(self) -> str:
        return WATCHED[self.code]


def look(asked: Asked) -> tuple[Counts, list[Finding]]:
    """What was counted in all, and what stands out of it, what touches most first."""
    seen = Seen(asked)
    found = [finding for finder in FINDERS for finding in finder(seen) if finding.touches]
    found.sort(key=lambda each: (-each.touches, each.code, each.sentence))
    return seen.counts, [replace(each, log_url=_log_url(asked, each)) for each in found]


def _log_url(asked: Asked, found: Finding) -> str:
    """The form in which HR says what was done, knowing what stood out and when. Nowhere for what
    was found in a category or of a recruiter: actions concern neither, and would be measured on
    other interviews."""
    said = asked.form.narrowing
    position = found.position or said.get("position")
    if not position and {"category", "recruiter"} & said.keys():
        return ""
    department = found.department or said.get("department")
    query = {
        "found": str(found.code),
        "concerns": f"position:{position}" if position else f"department:{department}",
        "since": str(asked.period.since),
        "until": str(asked.period.until),
        "kind": said.get("kind", ""),
        "source": said.get("source", ""),
    }
    if not position and not department:
        del query["concerns"]
    query = {name: value for name, value in query.items() if value}
    return f"{reverse('findings:log')}?{urlencode(query)}"


class Seen:
    """The figures of what was asked for; each is read once, when something first asks for it."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    @cached_property
    def counts(self) -> Counts:
        return figures.totals(self.asked.chosen, self.asked.period)

    @cached_property
    def maps(self) -> dict[str, Split]:
        return figures.splits(self.asked.chosen, self.asked.period, *MAPS)

    @cached_property
    def positions(self) -> list[Row]:
        return figures.by(self.asked.chosen, self.asked.period, "position")

    @cached_property
    def reasons_by_position(self) -> dict[Any, Split]:
        return figures.split_by(self.asked.chosen, self.asked.period, "reasons", "position")

    @cached_property
    def requests_by_department(self) -> dict[Any, Split]:
        return figures.split_by(self.asked.chosen, self.asked.period, "requests", "department")

    @cached_property
    def hours(self) -> list[Hour]:
        """Of days that are over: who is expected today has not missed anything yet."""
        yesterday = self.asked.today - timedelta(days=1)
        over = Period(self.asked.period.since, min(self.asked.period.until, yesterday))
        return figures.hours(self.asked.chosen, over)

    @cached_property
    def labels(self) -> dict[tuple[str, str], str]:
        return words.reason_labels()

    def ways(self, *, position: Any = None, department: Any = None) -> Ways:
        """Narrowed to these, or to what the page is narrowed to."""
        said = self.asked.form.narrowing
        position, department = (
            position or said.get("position"),
            department or said.get("department"),
        )
        return Ways(
            self.asked.user,
            position=int(position) if position else None,
            department=int(department) if department else None,
        )


Finder = Callable[[Seen], Iterable[Finding]]


# --- in words -------------------------------------------------------------------------------------


def share(of: Rate) -> str:
    return percent(of.share or 0)


def points(interval: Interval) -> str:
    """A difference, from the lowest that fits to the highest."""
    return _("difference: %(low)s to %(high)s percentage points (95 per cent interval)") % {
        "low": signed(interval.low),
        "high": signed(interval.high),
    }


def signed(difference: float) -> str:
    """In percentage points."""
    number = round(difference * 100, 1)
    sign = "+" if number > 0 else "−" if number < 0 else ""
    return f"{sign}{abs(number):g}"


def between(of: Rate, interval: Interval | None = None) -> str:
    """A share, from the lowest that fits to the highest."""
    low, high = interval or wilson(of)
    return _("%(low)s to %(high)s (95 per cent interval)") % {
        "low": percent(low),
        "high": percent(high),
    }


def _numbers(of: Rate, **more: str) -> dict[str, str]:
    return {
        "share": share(of),
        "count": count(of.denominator),
        "number": count(of.numerator),
    } | more


def _is_clear(code: Found, of: Rate) -> bool:
    """Clearly more than usual."""
    return not of.is_small and wilson(of).low > USUAL[code]


# --- one position beside the others ---------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """A rate of which one position may have more than the others."""

    code: Found
    rate: Callable[[Counts], Rate]
    status: str
    sentence: str  # with %(where)s, %(share)s, %(count)s, %(others)s
    advice: str
    ways: Callable[[Ways], tuple[Way, ...]]


def _stands_out(seen: Seen, what: Compared) -> Iterator[Finding]:
    rates = [(row.key, what.rate(row.counts)) for row in seen.positions]
    whole = sum((each for _key, each in rates), watched.NONE)
    pairs = [
        (key, each, Rate(whole.numerator - each.numerator, whole.denominator - each.denominator))
        for key, each in rates
        if not each.is_small
    ]
    pairs = [(key, each, rest) for key, each, rest in pairs if not rest.is_small]
    z = quantile(len(pairs))
    found = []
    for key, each, rest in pairs:
        interval = newcombe(each, rest, z)
        if interval.low > 0:
            found.append((each.numerator, key, each, rest, interval))
    found.sort(key=lambda one: (-one[0], str(one[1])))
    for touches, key, each, rest, interval in found[:MOST_OF_ONE]:
        where = seen.asked.name_of("position", key)
        yield Finding(
            what.code,
            what.sentence % _numbers(each, where=where, others=share(rest)),
            what.advice,
            touches,
            points(interval),
            what.ways(seen.ways(position=key)),
            seen.asked.rows(status=what.status, position=key),
            position=int(key) if key else None,
        )


def no_show(seen: Seen) -> Iterator[Finding]:
    return _stands_out(
        seen,
        Compared(
            Found.NO_SHOW,
            lambda counts: counts.no_show_rate,
            InterviewStatus.NO_SHOW,
            _("%(where)s: %(share)s of %(count)s did not come; of the others, %(others)s"),
            _("Offer times that suit better, and remind them once more."),
            lambda ways: (ways.slots(), ways.reminders(), ways.edit_position()),
        ),
    )


def cancel(seen: Seen) -> Iterator[Finding]:
    return _stands_out(
        seen,
        Compared(
            Found.CANCEL,
            lambda counts: counts.candidate_cancel_rate,
            InterviewStatus.CANCELLED,
            _(
                "%(where)s: candidates cancel %(share)s of %(count)s appointments; elsewhere,"
                " %(others)s"
            ),
            _("Offer more times, and look at the reasons they give."),
            lambda ways: (ways.slots(), ways.edit_position(), ways.policy()),
        ),
    )


def leaving(seen: Seen) -> Iterator[Finding]:
    return _stands_out(
        seen,
        Compared(
            Found.EXIT,
            lambda counts: counts.exit_rate,
            LEFT_MIDWAY,
            _("%(where)s: %(share)s of %(count)s leave midway; of the others, %(others)s"),
            _("Say beforehand what is asked and how long it takes; look at the questions."),
            lambda ways: (ways.edit_position(), ways.questions(), ways.policy()),
        ),
    )


# --- why ------------------------------------------------------------------------------------------


def _given(seen: Seen, party: str, code: str) -> Rate:
    """How often this reason, of all that were given."""
    given = figures.reasons_of(seen.maps["reasons"])[party]
    return Rate(given.get(code, 0), sum(given.values()))


def _most(seen: Seen, party: str, code: str) -> Any:
    """The position at which this reason is given most."""
    counted = {key: split.get((party, code), 0) for key, split in seen.reasons_by_position.items()}
    return max(counted, key=lambda key: (counted[key], str(key)), default=None)


def _halves(hours: Iterable[Hour], of: Callable[[Iterable[Hour]], Rate]) -> tuple[Rate, Rate]:
    """Before the evening, and from then on."""
    hours = list(hours)
    day = of(each for each in hours if each.hour < EVENING)
    return day, of(each for each in hours if each.hour >= EVENING)


def time_conflict(seen: Seen) -> Iterator[Finding]:
    """What the cells say of the hour is how much is cancelled then, for whatever reason."""
    of = _given(seen, "candidate", "time_conflict")
    if not _is_clear(Found.TIME_CONFLICT, of):
        return
    key = _most(seen, "candidate", "time_conflict")
    label = seen.labels.get(("candidate", "time_conflict"), "time_conflict")
    sentence = _(
        "“%(reason)s” is %(share)s of the %(count)s reasons candidates give for cancelling"
    )
    advice, times, evidence = _("Offer more times to choose from."), "", between(of)
    day, evening = _halves(seen.hours, figures.cancelled_in)
    if not (day.is_small or evening.is_small):
        interval = newcombe(day, evening)
        evidence = _(
            "of %(day_count)s before 18:00, %(day)s was cancelled; of %(evening_count)s from 18:00"
            " on, %(evening)s"
        ) % {
            "day": share(day),
            "day_count": count(day.denominator),
            "evening": share(evening),
            "evening_count": count(evening.denominator),
        }
        if interval.low > 0:
            advice, times = (
                _("Less is cancelled in the evening: add times from 18:00 on."),
                EVENINGS,
            )
        elif interval.high < 0:
            advice, times = _("Less is cancelled before 18:00: add times in the daytime."), DAYTIME
    named = key is not None and len(seen.reasons_by_position) > 1
    if named:
        most = _("Most often at: %(where)s.") % {"where": seen.asked.name_of("position", key)}
        advice = f"{advice} {most}"
    ways = seen.ways(position=key)
    yield Finding(
        Found.TIME_CONFLICT,
        sentence % _numbers(of, reason=label),
        advice,
        of.numerator,
        evidence,
        (ways.slots(times), ways.calendar()),
        seen.asked.rows(status=InterviewStatus.CANCELLED),
    )


def _reason(seen: Seen, code: Found, party: str, reason: str, advice: str) -> Iterator[Finding]:
    of = _given(seen, party, reason)
    if not _is_clear(code, of):
        return
    label = seen.labels.get((party, reason), reason)
    sentence = (
        _("“%(reason)s” is %(share)s of the %(count)s reasons given for leaving midway")
        if party == "exit"
        else _("“%(reason)s” is %(share)s of the %(count)s reasons candidates give for cancelling")
    )
    key = _most(seen, party, reason)
    if key is not None and len(seen.reasons_by_position) > 1:
        most = _("Most often at: %(where)s.") % {"where": seen.asked.name_of("position", key)}
        advice = f"{advice} {most}"
    ways = seen.ways(position=key)
    does = (ways.edit_position(),) if party == "exit" else (ways.slots(), ways.edit_position())
    status = LEFT_MIDWAY if party == "exit" else InterviewStatus.CANCELLED
    yield Finding(
        code,
        sentence % _numbers(of, reason=label),
        advice,
        of.numerator,
        between(of),
        does,
        seen.asked.rows(status=status),
    )


def other_offer(seen: Seen) -> Iterator[Finding]:
    advice = _("Invite sooner, offer earlier times, and give fewer days to book.")
    return _reason(seen, Found.OTHER_OFFER, "candidate", "accepted_offer", advice)


def not_interested(seen: Seen) -> Iterator[Finding]:
    advice = _("Say in the position what the work is like, before they come.")
    return _reason(seen, Found.NOT_INTERESTED, "exit", "not_interested", advice)


def not_knowing_how(seen: Seen) -> Iterator[Finding]:
    of = watched.not_knowing_how(seen.maps["reasons"])
    if not _is_clear(Found.NOT_KNOWING_HOW, of):
        return
    sentence = _("%(share)s of %(count)s cancelled or left by mistake, or not knowing how it works")
    yield Finding(
        Found.NOT_KNOWING_HOW,
        sentence % _numbers(of),
        _("Make the guide easier to find and to follow; answer what they ask."),
        of.numerator,
        between(of),
        (seen.ways().guide(), Way(_("See what they ask"), _beside(seen, "guide"))),
    )


# --- when -----------------------------------------------------------------------------------------


def evenings(seen: Seen) -> Iterator[Finding]:
    day, evening = _halves(seen.hours, figures.missed_in)
    if day.is_small or evening.is_small:
        return
    interval = newcombe(evening, day)
    if not interval.excludes_zero:
        return
    sentence = _(
        "From 18:00 on, %(share)s of %(count)s did not come; before 18:00, %(others)s of %(rest)s"
    )
    worse, times = (evening, DAYTIME) if interval.low > 0 else (day, EVENINGS)
    advice = (
        _("Offer more times before 18:00.")
        if interval.low > 0
        else _("Offer more times from 18:00 on.")
    )
    said = _numbers(evening, others=share(day), rest=count(day.denominator))
    ways = seen.ways()
    yield Finding(
        Found.EVENINGS,
        sentence % said,
        advice,
        worse.numerator,
        points(interval),
        (ways.slots(times), ways.reminders()),
    )


def weekends(seen: Seen) -> Iterator[Finding]:
    week = figures.missed_in(each for each in seen.hours if each.weekday < WEEKEND)
    weekend = figures.missed_in(each for each in seen.hours if each.weekday >= WEEKEND)
    if week.is_small or weekend.is_small:
        return
    interval = newcombe(weekend, week)
    if not interval.excludes_zero:
        return
    sentence = _(
        "At the weekend, %(share)s of %(count)s did not come; from Monday to Friday, %(others)s of"
        " %(rest)s"
    )
    advice, worse = _("Offer more times from Monday to Friday."), weekend
    if interval.high < 0:
        advice, worse = _("Offer more times at the weekend."), week
    ways = seen.ways()
    yield Finding(
        Found.WEEKENDS,
        sentence % _numbers(weekend, others=share(week), rest=count(week.denominator)),
        advice,
        worse.numerator,
        points(interval),
        (ways.slots(), ways.reminders()),
    )


def late_notice(seen: Seen) -> Iterator[Finding]:
    of = watched.late_notice(seen.maps["notice"])
    if not _is_clear(Found.LATE_NOTICE, of):
        return
    ways = seen.ways()
    yield Finding(
        Found.LATE_NOTICE,
        _("%(share)s of %(count)s ask to cancel less than 24 hours before the start")
        % _numbers(of),
        _("Remind them earlier, so that the place can be given to somebody else."),
        of.numerator,
        between(of),
        (ways.reminders(), ways.policy()),
        seen.asked.rows(status=InterviewStatus.CANCELLED),
    )


# --- reminders, messages, contacts ----------------------------------------------------------------


def _came(each: figures.Expected) -> Rate:
    return Rate(each.came, each.came + each.missed)


def _against_reminded(
    seen: Seen, code: Found, step: str, sentence: str, advice: str, ways: tuple[Way, ...]
) -> Iterator[Finding]:
    """Those of one step beside those whose reminder arrived; who confirmed is in neither."""
    reached = figures.reminded_of(seen.maps["reminders"])
    of, arrived = _came(reached[step]), _came(reached["delivered"])
    if of.is_small or arrived.is_small:
        return
    interval = newcombe(of, arrived)
    if interval.high >= 0:
        return
    rest = count(arrived.denominator)
    yield Finding(
        code,
        sentence % _numbers(of, others=share(arrived), rest=rest),
        advice,
        of.denominator,
        points(interval),
        ways,
    )


def reminder_lost(seen: Seen) -> Iterator[Finding]:
    ways = seen.ways()
    return _against_reminded(
        seen,
        Found.REMINDER_LOST,
        "failed",
        _(
            "Where the reminder did not arrive, %(share)s of %(count)s came; where it did,"
            " %(others)s of %(rest)s"
        ),
        _("Correct the contacts, and ask for a second one with the application."),
        (ways.contacts(), Way(_("See why they fail"), _beside(seen, "delivery"))),
    )


def not_reminded(seen: Seen) -> Iterator[Finding]:
    ways = seen.ways()
    return _against_reminded(
        seen,
        Found.NOT_REMINDED,
        "none",
        _(
            "Without a reminder, %(share)s of %(count)s came; where one arrived, %(others)s of"
            " %(rest)s"
        ),
        _("Have everybody reminded, those who book late as well."),
        (ways.reminders(), ways.wording("interview_reminder", "sms")),
    )


def wrong_contact(seen: Seen) -> Iterator[Finding]:
    found = figures.quality_of(seen.maps["quality"])
    states = [each for (kind, _code), each in found.items() if kind == "wrong_contact"]
    still_open = sum(each["open"] for each in states)
    whole = still_open + sum(each["settled"] for each in states)
    of = Rate(min(whole, seen.counts.invited), seen.counts.invited)
    if not still_open or not _is_clear(Found.WRONG_CONTACT, of):
        return
    ways = seen.ways()
    yield Finding(
        Found.WRONG_CONTACT,
        _(
            "Of %(count)s interviews, %(share)s had a contact that does not work; %(open)s still"
            " wait"
        )
        % _numbers(of, open=count(still_open)),
        _("Call or write in another way, and correct the contact."),
        whole,
        between(of),
        (ways.contacts(),),
    )


def undelivered(seen: Seen) -> Iterator[Finding]:
    """By channel, with the first cause."""
    by_channel: dict[str, list[figures.Delivered]] = {}
    for each in figures.delivery_of(seen.maps["delivery"]):
        by_channel.setdefault(each.channel, []).append(each)
    ways = seen.ways()
    for channel, parts in by_channel.items():
        of = sum((each.failure_rate for each in parts), watched.NONE)
        if not _is_clear(Found.UNDELIVERED, of):
            continue
        causes: dict[str, int] = {}
        for each in parts:
            for code, number in each.causes.items():
                causes[code] = causes.get(code, 0) + number
        cause = words.cause(max(causes, key=lambda code: (causes[code], code)))
        yield Finding(
            Found.UNDELIVERED,
            _("%(channel)s: %(share)s of %(count)s messages did not arrive; first cause: %(cause)s")
            % _numbers(of, channel=words.channel(channel), cause=cause.rstrip(".。")),
            _("Correct the contacts, or reword what the provider refuses."),
            of.numerator,
            between(of),
            (ways.contacts(), Way(_("See why they fail"), _beside(seen, "delivery"))),
        )


def ran_out(seen: Seen) -> Iterator[Finding]:
    of = figures.ran_out_of(seen.maps["invitations"])
    if not _is_clear(Found.RAN_OUT, of):
        return
    ways = seen.ways()
    yield Finding(
        Found.RAN_OUT,
        _("%(share)s of %(count)s invitations ran out without an answer") % _numbers(of),
        _("Remind them before the deadline, and say in the invitation how little it takes."),
        of.numerator,
        between(of),
        (ways.reminders(), ways.wording("interview_invited", "sms")),
        seen.asked.rows(status=RAN_OUT),
    )


# --- in the room ----------------------------------------------------------------------------------


def question(seen: Seen) -> Iterator[Finding]:
    """Where one question loses clearly more than its share of those who leave."""
    left = figures.exits_of(seen.maps["exits"]).exits_by_question
    known = {code: number for code, number in left.items() if code.isdecimal()}
    if len(known) < 2:
        return
    code = max(known, key=lambda each: (known[each], each))
    of = Rate(known[code], sum(known.values()))
    interval = wilson(of, quantile(len(known)))
    if of.is_small or interval.low <= 1 / len(known):
        return
    ways = seen.ways()
    yield Finding(
        Found.QUESTION,
        _("Question %(question)s: %(share)s of the %(count)s who leave do so there")
        % _numbers(of, question=code),
        _("Reword this question, say why it is asked, or move it."),
        of.numerator,
        between(of, interval),
        (ways.questions(), ways.policy()),
        seen.asked.rows(status=LEFT_MIDWAY),
    )


# --- at the desk ----------------------------------------------------------------------------------


def slow(seen: Seen) -> Iterator[Finding]:
    """By department, those that keep most waiting first."""
    found = [
        (key, of)
        for key, split in seen.requests_by_department.items()
        if _is_clear(Found.SLOW, of := watched.overdue(split))
    ]
    found.sort(key=lambda each: (-each[1].numerator, str(each[0])))
    for key, of in found[:MOST_OF_ONE]:
        ways = seen.ways(department=key)
        where = seen.asked.name_of("department", key)
        yield Finding(
            Found.SLOW,
            _("%(where)s: %(share)s of %(count)s decisions took longer than promised")
            % _numbers(of, where=where),
            _("Arrange who decides and when, or promise what can be kept."),
            of.numerator,
            between(of),
            (ways.requests(), ways.policy()),
            department=int(key) if key else None,
        )


def defaults(seen: Seen) -> Iterator[Finding]:
    of = watched.defaults(seen.maps["requests"])
    if not _is_clear(Found.DEFAULTS, of):
        return
    ways = seen.ways()
    yield Finding(
        Found.DEFAULTS,
        _("Of %(count)s requests that waited for HR, %(share)s were decided by nobody in time")
        % _numbers(of),
        _("Arrange who looks after the queue, or let the rule decide more of them at once."),
        of.numerator,
        between(of),
        (ways.requests(), ways.policy()),
    )


def not_refilled(seen: Seen) -> Iterator[Finding]:
    of = watched.refilled(seen.maps["refill"])
    if of.is_small or wilson(of).high >= MOSTLY_EMPTY:
        return
    yield Finding(
        Found.NOT_REFILLED,
        _("Only %(share)s of %(count)s places given up were taken again") % _numbers(of),
        _("Let more people wait for a place, and keep each offer for a shorter time."),
        of.denominator - of.numerator,
        between(of),
        (seen.ways().refill(),),
    )


def _beside(seen: Seen, name: str) -> str:
    """Another page of figures, narrowed in the same way."""
    url = reverse(f"analytics:{name}")
    return f"{url}?{seen.asked.query}" if seen.asked.query else url


FINDERS: tuple[Finder, ...] = (
    no_show,
    cancel,
    leaving,
    time_conflict,
    other_offer,
    not_interested,
    not_knowing_how,
    evenings,
    weekends,
    late_notice,
    reminder_lost,
    not_reminded,
    wrong_contact,
    undelivered,
    ran_out,
    question,
    slow,
    defaults,
    not_refilled,
)
