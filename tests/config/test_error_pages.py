"""When something went wrong there is a way on: home, the menu, the other language."""

import pytest
from django.test import Client
from django.urls import reverse

from config import views
from tests.factories import CandidateFactory, UserFactory

NOWHERE = "/nowhere/?page=2"
MENU, RAIL = '<details class="menu">', '<nav class="desk-rail"'


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "said", "sign_in", "other"),
    [
        ("en", "There is no such page", "Sign in", "简体中文"),
        ("zh-hans", "页面不存在", "登录", "English"),
    ],
)
def test_stranger_finds_the_menu_and_the_other_language(client, language, said, sign_in, other):
    response = client.get(NOWHERE, headers={"Accept-Language": language})

    page = response.content.decode()
    assert response.status_code == 404
    assert said in page
    assert MENU in page
    assert sign_in in page
    assert other in page
    assert f'name="next" value="{NOWHERE}"' in " ".join(page.split())


@pytest.mark.django_db
def test_switching_the_language_stays_on_the_page(client):
    chosen = {"language": "zh-hans", "next": NOWHERE}

    page = client.post(reverse("accounts:language"), chosen, follow=True)

    assert page.redirect_chain == [(NOWHERE, 302)]
    assert page.status_code == 404
    assert "页面不存在" in page.content.decode()


@pytest.mark.django_db
def test_candidate_finds_their_own_menu(client):
    candidate = CandidateFactory(user__language="en")
    client.force_login(candidate.user)

    for path, status in ((NOWHERE, 404), (reverse("cancellations:queue"), 403)):
        response = client.get(path)

        page = response.content.decode()
        assert response.status_code == status
        assert f"Signed in as {candidate.user.name}" in page
        assert reverse("cancellations:mine") in page
        assert reverse("accounts:sign_out") in page
        assert RAIL not in page


@pytest.mark.django_db
def test_staff_stay_at_the_desk(client):
    client.force_login(UserFactory(lead=True, language="en"))

    response = client.get("/desk/nowhere/")

    page = response.content.decode()
    assert response.status_code == 404
    assert RAIL in page
    assert reverse("cancellations:inbox") in page
    assert "Your interviews" not in page


@pytest.mark.django_db
def test_form_that_was_open_for_too_long_can_be_left_in_either_language():
    client = Client(enforce_csrf_checks=True)

    response = client.post(reverse("accounts:sign_out"), headers={"Accept-Language": "en"})

    page = response.content.decode()
    assert response.status_code == 403
    assert "This page had been open for too long" in page
    assert MENU in page
    assert 'name="next" value="/"' in " ".join(page.split())  # a GET of that address is refused


@pytest.mark.django_db
def test_refused_before_it_is_known_who_asks(client):
    response = client.get("/", headers={"Host": "elsewhere.example", "Accept-Language": "en"})

    page = response.content.decode()
    assert response.status_code == 400
    assert "We could not read that" in page
    assert MENU in page


@pytest.mark.parametrize(("answer", "status"), [("server_error", 500), ("unavailable", 503)])
def test_fault_of_ours_is_told_without_database_or_session(rf, answer, status):
    """Without the database mark: a query would fail the test."""
    response = getattr(views, answer)(rf.get(NOWHERE))

    page = response.content.decode()
    assert response.status_code == status
    assert 'href="/"' in page
    assert 'href="tel:' in page
    assert "<form" not in page


@pytest.mark.django_db
def test_each_of_several_errors_names_its_field(client):
    client.force_login(UserFactory(administrator=True, language="en"))

    page = client.post(reverse("cancellations:faq_new"), {}).content.decode()

    summary = " ".join(page.split('class="error-summary"')[1].split("</ul>")[0].split())
    assert "Question in Chinese: Both languages are needed" in summary
    assert "Answer in English: Both languages are needed" in summary
