"""Whatever is sent to the sign-in pages, the answer is a page and not a breakdown."""

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PAGES = [
    "/sign-in/",
    "/desk/sign-in/",
    "/sign-in/code/",
    "/sign-in/code/confirm/",
    "/sign-in/code/again/",
    "/sign-in/second-step/",
    "/password/forgotten/",
    "/language/",
]
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=300)
TYPED = st.one_of(ANY_TEXT, st.from_regex(r"\+?[0-9X -]{5,20}"), st.just("13800000001"))
QUIET = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@QUIET
@given(
    page=st.sampled_from(PAGES),
    form=st.dictionaries(
        st.sampled_from(["identifier", "password", "code", "next", "language"]), TYPED
    ),
)
def test_sign_in_pages_never_break(page, form):
    cache.clear()
    client = Client()
    client.post("/sign-in/code/", {"identifier": "13800000001"})

    assert client.post(page, form).status_code < 500
    assert client.get(page, form).status_code < 500


@QUIET
@given(
    form=st.dictionaries(
        st.sampled_from(
            ["language", "time_zone", "secret", "code", "password", "new_password1", "next"]
        ),
        ANY_TEXT,
    ),
    page=st.sampled_from(["/me/", "/me/password/", "/me/two-step/on/", "/me/two-step/off/"]),
)
def test_settings_never_break(page, form):
    cache.clear()
    client = Client()
    client.force_login(UserFactory(lead=True))

    assert client.post(page, form).status_code < 500


@QUIET
@given(
    body=st.binary(max_size=2000),
    kind=st.sampled_from(
        ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain", ""]
    ),
)
def test_any_bytes_are_answered(body, kind):
    cache.clear()

    response = Client().post("/sign-in/", data=body, content_type=kind)

    assert response.status_code < 500
