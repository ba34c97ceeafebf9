"""The desk's pages of the words of messages, and of group chats."""

import pytest
from django.urls import reverse

from cancellations.story import MESSAGES
from notifications.events import EVENTS
from notifications.models import ChatGroup, MessageTemplate
from tests.factories import DepartmentFactory, UserFactory

pytestmark = pytest.mark.django_db

HOME = reverse("cancellations:wording")
SMS = reverse("cancellations:edit_wording", args=["cancellation_done", "sms", "en"])
MAIL = reverse("cancellations:edit_wording", args=["cancellation_done", "email", "en"])
WORDS = {"body": "Gone: {{ position }}, {{ receipt }}"}


@pytest.fixture
def desk(client):
    client.force_login(UserFactory(administrator=True))
    return client


def test_the_list_leads_to_every_message_and_marks_ones_own(desk, django_assert_max_num_queries):
    page = desk.get(HOME).content.decode()
    assert SMS in page
    assert "★" not in page

    MessageTemplate.objects.create(
        event="cancellation_done", channel="sms", language="en", body="x"
    )

    with django_assert_max_num_queries(12):
        assert desk.get(HOME).content.decode().count("★") == 1


def test_the_page_begins_with_the_products_words_and_shows_them_filled(desk):
    page = desk.get(SMS).content.decode()

    assert "{{ position }}" in page
    assert "装配技术员" in page
    assert "text message" in page
    assert "id_title" not in page


def test_each_name_stands_there_with_an_example(desk):
    page = desk.get(SMS).content.decode()

    assert "for example: 装配技术员" in " ".join(page.split())
    said = " ".join(page.partition("<code>{{ starts_on }}</code>")[2].split())
    assert said.startswith('<span class="soft"> for example: ')


def test_a_look_keeps_nothing(desk):
    response = desk.post(SMS, WORDS | {"look": "1"})

    assert response.status_code == 200
    assert "Gone: 装配技术员, 7K2M9QX4TB" in response.content.decode()
    assert not MessageTemplate.objects.exists()


def test_every_message_is_called_something():
    assert EVENTS.keys() <= MESSAGES.keys()


def test_words_are_kept_and_set_back(desk):
    assert desk.post(SMS, WORDS).status_code == 302
    assert MessageTemplate.objects.get().body == WORDS["body"]
    assert WORDS["body"] in desk.get(SMS).content.decode()

    assert desk.post(SMS, {"restore": "1"}).status_code == 302
    assert not MessageTemplate.objects.exists()


@pytest.mark.parametrize(
    ("address", "sent", "said"),
    [
        (SMS, {"body": "{{ position }}"}, "{{ receipt }} has to stand in the text"),
        (SMS, {"body": "{{ secret }}"}, "secret is not known here"),
        (SMS, {"body": "{% load x %}"}, "cannot stand here"),
        (SMS, {"body": ""}, "Write a text."),
        (MAIL, WORDS, "Write a title."),
    ],
)
def test_what_would_not_work_is_refused_with_the_reason(desk, address, sent, said):
    response = desk.post(address, sent)

    assert response.status_code == 422
    assert said in response.content.decode()
    assert not MessageTemplate.objects.exists()


@pytest.mark.parametrize(
    "place", [("access_changed", "email", "en"), ("cancellation_done", "desk", "en"), ("x",) * 3]
)
def test_what_has_no_words_of_its_own_is_not_there(desk, place):
    assert desk.get(reverse("cancellations:edit_wording", args=place)).status_code == 404


def test_hr_leads_read_what_administrators_write_for_the_whole_company(client):
    client.force_login(UserFactory(lead=True))
    MessageTemplate.objects.create(
        event="cancellation_done", channel="sms", language="en", body=WORDS["body"]
    )

    page = client.get(SMS).content.decode()

    assert SMS in client.get(HOME).content.decode()
    assert WORDS["body"] in page
    assert "Gone: 装配技术员" in page  # as a preview
    assert "<textarea" not in page
    for sent in ({"body": "x"}, WORDS | {"look": "1"}, {"restore": "1"}):
        assert client.post(SMS, sent).status_code == 403
    assert MessageTemplate.objects.get().body == WORDS["body"]


def test_words_registered_elsewhere_say_so(desk, settings):
    assert "registered" not in desk.get(SMS).content.decode()
    settings.TWILIO_TEMPLATES = {"cancellation_done/sms.en": "HX1"}

    assert "registered" in desk.get(SMS).content.decode()


# --- group chats ----------------------------------------------------------------------------------

CHATS = reverse("cancellations:chat_groups")
NEW = reverse("cancellations:new_chat_group")
GROUP = {"name": "HR East", "url": "feishu://very-secret-token/", "language": "zh-hans"}


@pytest.fixture
def administration(client):
    client.force_login(UserFactory(administrator=True))
    return client


def test_a_group_is_added_and_its_key_shown_nowhere(administration):
    department = DepartmentFactory()

    administration.post(NEW, GROUP | {"departments": [department.pk]})

    group = ChatGroup.objects.get()
    assert group.audiences == [department.audience]
    page = administration.get(CHATS).content.decode()
    assert "HR East" in page
    assert department.name in page
    assert "very-secret-token" not in page


@pytest.mark.parametrize("url", ["json://127.0.0.1/", "feishu://", "https://x.example/", ""])
def test_what_is_no_bot_of_ours_is_refused(administration, url):
    response = administration.post(NEW, GROUP | {"url": url})

    assert response.status_code == 422
    assert not ChatGroup.objects.exists()


def test_a_group_is_switched_and_removed(administration):
    group = ChatGroup.objects.create(name="HR", url="feishu://abcdefgh/")

    def act(action, method="post"):
        address = reverse("cancellations:act_on_chat_group", args=[group.pk, action])
        return getattr(administration, method)(address).status_code

    assert act("remove", "get") == 302
    assert act("off") == 302
    assert not ChatGroup.objects.get().is_active
    assert act("on") == 302
    assert ChatGroup.objects.get().is_active
    assert ChatGroup.objects.get().url == "feishu://abcdefgh/"
    assert act("explode") == 404
    assert act("remove") == 302
    assert not ChatGroup.objects.exists()


def test_with_no_group_the_page_says_what_to_do(administration):
    assert "Add a bot" in administration.get(CHATS).content.decode()
