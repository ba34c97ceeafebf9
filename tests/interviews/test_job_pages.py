"""Work in the background as those who asked for it see it."""

import csv
import io

import pytest
from django.urls import reverse

from accounts.models import User
from interviews.jobs import KINDS, run_job, start_job
from interviews.models import Job, JobRow, JobState
from tests.factories import InterviewFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = reverse("interviews:jobs")


class Fake:
    title = "Counting sheep"
    outcomes = {"even": "An even one", "odd": "An odd one"}

    def items(self, job):
        return job.params["subjects"]

    def do(self, job, items):
        return [
            JobRow(
                job=job,
                number=number,
                outcome="odd" if number % 2 else "even",
                subject=subject,
                detail={"said": "=1+1"},
            )
            for number, subject in enumerate(items, start=job.done + 1)
        ]


@pytest.fixture(autouse=True)
def _fake(monkeypatch):
    monkeypatch.setitem(KINDS, "fake", (Fake(), 40))


@pytest.fixture
def recruiter():
    return UserFactory(recruiter=True)


@pytest.fixture
def desk(client, recruiter):
    client.force_login(recruiter)
    return client


def given_a_job(by, subjects=("a", "b", "c")) -> Job:
    return start_job("fake", by=by, total=len(subjects), params={"subjects": list(subjects)})


def path(name, job):
    return reverse(f"interviews:{name}", args=[job.reference])


def page(response) -> str:
    return response.content.decode()


def test_list_shows_ones_own_and_administrators_all(desk, recruiter, client):
    mine, others = given_a_job(recruiter), given_a_job(UserFactory(recruiter=True))

    assert mine.reference in page(desk.get(LIST))
    assert others.reference not in page(desk.get(LIST))

    client.force_login(UserFactory(administrator=True))
    both = page(client.get(LIST))
    assert mine.reference in both
    assert others.reference in both


@pytest.mark.parametrize("kind", ["import_preview", "import", "import_undo", "import_compare"])
def test_former_administrator_reads_no_reports_of_imports(client, kind):
    """They hold what the files said of people of every department."""
    person = UserFactory(administrator=True)
    imported = Job.objects.create(kind=kind, requested_by=person, state="done")
    JobRow.objects.create(job=imported, number=1, outcome="rejected", detail={"value": "李四"})
    own = given_a_job(person)

    def seen():
        client.force_login(User.objects.get(pk=person.pk))
        pages = [client.get(path(name, imported)) for name in ("job", "job_report")]
        return [each.status_code for each in pages], imported.reference in page(client.get(LIST))

    assert seen() == ([200, 200], True)
    User.objects.filter(pk=person.pk).update(role="recruiter")
    assert seen() == ([404, 404], False)
    assert client.post(path("stop_job", imported)).status_code == 404
    assert own.reference in page(client.get(LIST))


def test_empty_list_says_what_would_stand_here(desk):
    assert "Nothing has run in the background" in page(desk.get(LIST))


@pytest.mark.parametrize("name", ["job", "job_report", "stop_job"])
def test_somebody_elses_job_is_not_there(desk, name):
    job = given_a_job(UserFactory(recruiter=True))

    assert desk.get(path(name, job)).status_code == 404
    assert desk.post(path("stop_job", job)).status_code == 404
    assert not Job.objects.get().stop_asked


def test_progress_is_asked_for_until_it_is_over(desk, recruiter):
    job = given_a_job(recruiter)
    assert "hx-trigger" in page(desk.get(path("job", job)))
    polled = desk.get(path("job", job), headers={"HX-Request": "true"})
    assert "hx-trigger" in page(polled)
    assert "<html" not in page(polled)
    assert "HX-Refresh" not in polled

    run_job(job.pk)

    polled = desk.get(path("job", job), headers={"HX-Request": "true"})
    assert polled["HX-Refresh"] == "true"
    assert "hx-trigger" not in page(polled)
    assert "hx-trigger" not in page(desk.get(path("job", job)))


def test_report_tells_of_each_in_words_with_the_interview(desk, recruiter):
    interview = InterviewFactory()
    recruiter.departments.add(interview.position.department)
    hidden = InterviewFactory()
    job = given_a_job(recruiter, [f"interview:{each.reference}" for each in (interview, hidden)])
    run_job(job.pk)

    text = page(desk.get(path("job", job)))

    assert "Counting sheep" in text
    assert "An odd one" in text
    assert interview.candidate.user.name in text
    assert hidden.candidate.user.name not in text
    assert hidden.reference in text


def test_report_is_narrowed_by_outcome_and_paged(desk, recruiter):
    job = given_a_job(recruiter, [f"x-{number}" for number in range(120)])
    run_job(job.pk)

    assert len(desk.get(path("job", job)).context["lines"]) == 50
    odd = desk.get(path("job", job) + "?outcome=odd&page=2")
    assert [line["number"] for line in odd.context["lines"]] == list(range(101, 120, 2))
    assert desk.get(path("job", job) + "?outcome=%00&page=x").status_code == 200


def test_report_as_csv_holds_every_line_and_runs_nothing(desk, recruiter):
    interview = InterviewFactory(candidate__user__name="=SUM(A1)")
    recruiter.departments.add(interview.position.department)
    subjects = [f"x-{number}" for number in range(60)]
    job = given_a_job(recruiter, [*subjects, f"interview:{interview.reference}"])
    run_job(job.pk)

    response = desk.get(path("job_report", job))

    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(1, 62)]
    assert rows[-1][2] == "'=SUM(A1)"
    assert rows[1][-1] == "'=1+1"
    assert job.reference in response["Content-Disposition"]


def test_csv_is_in_the_readers_language(desk, recruiter):
    recruiter.language = "zh-hans"
    recruiter.save()
    job = given_a_job(recruiter)

    text = b"".join(desk.get(path("job_report", job)).streaming_content).decode("utf-8-sig")

    assert text.startswith("序号,编号,候选人")


def test_stop_asks_once_and_says_so(desk, recruiter):
    job = given_a_job(recruiter)

    response = desk.post(path("stop_job", job), follow=True)

    assert "What is done stays done." in page(response)
    assert Job.objects.get().state == JobState.STOPPED
    assert "It is over already." in page(desk.post(path("stop_job", job), follow=True))


def test_get_stops_nothing(desk, recruiter):
    job = given_a_job(recruiter)

    assert desk.get(path("stop_job", job)).status_code == 303
    assert Job.objects.get().state == JobState.QUEUED


def test_failed_job_says_what_to_do(desk, recruiter):
    job = given_a_job(recruiter)
    Job.objects.filter(pk=job.pk).update(params={})
    run_job(job.pk)

    assert "KeyError" in page(desk.get(path("job", job)))


def test_report_no_longer_kept_says_so(desk, recruiter):
    job = given_a_job(recruiter)
    run_job(job.pk)
    job.rows.all().delete()

    assert "no longer kept" in page(desk.get(path("job", job)))
