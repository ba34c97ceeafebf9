"""Help before leaving: what is found, what is offered, and what becomes of it."""

import re
from datetime import timedelta

import pytest
from django.db.models import JSONField, Value
from django.urls import reverse
from django.utils import timezone

from cancellations.help import queries, services
from cancellations.help.models import FaqEntry, HelpConversation, HelpTurn, Offer
from cancellations.help.terms import cut
from cancellations.work import open_follow_up
from candidates.models import Candidate
from interviews.models import Interview, Position
from notifications.models import WorkItem
from tests.factories import (
    ApplicationFactory,
    InterviewFactory,
    PositionFactory,
    SittingFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
JSON = JSONField()


@pytest.mark.parametrize(
    ("text", "pairs", "words"),
    [
        ("网络断了", ["网络", "络断"], []),
        ("My network, my NETWORK!", [], ["my", "network"]),
        ("用iPhone断网", ["用", "断网"], ["iphone"]),
        ("用", ["用"], []),
        ("怎么可以", [], []),
        ("", [], []),
        ("'; DROP TABLE x; --", [], ["drop", "table", "x"]),
    ],
)
def test_texts_are_cut_into_pairs_and_words(text, pairs, words):
    assert cut(text) == (pairs, words)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("面试时断网了，答案会丢吗", "断网"),
        ("I lost my connection, are my answers gone?", "断网"),
        ("想休息一下再继续", "休息"),
        ("my microphone is not working", "麦克风"),
        ("谁能看到我的录音", "录音"),
        ("取消后还能再申请吗", "申请"),
    ],
)
def test_what_is_asked_finds_its_answer_in_either_language(asked, code):
    assert code in queries.find(asked)[0].question_zh


@pytest.mark.parametrize("asked", ["", "怎么", "xyzzy plugh", "' | & ! (", "\\", ":*"])
def test_nothing_fitting_is_found_and_nothing_breaks(asked):
    assert queries.find(asked) == []


def test_entry_is_found_by_what_it_says_now():
    entry = FaqEntry.objects.create(
        question_zh="宿舍有空调吗？",
        answer_zh="有。",
        question_en="Do the dormitories have air conditioning?",
        answer_en="They do.",
    )
    assert queries.find("宿舍空调") == [entry]

    entry.question_zh, entry.question_en = "食堂几点开？", "When does the canteen open?"
    entry.save()

    assert queries.find("宿舍空调") == []
    assert queries.find("canteen") == [entry]
    entry.is_active = False
    entry.save()
    assert queries.find("canteen") == []


def test_question_is_answered_and_what_helped_is_kept():
    interview = SittingFactory().interview

    talk, turns = services.ask(interview, text="断网了", reason="device", conversation=None)

    assert {turn.offer for turn in turns} == {Offer.ANSWER, Offer.DEVICE, Offer.BREAK}
    services.say_whether_it_helped(talk, turns[0].pk, True)
    talk.refresh_from_db()
    assert talk.stayed is True
    assert HelpTurn.objects.get(pk=turns[0].pk).helped is True
    other = HelpConversation.objects.create(interview=interview)
    with pytest.raises(HelpTurn.DoesNotExist):
        services.say_whether_it_helped(other, turns[0].pk, True)


def test_where_nothing_fits_a_person_is_offered():
    _talk, turns = services.ask(
        SittingFactory().interview, text="xyzzy", reason="", conversation=None
    )

    assert [turn.offer for turn in turns] == [Offer.PERSON]


def test_handing_over_puts_one_item_on_the_queue():
    interview = SittingFactory().interview
    talk, _turns = services.ask(interview, text="xyzzy", reason="", conversation=None)

    services.hand_over(talk)
    talk.refresh_from_db()
    services.hand_over(talk)

    item = WorkItem.objects.get()
    assert item.subject == interview.subject
    assert item.params == {"code": "asks_for_a_person"}
    assert item.due_at < timezone.now() + timedelta(minutes=31)
    assert item.remind_at < item.due_at  # in time to keep what was promised
    assert "xyzzy" not in str(list(interview.history.values_list("data", flat=True)))


def test_handing_over_twice_at_once_is_told_once():
    """Two tabs, each of which read that nobody had asked yet."""
    interview = SittingFactory().interview
    talk, _turns = services.ask(interview, text="xyzzy", reason="", conversation=None)
    same = HelpConversation.objects.get(pk=talk.pk)

    services.hand_over(talk)
    services.hand_over(same)

    assert interview.history.filter(event="help_asked").count() == 1


def test_who_asks_for_a_person_waits_behind_no_other_follow_up(client):
    interview = SittingFactory().interview
    lead = UserFactory(lead=True, departments=[interview.position.department])
    later = timezone.now() + timedelta(days=3)
    open_follow_up(interview, by=lead, task="Ask for the certificate", due_at=later, to=None)
    talk, _turns = services.ask(interview, text="xyzzy plugh", reason="", conversation=None)

    services.hand_over(talk)

    item = WorkItem.objects.get()
    assert item.task == "Ask for the certificate"
    assert item.due_at < timezone.now() + timedelta(minutes=31)
    client.force_login(lead)
    page = client.get(reverse("cancellations:work_item", args=[item.reference])).content.decode()
    assert "xyzzy plugh" in page


def test_asking_is_observed_with_the_sitting():
    sitting = SittingFactory()

    services.ask(sitting.interview, text="xyzzy", reason="", conversation=None)

    assert sitting.events.filter(kind="help_opened").count() == 1


@pytest.mark.parametrize(
    ("wanted", "attributes"),
    [
        ([], {}),
        ("travel", {}),
        ({"skills": None}, {"skills": None}),
        ({"skills": [{"a": 1}, ["b"]]}, {"skills": [{"a": 1}, 7]}),
        ({"skills": "welding"}, {"skills": "welding"}),
        ({}, ["nights"]),
        (None, None),
    ],
)
def test_what_is_no_mapping_says_nothing_of_a_position(wanted, attributes):
    interview = SittingFactory().interview
    Candidate.objects.filter(pk=interview.candidate.pk).update(attributes=Value(attributes, JSON))
    other = PositionFactory(title="焊工")
    Position.objects.filter(pk=other.pk).update(requirements=Value(wanted, JSON))

    assert other in queries.fitting_positions(Interview.objects.get(pk=interview.pk))


def test_other_positions_fit_the_resume():
    interview = SittingFactory().interview
    candidate = interview.candidate
    candidate.city, candidate.attributes = "深圳", {"nights": False, "skills": ["welding"]}
    candidate.save()
    Position.objects.exclude(pk=interview.position.pk).delete()
    nights = PositionFactory(title="A 夜班", requirements={"nights": True})
    welding = PositionFactory(title="B 焊工", requirements={"skills": ["welding"]}, city="")
    nearby = PositionFactory(title="C 质检", city="深圳")
    PositionFactory(title="D 已关闭", is_open=False)
    applied = PositionFactory(title="E 已申请")
    ApplicationFactory(candidate=candidate, position=applied)
    plain = PositionFactory(title="F 普工", city="")

    found = queries.fitting_positions(interview)

    assert found == [nearby, welding, plain]
    assert nights not in found


# --- the pages ------------------------------------------------------------------------------------


@pytest.fixture
def room(client):
    sitting = SittingFactory(current=2)
    client.force_login(sitting.interview.candidate.user)
    return sitting.interview


def assistant(interview):
    return reverse("cancellations:assistant", args=[interview.reference])


def test_assistant_answers_offers_and_says_thank_you(client, room):
    response = client.post(assistant(room), {"text": "my microphone is not working"})

    assert response.status_code == 303
    page = client.get(response["Location"]).content.decode()
    assert "microphone" in page
    talk = HelpConversation.objects.get()
    turn = talk.turns.first()
    done = client.post(
        reverse("cancellations:assistant_verdict", args=[room.reference, talk.reference]),
        {"turn": turn.pk, "helped": "yes"},
        follow=True,
    )
    assert "You said that this helped." in done.content.decode()
    client.post(reverse("cancellations:assistant_person", args=[room.reference, talk.reference]))
    assert WorkItem.objects.count() == 1


def test_empty_question_keeps_its_place(client, room):
    response = client.post(assistant(room), {"text": "  "})

    assert response.status_code == 422
    assert "Say in a few words" in response.content.decode()


@pytest.mark.parametrize("talk", ["\x00", "x" * 5000, "断网", "0000000000"])
def test_what_is_no_talk_is_not_there(client, room, talk):
    assert client.get(assistant(room), {"talk": talk}).status_code == 404


@pytest.mark.parametrize("reason", ["x" * 51, "a\x00", "nothing_of_ours"])
def test_reason_that_is_none_says_nothing(client, room, reason):
    response = client.post(assistant(room), {"text": "my microphone", "reason": reason})

    assert response.status_code == 303
    assert HelpConversation.objects.get().reason == ""


def test_break_is_offered_only_where_one_can_come_back(client, room):
    Interview.objects.filter(pk=room.pk).update(status="completed")
    room.sittings.update(ended_at=timezone.now())

    page = client.post(assistant(room), {"text": "break"}, follow=True).content.decode()

    assert "Take a break" not in page
    assert page.count("Did this help?") == page.count("<h3>")


def test_who_has_talked_enough_is_led_to_a_person(client, room, monkeypatch):
    monkeypatch.setattr(services, "MOST_TALKS", 2)
    for _time in range(2):
        client.post(assistant(room), {"text": "my microphone"})

    page = client.post(assistant(room), {"text": "my microphone"}, follow=True).content.decode()

    assert HelpConversation.objects.count() == 2
    assert "A person helps better now" in page
    talk = HelpConversation.objects.first()
    assert reverse("cancellations:assistant_person", args=[room.reference, talk.reference]) in page


def test_asking_the_same_again_shows_it_once(client, room):
    response = client.post(assistant(room), {"text": "my microphone"})
    page = client.post(response["Location"], {"text": "my microphone"}, follow=True)

    headings = re.findall("<h3>(.*?)</h3>", page.content.decode())
    assert headings
    assert len(headings) == len(set(headings))


def test_talk_of_somebody_else_is_not_there(client, room):
    other = HelpConversation.objects.create(interview=InterviewFactory())

    assert client.get(assistant(room), {"talk": other.reference}).status_code == 404
    stranger = UserFactory()
    client.force_login(stranger)
    assert client.get(assistant(room)).status_code == 404


def test_help_and_guide_need_no_sign_in(client):
    assert client.get(reverse("cancellations:guide")).status_code == 200
    page = client.get(reverse("cancellations:help"), {"q": "断网"}).content.decode()
    assert page.count("<details") >= 1


def test_hr_words_the_answers_and_sees_what_helped(client):
    client.force_login(UserFactory(lead=True))
    entry = FaqEntry.objects.order_by("order").first()
    talk = HelpConversation.objects.create()
    HelpTurn.objects.create(conversation=talk, offer=Offer.ANSWER, faq=entry, helped=True)

    page = client.get(reverse("cancellations:faq"))
    assert (page.context["entries"][0].offered, page.context["entries"][0].helped) == (1, 1)

    bad = client.post(reverse("cancellations:faq_new"), {"question_zh": "？"})
    assert bad.status_code == 422
    client.post(
        reverse("cancellations:faq_new"),
        {
            "question_zh": "有班车吗？",
            "answer_zh": "有。",
            "question_en": "Is there a shuttle?",
            "answer_en": "There is.",
            "keywords": "",
            "order": "99",
            "is_active": "on",
        },
    )
    assert queries.find("班车")[0].question_en == "Is there a shuttle?"
    client.post(
        reverse("cancellations:faq_edit", args=[queries.find("班车")[0].pk]), {"remove": "1"}
    )
    assert queries.find("班车") == []
