"""Verifying very many chains in the background: once at a time for each person."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from interviews import verification
from interviews.jobs import run_job
from interviews.models import Job
from interviews.trail import Wanted
from tests.factories import DepartmentFactory, InterviewFactory, UserFactory


@pytest.fixture
def viewer():
    department = DepartmentFactory()
    InterviewFactory(department=department)
    return UserFactory(viewer=True, departments=[department])


@pytest.mark.django_db
def test_who_presses_again_gets_the_job_that_is_not_over(viewer):
    first = verification.start(Wanted(), by=viewer)

    again = verification.start(Wanted(event="cancelled"), by=viewer)
    elsebodys = verification.start(Wanted(), by=UserFactory(viewer=True))
    run_job(first.pk)
    afterwards = verification.start(Wanted(), by=viewer)

    assert again == first
    assert elsebodys != first
    assert afterwards != first


@pytest.mark.django_db(transaction=True)
def test_pressing_twice_in_one_moment_starts_one_job(viewer):
    barrier = Barrier(4)

    def press(_):
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return verification.start(Wanted(), by=viewer).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        started = set(pool.map(press, range(4)))

    assert started == {Job.objects.get().pk}
