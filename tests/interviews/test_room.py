"""Coming in, going through the questions, finishing: the page and what it follows."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cancellations.models import Cancellation, Policy
from candidates.models import FileEntry
from interviews import history
from interviews.models import Interview, PositionCategory
from interviews.room import queries, services
from interviews.room.models import Question, QuestionSet, RoomEvent, Sitting
from interviews.room.questions import GENERAL, questions_for
from interviews.states import InterviewStatus
from notifications.models import Notification, WorkItem
from tests.factories import (
    CancellationFactory,
    CandidateFactory,
    InterviewFactory,
    PositionFactory,
    SittingFactory,
)
from tests.interviews.rooms import Tab

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
SECOND = timedelta(seconds=1)


def soon(**named):
    """One whose room is open."""
    return InterviewFactory(link="", starts_in=timedelta(minutes=5), **named)


def signed_in(interview):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(interview.candidate.user)
    return client


def room(interview, name="page"):
    return reverse(f"room:{name}", args=[interview.reference])


def enter(interview, **named):
    return services.enter(interview.reference, by=interview.candidate.user, **named)


# --- the door -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (timedelta(minutes=-10) - SECOND, "too_early"),
        (timedelta(minutes=-10), "check"),
        (timedelta(0), "check"),
        (timedelta(minutes=30) - SECOND, "check"),
        (timedelta(minutes=30), "over"),
    ],
)
def test_door_opens_ten_minutes_before_the_start_and_closes_at_the_end(at, state):
    interview = InterviewFactory(link="", starts_at=NOW + timedelta(days=1))
    with time_machine.travel(interview.starts_at + at, tick=False):
        client = signed_in(interview)

        assert client.get(room(interview)).context["state"] == state
        client.post(room(interview, "enter"))

    entered = Interview.objects.get().status == InterviewStatus.IN_PROGRESS
    assert entered is (state == "check")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("invited", "over"),
        ("cancelling", "check"),
        ("cancelled", "over"),
        ("exiting", "waiting"),
        ("withdrawn", "left"),
        ("completed", "finished"),
        ("incomplete", "over"),
        ("no_show", "over"),
        ("in_progress", "check"),  # begun where nobody kept a sitting
    ],
)
def test_page_tells_what_has_become_of_the_interview(status, state):
    interview = soon(status=status)

    assert signed_in(interview).get(room(interview)).context["state"] == state


@pytest.mark.parametrize(
    "named", [{"kind": "on_site"}, {"link": "https://interview.example/room"}], ids=str
)
def test_interviews_held_elsewhere_have_no_room(named):
    interview = InterviewFactory(**{"link": "", "starts_in": timedelta(minutes=5), **named})
    client = signed_in(interview)

    assert client.get(room(interview)).status_code == 404
    assert client.post(room(interview, "enter")).status_code == 404
    assert Interview.objects.get().status == InterviewStatus.BOOKED


def test_somebody_elses_room_is_not_there():
    interview, other = soon(), CandidateFactory()
    client = Client()
    client.force_login(other.user)

    for name in ("page", "enter", "finish"):
        assert client.get(room(interview, name)).status_code == 404
    assert client.post(room(interview, "enter")).status_code == 404
    assert client.post(room(interview, "finish")).status_code == 404


# --- coming in ------------------------------------------------------------------------------------


def test_entering_begins_the_interview_and_makes_a_place_for_every_answer():
    interview = soon()
    client = signed_in(interview)

    response = client.post(room(interview, "enter"), {"may_record": "on"})

    assert response.url == room(interview) + "?here=1"
    sitting = Sitting.objects.get()
    assert Interview.objects.get().status == InterviewStatus.IN_PROGRESS
    assert sitting.may_record
    assert sitting.current == 0
    assert [answer.number for answer in sitting.answers.all()] == [1, 2, 3, 4, 5]
    assert [event.kind for event in sitting.events.all()] == ["entered"]
    assert [entry.event for entry in interview.history.all()] == ["booked", "started"]
    assert client.get(response.url).context["state"] == "question"


def test_entering_twice_is_one_sitting():
    interview = soon()

    first, second = enter(interview, may_record=True), enter(interview)

    assert (second.pk, second.key) == (first.pk, first.key)
    assert Sitting.objects.get().may_record is False  # as they now say
    assert interview.history.filter(event="started").count() == 1
    assert RoomEvent.objects.filter(kind="resumed").count() == 1


def test_without_agreeing_nobody_is_recorded():
    interview = soon()

    signed_in(interview).post(room(interview, "enter"))

    assert Sitting.objects.get().may_record is False


def test_what_the_check_found_is_kept_as_codes():
    interview = soon()
    check = '{"microphone": "denied", "network": 84}'

    signed_in(interview).post(room(interview, "enter"), {"check": check})

    checked = RoomEvent.objects.get(kind="checked")
    assert checked.detail == {"microphone": "denied", "network": 84}


@pytest.mark.parametrize("check", ["{", "[]", '{"a": "Mr Smith\'s microphone"}', "[" * 5000])
def test_what_the_check_found_keeps_nobody_out(check):
    interview = soon()

    signed_in(interview).post(room(interview, "enter"), {"check": check})

    assert Interview.objects.get().status == InterviewStatus.IN_PROGRESS
    assert not RoomEvent.objects.filter(kind="checked").exists()


def test_entering_takes_back_what_was_asked_for():
    interview = InterviewFactory(
        link="", starts_in=timedelta(minutes=5), status=InterviewStatus.CANCELLING
    )
    CancellationFactory(interview=interview)

    enter(interview)

    assert Cancellation.objects.get().status == "lapsed"
    assert Cancellation.objects.get().get_status_display() == "Taken back"
    events = list(interview.history.values_list("event", flat=True))
    assert events == ["booked", "cancellation_taken_back", "started"]
    assert not list(history.verify(Interview.objects.all()))
    assert not WorkItem.objects.filter(closed_at=None).exists()
    assert Notification.objects.filter(event="cancellation_taken_back").exists()


def test_policy_says_how_long_one_may_be_away():
    Policy.objects.filter(is_active=True).update(resume_hours=3)

    sitting = enter(soon())

    assert sitting.resume_until - sitting.entered_at == timedelta(hours=3)


# --- what is asked --------------------------------------------------------------------------------


def question_set(text, **scope):
    chosen = QuestionSet.objects.create(name=text, **scope)
    Question.objects.create(
        question_set=chosen, stage="introduction", text_zh=f"{text}？", text_en=f"{text}?"
    )
    return chosen


def test_most_specific_set_in_use_is_asked():
    category = PositionCategory.objects.create(code="technical", name="技术")
    special, technical = PositionFactory(category=category), PositionFactory(category=category)
    question_set("general")
    question_set("technical", category=category)
    question_set("special", position=special)
    question_set("special, not in use", position=technical, is_active=False)
    QuestionSet.objects.create(name="empty", position=technical)

    asked = {
        position.pk: enter(soon(position=position)).questions[0]["en"]
        for position in (special, technical, PositionFactory())
    }

    assert list(asked.values()) == ["special?", "technical?", "general?"]


def test_without_any_set_there_is_something_to_ask():
    sitting = enter(soon())

    assert [question["en"] for question in sitting.questions] == [each["en"] for each in GENERAL]
    assert {question["stage"] for question in sitting.questions} == {
        "introduction",
        "professional",
        "closing",
    }


def test_limit_of_nought_is_none():
    """Else the question would be over before anybody has read it."""
    chosen = QuestionSet.objects.create(name="For everybody")
    chosen.questions.create(stage="closing", text_zh="？", text_en="?", seconds=0)

    assert [each["seconds"] for each in questions_for(InterviewFactory(link=""))] == [None]


def test_sitting_keeps_the_questions_it_began_with():
    chosen = question_set("old")
    sitting = enter(soon())

    chosen.questions.update(text_en="new?")
    chosen.questions.create(stage="closing", text_zh="新", text_en="new")

    assert [question["en"] for question in Sitting.objects.get().questions] == ["old?"]
    assert sitting.answers.count() == 1


@pytest.mark.parametrize(("language", "text"), [("en", "Question 1"), ("zh-hans", "第1题")])
def test_questions_are_put_in_the_candidates_language(language, text):
    sitting = SittingFactory(interview__candidate__user__language=language)

    tab = Tab(sitting)

    assert tab.client.get(tab.room + "?here=1").context["question"]["text"] == text
    assert tab.send("go/", {"to": 1}).json()["question"]["text"] == text


# --- coming back ----------------------------------------------------------------------------------


def test_reload_goes_on_where_the_tab_had_been_let_in():
    tab = Tab(SittingFactory())

    assert tab.client.get(tab.room + "?here=1").context["state"] == "question"
    assert tab.client.get(tab.room).context["state"] == "resume"


@pytest.mark.parametrize(("away", "state"), [(45, "question"), (46, "resume")])
def test_who_was_away_is_asked_whether_to_go_on(away, state):
    with time_machine.travel(NOW, tick=False):
        tab = Tab(SittingFactory(last_seen_at=NOW - away * SECOND))

        assert tab.client.get(tab.room + "?here=1").context["state"] == state


def test_coming_back_shows_everything_and_notes_the_absence():
    seen = NOW - timedelta(minutes=20)
    with time_machine.travel(NOW, tick=False):
        sitting = SittingFactory(
            current=2, current_seconds=50, entered_at=seen - 10 * SECOND, last_seen_at=seen
        )
        sitting.answers.filter(number=2).update(text="So far", revision=4)
        tab = Tab(sitting)

        tab.client.post(tab.room + "enter/", {"may_record": "on"})
        page = tab.client.get(tab.room + "?here=1")

    assert page.context["answer"]["text"] == "So far"
    assert page.context["answer"]["revision"] == 4
    assert page.context["left"] == 70  # the clock stood still
    events = [(event.kind, event.at) for event in sitting.events.all()][1:]
    assert events == [("away", seen), ("resumed", NOW)]


@pytest.mark.parametrize(("late", "state"), [(-1, "resume"), (0, "over")])
def test_one_can_come_back_until_the_policy_says(late, state):
    with time_machine.travel(NOW, tick=False):
        sitting = SittingFactory(resume_until=NOW - late * SECOND)
        tab = Tab(sitting)

        assert tab.client.get(tab.room).context["state"] == state
        tab.client.post(tab.room + "enter/")

    assert RoomEvent.objects.filter(kind="resumed").exists() is (state == "resume")


def test_after_a_false_start_the_door_is_open_again():
    sitting = SittingFactory(
        interview__starts_in=timedelta(minutes=5), ended=True, ending="misstart"
    )
    interview = sitting.interview
    interview.step_back()
    interview.save()

    again = enter(interview)

    assert again.pk != sitting.pk


# --- going through --------------------------------------------------------------------------------


def test_going_on_puts_the_time_with_the_question_left():
    with time_machine.travel(NOW, tick=False) as clock:
        sitting = SittingFactory(current_seconds=12, last_seen_at=NOW)
        sitting.answers.filter(number=2).update(seconds=100)
        tab = Tab(sitting)
        clock.shift(8)

        told = tab.send("go/", {"to": 2}).json()

    assert (told["current"], told["left"], told["next"], told["previous"]) == (2, 20, 3, 1)
    assert sitting.answers.get(number=1).seconds == 20
    fresh = Sitting.objects.get()
    assert (fresh.current, fresh.current_seconds) == (2, 100)


@pytest.mark.parametrize(
    ("current", "to", "status", "code"),
    [
        (0, 1, 200, None),
        (0, 2, 422, "malformed"),
        (1, 1, 200, None),  # asked again: the reply was lost
        (1, 2, 200, None),
        (1, 3, 422, "malformed"),
        (1, 0, 422, "malformed"),
        (1, -1, 422, "malformed"),
        (2, 1, 200, None),
        (3, 4, 200, None),  # the end
        (3, 5, 422, "malformed"),
        (4, 1, 200, None),
        (4, 5, 422, "malformed"),
        (1, "2", 422, "malformed"),
        (1, True, 422, "malformed"),
        (1, None, 422, "malformed"),
        (1, 2**70, 422, "malformed"),
    ],
)
def test_one_goes_one_step_on_or_back(current, to, status, code):
    tab = Tab(SittingFactory(current=current))

    response = tab.send("go/", {"to": to})

    assert response.status_code == status
    assert response.json().get("code") == code
    assert Sitting.objects.get().current == (to if status == 200 else current)


@pytest.mark.parametrize(("spent", "back"), [(119, 2), (120, 1)])
def test_nobody_goes_back_to_a_question_whose_time_is_up(spent, back):
    sitting = SittingFactory(current=3)
    sitting.answers.filter(number=2).update(seconds=spent)
    tab = Tab(sitting)

    assert tab.send("go/", {"to": 3}).json()["previous"] == back
    response = tab.send("go/", {"to": 2})

    assert response.status_code == (200 if back == 2 else 422)
    assert response.json().get("code") == (None if back == 2 else "time_up")


def test_going_on_passes_over_a_question_whose_time_is_up():
    sitting = SittingFactory(current=1)
    sitting.answers.filter(number=2).update(seconds=200)

    assert Tab(sitting).send("go/", {"to": 1}).json()["next"] == 3


def test_page_gives_no_question_away_that_is_not_in_view():
    tab = Tab(SittingFactory())

    page = tab.client.get(tab.room + "?here=1").content.decode()

    assert "Question 1" in page
    assert "第2题" not in page
    assert page.count("Question 2") == 0


@pytest.mark.parametrize("events", [1, 3])
def test_page_query_count_does_not_grow_with_what_was_observed(events, django_assert_num_queries):
    sitting = SittingFactory()
    for _ in range(events - 1):
        RoomEvent.objects.create(sitting=sitting, kind="hidden")
    tab = Tab(sitting)

    with django_assert_num_queries(5):  # the person, the interview, the sitting, answers, sounds
        tab.client.get(tab.room + "?here=1")


# --- finishing ------------------------------------------------------------------------------------


def test_finishing_completes_the_interview_and_files_how_it_went():
    sitting = SittingFactory(current=4)
    sitting.answers.filter(number=1).update(text="Yes", seconds=30)
    sitting.answers.filter(number=2).update(text="  ", seconds=40)
    tab = Tab(sitting)

    response = tab.client.post(tab.room + "finish/")

    assert response.url == tab.room
    interview = Interview.objects.get()
    assert interview.status == InterviewStatus.COMPLETED
    assert interview.slot is not None
    ended = Sitting.objects.get()
    assert ended.ending == "completed"
    assert ended.ended_at == interview.ended_at
    assert (ended.evidence["answered"], ended.evidence["questions"]) == (1, 3)
    entry = FileEntry.objects.get()
    assert (entry.candidate, entry.interview) == (interview.candidate, interview.reference)
    assert (entry.ending, entry.answered, entry.questions) == ("completed", 1, 3)
    assert entry.seconds == 70
    last = interview.history.last()
    assert (last.event, last.data["answered"]) == ("completed", 1)
    assert tab.client.get(tab.room).context["state"] == "finished"


def test_finishing_twice_changes_nothing():
    tab = Tab(SittingFactory())
    tab.client.post(tab.room + "finish/")

    assert tab.client.post(tab.room + "finish/").status_code == 303
    assert FileEntry.objects.count() == 1
    assert Interview.objects.get().history.filter(event="completed").count() == 1


@pytest.mark.parametrize("status", ["exiting", "booked", "withdrawn", "incomplete"])
def test_what_is_not_going_on_cannot_be_finished(status):
    interview = soon(status=status)
    if status == "exiting":
        SittingFactory(interview=interview)

    signed_in(interview).post(room(interview, "finish"))

    assert Interview.objects.get().status == status


def test_finishing_too_late_is_left_to_the_sweep():
    tab = Tab(SittingFactory(resume_until=timezone.now() - SECOND))

    tab.client.post(tab.room + "finish/")

    assert Interview.objects.get().status == InterviewStatus.IN_PROGRESS


# --- without a session ----------------------------------------------------------------------------


def test_forms_sent_without_a_session_lead_to_signing_in_and_back():
    interview = soon()

    response = Client().post(room(interview, "enter"))

    assert response.url.startswith("/sign-in/?next=")
    client = signed_in(interview)
    assert client.get(room(interview, "enter")).url == room(interview)
    assert client.get(room(interview, "finish")).url == room(interview)
    assert Interview.objects.get().status == InterviewStatus.BOOKED


@pytest.mark.parametrize(
    "path", ["answers/1/", "answers/2/recording/", "heartbeat/", "go/", "events/"]
)
def test_script_is_told_where_to_sign_in(path):
    sitting = SittingFactory()
    tab = Tab(sitting)
    tab.client.logout()
    told = {"to": 2, "kind": "hidden", **tab.draft("Lost?")}

    response = tab.send(path, told)

    assert response.status_code == 401
    assert response.json() == {"sign_in": f"/sign-in/?next={tab.room.replace('/', '%2F')}"}
    assert not sitting.answers.exclude(text="").exists()


def test_presence_is_read_off_the_last_sign_of_life():
    sitting = SittingFactory.build(interview=None, last_seen_at=NOW)

    assert queries.presence(sitting, NOW + 45 * SECOND) == "here"
    assert queries.presence(sitting, NOW + 46 * SECOND) == "away"
