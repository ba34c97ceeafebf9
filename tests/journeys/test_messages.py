"""People choose what they are written, HR writes it, administrators bring it into a chat."""

from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from notifications import preferences, unsubscribing
from notifications.models import ChatGroup, MessageTemplate, Notification
from tests.factories import CandidateFactory, InterviewFactory, UserFactory
from tests.journeys.visitor import either_language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
VAPID = "VFSxGzKn9XmHnDxq4Z-Kx6PdEGTLNvfO4LL4hRBTa5w"


@pytest.mark.parametrize("javascript", [True, False])
def test_candidate_chooses_what_they_may_do_without(visit, javascript):
    candidate = CandidateFactory().user
    phone = visit(candidate, javascript=javascript)
    phone.opens(reverse("accounts:me"))
    phone.follows("Which messages you are sent, and how")
    reminders = phone.page.get_by_role("group", name="Reminders")
    reminders.get_by_label("Email").uncheck()
    phone.presses("Save")

    phone.sees("Saved.")
    wanted = preferences.of(f"user:{candidate.pk}")
    assert [key for key, on in wanted.items() if not on] == [("reminders", "email")]
    assert not phone.complaints


def link_in_a_mail() -> str:
    """As a reminder brings it."""
    mail = Notification(event="interview_reminder", channel="email", recipient="user:1")
    return urlsplit(unsubscribing.url_for(mail)).path


@pytest.mark.parametrize("javascript", [True, False])
def test_whoever_follows_the_link_in_a_mail_ends_it_without_signing_in(visit, javascript):
    phone = visit(javascript=javascript)
    phone.opens(link_in_a_mail())
    phone.sees("No more of these messages?")
    assert preferences.of("user:1")["reminders", "email"]

    phone.presses("End them")
    phone.sees("These messages have ended")
    assert not preferences.of("user:1")["reminders", "email"]

    phone.presses("Send them again")
    phone.sees("You get these messages again")
    assert preferences.of("user:1")["reminders", "email"]


def test_administrator_writes_a_message_anew_and_sets_it_back(visit):
    desk = visit(UserFactory(administrator=True), width=1280, height=800)
    desk.opens(reverse("cancellations:settings"))
    desk.follows("Words of messages")
    desk.page.locator('a[href$="/cancellation_done/sms/en/"]').click()

    desk.writes("Text", "Cancelled: {{ positon }}")
    desk.presses("Save")
    desk.sees("positon is not known here")

    desk.writes("Text", "Cancelled: {{ position }}, receipt {{ receipt }}")
    desk.presses("Preview")
    desk.sees("Cancelled: 装配技术员, receipt 7K2M9QX4TB")
    desk.sees("UCS-2")
    assert not MessageTemplate.objects.exists()

    desk.presses("Save")
    desk.sees("New messages use these words")
    desk.page.locator('a[href$="/cancellation_done/sms/en/"]').click()
    desk.presses("Use the product's words again")
    desk.sees("the product's own again")
    assert not MessageTemplate.objects.exists()
    assert not desk.complaints


def test_administrator_brings_messages_into_a_group(visit):
    desk = visit(UserFactory(administrator=True), width=1280, height=800)
    desk.opens(reverse("cancellations:settings"))
    desk.follows("Group chats")
    desk.follows("Add a group")
    desk.writes("What is it called?", "HR East")
    desk.writes("Address of its bot", "feishu://abcdefgh/")
    desk.presses("Save")

    desk.sees("HR East is told from now on")
    desk.page.get_by_role("button", name="Switch it off").click()
    desk.sees("HR East is told no more")
    assert not desk.complaints


@either_language
def test_pages_of_messages_have_nothing_for_axe_to_find(visit, settings, language, width):
    settings.VAPID_PRIVATE_KEY = VAPID
    administrator = UserFactory(administrator=True, language=language)
    candidate = CandidateFactory(user__language=language)
    interview = InterviewFactory(candidate=candidate)
    desk, phone = visit(administrator, width=width), visit(candidate.user, width=width)
    words = reverse("cancellations:edit_wording", args=["company_cancelled_many", "email", "en"])
    found = desk.faults_of(
        [
            reverse("cancellations:chat_groups"),
            reverse("cancellations:new_chat_group"),
            reverse("cancellations:wording"),
            reverse("cancellations:edit_wording", args=["cancellation_done", "sms", language]),
            words,
        ]
    )
    found |= visit(UserFactory(lead=True, language=language), width=width).faults_of([f"{words}?"])
    ChatGroup.objects.create(name="HR East", url="feishu://abcdefgh/")
    found |= desk.faults_of([reverse("cancellations:chat_groups") + "?"])
    desk.opens(words)
    desk.page.locator("textarea").fill("{{ nothing }}")
    desk.page.locator("main button.button-primary").click()
    desk.page.locator(".error-summary").wait_for()
    found["refused"] = desk.faults()
    found |= phone.faults_of(
        [
            reverse("accounts:messages"),
            reverse("cancellations:interview", args=[interview.reference]),
        ]
    )
    link = link_in_a_mail()
    stranger = visit(width=width, locale=language)
    found |= stranger.faults_of([link, link[:-4] + "/"])
    stranger.opens(link)
    stranger.page.locator("main button").click()
    found["ended"] = stranger.faults()

    assert {name: faults for name, faults in found.items() if faults} == {}
