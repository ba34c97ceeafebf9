"""Sending a form after the session has ended: said plainly, and the way back kept."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from cancellations.models import Cancellation
from tests.factories import PASSWORD, CandidateFactory, InterviewFactory, UserFactory

pytestmark = pytest.mark.django_db

WORDS = "The bus does not run that day."


@pytest.fixture
def interview():
    return InterviewFactory(candidate=CandidateFactory(user__language="en"))


def page(name, interview):
    return reverse(f"cancellations:{name}", args=[interview.reference])


@pytest.mark.parametrize("name", ["cancel", "check"])
def test_who_cancels_too_late_signs_in_and_finds_the_reason_chosen(client, interview, name):
    sent = client.post(
        page(name, interview), {"reason": "other", "detail": WORDS}, HTTP_ACCEPT_LANGUAGE="en"
    )
    sign_in = client.get(sent.url, HTTP_ACCEPT_LANGUAGE="en")
    form = client.post(
        "/sign-in/",
        {
            "identifier": interview.candidate.user.mobile,
            "password": PASSWORD,
            "next": sign_in.context["next"],
        },
        follow=True,
    )

    assert "nothing was sent" in sign_in.content.decode()
    assert form.wsgi_request.path == page("cancel", interview)
    assert [row.code for row in form.context["form"].rows() if row.chosen] == ["other"]
    assert not Cancellation.objects.exists()


def test_what_was_written_never_stands_in_an_address(client, interview):
    sent = client.post(page("check", interview), {"reason": "other", "detail": WORDS})

    assert "reason%3Dother" in sent.url
    assert "bus" not in sent.url


@pytest.mark.parametrize("reason", ["I am 张三", "a b", "x" * 51, "\x00", "a&next=b", ""])
def test_only_a_code_is_brought_back(client, interview, reason):
    sent = client.post(page("check", interview), {"reason": reason})

    assert sent.url == f"/sign-in/?next={page('check', interview)}"


@pytest.mark.parametrize("reason", ["no_such_reason", "<script>", "\x00", "x" * 3000])
def test_address_naming_no_reason_of_ours_chooses_none(client, interview, reason):
    client.force_login(interview.candidate.user)

    response = client.get(page("cancel", interview), {"reason": reason})

    assert response.status_code == 200
    assert not any(row.chosen for row in response.context["form"].rows())


def test_desk_is_told_too_and_signs_in_at_its_own_door(client):
    address = reverse("cancellations:approve", args=["7K2M9QX4TB"])

    response = client.post(address, HTTP_ACCEPT_LANGUAGE="en")

    assert response.url == f"/desk/sign-in/?next={address}"
    assert "nothing was sent" in str(*get_messages(response.wsgi_request))


@pytest.mark.parametrize(
    ("address", "lands"),
    [
        ("/me/accounts/oidc/link/", "/me/"),
        ("/me/accounts/oidc/unlink/", "/me/"),
        ("/me/passkeys/1/remove/", "/me/two-step/"),
        ("/desk/settings/people/<pk>/reactivate/", "/desk/settings/people/<pk>/"),
        ("/desk/settings/people/<pk>/deactivate/", "/desk/settings/people/<pk>/deactivate/"),
    ],
)
def test_who_pressed_a_button_finds_a_page_after_signing_in_anew(client, address, lands):
    person = UserFactory(recruiter=True)
    address, lands = (each.replace("<pk>", str(person.pk)) for each in (address, lands))
    administrator = UserFactory(administrator=True)

    sent = client.post(address)
    sign_in = client.get(sent.url)
    form = {
        "identifier": administrator.email,
        "password": PASSWORD,
        "next": sign_in.context["next"],
    }
    found = client.post("/desk/sign-in/", form, follow=True)

    assert (found.status_code, found.wsgi_request.path) == (200, lands)


def test_who_only_opens_a_page_is_told_nothing(client, interview):
    response = client.get(page("cancel", interview))

    assert not list(get_messages(response.wsgi_request))


def test_form_with_an_old_token_leads_back_to_its_page(interview):
    client = Client(enforce_csrf_checks=True)
    client.force_login(interview.candidate.user)
    stood_on = f"http://testserver{page('cancel', interview)}?q=张三"

    response = client.post(
        page("check", interview),
        {"reason": "other", "detail": WORDS},
        HTTP_REFERER=stood_on,
        follow=True,
    )

    assert response.status_code == 403
    assert "was not taken" in response.text
    assert f'href="{page("cancel", interview)}?reason=other"' in response.text


@pytest.mark.parametrize(
    "referer",
    ["", "https://evil.example/interviews/", "http://testserver//evil.example/", "http://[x/"],
)
def test_page_that_was_not_ours_is_no_way_back(referer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())

    response = client.post("/me/", {"language": "en"}, HTTP_REFERER=referer)

    assert response.status_code == 403
    assert response.context["back"] == ""
    assert "evil.example" not in response.text
