"""Saving while somebody types, and signs of life: what is kept, what is refused, what it costs."""

import json
from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.signing import Signer
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts import services as accounts
from interviews.models import HistoryEntry
from interviews.room import saving, services
from interviews.room.models import LONGEST_ANSWER, Answer, RoomEvent, Sitting
from tests.factories import CandidateFactory, InterviewFactory, SittingFactory
from tests.interviews.rooms import Tab, text_of

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
SECOND = timedelta(seconds=1)


@pytest.fixture
def tab():
    return Tab(SittingFactory())


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["answers/1/", "heartbeat/"])
def test_save_and_sign_of_life_are_one_statement_without_history(tab, path):
    told = tab.draft("Hello")
    tab.client.get("/sign-in/")  # the first request of a process asks for more

    with CaptureQueriesContext(connection) as queries:
        response = tab.send(path, told)

    assert response.status_code == 200
    assert len(queries) == 1
    assert HistoryEntry.objects.exclude(event="booked").count() == 0


# --- what is kept ---------------------------------------------------------------------------------


def test_saved_text_is_there_with_its_revision_and_time(tab):
    with time_machine.travel(NOW, tick=False):
        response = tab.save("Hello")

    assert response.json() == {"revision": 1, "saved_at": NOW.isoformat()}
    answer = Answer.objects.get(number=1)
    assert (answer.text, answer.revision, answer.saved_at) == ("Hello", 1, NOW)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\x00b\x07c\x1b[31md\x7fe\x85f", "abc[31mdef"),
        ("one\r\ntwo\rthree\n\tfour", "one\ntwo\nthree\n\tfour"),
        ("half \ud83d of a smile \udc00", "half  of a smile "),
        ("👩‍👩‍👧 العربية ​𠀀", "👩‍👩‍👧 العربية ​𠀀"),
        ("  spaces stay  \n", "  spaces stay  \n"),
        ("", ""),
    ],
)
def test_what_is_no_text_is_taken_out_and_the_page_is_told(tab, sent, kept):
    response = tab.save(sent)

    assert response.status_code == 200
    assert text_of(Sitting.objects.get()) == kept
    assert response.json().get("text", sent) == kept


@given(st.text(alphabet=st.characters(), max_size=50))
@settings(max_examples=200)
def test_any_text_can_be_kept_once_it_is_clean(text):
    kept = saving.clean(text)

    assert saving.clean(kept) == kept
    assert "\x00" not in kept
    kept.encode()


def test_longest_answer_is_kept(tab):
    assert tab.save("长" * LONGEST_ANSWER).status_code == 200
    assert len(text_of(Sitting.objects.get())) == LONGEST_ANSWER


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("长" * (LONGEST_ANSWER + 1), 422, "too_long"),
        ("a" * 100_000, 413, "too_large"),
        ("a" * 1_000_000, 413, "too_large"),
    ],
    ids=["one character more", "more than a body holds", "a megabyte"],
)
def test_what_is_too_long_is_refused_with_what_to_do(tab, text, status, code):
    tab.save("What there was")

    response = tab.save(text, base=1)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "Shorten" in response.json()["message"]
    assert text_of(Sitting.objects.get()) == "What there was"


@pytest.mark.parametrize(("language", "word"), [("zh-hans", "字"), ("en", "characters")])
def test_refusal_is_in_the_language_of_the_person(language, word):
    tab = Tab(SittingFactory(interview__candidate__user__language=language))

    message = tab.save("a" * (LONGEST_ANSWER + 1)).json()["message"]

    assert str(LONGEST_ANSWER) in message
    assert word in message


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        {"text": 1, "base": 0, "tab": "a", "sequence": 1},
        {"text": None, "base": 0, "tab": "a", "sequence": 1},
        {"text": "x", "base": -1, "tab": "a", "sequence": 1},
        {"text": "x", "base": True, "tab": "a", "sequence": 1},
        {"text": "x", "base": 0.5, "tab": "a", "sequence": 1},
        {"text": "x", "base": 2**31, "tab": "a", "sequence": 1},
        {"text": "x", "base": 0, "tab": "", "sequence": 1},
        {"text": "x", "base": 0, "tab": "a b", "sequence": 1},
        {"text": "x", "base": 0, "tab": "a" * 33, "sequence": 1},
        {"text": "x", "base": 0, "tab": "a", "sequence": 2**31},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(tab, told):
    response = tab.client.post(
        tab.room + "answers/1/",
        json.dumps(told),
        content_type="application/json",
        headers={"X-Room": tab.token},
    )

    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    assert text_of(Sitting.objects.get()) == ""


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 90_000, b"text=x"], ids=repr)
def test_what_is_no_json_is_refused(tab, body):
    response = tab.client.post(
        tab.room + "answers/1/",
        body,
        content_type="application/json",
        headers={"X-Room": tab.token},
    )

    assert response.status_code == 422


@pytest.mark.parametrize("number", [0, 4, 70_000, 10**30])
def test_question_that_is_not_asked_is_not_there(tab, number):
    assert tab.save("x", number=number).status_code == 404
    assert tab.record(b"OggS", number=number).status_code == 404


# --- two tabs, lost replies -----------------------------------------------------------------------


def test_tab_that_knows_the_others_text_wins_and_the_other_is_told():
    sitting = SittingFactory()
    first, second = Tab(sitting), Tab(sitting)
    first.save("One")

    refused = second.save("Two")
    kept = second.save("One, two", base=1)
    told = first.save("One!", base=1)

    assert refused.status_code == told.status_code == 409
    assert refused.json()["text"] == "One"
    assert refused.json()["revision"] == 1
    assert kept.json()["revision"] == 2
    assert told.json()["text"] == "One, two"
    assert text_of(sitting) == "One, two"


def test_tab_goes_on_without_waiting_for_its_own_replies(tab):
    tab.save("H")

    assert tab.save("He", base=0).json()["revision"] == 2
    assert text_of(Sitting.objects.get()) == "He"


def test_what_was_sent_again_is_answered_with_what_is_kept(tab):
    told = tab.draft("Hello")
    first = tab.send("answers/1/", told).json()

    again = tab.send("answers/1/", told)

    assert again.status_code == 200
    assert again.json() == first
    assert Answer.objects.get(number=1).revision == 1


def test_what_comes_late_is_not_taken_for_kept(tab):
    late = tab.draft("H")
    tab.save("Hello")

    response = tab.send("answers/1/", late)

    assert response.status_code == 409
    assert text_of(Sitting.objects.get()) == "Hello"


def test_copied_tab_is_not_told_that_its_text_is_kept(tab):
    tab.save("Mine")
    copy = {"text": "Another", "base": 0, "tab": tab.name, "sequence": tab.sequence}

    assert tab.send("answers/1/", copy).status_code == 409
    assert text_of(Sitting.objects.get()) == "Mine"


class TwoTabs(TestCase):
    """Two tabs type, lose requests or replies, and send again, in any order."""

    @given(
        st.lists(
            st.tuples(
                st.integers(0, 1), st.sampled_from(["type", "send", "lose", "again", "adopt"])
            ),
            max_size=25,
        )
    )
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def test_two_hundred_means_kept_and_newer_text_is_never_lost(self, steps):
        sitting = SittingFactory()
        user = sitting.interview.candidate.user
        client = Client()
        client.force_login(user)
        tabs = [_Typing(Tab(sitting, client=client), letter) for letter in "ab"]
        for who, what in steps:
            typing = tabs[who]
            before = text_of(sitting)
            getattr(typing, what)()
            after = text_of(sitting)
            if typing.status == 200:
                assert after == typing.sent
            if typing.status == 409:
                assert after == before
                assert typing.reply["text"] == after
            # Who overwrote a text had seen it, or had written it themselves.
            assert after == before or before in typing.seen


class _Typing:
    """One tab and what its person has on screen."""

    def __init__(self, tab: Tab, letter: str) -> None:
        self.tab, self.letter = tab, letter
        self.text, self.base, self.seen = "", 0, {""}
        self.last = None
        self.sent, self.status, self.reply = "", 0, {}

    def type(self) -> None:
        self.text += self.letter
        self.status = 0

    def send(self) -> None:
        self.last = self.tab.draft(self.text, base=self.base)
        self._post()
        self._learn()

    def lose(self) -> None:
        """The request arrives, the reply does not."""
        self.last = self.tab.draft(self.text, base=self.base)
        self._post()

    def again(self) -> None:
        self.status = 0
        if self.last:
            self._post()
            self._learn()

    def adopt(self) -> None:
        """Take over what the other tab has written."""
        if self.status == 409:
            self.text, self.base = self.reply["text"], self.reply["revision"]
            self.seen.add(self.text)
        self.status = 0

    def _post(self) -> None:
        response = self.tab.send("answers/1/", self.last)
        self.sent, self.status, self.reply = (
            self.last["text"],
            response.status_code,
            response.json(),
        )
        if self.status == 200:
            self.seen.add(self.sent)

    def _learn(self) -> None:
        if self.status == 200:
            self.base = self.reply["revision"]


# --- who may --------------------------------------------------------------------------------------


def test_somebody_elses_answer_is_not_there(tab):
    sitting = Sitting.objects.get()
    theirs = Tab(SittingFactory())
    theirs.room = tab.room  # with a token of their own sitting

    for path in ("answers/1/", "heartbeat/", "go/", "events/"):
        told = {"to": 2, "kind": "hidden", **theirs.draft("Not mine")}
        assert theirs.send(path, told).status_code == 404
    assert theirs.record(b"OggS").status_code == 404
    assert text_of(sitting) == ""


def test_token_of_somebody_else_opens_nothing(tab):
    thief = Client()
    thief.force_login(CandidateFactory().user)
    stolen = Tab(Sitting.objects.get(), client=thief)
    stolen.token = tab.token

    assert stolen.save("Stolen").status_code == 404
    assert text_of(Sitting.objects.get()) == ""


@pytest.mark.parametrize("token", ["", "x", "1.1.x", ":::", "1.1.x:" + "y" * 43])
def test_without_a_good_token_the_session_speaks(tab, token):
    tab.token = token

    response = tab.save("Hello")

    assert response.status_code == 200
    assert text_of(Sitting.objects.get()) == "Hello"
    tab.token = response.json()["token"]
    with CaptureQueriesContext(connection) as queries:
        assert tab.save("Hello!", base=1).status_code == 200
    assert len(queries) == 1


def test_forged_token_is_worth_nothing(tab):
    sitting = Sitting.objects.get()
    forged = Signer(key="another", salt=f"interviews.room:{tab.client.session.session_key}")
    tab.token = forged.sign(tab.token.rpartition(":")[0])
    tab.client.logout()

    assert tab.save("Forged").status_code == 401
    assert text_of(sitting) == ""


def test_without_the_csrf_token_nothing_is_kept():
    sitting = SittingFactory()
    client = Client(enforce_csrf_checks=True)
    client.force_login(sitting.interview.candidate.user)
    tab = Tab(sitting, client=client)

    assert tab.save("Hello").status_code == 403

    tab.client.cookies["csrftoken"] = "a" * 32
    response = tab.send("answers/1/", tab.draft("Hello"), **{"X-CSRFToken": "a" * 32})
    assert response.status_code == 200


# --- a session that ends --------------------------------------------------------------------------


def _signed_out(tab, user):
    tab.client.get("/sign-in/")
    tab.client.post("/sign-out/")


def _expired(tab, user):
    Session.objects.update(expire_date=timezone.now())
    # The cache in front of it has forgotten it by then.
    cache.clear()


def _new_password(tab, user):
    user.set_password("another correct horse")
    user.save()


def _ended_everywhere(tab, user):
    user.sessions_ended += 1
    user.save()


def _switched_off(tab, user):
    user.is_active = False
    user.save()


@pytest.mark.parametrize(
    "end",
    [_signed_out, _expired, _new_password, _ended_everywhere, _switched_off],
    ids=lambda end: end.__name__,
)
def test_session_that_has_ended_saves_nothing_and_loses_nothing(tab, end):
    user = Sitting.objects.get().interview.candidate.user
    tab.save("Every character")
    end(tab, user)

    assert tab.save("Too late", base=1).status_code == 401
    assert tab.send("heartbeat/").status_code == 401
    assert text_of(Sitting.objects.get()) == "Every character"

    user.is_active = True
    user.save()
    tab.client.force_login(user)
    again = tab.save("Every character, and more", base=1)  # with the token it had
    assert again.status_code == 200
    assert text_of(Sitting.objects.get()) == "Every character, and more"


def test_signing_in_again_in_another_tab_is_enough(tab):
    user = Sitting.objects.get().interview.candidate.user
    tab.save("Before")
    tab.client.logout()
    tab.client.force_login(user)

    response = tab.save("After", base=1)
    beat = tab.send("heartbeat/")

    assert (response.status_code, beat.status_code) == (200, 200)
    assert response.json()["token"] == beat.json()["token"]
    assert text_of(Sitting.objects.get()) == "After"


# --- after the end --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["completed", "exiting", "withdrawn", "incomplete", "booked"])
def test_after_the_end_nothing_is_kept_and_the_page_is_told(status):
    sitting = SittingFactory(interview__status=status, ended=status != "exiting")
    tab = Tab(sitting)

    for path in ("answers/1/", "heartbeat/", "go/", "events/"):
        response = tab.send(path, {"to": 2, "kind": "hidden", **tab.draft("Too late")})
        assert (response.status_code, response.json()) == (410, {"status": status}), path
    assert tab.record(b"OggS").status_code == 410
    assert text_of(sitting) == ""


def test_before_entering_there_is_nothing_to_save_to():
    interview = InterviewFactory(link="", starts_in=timedelta(minutes=5))
    client = Client()
    client.force_login(interview.candidate.user)
    tab = Tab(Sitting(pk=1, interview=interview), client=client)

    assert tab.save("Early").json() == {"status": "booked"}


def test_when_nobody_can_come_back_any_more_nothing_is_kept():
    with time_machine.travel(NOW, tick=False):
        tab = Tab(SittingFactory(resume_until=NOW))

        assert tab.save("Too late").status_code == 410
        assert tab.send("heartbeat/").status_code == 410


# --- time limits ----------------------------------------------------------------------------------


def limited(**named):
    """Somebody at the second question, which has 120 seconds."""
    return SittingFactory(current=2, last_seen_at=NOW, **named)


@pytest.mark.parametrize(
    ("spent", "since_seen", "status"),
    [
        (120, 0, 200),
        (135, 0, 200),  # what was typed in time is still on its way
        (135.1, 0, 422),
        (121, 14, 200),
        (121, 15, 422),  # the clock goes on until a heartbeat is overdue
        (121, 16, 200),  # then the line is down, and it stands still
        (135, -5, 200),  # our own clock was set back
    ],
)
def test_after_the_limit_and_a_grace_nothing_more_is_taken(spent, since_seen, status):
    tab = Tab(limited(current_seconds=spent))
    with time_machine.travel(NOW + since_seen * SECOND, tick=False):
        response = tab.save("Just in time?", number=2)

    assert response.status_code == status
    assert response.json().get("code") == (None if status == 200 else "time_up")
    assert text_of(Sitting.objects.get(), 2) == ("Just in time?" if status == 200 else "")


def test_what_was_saved_in_time_stays():
    sitting = limited(current_seconds=200)
    sitting.answers.filter(number=2).update(text="In time", revision=1)
    tab = Tab(sitting)
    with time_machine.travel(NOW, tick=False):
        assert tab.save("Longer", number=2, base=1).status_code == 422

    assert text_of(sitting, 2) == "In time"


@pytest.mark.parametrize(("spent", "status"), [(135, 200), (136, 422)])
def test_question_left_behind_has_the_time_that_was_spent_on_it(spent, status):
    """What was typed before going on may arrive afterwards."""
    sitting = SittingFactory(current=3, current_seconds=999)
    sitting.answers.filter(number=2).update(seconds=spent)

    assert Tab(sitting).save("Late", number=2).status_code == status


def test_question_without_a_limit_takes_any_time():
    assert Tab(SittingFactory(current_seconds=10**6)).save("At leisure").status_code == 200


@pytest.mark.parametrize(
    ("gaps", "counted"),
    [
        ([10, 10, 10], 30),
        ([15], 15),
        ([16], 0),
        ([10, 25, 10], 20),  # the line was down for a moment
        ([10, 3600, 10], 20),  # an hour without a line
    ],
)
def test_clock_moves_only_while_we_hear_of_them(gaps, counted):
    tab, at = Tab(limited()), NOW
    for gap in gaps:
        at += gap * SECOND
        with time_machine.travel(at, tick=False):
            response = tab.send("heartbeat/", {"question": 2})

    assert response.json() == {"left": 120 - counted, "status": "in_progress", "current": 2}
    sitting = Sitting.objects.get()
    assert (sitting.current_seconds, sitting.last_seen_at) == (counted, at)


def test_two_tabs_do_not_make_the_clock_run_twice_as_fast():
    sitting = limited()
    tabs = [Tab(sitting), Tab(sitting)]
    for second in range(1, 21):
        with time_machine.travel(NOW + second * SECOND, tick=False):
            tabs[second % 2].send("heartbeat/")

    assert Sitting.objects.get().current_seconds == 20


@pytest.mark.parametrize(
    ("current", "left"), [(0, None), (1, None), (2, 120), (3, None), (4, None)]
)
def test_time_left_is_that_of_the_question_in_view(current, left):
    last = {"seconds": 50}
    sitting = SittingFactory(current=current, last_seen_at=NOW)
    sitting.questions[2] |= last if current == 0 else {}  # -1 counts from the end
    sitting.save()
    with time_machine.travel(NOW, tick=False):
        assert Tab(sitting).send("heartbeat/").json()["left"] == left


def test_clock_of_the_browser_means_nothing(tab):
    """Nothing that is sent says when."""
    told = {**tab.draft("Hello"), "saved_at": "1999-01-01T00:00:00Z", "at": 0}
    with time_machine.travel(NOW, tick=False):
        assert tab.send("answers/1/", told).json()["saved_at"] == NOW.isoformat()


# --- what the browser reports ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(services.FROM_THE_BROWSER))
def test_browser_reports_what_it_noticed(tab, kind):
    response = tab.send("events/", {"kind": kind, "detail": {"code": "a.b", "seconds": 1.5}})

    assert response.status_code == 204
    event = RoomEvent.objects.get(kind=kind)
    assert event.detail == {"code": "a.b", "seconds": 1.5}


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("server_error", {}),
        ("platform_error", {}),
        ("entered", {}),
        ("away", {}),
        ("nothing", {}),
        (None, {}),
        ("hidden", []),
        ("hidden", "text"),
        ("hidden", None),
        ("hidden", {"message": "My name is Zhang San"}),
        ("hidden", {"code": "x" * 61}),
        ("hidden", {"Code": 1}),
        ("hidden", {"code": {"a": 1}}),
        ("hidden", {"code": [1]}),
        ("hidden", {"seconds": 1e300}),
        ("hidden", {f"k{'_' * n}": 1 for n in range(11)}),
    ],
    ids=str,
)
def test_nothing_else_is_taken_from_a_browser(tab, kind, detail):
    response = tab.send("events/", {"kind": kind, "detail": detail})

    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    assert RoomEvent.objects.count() == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_not_taken(tab, number):
    body = f'{{"kind": "hidden", "detail": {{"seconds": {number}}}}}'

    response = tab.client.post(tab.room + "events/", body, content_type="application/json")

    assert response.status_code == 422


def test_after_so_many_observations_no_more_are_kept(tab, monkeypatch):
    monkeypatch.setattr(services, "MOST_EVENTS", 3)

    answers = [tab.send("events/", {"kind": "hidden"}).status_code for _ in range(5)]

    assert answers == [204] * 5
    assert RoomEvent.objects.count() == 3


def test_fault_on_our_side_is_remembered_as_one(tab, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("the text is never in here")

    monkeypatch.setattr("interviews.room.views.save", fail)
    tab.client.raise_request_exception = False

    assert tab.save("Hello").status_code == 500
    event = RoomEvent.objects.get(kind="server_error")
    assert event.detail == {"where": "answer"}


def test_what_is_typed_reaches_no_log(tab, caplog, capsys):
    tab.save("Zhang San's secret")
    tab.save("Zhang San's secret", base=99)
    tab.save("Zhang San's secret" * 5000)

    assert "secret" not in caplog.text
    assert "secret" not in str(capsys.readouterr())


def test_accounts_end_sessions_as_the_token_expects():
    """The digest in the token is over what ends a session; whoever adds to that changes both."""
    user = CandidateFactory().user
    before = user.get_session_auth_hash()
    user.sessions_ended += 1
    assert user.get_session_auth_hash() != before
    assert accounts.BACKEND == "accounts.backends.IdentifierBackend"


class CutOff(BytesIO):
    def read(self, *args):
        raise OSError("connection reset")


@pytest.mark.parametrize("body", [CutOff(), BytesIO(b'{"text": "He')], ids=["reset", "ended"])
@pytest.mark.parametrize("path", ["answers/1/", "answers/2/recording/"])
def test_line_that_breaks_while_something_is_sent_is_no_fault_of_ours(tab, path, body):
    body.seek(0)
    sent = {"wsgi.input": body, "CONTENT_LENGTH": "500", "CONTENT_TYPE": "application/json"}

    response = tab.client.generic("POST", tab.room + path, headers={"X-Room": tab.token}, **sent)

    assert response.status_code == 400
    assert not RoomEvent.objects.filter(kind="server_error").exists()


def test_fault_of_the_page_is_remembered_as_one(tab, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("interviews.room.views.render", fail)
    tab.client.raise_request_exception = False

    assert tab.client.get(tab.room).status_code == 500
    assert RoomEvent.objects.get(kind="server_error").detail == {"where": "page"}


@pytest.mark.parametrize("error", [Http404, PermissionDenied, SuspiciousOperation])
def test_what_is_nobodys_fault_is_not_remembered_as_ours(tab, monkeypatch, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("interviews.room.views.save", fail)

    assert tab.save("Hello").status_code in {400, 403, 404}
    assert not RoomEvent.objects.filter(kind="server_error").exists()
