"""What candidates asked the assistant, counted from its conversations: these count on the day they
began, so they are in no cell. An index leads to those of a period; who asks sees those about
interviews of their departments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from analytics.dashboards.quotes import Quote, masked
from analytics.figures import Filter, Period, Rate
from cancellations.models import FaqEntry, HelpConversation, HelpTurn
from cancellations.models import Offer as Help

MOST = 12


@dataclass(frozen=True)
class Told:
    """How often something was offered, and what was said of it."""

    offered: int = 0
    helped: int = 0
    did_not: int = 0

    @property
    def rate(self) -> Rate:
        """Of those who said."""
        return Rate(self.helped, self.helped + self.did_not)

    def __add__(self, other: "Told") -> "Told":
        return Told(
            self.offered + other.offered,
            self.helped + other.helped,
            self.did_not + other.did_not,
        )


@dataclass(frozen=True)
class Talks:
    """Conversations, how many of them went on with a person, and who stayed of those of whom it is
    known."""

    begun: int = 0
    handed_over: int = 0
    stayed: int = 0
    left: int = 0

    @property
    def to_people(self) -> Rate:
        return Rate(self.handed_over, self.begun)

    @property
    def stay_rate(self) -> Rate:
        return Rate(self.stayed, self.stayed + self.left)

    def __add__(self, other: "Talks") -> "Talks":
        return Talks(
            self.begun + other.begun,
            self.handed_over + other.handed_over,
            self.stayed + other.stayed,
            self.left + other.left,
        )


@dataclass(frozen=True)
class Heard:
    """Conversations by the code of the reason they began with ("": they wrote), and what was
    offered, by what it is and the entry that answered."""

    talks: dict[str, Talks]
    offered: dict[tuple[str, int | None], Told]

    @property
    def whole(self) -> Talks:
        return sum(self.talks.values(), Talks())

    @property
    def answers(self) -> dict[int, Told]:
        return {entry: told for (_offer, entry), told in self.offered.items() if entry}

    @property
    def beside(self) -> dict[str, Told]:
        """What was offered beside answers: an answer whose entry is gone is one still."""
        found: dict[str, Told] = {}
        for (offer, entry), told in self.offered.items():
            if not entry:
                found[offer] = found.get(offer, Told()) + told
        return found

    @property
    def verdicts(self) -> Told:
        return sum(self.offered.values(), Told())


def heard(chosen: Filter, period: Period) -> Heard:
    """Two queries."""
    if chosen.is_empty:
        return Heard({}, {})
    talks = _talks(chosen, period).order_by().values("reason")
    counted = talks.annotate(
        begun=Count("pk"),
        handed_over=Count("handed_over_at"),
        did_stay=Count("pk", filter=Q(stayed=True)),
        did_leave=Count("pk", filter=Q(stayed=False)),
    )
    turns = HelpTurn.objects.filter(conversation__in=_talks(chosen, period).order_by())
    offered = (
        turns.order_by()
        .values("offer", "faq")
        .annotate(
            offered=Count("pk"),
            did_help=Count("pk", filter=Q(helped=True)),
            did_not=Count("pk", filter=Q(helped=False)),
        )
    )
    return Heard(
        {
            row["reason"]: Talks(
                row["begun"], row["handed_over"], row["did_stay"], row["did_leave"]
            )
            for row in counted
        },
        {
            (row["offer"], row["faq"]): Told(row["offered"], row["did_help"], row["did_not"])
            for row in offered
        },
    )


def _talks(chosen: Filter, period: Period) -> QuerySet[HelpConversation]:
    """Those begun in the period, about interviews like that."""
    found = HelpConversation.objects.filter(
        started_at__gte=_midnight(period.since),
        started_at__lt=_midnight(period.until + timedelta(days=1)),
    )
    if chosen.departments is not None:
        found = found.filter(interview__listed_department__in=chosen.departments)
    if chosen.positions is not None:
        found = found.filter(interview__listed_position__in=chosen.positions)
    if chosen.source is not None:
        found = found.filter(interview__source=chosen.source)
    if chosen.kind is not None:
        found = found.filter(interview__kind=chosen.kind)
    return found


def _midnight(day: date) -> datetime:
    """Days of figures are the company's, whoever reads them."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())


def questions(entries: Iterable[int]) -> dict[int, str]:
    """How HR words them. One query."""
    return {entry.pk: entry.question for entry in FaqEntry.objects.filter(pk__in=list(entries))}


def unanswered(chosen: Filter, period: Period) -> list[Quote]:
    """The latest questions for which nothing was found, without what would tell who asked. Whoever
    asks may read what candidates write."""
    if chosen.is_empty:
        return []
    turns = (
        HelpTurn.objects.filter(
            conversation__in=_talks(chosen, period).order_by(), offer=Help.PERSON, asked__gt=""
        )
        .select_related(
            "conversation__interview__application__candidate__user",
            "conversation__interview__application__position__recruiter",
            "conversation__interview__interviewer",
        )
        .order_by("-at", "-pk")[:MOST]
    )
    return [Quote("", masked(turn.asked, _names(turn))) for turn in turns]


def _names(turn: HelpTurn) -> list[str]:
    """Of everybody who is known to have to do with it."""
    interview = turn.conversation.interview
    if interview is None:
        return []
    people = [interview.candidate.user, interview.position.recruiter, interview.interviewer]
    return [person.name for person in people if person]
