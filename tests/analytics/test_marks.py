"""Whatever is made, changed or removed where something is counted marks the cell it counts in."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from analytics import cells
from cancellations.models import Saving
from interviews.models import Decline, Interview, Position, ReminderRule, Sitting, Slot, Step
from notifications.models import State, WorkKind
from tests.analytics import counting
from tests.analytics.alerts.watched import interviews
from tests.factories import (
    AbsenceFactory,
    CancellationFactory,
    DepartmentFactory,
    FreedPlaceFactory,
    InterviewFactory,
    OfferFactory,
    SittingFactory,
    SlotFactory,
    WaitingEntryFactory,
    WorkItemFactory,
    tell,
)

pytestmark = pytest.mark.django_db


def agrees():
    """What the marks have had counted is what counting everything finds, and a count by hand."""
    while cells.recount_batch():
        pass
    found = counting.stored()
    for _done in cells.rebuild():
        pass
    assert found == counting.stored() == counting.counted()
    return found


def saved(row):
    """One statement, of its own table alone: no other trigger may mark what this one has to."""
    row.save()
    return row


def belonging(factory, **fields):
    return lambda interview: saved(factory.build(interview=interview, **fields))


def saving(interview):
    return Saving.objects.create(
        interview=interview, reason="time_conflict", offered="guide", at=timezone.now()
    )


def declined(interview):
    return Decline.objects.create(interview=interview, reason="other", at=timezone.now())


def taken(interview):
    now = timezone.now()
    return Step.objects.create(
        interview=interview, rule=ReminderRule.objects.first(), anchor_at=now, due_at=now,
        done_at=now, outcome="sent",
    )  # fmt: skip


def planned(interview):
    now = timezone.now()
    return Step.objects.create(
        interview=interview, rule=ReminderRule.objects.first(), anchor_at=now, due_at=now
    )


def work(kind):
    return lambda interview: saved(WorkItemFactory.build(interview=interview, kind=kind))


def told(state):
    return lambda interview: tell(interview, state=state)


LATER = timezone.now() + timedelta(days=1)
WAYS = {
    # A late one would write to the interview as well.
    "cancellation": (
        belonging(CancellationFactory, outcome="automatic"),
        {"status": "approved", "decided_at": LATER},
    ),
    "absence": (belonging(AbsenceFactory), {"decision": "excused", "decided_at": LATER}),
    "saving": (saving, {"outcome": "kept", "settled_at": LATER}),
    "step planned": (planned, {"outcome": "sent", "done_at": LATER}),
    "step taken": (taken, {"done_at": LATER}),
    **{f"work: {kind}": (work(kind), {"closed_at": LATER}) for kind in WorkKind.values},
    **{f"message: {state}": (told(state), {"state": "failed"}) for state in State.values},
}
COUNTED_WORK = ("anomaly", "wrong_contact", "follow_up")
UNCOUNTED = {f"work: {kind}" for kind in {*WorkKind.values} - {*COUNTED_WORK}}
MADE_UNCOUNTED = UNCOUNTED | {"step planned", "message: queued", "message: sending"}
CHANGED_TO_THE_SAME = UNCOUNTED | {"step taken", "message: failed"}


@pytest.mark.parametrize("way", WAYS)
def test_what_belongs_to_an_interview_marks_its_cell(way):
    make, change = WAYS[way]
    interview = InterviewFactory(no_show=True, slot=None)
    before = agrees()

    row = make(interview)
    made = agrees()
    assert (made != before) == (way not in MADE_UNCOUNTED)

    rows = type(row).objects.filter(pk=row.pk)
    rows.update(**change)
    assert (agrees() != made) == (way not in CHANGED_TO_THE_SAME)

    rows._raw_delete("default")
    assert agrees() == before


def test_an_invitation_that_is_declined_marks_its_cell():
    interview = InterviewFactory(invited=True, status="withdrawn")
    before = agrees()
    row = declined(interview)
    made = agrees()
    Decline.objects.update(reason="no_time")
    assert before != made != agrees()
    Decline.objects.filter(pk=row.pk)._raw_delete("default")
    assert agrees() == before


def test_interviews_mark_where_they_were_and_where_they_are():
    position = InterviewFactory().position
    before = agrees()
    interviews(position, 2, "no_show")
    made = agrees()
    rows = Interview.objects.filter(status="no_show")
    rows.update(opened_at=timezone.now())
    opened = agrees()
    rows.update(starts_at=timezone.now() + timedelta(days=70))
    assert before != made != opened != agrees()
    rows._raw_delete("default")
    assert agrees() == before


def test_how_a_sitting_ended_marks_its_cell():
    interview = InterviewFactory(status="incomplete", slot=None, link="")
    SittingFactory(interview=interview)
    before = agrees()
    Sitting.objects.update(ended_at=timezone.now(), ending="dropped")
    assert agrees() != before


@pytest.mark.parametrize(
    "change",
    [
        lambda place: Slot.objects.update(
            starts_at=F("starts_at") + timedelta(days=70), ends_at=F("ends_at") + timedelta(days=70)
        ),
        lambda place: Slot.objects.update(kind="on_site"),
        lambda place: Position.objects.update(department=DepartmentFactory()),
        lambda place: type(place).objects.update(closed_at=timezone.now()),
        lambda place: type(place).objects.filter(pk=place.pk)._raw_delete("default"),
    ],
    ids=["starts", "kind", "department", "place", "gone"],
)
def test_places_mark_the_cell_of_their_slot(change):
    slot = SlotFactory()
    before = agrees()
    place = saved(FreedPlaceFactory.build(slot=slot))
    made = agrees()
    assert made != before
    change(place)
    assert agrees() != made


def test_offers_of_places_mark_the_cell_of_the_slot():
    place = FreedPlaceFactory(slot__booked=1)
    entry = WaitingEntryFactory(position=place.slot.position)
    before = agrees()
    offer = saved(OfferFactory.build(place=place, entry=entry))
    made = agrees()
    rows = type(offer).objects.filter(pk=offer.pk)
    rows.update(state="declined", ended_at=timezone.now())
    assert before != made != agrees()
    rows._raw_delete("default")
    assert agrees() == before
