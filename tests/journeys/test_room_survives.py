"""Fifty candidates write while everything goes wrong at random moments: what the page called saved
is what the server holds, every time, and nothing they wrote is gone in the end."""

import random
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Error, Page, Route, expect

from accounts.sessions import SessionStore
from interviews.room.models import Answer, Sitting
from tests.factories import SittingFactory, question
from tests.journeys.server import StoppableServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SEEDS = 50
AT_ONCE = 10  # runs that share a browser's context, and the time it takes to empty the database
STEPS = 14
KEYS = "面试回答，。abc 1é😀\n"
WHAT_THEY_SEE = """() => ({
  number: facts.current,
  text: document.getElementById("text").value,
  state: document.getElementById("saved").dataset.state,
})"""


class Candidate:
    """Somebody in the room whose luck is out. `texts` holds, for each question, every text that has
    stood in its box, and `saved` how many of them lie before the one last called saved."""

    def __init__(self, page: Page, server: StoppableServer, seed: int) -> None:
        self.luck = random.Random(seed)
        self.page, self.context, self.server = page, page.context, server
        self.sitting: Sitting = SittingFactory(questions=[question(n) for n in (1, 2, 3)])
        self.user = self.sitting.interview.candidate.user
        self.room = reverse("room:page", args=[self.sitting.interview.reference])
        self.texts: dict[int, list[str]] = {n: [""] for n in (1, 2, 3)}
        self.saved = {1: 0, 2: 0, 3: 0}
        self.story: list[str] = []
        self.signs_in()
        self.page.goto(f"{self.room}?here=1")  # they came in a moment ago
        expect(self.page.locator("#text")).to_be_editable()

    # --- what they do ---------------------------------------------------------------------------

    def signs_in(self) -> None:
        client = Client()
        client.force_login(self.user)
        self.session = client.session.session_key or ""
        cookie = {"name": "sessionid", "value": self.session, "url": self.server.url}
        self.context.add_cookies([cookie])  # type: ignore[list-item]

    def comes_back(self) -> Page:
        page = self.context.new_page()
        page.goto(self.room)
        if self.room not in page.url.split("?")[0]:
            self.signs_in()
            page.goto(self.room)
        page.locator("form .button-primary").click()
        expect(page.locator("#text")).to_be_editable()
        return page

    def types(self) -> None:
        number = self.sees()["number"]
        box = self.page.locator("#text")
        if not box.is_editable():  # about to go on
            return
        box.focus()
        self.page.keyboard.press("Control+End")
        for _ in range(self.luck.randint(1, 6)):
            text = self.texts[number][-1]
            if text and self.luck.random() < 0.15:
                self.page.keyboard.press("Backspace")
                self.texts[number].append(text[:-1])
            else:
                key = self.luck.choice(KEYS)
                if key == "\n":
                    self.page.keyboard.press("Enter")
                else:
                    self.page.keyboard.insert_text(key)
                self.texts[number].append(text + key)

    def leaves_the_field(self) -> None:
        self.page.locator("#text").blur()

    def waits(self) -> None:
        self.page.wait_for_timeout(self.luck.choice([5, 5, 50, 50, 300, 900]))

    def goes_on(self) -> None:
        ways = self.page.locator(".room-going [data-to]:not([data-to='4'])")
        if ways.count():
            ways.nth(self.luck.randrange(ways.count())).click()
            with suppress(AssertionError):
                expect(self.page.locator("#text")).to_be_editable(timeout=1000)

    # --- what befalls them ----------------------------------------------------------------------

    def loses_the_line(self) -> None:
        self.context.set_offline(True)

    def meets_silence(self) -> None:
        """The server answers nothing, and hears nothing either."""
        self.context.route(f"**{self.room}*/**", lambda route: route.abort())

    def sees_the_server_stop(self) -> None:
        """Whatever it had in hand gets no reply."""
        self.server.stop()

    def loses_a_reply(self) -> None:
        """The server hears them; they do not hear it."""
        self.context.route(f"**{self.room}*/**", lose_the_reply, times=self.luck.randint(1, 2))

    def recovers(self) -> None:
        self.context.unroute_all(behavior="wait")
        self.context.set_offline(False)
        self.server.start_again()

    def is_signed_out(self) -> None:
        SessionStore(self.session).delete()
        if self.luck.random() < 0.5:
            self.context.clear_cookies(name="csrftoken")
        if self.luck.random() < 0.7:
            self.types()
            self.leaves_the_field()
            self.believes()
        self.signs_in()

    def is_killed(self) -> None:
        number = self.sees()["number"]
        self.page.close()
        self.recovers()
        self.page = self.comes_back()
        self.is_back_with_everything(number)

    # --- what must hold -------------------------------------------------------------------------

    def sees(self) -> dict:
        return self.page.evaluate(WHAT_THEY_SEE)

    def holds(self, number: int) -> str:
        return Answer.objects.get(sitting=self.sitting, number=number).text

    def believes(self) -> None:
        """Where the page says saved, the server has that very text."""
        seen = self.sees()
        if seen["state"] != "saved":
            return
        assert seen["text"] == self.holds(seen["number"])
        self.saved[seen["number"]] = len(self.texts[seen["number"]]) - 1

    def is_back_with_everything(self, number: int) -> None:
        """A page that is closed has kept every keystroke."""
        seen = self.sees()
        if seen["number"] == number:
            assert seen["text"] == self.texts[number][-1]
        else:  # the line was back before the page knew that it had gone on
            assert self.texts[seen["number"]][-1] == seen["text"]

    def is_done(self) -> None:
        self.recovers()
        for number in (1, 2, 3) if self.sees()["number"] < 3 else (3, 2, 1):
            self.turns_to(number)
            self.leaves_the_field()
            self.until("answer.number === facts.current && !answer.isDirty")
            assert self.sees()["text"] == self.texts[number][-1] == self.holds(number)

    def turns_to(self, number: int) -> None:
        while (at := self.sees()["number"]) != number:
            to = at + 1 if number > at else at - 1
            expect(self.page.locator("#text")).to_be_editable()
            follow = self.page.locator("[data-do=follow]")
            if follow.is_visible():
                follow.click()
            else:
                self.page.locator(f".room-going [data-to='{to}']").click()
            self.until(f"facts.current !== {at}")
        expect(self.page.locator("#text")).to_be_editable()

    def until(self, condition: str) -> None:
        """As wait_for_function, which evaluates a string in the page: that is forbidden there."""
        for _ in range(300):
            if self.page.evaluate(condition):
                return
            if self.page.locator("[data-sign-in]").is_visible():
                self.signs_in()
                self.leaves_the_field()
            self.page.wait_for_timeout(50)
        raise AssertionError(condition)


def lose_the_reply(route: Route) -> None:
    with suppress(Error):
        route.fetch()
    with suppress(Error):  # its page may have been killed meanwhile
        route.abort()


ACTIONS = {
    Candidate.types: 10,
    Candidate.leaves_the_field: 3,
    Candidate.waits: 4,
    Candidate.goes_on: 2,
    Candidate.loses_the_line: 2,
    Candidate.meets_silence: 1,
    Candidate.sees_the_server_stop: 2,
    Candidate.loses_a_reply: 3,
    Candidate.recovers: 4,
    Candidate.is_signed_out: 1,
    Candidate.is_killed: 2,
}


@pytest.fixture(scope="module")
def live_server() -> Iterator[StoppableServer]:
    server = StoppableServer("localhost")
    yield server
    server.stop()


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_what_was_called_saved_is_what_the_server_holds(first, visit, live_server):
    page = visit().page
    for seed in range(first, first + AT_ONCE):
        candidate = Candidate(page, live_server, seed)
        try:
            for _ in range(STEPS):
                (act,) = candidate.luck.choices(list(ACTIONS), weights=ACTIONS.values())
                candidate.story.append(act.__name__)
                act(candidate)
                candidate.believes()
            candidate.story.append("is_done")
            candidate.is_done()
        except BaseException as problem:
            problem.add_note(f"seed {seed}: {' '.join(candidate.story)}")
            raise
        page = candidate.page
