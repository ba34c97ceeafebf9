"""The demo data: complete, consistent, and impossible to get anywhere it does not belong."""

from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.models import User
from cancellations.models import Cancellation
from config.fake_platform import DEMO_WEBHOOK_SECRET, FakePlatform
from interviews.models import HistoryEntry, Interview, Platform, PlatformLink, Slot
from interviews.platforms import written
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
