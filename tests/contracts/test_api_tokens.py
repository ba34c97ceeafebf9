"""Tokens that administrators issue: who they act as, what they may, and when they end."""

from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import URLResolver
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.throttling import SimpleRateThrottle

from accounts import api_tokens, tokens
from accounts.endpoints import Endpoint
from accounts.models import ApiToken
from accounts.scopes import ANY, Scope
from cancellations.models import Cancellation, CancellationStatus
from interviews.models import HistoryEntry
from notifications.models import Notification
from tests.contracts.api import Caller, assert_problem, caller
from tests.factories import CancellationFactory, DepartmentFactory, InterviewFactory, UserFactory

pytestmark = pytest.mark.django_db

INTERVIEWS, CANCELLATIONS = "/api/v1/interviews/", "/api/v1/cancellations/"


def token_for(user, *scopes, days=90, by=None):
    """The token and a caller that uses it."""
    token, secret = api_tokens.issue_token(
        "ATS",
        acts_as=user,
        scopes=scopes,
        expires_at=timezone.now() + timedelta(days=days),
        by=by or UserFactory(administrator=True),
    )
    client = Caller(HTTP_ACCEPT_LANGUAGE="en")
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return token, client


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, departments=[department])


def test_token_acts_as_the_member_of_staff(department, lead):
    mine = CancellationFactory(interview__department=department)
    CancellationFactory()
    _, client = token_for(lead, Scope.READ_CANCELLATIONS, Scope.DECIDE_CANCELLATIONS)

    rows = client.get(CANCELLATIONS).json()["results"]
    answer = client.post(f"{CANCELLATIONS}{mine.reference}/approval/", {"note": "fine"})

    assert [row["receipt"] for row in rows] == [mine.reference]
    assert answer.status_code == 200
    assert Cancellation.objects.get(pk=mine.pk).decided_by == lead


def test_another_departments_request_is_not_there(lead):
    elsewhere = CancellationFactory()
    _, client = token_for(lead, Scope.DECIDE_CANCELLATIONS)

    response = client.post(f"{CANCELLATIONS}{elsewhere.reference}/approval/")

    assert_problem(response, 404, "not-found")


def test_history_tells_a_token_from_the_person(department, lead):
    waiting = CancellationFactory(interview__department=department)
    token, client = token_for(lead, Scope.DECIDE_CANCELLATIONS)
    client.post(f"{CANCELLATIONS}{waiting.reference}/approval/")

    entry = HistoryEntry.objects.get(interview=waiting.interview, event="cancelled")

    assert (entry.actor, entry.data["token"]) == (f"user:{lead.pk}", token.pk)


def test_secret_is_shown_once_and_kept_as_a_hash(lead):
    token, client = token_for(lead, Scope.READ_INTERVIEWS)
    secret = client._credentials["HTTP_AUTHORIZATION"].removeprefix("Token ")

    kept = ApiToken.objects.values().get(pk=token.pk)

    assert secret.startswith(tokens.PREFIX)
    assert secret not in str(kept)
    assert secret.startswith(kept["hint"])
    assert len(kept["hint"]) == len(tokens.PREFIX) + 4


def test_revoked_token_opens_nothing_from_that_moment(lead):
    token, client = token_for(lead, Scope.READ_INTERVIEWS)
    assert client.get(INTERVIEWS).status_code == 200

    api_tokens.revoke_token(token.pk, by=token.created_by)

    assert_problem(client.get(INTERVIEWS), 401, "token-revoked")


def test_expired_token_opens_nothing(lead):
    _, client = token_for(lead, Scope.READ_INTERVIEWS, days=1)

    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        assert_problem(client.get(INTERVIEWS), 401, "token-expired")


def test_token_ends_with_the_access_of_who_it_acts_as(lead):
    _, client = token_for(lead, Scope.READ_INTERVIEWS)
    lead.is_active = False
    lead.save()

    assert_problem(client.get(INTERVIEWS), 401, "authentication-failed")


def test_guessed_token_is_refused_like_any_other():
    client = Caller(HTTP_AUTHORIZATION=f"Token {tokens.PREFIX}guessed")

    assert_problem(client.get(INTERVIEWS), 401, "authentication-failed")


def test_last_use_is_noted_to_the_minute(lead):
    token, client = token_for(lead, Scope.READ_INTERVIEWS)
    begun = timezone.now().replace(microsecond=0)

    for seconds, seen in [(0, 0), (30, 0), (61, 61)]:
        with time_machine.travel(begun + timedelta(seconds=seconds), tick=False):
            client.get(INTERVIEWS)
        noted = ApiToken.objects.get(pk=token.pk).last_used_at
        assert noted == begun + timedelta(seconds=seen)


# --- Scopes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        (Scope.READ_INTERVIEWS, "get", INTERVIEWS),
        (Scope.READ_INTERVIEWS, "get", f"{INTERVIEWS}<interview>/"),
        (Scope.READ_CANCELLATIONS, "get", CANCELLATIONS),
        (Scope.DECIDE_CANCELLATIONS, "post", f"{CANCELLATIONS}<receipt>/approval/"),
        (Scope.DECIDE_CANCELLATIONS, "post", f"{CANCELLATIONS}<receipt>/refusal/"),
    ],
)
def test_each_address_opens_to_its_scope_and_to_no_other(department, lead, scope, method, path):
    waiting = CancellationFactory(interview__department=department)
    path = path.replace("<receipt>", waiting.reference)
    path = path.replace("<interview>", waiting.interview.reference)
    administrator = UserFactory(administrator=True)
    others = [each for each in Scope if each != scope]

    _, without = token_for(administrator, *others)
    refused = assert_problem(getattr(without, method)(path), 403, "scope-missing")
    _, with_it = token_for(lead, scope)

    assert scope in refused["detail"]
    assert getattr(with_it, method)(path).status_code == 200


def test_token_cannot_ask_as_a_candidate(department, lead):
    interview = InterviewFactory(department=department)
    _, client = token_for(lead, *(set(Scope) - {Scope.READ_POLICIES}))

    response = client.post(
        f"{INTERVIEWS}{interview.reference}/cancellation/", {"reason": "time_conflict"}
    )

    assert_problem(response, 403, "scope-missing")


def test_scope_never_grants_what_the_role_does_not(department):
    """Even where the role was lowered after the token was issued."""
    lead = UserFactory(lead=True, departments=[department])
    waiting = CancellationFactory(interview__department=department)
    _, client = token_for(lead, Scope.DECIDE_CANCELLATIONS)
    lead.role = "recruiter"
    lead.save()

    response = client.post(f"{CANCELLATIONS}{waiting.reference}/approval/")

    assert_problem(response, 403, "permission-denied")
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED


# Written by hand: which roles a token of a scope is of use to.
OF_USE = {
    "interviews:read": "viewer recruiter lead administrator",
    "interviews:book": "recruiter lead administrator",
    "interviews:cancel": "recruiter lead administrator",
    "cancellations:read": "viewer recruiter lead administrator",
    "cancellations:decide": "lead administrator",
    "work:read": "viewer recruiter lead administrator",
    "work:write": "recruiter lead administrator",
    "policies:read": "lead administrator",
    "history:read": "viewer recruiter lead administrator",
    "figures:read": "viewer recruiter lead administrator",
}


def test_every_scope_stands_in_the_table():
    assert set(OF_USE) == set(Scope.values)


@pytest.mark.parametrize("role", ["viewer", "recruiter", "lead", "administrator"])
@pytest.mark.parametrize("scope", OF_USE)
def test_token_is_issued_only_for_what_the_role_may_do(role, scope):
    user = UserFactory(**{role: True})

    if role in OF_USE[scope].split():
        assert token_for(user, scope)[0].scopes == [scope]
    else:
        with pytest.raises(api_tokens.OutOfReach):
            token_for(user, scope)


@pytest.mark.parametrize("role", ["viewer", "recruiter", "lead"])
def test_only_administrators_issue_and_revoke(role, lead):
    token, _ = token_for(lead, Scope.READ_INTERVIEWS)
    somebody = UserFactory(**{role: True})

    with pytest.raises(PermissionDenied):
        token_for(lead, Scope.READ_INTERVIEWS, by=somebody)
    with pytest.raises(PermissionDenied):
        api_tokens.revoke_token(token.pk, by=somebody)


def test_token_never_acts_as_a_candidate():
    with pytest.raises(PermissionDenied):
        token_for(UserFactory(), Scope.READ_INTERVIEWS)


def test_who_it_acts_as_is_told(lead):
    token_for(lead, Scope.READ_INTERVIEWS)

    notice = Notification.objects.get(event="token_issued")

    assert (notice.recipient, notice.channel) == (f"user:{lead.pk}", "desk")


def test_every_address_says_which_scope_it_needs():
    """A view that forgot to would let every token in: it must be an Endpoint, or open to all."""
    patterns = list(import_module("config.api").v1)
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            patterns += pattern.url_patterns
            continue
        view = pattern.callback.view_class
        if AllowAny in view.permission_classes:
            continue
        assert issubclass(view, Endpoint), view
        assert set(view.scopes.values()) <= {ANY, *Scope}, view


# --- How often ----------------------------------------------------------------------------------


def test_each_token_is_counted_by_itself(monkeypatch, lead):
    monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, "user", "2/min")
    _, first = token_for(lead, Scope.READ_INTERVIEWS)
    _, second = token_for(lead, Scope.READ_INTERVIEWS)

    assert [first.get(INTERVIEWS).status_code for _ in range(3)] == [200, 200, 429]
    assert second.get(INTERVIEWS).status_code == 200
    assert caller(lead).get(INTERVIEWS).status_code == 200
