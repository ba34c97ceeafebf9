"""What the demo holds, whenever it is loaded: complete, consistent and never in the future."""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.hashers import check_password
from django.core.management import call_command
from django.db.models import Count, Q
from django.test import override_settings
from django.utils import timezone

from accounts.identifiers import parse
from accounts.models import User
from cancellations import consistency, demo
from cancellations.models import Cancellation, CancellationStatus
from interviews.models import HistoryEntry, Interview, Platform, Slot
from interviews.refill.models import OfferState
from interviews.room.models import Sitting
from interviews.room.queries import latest_sitting, state_of
from interviews.states import HOLDS_A_SLOT, InterviewStatus
from notifications.models import Notification, WorkItem, WorkKind
from tests import database
from tests.cancellations.test_demo import load_demo

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Loaded:
    at: datetime
    printed: str


@pytest.fixture(scope="module", params=["now", 0, 3, 5, 8, 11, 14, 16, 20, 23], autouse=True)
def loaded(request, django_db_setup, django_db_blocker):
    """The demo of this hour, by which falls out what is random in it: loaded once for all who look
    at it."""
    clock = nullcontext()
    if request.param != "now":
        clock = time_machine.travel(datetime(2026, 3, 1, request.param, 47, tzinfo=UTC), tick=False)
    with django_db_blocker.unblock(), database.rolled_back():
        with override_settings(DEMO=True), clock:
            made = Loaded(printed=load_demo(), at=timezone.now())
        yield made


def test_every_status_is_shown_and_the_history_holds():
    assert set(Interview.objects.values_list("status", flat=True)) == set(InterviewStatus)
    assert set(Cancellation.objects.values_list("status", flat=True)) == set(CancellationStatus)
    call_command("verify_history", stdout=StringIO())


def test_it_fits_any_time_of_day(loaded):
    now = loaded.at
    booked = Interview.objects.filter(
        application__candidate__user__mobile="+8613800000001", status="booked"
    )
    hours = [
        (start - now).total_seconds() / 3600 for start in booked.values_list("starts_at", flat=True)
    ]
    assert any(hour > 24 for hour in hours)
    assert any(12 < hour < 24 for hour in hours)
    assert any(2 < hour < 12 for hour in hours)
    assert not Interview.objects.filter(booked_at__gt=now).exists()
    assert not Interview.objects.filter(ended_at__gt=now).exists()
    assert not HistoryEntry.objects.filter(at__gt=now).exists()
    waiting = Cancellation.objects.filter(status="requested")
    assert waiting.count() == waiting.filter(decide_by__gt=now, outcome="needs_hr").count() > 3


def test_the_desk_is_not_neglected(loaded):
    in_ten_minutes = loaded.at + timedelta(minutes=10)

    waiting = Cancellation.objects.filter(status=CancellationStatus.REQUESTED)
    assert sum(each.promised_by < in_ten_minutes for each in waiting) == 1


def test_each_story_is_told_in_order():
    for interview in Interview.objects.prefetch_related("history"):
        times = [entry.at for entry in interview.history.all()]
        assert times == sorted(times), interview.reference


def test_exactly_the_places_that_are_held_are_counted():
    held = Q(interviews__status__in=[*HOLDS_A_SLOT, "completed", "incomplete", "no_show"])
    offered = Q(freed_places__offers__state=OfferState.OPEN)
    slots = Slot.objects.annotate(
        held=Count("interviews", filter=held, distinct=True)
        + Count("freed_places__offers", filter=offered, distinct=True)
    )
    assert [slot for slot in slots if slot.booked != slot.held] == []


def test_candidates_find_the_room_open_and_what_they_had_begun(loaded):
    """Also for somebody who comes to look after some hours."""
    now = loaded.at + timedelta(hours=6)
    with time_machine.travel(now, tick=False):
        states = {
            state_of(interview, latest_sitting(interview), now=now, comes_in=False)
            for number in (2, 3)
            for interview in Interview.objects.with_facts().filter(
                application__candidate__user__mobile=f"+861380000000{number}"
            )
        }

    assert {"check", "resume"} <= states


def test_it_agrees_with_itself(loaded):
    with time_machine.travel(loaded.at, tick=False):
        assert list(consistency.check()) == []

    assert set(Sitting.objects.values_list("ending", flat=True)) == {
        "", "completed", "exited", "dropped", "closed", "platform_fault"
    }  # fmt: skip


def test_accounts_can_sign_in_with_the_printed_password():
    for email in ("hr", "lead", "dept", "admin"):
        user = User.objects.get(email=f"{email}@demo.example")
        assert check_password(demo.PASSWORD, user.password)
    for number in range(1, 6):
        user = User.objects.get(mobile=f"+8613800000{number:03d}")
        assert check_password(demo.PASSWORD, user.password)
    assert not User.objects.get(mobile="+8613800000106").has_usable_password()


def test_printed_national_id_belongs_to_an_account(loaded):
    printed = loaded.printed.rstrip(".\n").rsplit(" ", 1)[1]

    assert User.objects.find(parse(printed)) == User.objects.get(mobile="+8613800000001")


def test_lead_sees_most_departments_and_the_viewer_one():
    departments = {
        user.email.partition("@")[0]: user.departments.count()
        for user in User.objects.filter(email__endswith="@demo.example").exclude(departments=None)
    }
    assert departments == {"hr": 6, "lead": 5, "dept": 1}


def test_there_is_work_of_every_kind_taken_on_and_not_and_one_past_its_time(loaded):
    items = WorkItem.objects.open()
    assert set(items.values_list("kind", flat=True)) == set(WorkKind)
    assert items.filter(due_at__lt=loaded.at).count() == 1
    assert items.filter(assignee="").exists()
    assert items.filter(assignee__gt="").exists()
    waiting = Cancellation.objects.filter(status=CancellationStatus.REQUESTED)
    assert items.filter(kind=WorkKind.CANCELLATION).count() == waiting.count()


def test_alone_it_has_no_platform():
    assert not Platform.objects.exists()


def test_no_absence_is_left_that_nobody_looks_at():
    missed = Interview.objects.filter(status=InterviewStatus.NO_SHOW)
    assert not missed.filter(absences=None).exists()
    decisions = set(missed.values_list("absences__decision", flat=True))
    assert {"", "marked"} <= decisions
    about = WorkItem.objects.open().filter(params__code="not_attended").get().subject
    reference = about.removeprefix("interview:")
    assert Interview.objects.get(reference=reference).status == InterviewStatus.INVITED
    assert not Notification.objects.filter(state="superseded", event__contains="absence").exists()
