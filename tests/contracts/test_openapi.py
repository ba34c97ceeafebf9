"""The committed OpenAPI document is the truth: the code says the same, and every answer keeps to
it, whatever is sent and whoever sends it."""

from pathlib import Path

import pytest
import schemathesis
import yaml
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from interviews.models import Job, JobRow
from tests.factories import CancellationFactory, InterviewFactory, UserFactory, WorkItemFactory

DOCUMENT = Path(settings.BASE_DIR, "docs", "openapi.yaml")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_path(DOCUMENT)
OPERATIONS = {
    operation.definition.raw["operationId"]: operation
    for operation in (result.ok() for result in schema.get_all_operations())
}


def test_committed_document_is_what_the_code_says(tmp_path):
    fresh = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(fresh))

    assert fresh.read_text() == DOCUMENT.read_text(), (
        "Run: manage.py spectacular --file docs/openapi.yaml"
    )


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_document_does_not_depend_on_the_readers_language(client, language):
    served = client.get("/api/schema/", headers={"Accept-Language": language})

    assert yaml.safe_load(served.content) == yaml.safe_load(DOCUMENT.read_text())


def test_every_operation_is_documented_with_its_errors():
    for name, operation in OPERATIONS.items():
        responses = operation.definition.raw["responses"]
        assert operation.definition.raw["description"], name
        assert "application/problem+json" in responses["default"]["content"], name


@pytest.fixture
def rows():
    """One of everything there is to ask for: a booked interview, a request, something to do and a
    job of the lead's, of one candidate and in one department."""
    interview = InterviewFactory()
    position, candidate = interview.position, interview.candidate
    waiting = CancellationFactory(interview__position=position, interview__candidate=candidate)
    lead = UserFactory(lead=True, departments=[position.department])
    job = Job.objects.create(kind="company_cancel", requested_by=lead, total=2, done=1)
    JobRow.objects.create(
        job=job, number=1, outcome="cancelled", subject=interview.subject, detail={"receipt": "x"}
    )
    return {
        "candidate": candidate.user,
        "lead": lead,
        "interview": interview,
        "request": waiting,
        "work": WorkItemFactory(interview=interview),
        "job": job,
    }


def addresses(operation, rows):
    """A reference that exists, or anything at all."""
    real = {
        "reference": rows["work" if "/work-items/" in operation.path else "interview"].reference,
        "receipt": rows["request"].reference,
        "job": rows["job"].reference,
    }
    named = {name: real[name] for name in real if f"{{{name}}}" in operation.path}
    return [named, {}] if named else [{}]


@pytest.mark.django_db
@pytest.mark.parametrize("caller", ["candidate", "lead", None])
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_answers_keep_to_the_document(name, caller, rows, wsgi):
    operation = OPERATIONS[name]
    headers = {}
    if caller:
        headers["Authorization"] = f"Token {Token.objects.create(user=rows[caller]).key}"
    cases = st.one_of(
        operation.as_strategy(generation_mode=mode, path_parameters=path)
        for mode in schemathesis.GenerationMode
        for path in addresses(operation, rows)
    )

    @hypothesis_settings(
        max_examples=20,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def answer_keeps_to_the_document(case):
        cache.clear()  # or the throttles would answer most of it
        with transaction.atomic():  # every example finds the same rows
            response = case.call(app=wsgi, headers=headers)
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)

    answer_keeps_to_the_document()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    sorted(name for name, each in OPERATIONS.items() if each.method == "get" and "{" in each.path),
)
def test_address_with_a_reference_has_something_behind_it(name, rows, wsgi):
    """Else none of the answers above would be the one that callers hope for."""
    operation = OPERATIONS[name]
    address = addresses(operation, rows)[0]
    headers = {"Authorization": f"Token {Token.objects.create(user=rows['lead']).key}"}

    response = operation.Case(path_parameters=address).call(app=wsgi, headers=headers)

    assert response.status_code == 200
