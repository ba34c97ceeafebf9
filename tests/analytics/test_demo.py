"""The demo's past: full and believable whenever somebody looks, and nothing of it still to do."""

from datetime import datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from analytics import demo, figures
from analytics.alerts.models import Alert
from analytics.cells import rebuild
from analytics.figures import Filter, Period
from analytics.findings import proof
from analytics.findings.models import Action
from analytics.models import Cell, DirtyCell
from cancellations import consistency
from cancellations.absences.services import lift_unfair_marks
from cancellations.demo import load as load_company
from cancellations.models import Cancellation
from cancellations.queries import receipt
from interviews.models import Interview
from interviews.states import ENDED
from notifications.models import Notification, State, WorkItem

pytestmark = pytest.mark.django_db

CHINA = ZoneInfo("Asia/Shanghai")
WEEKS = 10  # enough for an action and as many days on either side of it
NEW_YEAR = datetime(2026, 1, 1, 0, 10, tzinfo=CHINA)
END_OF_A_QUARTER = datetime(2026, 3, 31, 23, 50, tzinfo=CHINA)
MONDAY = datetime(2026, 3, 9, 9, 0, tzinfo=CHINA)


@pytest.fixture(autouse=True)
def _demo_mode(settings):
    settings.DEMO = True


def last(days: int) -> Period:
    today = timezone.localdate()
    return Period(today - timedelta(days=days - 1), today)


def between(low: float, rate: figures.Rate, high: float) -> bool:
    return not rate.is_small and low <= rate.share <= high


@pytest.mark.parametrize("now", [NEW_YEAR, END_OF_A_QUARTER, MONDAY], ids=str)
def test_past_is_full_and_over_on_any_day(client, now):
    with time_machine.travel(now, tick=False):
        load_company()
        queue = set(WorkItem.objects.open().values_list("pk", flat=True))
        unsent = set(Notification.objects.filter(state=State.QUEUED).values_list("pk", flat=True))
        demo.load(WEEKS)

        past = Interview.objects.filter(source=demo.SOURCE)
        assert past.count() > 500
        midnight = now.replace(hour=0, minute=0)
        assert not past.filter(starts_at__gte=midnight).exists()
        assert not past.exclude(status__in=ENDED).exists()
        assert not past.filter(application__candidate__user__mobile__lt="+8613800010000").exists()

        month = figures.totals(Filter(), last(30))
        assert between(0.14, month.cancel_rate, 0.24)
        assert between(0.10, month.no_show_rate, 0.19)
        reasons = figures.reasons(Filter(), last(60))["candidate"]
        assert 0.38 < reasons["time_conflict"] / sum(reasons.values()) < 0.52

        # One alert, with its work; messages about it go to staff alone.
        assert Alert.objects.open().get().scope == "department"
        assert WorkItem.objects.open().exclude(pk__in=queue).get().params["code"] == "alert_no_show"
        told = Notification.objects.filter(state=State.QUEUED).exclude(pk__in=unsent)
        assert {each.event.partition("_")[0] for each in told} <= {"alert"}

        action = Action.objects.earliest("done_on")
        chosen = Filter(positions=(action.position_id,))
        asked = {"done_on": action.done_on, "today": timezone.localdate(), "days": proof.USUAL}
        proved = proof.prove(action.measure, chosen, Filter(), **asked)
        assert proved.verdict == proof.Verdict.BETTER
        assert not proved.rest_moved_likewise

        client.force_login(User.objects.get(email="lead@demo.example"))
        page = client.get(reverse("findings:index") + "?period=last_30").content.decode()
        assert "夜班产线组长" in page
        english = {"HTTP_ACCEPT_LANGUAGE": "en"}
        page = client.get(reverse("analytics:attendance"), **english).content.decode()
        assert "Did not come, over time" in page
        assert "Too few in every step" not in page  # drawn by weeks: a day holds too few


def test_past_holds_together():
    load_company()
    demo.load(WEEKS)

    call_command("verify_history", stdout=StringIO())
    assert list(consistency.check()) == []
    asked = Cancellation.objects.filter(interview__source=demo.SOURCE)
    assert {
        each.verified for each in map(receipt, asked.values_list("reference", flat=True)[:40])
    } == {True}
    assert lift_unfair_marks() == 0
    assert not DirtyCell.objects.exists()
    counted = set(Cell.objects.values_list("scope", "span", "owner", "since", "booked", "no_show"))
    list(rebuild())
    assert counted == set(
        Cell.objects.values_list("scope", "span", "owner", "since", "booked", "no_show")
    )


def test_past_comes_only_where_it_is_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr("analytics.demo.load", lambda: asked.append(True))

    call_command("load_demo", past=True, stdout=StringIO())
    call_command("load_demo", past=True, stdout=StringIO())  # a second time does nothing

    assert asked == [True]
