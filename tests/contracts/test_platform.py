"""AI-interview platforms: the one interface, over real HTTP, for both invented vendors; and every
fault a platform can have."""

import random
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from cancellations.services import AlreadyOver
from interviews import history
from interviews.models import Interview, Platform, PlatformLink
from interviews.platforms import adapters, agreement, http, outbox
from interviews.platforms.base import Held, Refused, Standing, Unavailable, Unknown
from interviews.platforms.builtin import BuiltIn
from interviews.platforms.reconcile import Found
from interviews.states import REINSTATABLE
from notifications.models import WorkItem
from tests.factories import InterviewFactory
from tests.interviews.platforms import (
    booked_on,
    position_on,
    reconciled,
    tell,
    vendor_listening,
)
from tests.interviews.test_platforms_outbox import cancel, move, reinstate

pytestmark = pytest.mark.django_db
both = pytest.mark.parametrize("vendor", ["alder", "birch"])
SOON = timezone.now().replace(microsecond=0) + timedelta(days=3)


@pytest.fixture(autouse=True)
def _platforms_are_here(settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.PROVIDER_TIMEOUT = 1
    http.TOKENS._kept.clear()


@pytest.fixture(params=["alder", "birch"])
def there(request):
    with vendor_listening(request.param) as (fake, platform):
        adapter = adapters.http_adapter(platform)
        adapter.pause = lambda seconds: None
        yield fake, platform, adapter


@pytest.fixture
def appointment():
    return outbox.appointment(InterviewFactory(starts_at=SOON))


# --- The interface ------------------------------------------------------------------------------


def test_interview_is_made_moved_read_and_called_off(there, appointment):
    fake, _platform, adapter = there

    made = adapter.create(appointment, key="k1")
    assert made == Held(
        made.id,
        appointment.reference,
        Standing.BOOKED,
        SOON,
        f"https://rooms.example/join/{made.id}",
    )
    later = outbox.Appointment(**vars(appointment) | {"starts_at": SOON + timedelta(hours=2)})
    assert adapter.move(made.id, later, key="k2").starts_at == SOON + timedelta(hours=2)
    assert adapter.fetch(made.id, reference="").starts_at == SOON + timedelta(hours=2)
    adapter.cancel(made.id, reference=appointment.reference, key="k3")

    assert adapter.fetch(made.id, reference="").standing == Standing.CANCELLED
    assert len(fake.held) == 1


def test_same_key_is_one_interview_there(there, appointment):
    fake, _platform, adapter = there

    first, second = (adapter.create(appointment, key="k1") for _ in range(2))

    assert first == second
    assert len(fake.held) == 1


def test_results_are_read_with_the_state(there, appointment):
    fake, _platform, adapter = there
    made = adapter.create(appointment, key="k1")
    fake.happen(fake.held[made.id], "completed", {"total": 87.5, "skill": 91})

    held = adapter.fetch(made.id, reference="")

    assert (held.standing, held.scores) == (Standing.COMPLETED, {"total": 87.5, "skill": 91.0})


def test_list_is_read_to_the_last_page(there):
    fake, platform, _adapter = there
    for number in range(1, 12):
        fake.create(f"R{number:09d}", SOON + timedelta(minutes=number), key="", body=b"")
    fake.create("OLD0000000", SOON - timedelta(days=90), key="", body=b"")
    platform.mapping["calls"]["list"]["limit"] = 4

    pages = list(adapters.http_adapter(platform).pages(timezone.now()))

    assert [len(page) for page in pages] == [4, 4, 3]
    assert [held.reference for page in pages for held in page] == [
        f"R{number:09d}" for number in range(1, 12)
    ]


def test_what_is_not_there_is_said_so(there, appointment):
    _fake, _platform, adapter = there

    with pytest.raises(Unknown):
        adapter.fetch("999", reference="")
    with pytest.raises(Unknown):
        adapter.move("999", appointment, key="k")


def test_what_has_begun_there_is_not_called_off(there, appointment):
    fake, _platform, adapter = there
    made = adapter.create(appointment, key="k1")
    fake.happen(fake.held[made.id], "started")

    with pytest.raises(Refused) as refusal:
        adapter.cancel(made.id, reference="", key="k2")

    assert refusal.value.code == "http_409"


def test_only_what_the_mapping_names_is_sent(there, appointment):
    fake, _platform, adapter = there
    bodies = []
    fake.create = lambda *args, body, **kwargs: bodies.append(body)
    with pytest.raises(Unavailable):
        adapter.create(appointment, key="k1")

    assert appointment.mobile
    assert appointment.mobile not in bodies[0].decode()
    assert appointment.name in bodies[0].decode()


def test_room_of_our_own_answers_like_a_platform():
    interview = InterviewFactory(link="", starts_at=SOON)
    room, reference = BuiltIn(), interview.reference
    told = outbox.appointment(interview)

    expected = Held(reference, reference, Standing.BOOKED, SOON)
    assert room.create(told, key="k") == room.move(reference, told, key="k") == expected
    assert room.fetch(reference, reference=reference) == expected
    assert [expected] in list(room.pages(SOON - timedelta(minutes=1)))
    room.cancel(reference, reference=reference, key="k")  # nobody has to be told
    with pytest.raises(Unknown):
        room.fetch("7K2M9QX4TB", reference="")


# --- Faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [("error", "http_500"), ("html", "not_json"), ("hang", "timeout")],
)
def test_fault_is_a_trouble_in_time(there, appointment, fault, code):
    fake, _platform, adapter = there
    adapter.create(appointment, key="k0")  # and a token is there
    fake.faults = {fault: 1}
    begun = time.monotonic()

    with pytest.raises(Unavailable) as trouble:
        adapter.create(appointment, key="k1")

    assert trouble.value.code == code
    assert time.monotonic() - begun < 3


def test_slow_platform_is_waited_for(there, appointment):
    fake, _platform, adapter = there
    fake.faults = {"slow": 1}

    assert adapter.create(appointment, key="k1").standing == Standing.BOOKED


def test_reading_is_tried_again_at_once_and_changing_is_not(there, appointment):
    fake, _platform, adapter = there
    made = adapter.create(appointment, key="k1")
    fake.faults, fake.requests = {"error": 1}, []

    with pytest.raises(Unavailable):
        adapter.fetch(made.id, reference="")
    assert len(fake.requests) == 3
    fake.requests = []
    with pytest.raises(Unavailable):
        adapter.cancel(made.id, reference="", key="k2")
    assert len(fake.requests) == 1


def test_token_that_was_withdrawn_is_replaced():
    with vendor_listening("alder") as (fake, platform):
        adapter = adapters.http_adapter(platform)
        list(adapter.pages(SOON))
        fake.vendor.tokens.clear()

        list(adapter.pages(SOON))

        assert [path for _method, path in fake.requests].count("/oauth/token") == 2


def test_token_is_fetched_once_for_many_calls():
    with vendor_listening("alder") as (fake, platform):
        for _ in range(3):
            list(adapters.http_adapter(platform).pages(SOON))

        assert [path for _method, path in fake.requests].count("/oauth/token") == 1


@both
def test_wrong_credentials_are_told_apart(vendor):
    with vendor_listening(vendor) as (_fake, platform):
        platform.secret = "wrong"
        with pytest.raises(Unavailable) as trouble:
            list(adapters.http_adapter(platform).pages(SOON))

    assert trouble.value.status == 401


def test_private_address_is_not_called(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    with vendor_listening("birch") as (fake, platform):
        with pytest.raises(Unavailable) as trouble:
            list(adapters.http_adapter(platform).pages(SOON))

        assert trouble.value.code == "private_address"
        assert fake.requests == []


def test_answer_that_never_ends_is_cut_off(there, monkeypatch):
    fake, _platform, adapter = there
    fake.create("R000000001", SOON, key="", body=b"")
    list(adapter.pages(timezone.now()))  # whoever asks for a token first has it now
    monkeypatch.setattr(http, "LARGEST", 20)

    with pytest.raises(Unavailable) as trouble:
        list(adapter.pages(timezone.now()))

    assert trouble.value.code == "too_large"


def test_list_whose_cursor_stands_still_is_not_read_for_ever():
    with vendor_listening("alder") as (fake, platform):
        stuck = {"data": [], "paging": {"next_cursor": "x"}}
        fake.vendor._list = lambda query: stuck
        with pytest.raises(Unavailable) as trouble:
            list(adapters.http_adapter(platform).pages(SOON))

    assert trouble.value.code == "not_understood:next"


# --- Every fault at once, and then one pass -------------------------------------------------------

EVERY_FAULT = {
    "slow": 0.1,
    "error": 0.15,
    "hang": 0.05,
    "html": 0.1,
    "refuse_token": 0.1,
    "lost_webhook": 0.3,
    "duplicate": 0.2,
    "out_of_order": 0.2,
    "wrong_signature": 0.15,
}
OURS = ["book", "move", "cancel", "reinstate"]
THEIRS = ["started", "completed", "incomplete", "exited", "error", "scores", "cancelled", "missed"]


class Both:
    """Things happen by chance on both sides, through a line that fails all the time."""

    def __init__(self, fake, platform, seed):
        self.fake, self.platform = fake, platform
        self.position = position_on(platform)
        self.chance = random.Random(seed)

    def happens(self) -> None:
        """One thing, of those that can happen as it stands."""
        what = self.chance.choice([*OURS, *THEIRS, "tell", "tell", "tell"])
        if what == "tell":
            self.tell()
        elif not (self._ours(what) if what in OURS else self._theirs(what)):
            self.happens()

    def tell(self) -> None:
        Platform.objects.update(rests_until=None)
        PlatformLink.objects.exclude(wanted="").update(not_before=timezone.now())
        tell(self.platform, seconds=1)

    def _ours(self, what) -> bool:
        """Whether it could."""
        if what == "book":
            booked_on(self.platform, position=self.position)
            return True
        wanted = {"move": ["booked"], "cancel": ["booked"]}
        possible = Interview.objects.filter(status__in=wanted.get(what, sorted(REINSTATABLE)))
        if what == "cancel":  # what has begun is not called off any more
            possible = possible.filter(starts_at__gt=timezone.now())
        if not possible.exists():
            return False
        interview = self.chance.choice(list(possible.order_by("pk")))
        match what:
            case "move":
                move(interview, hours=self.chance.randint(1, 30))
            case "cancel":
                with suppress(AlreadyOver):  # their event may have come in between
                    cancel(interview)
            case "reinstate":
                reinstate(interview)
        return True

    def _theirs(self, what) -> bool:
        """Only what can happen: nothing ends that has not begun, or begins that is over."""
        before = "booked" if what in {"started", "cancelled", "missed"} else "started"
        with self.fake._lock:
            possible = [
                each
                for _id, each in sorted(self.fake.held.items())
                if each.standing == before or what == "scores"
            ]
        if not possible:
            return False
        scores = {"total": self.chance.randint(1, 100)} if what == "scores" else None
        self.fake.happen(self.chance.choice(possible), what, scores)
        return True

    def differing(self) -> list:
        """The interviews of which the two sides tell different things, though nobody was told."""
        found = []
        for interview in Interview.objects.all():
            link = PlatformLink.objects.get(interview=interview)
            held = [
                each for each in self.fake.held.values() if each.reference == interview.reference
            ]
            live = [each for each in held if each.standing == "booked"]
            known = self.fake.held.get(link.external_id)
            verdict = agreement.AGREED
            if known:
                there = Held(known.id, "", Standing(known.standing), known.starts_at)
                verdict = agreement.verdict(interview.status, interview.starts_at, there)
            is_before_hr = verdict.difference and WorkItem.objects.open().filter(
                subject=interview.subject, params__code=verdict.difference
            )
            never_there = known is None and interview.status == "cancelled" and not held
            if (
                not (verdict.agrees or is_before_hr)
                or not (known or never_there)
                or len(live) > (interview.status == "booked")
                or (known and link.external_status != known.standing)
                or (known and known.scores and link.scores != known.scores)
                or link.wanted
            ):
                found.append((interview.reference, interview.status, verdict, link.wanted, held))
        return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
@both
def test_one_pass_after_every_fault_brings_both_sides_equal(vendor, seed, live_server, settings):
    settings.PROVIDER_TIMEOUT = 0.3
    with vendor_listening(vendor, seed=seed) as (fake, platform):
        fake.slowness = 0.05
        fake.webhook_url = f"{live_server.url}/platforms/{vendor}/events/"
        sides = Both(fake, platform, seed)
        for _ in range(3):
            booked_on(platform, position=sides.position)
        sides.tell()
        fake.faults = dict(EVERY_FAULT)
        for number in range(200):
            sides.happens()
            if number >= 60 and all(fake.struck[fault] for fault in EVERY_FAULT):
                break
        fake.settle()
        fake.faults = {}
        last = booked_on(platform, position=sides.position)
        sides.tell()
        fake.faults = {"lost_webhook": 1}
        fake.happen(fake.by_reference(last.reference), "started")
        fake.faults = {}
        settings.PROVIDER_TIMEOUT = 10
        assert [fault for fault in EVERY_FAULT if not fake.struck[fault]] == []
        assert sides.differing(), "the faults have done nothing"

        found = reconciled(platform)

        assert Found.UNREACHABLE not in found
        assert sides.differing() == []
        assert not list(history.verify(Interview.objects.all()))
        assert not set(reconciled(platform)) - {Found.DIFFERS}, "a second pass has nothing to do"
