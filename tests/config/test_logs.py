"""What must not reach the log, read off the lines as they are written."""

import io
import json
import logging

import pytest
import structlog
from django.contrib.auth.decorators import login_not_required
from django.test import Client
from django.urls import path

from accounts.models import User
from config import logs, views
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

REFERENCE = "7K2M9QX4TB"
MOBILE = "+8613812345678"
NAME = "欧阳\n\n修"


@login_not_required
def break_a_constraint(request, reference):
    User.objects.create(name=NAME, mobile=MOBILE)


@login_not_required
def break_a_check(request, reference):
    """PostgreSQL quotes the whole row."""
    User.objects.filter(mobile=MOBILE).update(role=None)


urlpatterns = [
    path("key/<str:reference>/", break_a_constraint),
    path("row/<str:reference>/", break_a_check),
]
handler500 = views.server_error


@pytest.fixture
def written():
    """What the handlers in production would have written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(ensure_ascii=False),
            foreign_pre_chain=logs.SHARED,
        )
    )
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)


@pytest.mark.urls("tests.config.test_logs")
@pytest.mark.parametrize("kind", ["key", "row"])
def test_fault_is_logged_without_path_and_values(written, kind):
    UserFactory(name=NAME, mobile=MOBILE)

    Client(raise_request_exception=False).get(f"/{kind}/{REFERENCE}/")

    (line,) = [line for line in written() if line["logger"] == "django.request"]
    assert line["event"] == "Internal Server Error: (path)"
    assert "IntegrityError" in line["exception"]
    assert "DETAIL: (left out)" in line["exception"]
    everything = json.dumps(written(), ensure_ascii=False)
    assert not [word for word in [REFERENCE, MOBILE, "欧阳", "修"] if word in everything]


def test_refused_form_is_logged_without_its_path(written):
    response = Client(enforce_csrf_checks=True).post(f"/interviews/{REFERENCE}/cancel/")

    assert response.status_code == 403
    (line,) = [line for line in written() if line["logger"] == "django.security.csrf"]
    assert line["event"] == "Forbidden (CSRF cookie not set.): (path)"
    assert REFERENCE not in json.dumps(written())


def test_worker_that_reports_a_fault_keeps_the_values_back(written):
    """Celery puts the exception's repr into its line."""
    logging.getLogger("celery.app.trace").error(
        "Task %s raised: %s", "x", repr(ValueError(f"broken\nDETAIL:  Key (mobile)=({MOBILE})"))
    )

    (line,) = written()
    assert line["event"] == "Task x raised: ValueError('broken\\nDETAIL: (left out)"
