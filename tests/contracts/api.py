"""What tests of the API share."""

from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient


class Caller(APIClient):
    default_format = "json"


def caller(user=None, **kwargs) -> Caller:
    """Speaks JSON and English, with the token of `user`."""
    client = Caller(HTTP_ACCEPT_LANGUAGE="en", **kwargs)
    if user:
        token, _ = Token.objects.get_or_create(user=user)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


def assert_problem(response, status, kind):
    """RFC 9457, with all the members we promise; returns it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:mianyue:problem:{kind}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == response.wsgi_request.path
    return problem
