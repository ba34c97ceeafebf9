"""The demo data: complete, consistent, and impossible to get anywhere it does not belong."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, Q

from accounts.identifiers import parse
from accounts.models import User
from cancellations import consistency, demo
from cancellations.models import Cancellation, CancellationStatus
from config.fake_platform import DEMO_WEBHOOK_SECRET, FakePlatform
from interviews.models import HistoryEntry, Interview, Platform, PlatformLink, Slot
from interviews.platforms import written
from interviews.refill.models import OfferState
from interviews.room.models import Sitting
from interviews.room.queries import latest_sitting, state_of
from interviews.states import HOLDS_A_SLOT, InterviewStatus
from notifications.models import Notification, WorkItem, WorkKind
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _demo_mode(settings):
    settings.DEMO = True


def load_demo() -> str:
    output = StringIO()
    call_command("load_demo", stdout=output)
    return output.getvalue()


def counts() -> list[int]:
    return [model.objects.count() for model in (User, Interview, Slot, HistoryEntry, Cancellation)]


def test_demo_shows_every_status_and_its_history_holds():
    load_demo()

    assert set(Interview.objects.values_list("status", flat=True)) == set(InterviewStatus)
    assert set(Cancellation.objects.values_list("status", flat=True)) == set(CancellationStatus)
    call_command("verify_history", stdout=StringIO())


@pytest.mark.parametrize("hour", [0, 3, 5, 8, 11, 14, 16, 23])
def test_demo_fits_any_time_of_day(hour):
    with time_machine.travel(datetime(2026, 3, 1, hour, 47, tzinfo=UTC), tick=False):
        load_demo()

        now = datetime.now(UTC)
        booked = Interview.objects.filter(
            application__candidate__user__mobile="+8613800000001", status="booked"
        )
        hours = [
            (start - now).total_seconds() / 3600
            for start in booked.values_list("starts_at", flat=True)
        ]
        assert any(hour > 24 for hour in hours)
        assert any(12 < hour < 24 for hour in hours)
        assert any(2 < hour < 12 for hour in hours)
        assert not Interview.objects.filter(booked_at__gt=now).exists()
        assert not Interview.objects.filter(ended_at__gt=now).exists()
        assert not HistoryEntry.objects.filter(at__gt=now).exists()
        waiting = Cancellation.objects.filter(status="requested")
        assert waiting.count() == waiting.filter(decide_by__gt=now, outcome="needs_hr").count() > 3


def test_demo_desk_is_not_neglected():
    with time_machine.travel(datetime(2026, 3, 1, 2, 47, tzinfo=UTC), tick=False):
        load_demo()
        in_ten_minutes = datetime.now(UTC) + timedelta(minutes=10)

    waiting = Cancellation.objects.filter(status=CancellationStatus.REQUESTED)
    assert sum(each.promised_by < in_ten_minutes for each in waiting) == 1


def test_demo_tells_each_story_in_order():
    load_demo()

    for interview in Interview.objects.prefetch_related("history"):
        times = [entry.at for entry in interview.history.all()]
        assert times == sorted(times), interview.reference


def test_demo_counts_exactly_the_places_that_are_held():
    load_demo()

    held = Q(interviews__status__in=[*HOLDS_A_SLOT, "completed", "incomplete", "no_show"])
    offered = Q(freed_places__offers__state=OfferState.OPEN)
    slots = Slot.objects.annotate(
        held=Count("interviews", filter=held, distinct=True)
        + Count("freed_places__offers", filter=offered, distinct=True)
    )
    assert [slot for slot in slots if slot.booked != slot.held] == []


def test_demo_candidates_find_the_room_open_and_what_they_had_begun():
    """Also for somebody who comes to look after some hours."""
    with time_machine.travel(datetime(2026, 3, 1, 2, 47, tzinfo=UTC), tick=False) as clock:
        load_demo()
        clock.shift(timedelta(hours=6))
        now = datetime.now(UTC)
        states = {
            state_of(interview, latest_sitting(interview), now=now, comes_in=False)
            for number in (2, 3)
            for interview in Interview.objects.with_facts().filter(
                application__candidate__user__mobile=f"+861380000000{number}"
            )
        }

    assert {"check", "resume"} <= states


@pytest.mark.parametrize("hour", [0, 8, 16, 20])
def test_demo_agrees_with_itself(hour):
    """Whatever the hour, by which falls out what is random in it."""
    with time_machine.travel(datetime(2026, 3, 1, hour, 47, tzinfo=UTC), tick=False):
        load_demo()
        assert list(consistency.check()) == []

    assert set(Sitting.objects.values_list("ending", flat=True)) == {
        "", "completed", "exited", "dropped", "closed", "platform_fault"
    }  # fmt: skip


def test_demo_accounts_can_sign_in_with_the_printed_password():
    load_demo()

    for email in ("hr", "lead", "dept", "admin"):
        user = User.objects.get(email=f"{email}@demo.example")
        assert check_password(demo.PASSWORD, user.password)
    for number in range(1, 6):
        user = User.objects.get(mobile=f"+8613800000{number:03d}")
        assert check_password(demo.PASSWORD, user.password)
    assert not User.objects.get(mobile="+8613800000106").has_usable_password()


def test_printed_national_id_belongs_to_a_demo_account():
    printed = load_demo().rstrip(".\n").rsplit(" ", 1)[1]

    assert User.objects.find(parse(printed)) == User.objects.get(mobile="+8613800000001")


def test_lead_sees_most_departments_and_the_viewer_one():
    load_demo()

    departments = {
        user.email.partition("@")[0]: user.departments.count()
        for user in User.objects.filter(email__endswith="@demo.example").exclude(departments=None)
    }
    assert departments == {"hr": 6, "lead": 5, "dept": 1}


def test_loading_again_changes_nothing():
    load_demo()
    before = counts()

    assert "already loaded" in load_demo()
    assert counts() == before


def test_demo_is_the_same_every_time():
    def told() -> list[tuple[str, ...]]:
        return list(
            Interview.objects.order_by("pk").values_list(
                "reference", "status", "application__candidate__user__name"
            )
        )

    with time_machine.travel(datetime(2026, 3, 1, 4, tzinfo=UTC), tick=False):
        with transaction.atomic():
            load_demo()
            first = told()
            transaction.set_rollback(True)
        load_demo()

        assert told() == first


def test_demo_is_refused_outside_demo_mode(settings):
    settings.DEMO = False

    with pytest.raises(CommandError, match="in demo mode only"):
        load_demo()

    assert not User.objects.exists()


def test_demo_is_refused_where_other_data_is():
    UserFactory()

    with pytest.raises(CommandError, match="holds other data"):
        load_demo()

    assert User.objects.count() == 1


def test_demo_leaves_work_of_every_kind_taken_on_and_not_and_one_past_its_time():
    load_demo()

    items = WorkItem.objects.open()
    assert set(items.values_list("kind", flat=True)) == set(WorkKind)
    assert items.filter(due_at__lt=datetime.now(UTC)).count() == 1
    assert items.filter(assignee="").exists()
    assert items.filter(assignee__gt="").exists()
    waiting = Cancellation.objects.filter(status=CancellationStatus.REQUESTED)
    assert items.filter(kind=WorkKind.CANCELLATION).count() == waiting.count()


def test_demo_holds_interviews_on_the_platform_that_make_run_starts(settings):
    settings.DEMO_PLATFORM_URL = "http://127.0.0.1:8900"
    load_demo()

    platform = Platform.objects.get()
    fake = FakePlatform()
    fake._server.server_close()
    known = (platform.client_id, platform.secret, platform.webhook_secret)
    assert known == (fake.vendor.client_id, fake.vendor.secret, DEMO_WEBHOOK_SECRET)
    links = PlatformLink.objects.values_list("interview__status", "wanted", "external_status")
    assert {("booked", "book", ""), ("completed", "", "completed")} == set(links)
    written.parse(platform.mapping, sign=platform.sign)

    settings.DEMO_PLATFORM_URL = "http://127.0.0.1:9900"
    load_demo()

    assert Platform.objects.get().base_url == "http://127.0.0.1:9900"


def test_demo_alone_has_no_platform():
    load_demo()

    assert not Platform.objects.exists()


@pytest.mark.parametrize("hour", [0, 8, 16])
def test_demo_leaves_no_absence_that_nobody_looks_at(hour):
    with time_machine.travel(datetime(2026, 3, 1, hour, 47, tzinfo=UTC), tick=False):
        load_demo()

    missed = Interview.objects.filter(status=InterviewStatus.NO_SHOW)
    assert not missed.filter(absences=None).exists()
    decisions = set(missed.values_list("absences__decision", flat=True))
    assert {"", "marked"} <= decisions
    about = WorkItem.objects.open().filter(params__code="not_attended").get().subject
    reference = about.removeprefix("interview:")
    assert Interview.objects.get(reference=reference).status == InterviewStatus.INVITED
    assert not Notification.objects.filter(state="superseded", event__contains="absence").exists()
