"""Our own room, asked like any platform. What it holds is the interview itself: nothing has to be
told to it, and it never differs."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from interviews.models import Interview, InterviewKind
from interviews.platforms.base import Appointment, Held, Standing, Unknown
from interviews.room import queries
from interviews.states import InterviewStatus

PAGE = 500
_STANDS = {
    InterviewStatus.BOOKED: Standing.BOOKED,
    InterviewStatus.CANCELLING: Standing.BOOKED,
    InterviewStatus.NO_SHOW: Standing.MISSED,
    InterviewStatus.IN_PROGRESS: Standing.STARTED,
    InterviewStatus.EXITING: Standing.STARTED,
    InterviewStatus.COMPLETED: Standing.COMPLETED,
    InterviewStatus.INCOMPLETE: Standing.INCOMPLETE,
    InterviewStatus.WITHDRAWN: Standing.EXITED,
    InterviewStatus.CANCELLED: Standing.CANCELLED,
}
RESULTS = ("answered", "questions", "seconds")  # of the evidence that a sitting leaves


class BuiltIn:
    """The room of this product. An interview goes by its reference."""

    def create(self, appointment: Appointment, *, key: str) -> Held:
        return self.fetch(appointment.reference, reference=appointment.reference)

    def move(self, external_id: str, appointment: Appointment, *, key: str) -> Held:
        return self.fetch(external_id, reference=external_id)

    def cancel(self, external_id: str, *, reference: str, key: str) -> None:
        self.fetch(external_id, reference=reference)

    def fetch(self, external_id: str, *, reference: str) -> Held:
        interview = _here().filter(reference=external_id).first()
        if interview is None:
            raise Unknown("not_here")
        return held(interview)

    def pages(self, since: datetime) -> Iterator[list[Held]]:
        interviews, last = _here().filter(starts_at__gte=since).order_by("pk"), 0
        while page := list(interviews.filter(pk__gt=last)[:PAGE]):
            yield [held(each) for each in page]
            last = page[-1].pk


def held(interview: Interview) -> Held:
    """How it stands in the room, and how far the candidate came."""
    sitting = queries.latest_sitting(interview)
    evidence = sitting.evidence if sitting else {}
    return Held(
        id=interview.reference,
        reference=interview.reference,
        standing=_STANDS.get(InterviewStatus(interview.status)),
        starts_at=interview.starts_at,
        scores={name: float(evidence[name]) for name in RESULTS if name in evidence},
    )


def _here() -> QuerySet[Interview]:
    """As interviews.room.queries.takes_place_here, of all that have a time."""
    ai = Interview.objects.filter(kind=InterviewKind.AI, link="", starts_at__isnull=False)
    return ai.filter(application__position__platform=None)
