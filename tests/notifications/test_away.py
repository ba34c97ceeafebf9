"""A provider that is away: nothing is lost, and what is due soonest goes first on its return."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from notifications import services
from notifications.channels import Refused, TryAgain
from notifications.models import Notification, State
from tests.notifications.messages import told, tried

pytestmark = pytest.mark.django_db


def test_after_an_hour_everything_goes_and_what_is_due_soonest_first(post):
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        told("no hurry")
        told("tonight", deadline=start + timedelta(hours=8))
        told("soon", deadline=start + timedelta(minutes=75))
        told("over", deadline=start + timedelta(minutes=30))
        for number in range(30):
            told(f"many {number}")
        told("later", not_before=start + timedelta(minutes=50))
    post.trouble["sms"] = TryAgain("503")
    asked = 0
    for seconds in range(0, 3600, 20):  # as the beat sweeps
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            asked += services.deliver_due(seconds=5)
    post.trouble.clear()
    with time_machine.travel(start + timedelta(seconds=3600 + 305), tick=False):
        services.deliver_due(seconds=30)

    assert asked < 40
    assert not Notification.objects.filter(state=State.FAILED).exists()
    assert set(post.sent) >= {"no hurry", "tonight", "soon", "later"}
    assert "over" not in post.sent
    assert len(post.sent) == len(set(post.sent)) == 34
    assert post.sent.index("soon") < post.sent.index("tonight")
    assert post.sent.index("no hurry") < post.sent.index("tonight")


def test_one_channel_rests_and_the_others_go_on(post):
    post.trouble["sms"] = TryAgain("timeout")
    for number in range(6):
        told(str(number))
    told("mail", channel="email", address="z@example.com")

    services.deliver_due(seconds=5)

    assert post.sent == ["mail"]
    tries = sorted(Notification.objects.filter(channel="sms").values_list("attempts", flat=True))
    assert sum(tries) == services.AWAY_AFTER


@pytest.mark.parametrize("trouble", [Refused("21211"), TryAgain("not_configured")])
def test_trouble_with_one_message_lets_no_channel_rest(post, trouble):
    post.trouble["sms"] = trouble
    for number in range(5):
        told(str(number))

    assert services.deliver_due(seconds=5) == 5


def test_who_answers_again_is_trusted_again(post):
    for _time in range(services.AWAY_AFTER - 1):
        services._stayed_away("sms")
    told()
    tried()

    services._stayed_away("sms")

    assert services._resting(timezone.now()) == []


def test_rest_grows_up_to_a_limit():
    for _time in range(40):
        services._stayed_away("sms")

    (_count, until) = services._away["sms"]
    rest = until - timezone.now()
    assert services.LONGEST_REST - timedelta(seconds=5) < rest <= services.LONGEST_REST
