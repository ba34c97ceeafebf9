"""What holds for the whole API: how callers are known, and what every error looks like."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.middleware.csrf import _get_new_csrf_string
from rest_framework.throttling import SimpleRateThrottle
from werkzeug.test import Client

from cancellations import queries
from interviews.models import Interview
from interviews.states import InterviewStatus
from tests.contracts.api import Caller, assert_problem, caller
from tests.factories import InterviewFactory, UserFactory

pytestmark = pytest.mark.django_db

INTERVIEWS = "/api/v1/interviews/"


def test_root_leads_to_everything():
    client = caller()

    for name, address in client.get("/api/v1/").json().items():
        assert client.get(address).status_code in {200, 401, 405}, name


# --- Who calls ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (None, "not-authenticated"),
        ("Token 0123", "authentication-failed"),
        ("Token", "authentication-failed"),
        ("Token a b", "authentication-failed"),
        ("Token a\x00b", "authentication-failed"),
        ("Token \xff", "authentication-failed"),
        ("Bearer 0123", "not-authenticated"),
    ],
)
def test_caller_without_a_good_token_is_challenged(header, kind):
    response = caller().get(INTERVIEWS, **({"HTTP_AUTHORIZATION": header} if header else {}))

    assert_problem(response, 401, kind)
    assert response["WWW-Authenticate"] == "Token"


def test_token_of_somebody_switched_off_opens_nothing():
    user = UserFactory()
    client = caller(user)
    user.is_active = False
    user.save()

    assert_problem(client.get(INTERVIEWS), 401, "authentication-failed")


def test_session_opens_the_api_and_must_prove_that_a_page_of_ours_asked():
    interview = InterviewFactory()
    client = Caller(enforce_csrf_checks=True)
    client.force_login(interview.candidate.user)
    url, reason = f"{INTERVIEWS}{interview.reference}/cancellation/", {"reason": "time_conflict"}

    assert client.get(INTERVIEWS).status_code == 200
    assert_problem(client.post(url, reason), 403, "permission-denied")
    assert Interview.objects.get(pk=interview.pk).status == InterviewStatus.BOOKED

    secret = client.cookies[settings.CSRF_COOKIE_NAME] = _get_new_csrf_string()
    assert client.post(url, reason, HTTP_X_CSRFTOKEN=secret).status_code == 201


# --- Every error is a problem -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v2/", "/api/v1/nothing/", "/api/v1/interviews/short/", "/api/%00/"]
)
def test_unknown_address_is_a_problem(method, path):
    assert_problem(getattr(caller(), method)(path), 404, "not-found")


def test_address_without_its_slash_says_so():
    problem = assert_problem(caller().post("/api/v1/sign-in"), 404, "not-found")

    assert "slash" in problem["detail"]


def test_unknown_reference_is_a_problem():
    response = caller(UserFactory()).get(f"{INTERVIEWS}0123456789/")

    assert_problem(response, 404, "not-found")


def test_wrong_method_is_a_problem_that_says_which_are_right():
    response = caller(UserFactory()).delete(INTERVIEWS)

    assert_problem(response, 405, "method-not-allowed")
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_unspoken_format_is_a_problem():
    client = caller(UserFactory())

    assert_problem(client.get(INTERVIEWS, HTTP_ACCEPT="text/html"), 406, "not-acceptable")
    assert_problem(client.get(INTERVIEWS, {"format": "xml"}), 404, "not-found")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "x"]
)
def test_unread_format_is_a_problem(content_type):
    response = caller().post("/api/v1/sign-in/", b"a=b", content_type=content_type)

    assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"\x00",
        b'{"identifier": NaN}',
        b"9" * 5000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_unreadable_json_is_a_problem(body):
    response = caller().post("/api/v1/sign-in/", body, content_type="application/json")

    assert_problem(response, 400, "parse-error")


@pytest.mark.parametrize("charset", ["utf-16", "zlib", "rot13", "nonsense", "base64"])
def test_json_is_utf_8_whatever_the_header_says(charset, wsgi):
    response = Client(wsgi).post(
        "/api/v1/sign-in/?a=b",
        data='{"identifier": "张三", "password": "x"}'.encode(),
        content_type=f"application/json; charset={charset}",
    )

    assert response.status_code == 401
    assert response.json["type"] == "urn:mianyue:problem:wrong-credentials"


def test_huge_body_is_a_problem():
    body = b'"' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"'

    response = caller().post("/api/v1/sign-in/", body, content_type="application/json")

    assert_problem(response, 413, "too-large")


def test_wrong_host_is_a_problem():
    assert_problem(caller().get("/api/v1/", HTTP_HOST="evil.example"), 400, "invalid")


def test_our_own_fault_is_a_problem_that_tells_nothing(monkeypatch):
    monkeypatch.setattr(queries, "receipt", lambda reference: 1 / 0)

    response = caller(raise_request_exception=False).get("/api/v1/receipts/0123456789/")

    assert_problem(response, 500, "error")
    assert "zero" not in response.content.decode()


@pytest.mark.parametrize("scope", ["anon", "user"])
def test_too_many_calls_are_a_problem_that_says_when_to_return(monkeypatch, scope):
    monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, scope, "2/min")
    client = caller(UserFactory() if scope == "user" else None)

    assert [client.get("/api/v1/").status_code for _ in range(2)] == [200, 200]
    response = client.get("/api/v1/")
    assert_problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60


def test_problems_speak_the_callers_language():
    chinese = caller(UserFactory()).get(f"{INTERVIEWS}?kind=x", HTTP_ACCEPT_LANGUAGE="zh-CN")

    assert re.search("[\u4e00-\u9fff]", str(chinese.json()["errors"]))


def test_rule_and_problem_agree_with_each_other():
    """What the interview's `cancel` announces is what asking brings."""
    for starts_in, status in [(timedelta(hours=25), 201), (timedelta(hours=-1), 409)]:
        interview = InterviewFactory(starts_in=starts_in)
        client, url = caller(interview.candidate.user), f"{INTERVIEWS}{interview.reference}/"
        announced = client.get(url).json()["cancel"]["outcome"]
        response = client.post(f"{url}cancellation/", {"reason": "time_conflict"})
        assert response.status_code == status
        assert (announced == "refused") == (status == 409)


@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        ('{"a": 1,\n "b": }', "application/json", "第 2 行第 7 列"),
        (b"\xff\xfe", "application/json", "UTF-8"),
        ("{}", "application/json; charset=hex", "无法识别此字符集"),
        ("[" * 100_000, "application/json", "嵌套"),
    ],
)
@pytest.mark.parametrize("asked_for", ["header", "settings"])
def test_unreadable_json_is_explained_in_the_callers_language(
    body, content_type, detail, asked_for
):
    language = "zh-hans" if asked_for == "settings" else "en"
    interview = InterviewFactory(candidate__user__language=language)
    client = caller(interview.candidate.user)
    client.defaults.pop("HTTP_ACCEPT_LANGUAGE")
    header = {"HTTP_ACCEPT_LANGUAGE": "zh-CN"} if asked_for == "header" else {}

    address = f"{INTERVIEWS}{interview.reference}/cancellation/"
    response = client.post(address, body, content_type=content_type, **header)

    problem = assert_problem(response, 400, "parse-error")
    assert problem["title"] == "请求有误"
    assert detail in problem["detail"]


def test_titles_are_in_english_for_english_callers():
    interview = InterviewFactory()
    client = caller(interview.candidate.user)

    address = f"{INTERVIEWS}{interview.reference}/cancellation/"
    response = client.post(address, "{", content_type="application/json")

    problem = assert_problem(response, 400, "parse-error")
    assert problem["title"] == "Bad Request"
    assert problem["detail"] == "This is not JSON: look at line 1, column 2."
