"""Calling interviews off for the company: the pages, from the reason to the report."""

from datetime import timedelta

import pytest
from django.urls import reverse

from cancellations import company
from cancellations.models import Cancellation, Purpose, Reason
from interviews.jobs import run_job
from interviews.models import Interview, Job, JobState
from interviews.states import InterviewStatus
from notifications.models import Notification
from tests.factories import (
    CancellationFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
MANY = reverse("cancellations:company_cancel_many")
WHY = {"reason": "hiring_freeze", "note": "We are sorry.", "detail": ""}


@pytest.fixture
def position():
    return PositionFactory()


@pytest.fixture
def recruiter(position):
    return UserFactory(recruiter=True, departments=[position.department])


@pytest.fixture
def desk(client, recruiter):
    client.force_login(recruiter)
    return client


def path(interview):
    return reverse("cancellations:company_cancel", args=[interview.reference])


def page(response) -> str:
    return response.content.decode()


def test_check_page_says_what_will_happen_and_changes_nothing(desk, position):
    interview = InterviewFactory(position=position)

    response = desk.post(path(interview), WHY | {"step": "check"})

    assert response.status_code == 200
    assert "does not count against them" in page(response)
    assert "We are sorry." in page(response)
    assert position.recruiter.name in page(response)
    assert not Cancellation.objects.exists()
    assert not Notification.objects.exists()


def test_confirming_cancels_and_leads_back_to_the_interview(desk, position):
    interview = InterviewFactory(position=position)

    response = desk.post(path(interview), WHY | {"step": "confirm"})

    assert response.status_code == 303
    assert response.url == reverse("cancellations:desk_interview", args=[interview.reference])
    assert Interview.objects.get().status == InterviewStatus.CANCELLED
    assert Cancellation.objects.get().note == "We are sorry."


def test_confirming_twice_is_one_cancellation(desk, position):
    interview = InterviewFactory(position=position)

    for _ in range(2):
        assert desk.post(path(interview), WHY | {"step": "confirm"}).status_code == 303

    assert Cancellation.objects.count() == 1
    assert Notification.objects.filter(event="company_cancelled", channel="sms").count() == 1


def test_candidate_who_was_first_stays_first(desk, position):
    cancellation = CancellationFactory(approved=True, interview__position=position)

    response = desk.post(path(cancellation.interview), WHY | {"step": "confirm"}, follow=False)

    assert response.status_code == 303
    assert Cancellation.objects.get() == cancellation


def test_reason_is_asked_for_and_nothing_typed_is_lost(desk, position):
    interview = InterviewFactory(position=position)

    response = desk.post(path(interview), {"reason": "", "note": "So sorry", "step": "check"})

    assert response.status_code == 422
    assert "Choose a reason." in page(response)
    assert "So sorry" in page(response)


def test_reason_that_needs_words_says_so(desk, position):
    interview = InterviewFactory(position=position)

    response = desk.post(path(interview), {"reason": "other", "step": "confirm"})

    assert response.status_code == 422
    assert Interview.objects.get().status == InterviewStatus.BOOKED


@pytest.mark.parametrize(
    "sent",
    [
        {"reason": "nonsense", "step": "confirm"},
        {"reason": "hiring_freeze", "note": "\x00", "step": "confirm"},
        {"reason": "hiring_freeze", "note": "x" * 501, "step": "confirm"},
        {"reason": ["hiring_freeze"], "detail": "x" * 501, "step": "check"},
    ],
)
def test_bad_input_is_refused_in_words(desk, position, sent):
    interview = InterviewFactory(position=position)

    response = desk.post(path(interview), sent)

    assert response.status_code == 422
    assert "Please look at this again" in page(response)
    assert Interview.objects.get().status == InterviewStatus.BOOKED


def test_going_back_keeps_what_was_chosen(desk, position):
    interview = InterviewFactory(position=position)

    response = desk.post(path(interview), WHY | {"step": "back"})

    assert response.status_code == 200
    assert "We are sorry." in page(response)
    assert 'value="hiring_freeze"' in page(response)


def test_what_is_over_offers_no_form(desk, position):
    interview = InterviewFactory(position=position, completed=True)

    response = desk.get(path(interview))

    assert response.status_code == 200
    assert "It is over and can no longer be cancelled." in page(response)
    assert 'name="reason"' not in page(response)


def test_other_departments_are_not_there(desk):
    assert desk.get(path(InterviewFactory())).status_code == 404


# --- many -----------------------------------------------------------------------------------------


def test_references_are_read_however_they_were_copied(desk, position):
    first, second, third = (InterviewFactory(position=position) for _ in range(3))
    spaced = f"{first.reference[:5]} {first.reference[5:]}"
    pasted = f"  {spaced}\r\n{second.reference.lower()}; {third.reference}\n{first.reference}\n"

    response = desk.post(MANY, {"references": pasted})

    assert response.status_code == 200
    assert response.context["references"] == [
        first.reference,
        second.reference,
        third.reference,
    ]


def test_ticked_rows_arrive_as_many_values(desk, position):
    several = [InterviewFactory(position=position) for _ in range(3)]

    response = desk.post(MANY, {"references": [each.reference for each in several]})

    assert len(response.context["cancellable"]) == 3


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "Enter at least one reference."),
        (" ,; \n", "Enter at least one reference."),
        ("hello", "This is not a reference"),
        ("7K2M9QX4TB\n张三", "This is not a reference"),
        ("7K2M9QX4TB\x00", "Null characters are not allowed."),
        ("U" * 10, "This is not a reference"),
    ],
)
def test_what_is_no_reference_is_pointed_out(desk, pasted, words):
    response = desk.post(MANY, {"references": pasted})

    assert response.status_code == 422
    assert words in page(response)
    assert pasted.strip().replace("\x00", "")[:5] in page(response)


def test_more_than_can_be_done_at_once_is_refused(desk, monkeypatch):
    monkeypatch.setattr("cancellations.company_forms.MOST_AT_ONCE", 2)

    response = desk.post(MANY, {"references": "7K2M9QX4T1\n7K2M9QX4T2\n7K2M9QX4T3"})

    assert response.status_code == 422
    assert "At most 2 interviews" in page(response)


def test_preview_says_which_cannot_be_cancelled_and_why(desk, position):
    booked = InterviewFactory(position=position)
    ended = InterviewFactory(position=position, completed=True)
    elsewhere = InterviewFactory()

    response = desk.post(
        MANY, {"references": [booked.reference, ended.reference, elsewhere.reference]}
    )

    text = page(response)
    assert "1 interview will be cancelled" in text
    assert "Not cancelled: it is over" in text
    assert "Not found in your departments" in text
    assert elsewhere.candidate.user.name not in text
    assert not Job.objects.exists()


def confirm(desk, references, **more):
    sent = WHY | {"references": references}
    checked = desk.post(MANY, sent | {"step": "check"})
    number = checked.context["number"].initial["job"]
    return desk.post(MANY, sent | {"step": "confirm", "job": number} | more)


def test_nobody_is_told_before_it_is_confirmed_and_the_job_has_run(desk, position, recruiter):
    several = [InterviewFactory(position=position) for _ in range(3)]
    references = [each.reference for each in several]

    response = confirm(desk, references)

    job = Job.objects.get()
    assert response.status_code == 303
    assert response.url == reverse("interviews:job", args=[job.reference])
    assert job.requested_by == recruiter
    assert not Notification.objects.exists()
    run_job(job.pk)
    assert set(Interview.objects.values_list("status", flat=True)) == {InterviewStatus.CANCELLED}
    assert Notification.objects.filter(event="company_cancelled").count() == 3
    assert list(job.rows.values_list("outcome", flat=True)) == ["cancelled"] * 3


# --- all of a list --------------------------------------------------------------------------------


def test_all_of_a_narrowed_list_goes_the_same_way(desk, position):
    booked = [InterviewFactory(position=position) for _ in range(60)]  # more than a page shows
    InterviewFactory(position=position, completed=True)
    elsewhere = InterviewFactory()
    query = f"position={position.pk}"

    chosen = desk.post(MANY, {"all": "1", "query": query})
    text = page(chosen)
    kept = {"references": chosen.context["joined"], "query": chosen.context["listed"].query}
    checked = desk.post(MANY, WHY | kept | {"step": "check"})
    number = checked.context["number"].initial["job"]
    done = desk.post(MANY, WHY | kept | {"step": "confirm", "job": number})

    assert chosen.status_code == 200
    assert "60 interviews will be cancelled" in text
    for step in (chosen, checked):
        assert f"<b>{position.title}</b>" in page(step)
        assert 'name="query" value="position=' in page(step)
    run_job(Job.objects.get().pk)
    assert done.status_code == 303
    cancelled = Interview.objects.filter(status=InterviewStatus.CANCELLED)
    assert set(cancelled) == set(booked)
    assert Interview.objects.get(pk=elsewhere.pk).status == InterviewStatus.BOOKED


def test_all_of_a_list_is_what_stood_on_the_page(desk, position):
    """Who is booked while somebody reads it is not cancelled along."""
    InterviewFactory(position=position)
    chosen = desk.post(MANY, {"all": "1", "query": "status=booked"})
    InterviewFactory(position=position)

    kept = {"references": chosen.context["joined"], "query": "status=booked"}
    checked = desk.post(MANY, WHY | kept | {"step": "check"})

    assert len(checked.context["cancellable"]) == 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Narrow the list first"),
        ("view=all&nonsense=1", "Narrow the list first"),
        ("department=999999", "Narrow the list first"),
        ("status=completed", "Nothing of this list can be cancelled any more."),
        ("found=8Q2M7KX4TB", "Nothing of this list can be cancelled any more."),
        ("status=booked", "At most 2 interviews can be cancelled at once. Narrow the list."),
    ],
)
def test_list_that_cannot_be_cancelled_whole_says_why(desk, position, monkeypatch, query, words):
    monkeypatch.setattr("cancellations.company.MOST_AT_ONCE", 2)
    for _ in range(3):
        InterviewFactory(position=position)
    InterviewFactory(position=position, completed=True)

    response = desk.post(MANY, {"all": "1", "query": query}, follow=True)

    assert response.redirect_chain[0][1] == 303
    assert words in page(response)
    assert not Job.objects.exists()


def test_list_of_which_nothing_is_left_to_cancel_is_shown_as_it_was(desk, position):
    InterviewFactory(position=position, completed=True)
    query = f"status=&position={position.pk}&view=all"

    response = desk.post(MANY, {"all": "1", "query": query})

    assert response.url == f"{reverse('cancellations:interviews')}?{query}"


def test_ticked_rows_are_meant_though_the_list_is_narrowed(desk, position):
    ticked, _other = (InterviewFactory(position=position) for _ in range(2))

    response = desk.post(MANY, {"references": ticked.reference, "query": "status=booked"})

    assert response.context["references"] == [ticked.reference]
    assert response.context["listed"] is None


def test_other_references_keep_the_reason_and_the_words(desk, position):
    first, second = (InterviewFactory(position=position) for _ in range(2))
    words = {"reason": "hiring_freeze", "note": "So sorry", "detail": "The plant closes"}

    which = desk.post(MANY, words | {"references": first.reference, "step": "which"})
    for name, value in words.items():
        assert f'name="{name}" value="{value}"' in page(which)
    wrong = desk.post(MANY, words | {"references": "hello"})
    assert 'name="note" value="So sorry"' in page(wrong)
    many = desk.post(MANY, words | {"references": second.reference})

    form = many.context["form"]
    assert {name: form[name].value() for name in words} == words
    assert not form.is_bound
    assert many.context["references"] == [second.reference]


def test_form_sent_twice_is_one_job(desk, position):
    interview = InterviewFactory(position=position)
    sent = WHY | {"references": interview.reference, "step": "confirm", "job": "7K2M9QX4TB"}

    first, second = desk.post(MANY, sent), desk.post(MANY, sent)

    assert first.url == second.url
    assert Job.objects.count() == 1


@pytest.mark.parametrize("number", ["", "nonsense", "7K2M9QX4TB\x00"])
def test_form_without_its_number_is_shown_again(desk, position, number):
    interview = InterviewFactory(position=position)
    sent = WHY | {"references": interview.reference, "step": "confirm", "job": number}

    response = desk.post(MANY, sent)

    assert response.status_code == 200
    assert not Job.objects.exists()


def test_who_may_no_longer_do_it_when_the_job_runs_does_nothing(desk, position, recruiter):
    interview = InterviewFactory(position=position)
    confirm(desk, interview.reference)
    recruiter.departments.clear()

    run_job(Job.objects.get().pk)

    assert Interview.objects.get().status == InterviewStatus.BOOKED
    assert list(Job.objects.get().rows.values_list("outcome", flat=True)) == ["unknown"]


def test_stopped_half_way_the_rest_is_not_touched(desk, position, monkeypatch):
    from interviews.jobs import KINDS, stop_job

    several = [InterviewFactory(position=position) for _ in range(4)]
    kind, _ = KINDS["company_cancel"]
    monkeypatch.setitem(KINDS, "company_cancel", (kind, 2))
    confirm(desk, [each.reference for each in several])
    job = Job.objects.get()
    cancel_many = company.cancel_many

    def stop_meanwhile(*args, **kwargs):
        stop_job(job.pk)
        return cancel_many(*args, **kwargs)

    monkeypatch.setattr(company, "cancel_many", stop_meanwhile)
    run_job(job.pk)

    job = Job.objects.get()
    assert (job.state, job.done) == (JobState.STOPPED, 2)
    assert Interview.objects.filter(status=InterviewStatus.BOOKED).count() == 2
    assert "The rest was not touched" in page(
        desk.get(reverse("interviews:job", args=[job.reference]))
    ).replace("the rest", "The rest")


def test_reasons_of_candidates_are_not_the_companys(desk, position):
    interview = InterviewFactory(position=position)
    assert Reason.objects.filter(purpose=Purpose.CANCEL, code="time_conflict").exists()

    response = desk.post(path(interview), {"reason": "time_conflict", "step": "confirm"})

    assert response.status_code == 422


def test_waiting_request_is_mentioned(desk, position):
    waiting = CancellationFactory(interview__position=position)

    assert "their request is closed" in page(desk.get(path(waiting.interview)))


@pytest.mark.parametrize("count", [1, 3])
def test_preview_reads_as_much_for_one_as_for_three(
    desk, position, count, django_assert_max_num_queries
):
    several = [
        InterviewFactory(position=position, starts_in=timedelta(days=1 + n)) for n in range(count)
    ]
    DepartmentFactory()

    with django_assert_max_num_queries(9):
        desk.post(MANY, {"references": [each.reference for each in several]})
