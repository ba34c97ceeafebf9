"""What somebody found is to be done: a follow-up written by hand, an anomaly by a comparison."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone, translation

from cancellations import work
from interviews import history
from interviews.models import HistoryEntry, Interview
from notifications import tasks as notification_tasks
from notifications.models import Notification, WorkItem, WorkKind
from tests.factories import DepartmentFactory, InterviewFactory, UserFactory, WorkItemFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # noon in Shanghai
TASK = "Call her mother at +86 139 1234 5678."


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


@pytest.fixture
def interview(department):
    return InterviewFactory(department=department)


@pytest.fixture
def desk(client, recruiter):
    client.force_login(recruiter)
    return client


def page_of(interview) -> str:
    return f"/desk/interviews/{interview.reference}/follow-up/"


def written(**fields) -> dict[str, str]:
    return {"task": TASK, "due": "tomorrow", "whom": "me", **fields}


# --- a follow-up, written down at the desk --------------------------------------------------------


def test_follow_up_is_put_on_the_queue(desk, recruiter, department, interview):
    with time_machine.travel(NOW, tick=False):
        assert page_of(interview) in desk.get(f"/desk/interviews/{interview.reference}/").text
        form = desk.get(page_of(interview)).context["form"]
        assert (form["due"].value(), form["whom"].value()) == ("tomorrow", "me")
        done = desk.post(page_of(interview), written(), follow=True)

    item = WorkItem.objects.get()
    assert (item.kind, item.audience) == (WorkKind.FOLLOW_UP, department.audience)
    assert (item.subject, item.assignee) == (interview.subject, f"user:{recruiter.pk}")
    assert (item.task, item.opened_at) == (TASK, NOW)
    assert item.due_at == item.remind_at == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert item.escalate_at == item.due_at + timedelta(hours=22)
    assert done.redirect_chain == [(f"/desk/interviews/{interview.reference}/", 302)]
    assert "It is on the queue, due Tuesday 24 November 10:00." in done.text
    assert TASK in desk.get(f"/desk/work/{item.reference}/").text


def test_history_says_who_opened_it_and_for_whom_but_not_what(desk, recruiter, interview):
    desk.post(page_of(interview), written())

    item = WorkItem.objects.get()
    entry = HistoryEntry.objects.get(event="work_opened")
    assert entry.actor == f"user:{recruiter.pk}"
    assert entry.data == {
        "item": item.reference,
        "kind": "follow_up",
        "to": [f"user:{recruiter.pk}"],
        "status": "booked",
    }
    assert not list(history.verify(Interview.objects.all()))


@pytest.mark.parametrize(
    ("chosen", "due_at"),
    [
        ({"due": "soon"}, NOW + timedelta(hours=2)),
        ({"due": "tomorrow"}, datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
        ({"due": "later"}, datetime(2026, 11, 26, 9, 0, tzinfo=UTC)),
        ({"due": "own", "time": "2026-12-01T08:30"}, datetime(2026, 12, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_time_is_meant_where_the_writer_is(client, department, interview, chosen, due_at):
    client.force_login(
        UserFactory(recruiter=True, departments=[department], time_zone="Europe/Berlin")
    )
    with time_machine.travel(NOW, tick=False):
        client.post(page_of(interview), written(**chosen))

    assert WorkItem.objects.get().due_at == due_at


def test_it_is_for_oneself_for_a_colleague_or_for_anybody(desk, recruiter, department):
    colleague = UserFactory(lead=True, departments=[department])
    for whom, assignee in [
        ("me", f"user:{recruiter.pk}"),
        (str(colleague.pk), f"user:{colleague.pk}"),
        ("anybody", ""),
    ]:
        interview = InterviewFactory(department=department)
        desk.post(page_of(interview), written(whom=whom))
        assert WorkItem.objects.get(subject=interview.subject).assignee == assignee


def test_it_is_for_nobody_who_could_not_do_it(desk, recruiter, department, interview):
    strangers = [
        UserFactory(viewer=True, departments=[department]),
        UserFactory(recruiter=True, departments=[DepartmentFactory()]),
        UserFactory(recruiter=True, departments=[department], is_active=False),
        UserFactory(),
    ]
    page = desk.get(page_of(interview)).text
    for stranger in strangers:
        assert f'value="{stranger.pk}"' not in page
        sent = desk.post(page_of(interview), written(whom=str(stranger.pk)))
        assert sent.status_code == 422
        with pytest.raises(PermissionDenied):
            work.open_follow_up(interview, by=recruiter, task=TASK, due_at=NOW, to=stranger)
    viewer = strangers[0]
    with pytest.raises(PermissionDenied):
        work.open_follow_up(interview, by=viewer, task=TASK, due_at=NOW, to=viewer)
    assert not WorkItem.objects.exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task": ""}, "Say in a sentence what is to be done."),
        ({"task": "   "}, "Say in a sentence what is to be done."),
        ({"task": "x" * 501}, "at most 500 characters"),
        ({"task": "with \x00 in it"}, "Null characters are not allowed."),
        ({"due": ""}, "Choose a time."),
        ({"due": "never"}, "Choose a time."),
        ({"due": "own"}, "Enter a day and a time."),
        ({"due": "own", "time": "soon"}, "Choose a day between 2000 and 2099, and a time."),
        ({"due": "own", "time": "0240-01-01T10:00"}, "Choose a day between 2000 and 2099"),
        ({"due": "own", "time": "2020-01-01T10:00"}, "Choose a time within the next year."),
        ({"due": "own", "time": "2098-01-01T10:00"}, "Choose a time within the next year."),
        ({"whom": "somebody"}, "Choose one."),
    ],
)
def test_what_cannot_be_taken_is_said_and_kept(desk, interview, fields, message):
    response = desk.post(page_of(interview), written(**fields))

    assert response.status_code == 422
    assert message in response.text
    for name, value in written(**fields).items():
        assert response.context["form"][name].value() == value
    assert not WorkItem.objects.exists()


def test_second_follow_up_of_an_interview_waits_for_the_first(desk, interview):
    first = WorkItemFactory(interview=interview)

    seen = desk.get(page_of(interview)).text
    assert f"/desk/work/{first.reference}/" in seen
    assert "<textarea" not in seen
    sent = desk.post(page_of(interview), written())

    assert sent.status_code == 409
    assert f"/desk/work/{first.reference}/" in sent.text
    assert TASK in sent.text
    assert WorkItem.objects.get() == first
    assert not HistoryEntry.objects.filter(event="work_opened").exists()
    WorkItem.objects.update(closed_at=timezone.now())
    assert desk.post(page_of(interview), written()).status_code == 302


@pytest.mark.parametrize("trait", ["viewer", "elsewhere"])
def test_others_open_nothing(client, department, interview, trait):
    elsewhere = {"recruiter": True, "departments": [DepartmentFactory()]}
    viewer = {"viewer": True, "departments": [department]}
    client.force_login(UserFactory(**(viewer if trait == "viewer" else elsewhere)))

    refused = 403 if trait == "viewer" else 404
    assert client.get(page_of(interview)).status_code == refused
    assert client.post(page_of(interview), written()).status_code == refused
    page = client.get(f"/desk/interviews/{interview.reference}/").text
    assert page_of(interview) not in page
    assert not WorkItem.objects.exists()


def test_reminder_of_it_does_not_repeat_what_was_written(desk, recruiter, interview):
    with time_machine.travel(NOW, tick=False) as clock:
        desk.post(page_of(interview), written(due="soon"))
        clock.shift(timedelta(hours=2))
        notification_tasks.take_work_steps()

    told = Notification.objects.filter(event="work_reminder")
    assert {each.recipient for each in told} == {f"user:{recruiter.pk}"}
    assert "139 1234 5678" in TASK
    assert "1234 5678" not in str([each.params for each in told])


# --- an anomaly, found by a comparison ------------------------------------------------------------


def test_anomaly_is_opened_once(interview, department):
    with time_machine.travel(NOW, tick=False), translation.override("en"):
        item = work.open_anomaly(interview, "time_differs")
        assert work.open_anomaly(interview, "reason_contradicted") is None

    assert WorkItem.objects.get() == item
    assert (item.kind, item.audience) == (WorkKind.ANOMALY, department.audience)
    assert (item.params, item.assignee) == ({"code": "time_differs"}, "")
    assert item.due_at == item.remind_at == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    entry = HistoryEntry.objects.get(event="work_opened")
    assert (entry.actor, entry.data["kind"]) == ("system", "anomaly")
    assert "to" not in entry.data


def test_anomaly_nobody_has_words_for_is_a_mistake(interview):
    with pytest.raises(ValueError, match="nonsense"):
        work.open_anomaly(interview, "nonsense")


# --- once it is settled ---------------------------------------------------------------------------

DONE = "Called her mother: she comes tomorrow."


@pytest.fixture
def settled(interview, recruiter):
    item = WorkItemFactory(interview=interview, kind=WorkKind.FOLLOW_UP, task=TASK)
    work.resolve_work(item, by=recruiter, note=DONE)
    return item


def test_settled_work_does_not_count_down(desk, interview, settled):
    still_open = WorkItemFactory(interview=InterviewFactory(), kind=WorkKind.FOLLOW_UP)
    still_open.audience = settled.audience
    still_open.save()

    assert "data-left" in case_of(desk, still_open)
    assert "data-left" not in case_of(desk, settled)
    assert DONE in case_of(desk, settled)


def case_of(desk, item) -> str:
    page = desk.get(f"/desk/work/{item.reference}/").text
    return page[page.index("case-head") :]


def test_story_says_how_work_was_settled(desk, interview, settled):
    page = desk.get(f"/desk/interviews/{interview.reference}/")

    (entry,) = (each for each in page.context["story"].entries if each.why)
    assert (entry.what, entry.why) == ("Work settled", DONE)
    assert DONE in page.text
    assert DONE not in str(list(HistoryEntry.objects.values_list("data", flat=True)))


def test_story_keeps_the_words_from_who_reads_no_details(client, department, interview, settled):
    client.force_login(UserFactory(viewer=True, departments=[department]))

    page = client.get(f"/desk/interviews/{interview.reference}/").text

    assert "Work settled" in page
    assert DONE not in page


def test_story_says_nothing_any_more_once_the_words_were_erased(desk, interview, settled):
    WorkItem.objects.update(note="")

    page = desk.get(f"/desk/interviews/{interview.reference}/")

    assert not any(each.why for each in page.context["story"].entries)
