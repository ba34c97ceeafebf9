"""The desk: who sees which request, who decides it, and what they then find."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cancellations import services
from cancellations.models import Cancellation, CancellationStatus, Purpose, Reason
from interviews.models import AccessLog, Interview
from interviews.states import InterviewStatus
from notifications.models import Channel, Notification, State
from tests.factories import (
    CancellationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

QUEUE = "/desk/"


@pytest.fixture
def department():
    return DepartmentFactory()


@pytest.fixture
def lead(department):
    return UserFactory(lead=True, departments=[department])


@pytest.fixture
def desk(client, lead):
    client.force_login(lead)
    return client


def late_request(department, *, starts_in=timedelta(hours=2), **fields) -> Cancellation:
    interview = InterviewFactory(
        department=department, status=InterviewStatus.CANCELLING, starts_in=starts_in
    )
    return CancellationFactory(interview=interview, **fields)


def listed(response) -> list[str]:
    return [line.key for line in response.context["page"].entries]


def url(name: str, cancellation: Cancellation) -> str:
    return reverse(f"cancellations:{name}", args=[cancellation.reference])


# --- the queue ------------------------------------------------------------------------------------


def test_queue_begins_with_the_default_that_falls_due_first(desk, department):
    later = late_request(department, starts_in=timedelta(hours=5))
    sooner = late_request(department, starts_in=timedelta(hours=1))

    response = desk.get(QUEUE)

    assert listed(response) == [sooner.reference, later.reference]
    assert response.context["shown"].cancellation == sooner


def test_queue_leaves_out_other_departments_and_what_is_decided(desk, department):
    late_request(DepartmentFactory())
    CancellationFactory(approved=True, interview__department=department)

    response = desk.get(QUEUE)

    assert listed(response) == []
    assert "Nothing is waiting" in response.text


def test_queue_shows_everything_needed_to_decide(desk, department):
    person = CandidateFactory(user__name="孙悦", user__mobile="+8613912345678")
    position = late_request(department).interview.position
    earlier = InterviewFactory(candidate=person, position=position, status="cancelled", slot=None)
    CancellationFactory(
        interview=earlier, status="approved", requested_at=timezone.now() - timedelta(days=9)
    )
    interview = InterviewFactory(
        candidate=person, position=position, status="cancelling", starts_in=timedelta(hours=3)
    )
    cancellation = CancellationFactory(
        interview=interview,
        notice=timedelta(hours=3),
        detail="The train is late",
        policy={
            "name": "House rule",
            "promised_minutes": 15,
            "default": "decline",
            "tiers": [
                {"notice_minutes": 1440, "outcome": "automatic", "short_notice": False},
                {"notice_minutes": 0, "outcome": "needs_hr", "short_notice": False},
            ],
        },
    )

    response = desk.get(url("case", cancellation))

    assert "13912345678" not in response.text
    for words in (
        "孙悦",
        position.title,
        department.name,
        "+86139****5678",
        "The time does not suit me",
        "The train is late",
        "3 h before the start",
        "House rule",
        "24 hours or more before the start: cancelled at once",
        "Less than 24 hours before: HR decides",
        "then the appointment stands",
    ):
        assert words in response.text
    assert response.context["earlier"] == 1
    assert [applies for _words, applies in response.context["said"]] == [False, True]


def test_cancelled_invitation_is_shown_without_a_time(desk, department):
    interview = InterviewFactory(department=department, invited=True)
    cancellation, _ = services.request_cancellation(
        interview.reference,
        by=interview.candidate.user,
        reason=Reason.objects.get(purpose=Purpose.CANCEL, code="unwell"),
        detail="",
    )

    page = desk.get(url("case", cancellation))

    assert page.status_code == 200
    assert "No time chosen yet" in page.text
    assert not re.search("(?<!or more )before the start", page.text)
    assert page.context["said"]
    assert not any(applies for _words, applies in page.context["said"])


def test_rule_is_said_in_chinese_without_stray_spaces(desk, department, lead):
    lead.language = "zh-hans"
    lead.save()
    policy = {"tiers": [{"notice_minutes": 1440, "outcome": "automatic", "short_notice": True}]}
    cancellation = late_request(department, policy=policy, notice=timedelta(hours=2))

    response = desk.get(url("case", cancellation))

    assert response.context["said"] == [
        ("提前 24 小时或更早：立即取消，记为临近取消", False),
        ("提前不足 24 小时：不可取消", False),  # no tier says so
    ]


@pytest.mark.parametrize("length", [500, 501])
def test_note_that_is_too_long_is_not_cut_but_said(desk, department, length):
    cancellation = late_request(department)
    note = "长" * length
    assert "<textarea" in (page := desk.get(url("case", cancellation)).text)
    assert not re.search("<textarea[^>]*maxlength", page)

    response = desk.post(url("decline", cancellation), {"note": note})

    is_taken = length == 500
    assert response.status_code == (302 if is_taken else 422)
    assert Cancellation.objects.filter(note=note).exists() == is_taken
    assert is_taken or f">\n{note}</textarea>" in response.text
    assert is_taken or "at most 500 characters (it has 501)" in response.text


def test_queue_is_walked_in_pages_of_thirty(desk, department):
    for _number in range(31):
        late_request(department)

    assert len(listed(desk.get(QUEUE))) == 30
    assert len(listed(desk.get(QUEUE, {"page": "2"}))) == 1
    assert len(listed(desk.get(QUEUE, {"page": "3"}))) == 30


@pytest.mark.parametrize("page", ["0", "-1", "", "\x00nonsense", "²", "00000", "9" * 5000])
def test_page_that_does_not_exist_is_the_first(desk, department, page):
    waiting = late_request(department)

    for address in (QUEUE, url("case", waiting)):
        assert listed(desk.get(address, {"page": page})) == [waiting.reference]
    assert desk.get("/desk/messages/", {"page": page}).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_queue_query_count_does_not_grow(desk, department, rows, django_assert_num_queries):
    for _number in range(rows):
        late_request(department)
        CancellationFactory(
            approved=True, interview__department=department, decided_at=timezone.now()
        )

    with django_assert_num_queries(10):
        response = desk.get(QUEUE)

    assert len(listed(response)) == len(response.context["done"]) == rows


def test_list_asks_for_itself_and_gets_only_itself(desk, department):
    waiting = late_request(department)

    response = desk.get(QUEUE, headers={"HX-Request": "true"})

    assert waiting.interview.candidate.user.name in response.text
    assert "<html" not in response.text
    assert 'hx-swap-oob="true"' in response.text


# --- one request ----------------------------------------------------------------------------------


def test_request_of_another_department_is_not_there(desk):
    elsewhere = late_request(DepartmentFactory())

    assert desk.get(url("case", elsewhere)).status_code == 404
    assert desk.post(url("approve", elsewhere)).status_code == 404
    assert Cancellation.objects.get(pk=elsewhere.pk).status == CancellationStatus.REQUESTED


@pytest.mark.parametrize("trait", ["recruiter", "viewer"])
def test_others_read_and_are_told_who_decides(client, department, lead, trait):
    client.force_login(UserFactory(**{trait: True}, departments=[department]))
    waiting = late_request(department)

    page = client.get(url("case", waiting))

    assert page.status_code == 200
    assert f"HR leads decide; for this department: {lead.name}." in page.text
    assert url("approve", waiting) not in page.text
    for name in ("approve", "decline"):
        assert client.post(url(name, waiting)).status_code == 403
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED


@pytest.mark.parametrize(
    ("trait", "reads"), [("lead", True), ("recruiter", True), ("viewer", False)]
)
def test_what_candidates_tell_hr_is_read_by_hr_alone(client, department, trait, reads):
    client.force_login(UserFactory(**{trait: True}, departments=[department]))
    waiting = late_request(department, detail="My mother is ill")
    reveal = reverse("cancellations:interview_reveal", args=[waiting.interview.reference])

    page = client.get(url("case", waiting)).text

    assert ("My mother is ill" in page, reveal in page) == (reads, reads)
    assert waiting.interview.candidate.user.mobile not in page


def test_contact_is_shown_in_full_to_who_says_why_and_that_is_written_down(desk, lead, department):
    waiting = late_request(department)
    mobile = waiting.interview.candidate.user.mobile
    page = desk.get(url("case", waiting)).text
    reveal = reverse("cancellations:interview_reveal", args=[waiting.interview.reference])
    assert f'hx-post="{reveal}"' in page
    assert not AccessLog.objects.exists()

    answer = desk.post(reveal, {"why": "contact"}, headers={"HX-Request": "true"})

    # What the page takes out of the answer, and where it puts it.
    assert 'hx-target="#case-contact"' in page
    assert 'id="case-contact"' in page
    assert 'hx-select="#ways"' in page
    assert mobile in answer.text.partition('id="ways"')[2].partition("</dl>")[0]
    written = AccessLog.objects.get()
    assert (written.action, written.by, written.subject) == (
        "revealed",
        lead,
        waiting.interview.subject,
    )
    assert written.detail == {"what": ["mobile"], "why": "contact"}
    assert mobile not in desk.get(url("case", waiting)).text


def test_administrator_decides_everywhere(client):
    client.force_login(UserFactory(administrator=True))
    waiting = late_request(DepartmentFactory())

    client.post(url("decline", waiting))

    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.DECLINED


def test_candidate_is_turned_away(client):
    client.force_login(CandidateFactory().user)

    assert client.get(QUEUE).status_code == 403
    assert client.get("/desk/messages/").status_code == 403


# --- deciding -------------------------------------------------------------------------------------


def test_approving_cancels_and_leads_to_the_next_request(desk, department, lead):
    first = late_request(department, starts_in=timedelta(hours=1))
    second = late_request(department, starts_in=timedelta(hours=2))

    response = desk.post(url("approve", first), {"note": "Get well"}, follow=True)

    decided = Cancellation.objects.get(pk=first.pk)
    assert (decided.status, decided.decided_by, decided.note) == ("approved", lead, "Get well")
    assert Interview.objects.get(pk=first.interview_id).status == InterviewStatus.CANCELLED
    assert response.context["shown"].cancellation == second
    assert f"The interview of {first.interview.candidate.user.name} is cancelled." in response.text
    assert [line.key for line in response.context["done"]] == [decided.reference]


def test_declining_keeps_the_appointment(desk, department):
    waiting = late_request(department)

    desk.post(url("decline", waiting), {"note": "It takes only twenty minutes"})

    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.DECLINED
    assert Interview.objects.get(pk=waiting.interview_id).status == InterviewStatus.BOOKED


def test_second_decision_is_told_that_a_colleague_was_first(desk, department):
    waiting = late_request(department)
    colleague = UserFactory(lead=True, departments=[department])
    services.decline_cancellation(waiting.pk, by=colleague, note="We need you")

    response = desk.post(url("approve", waiting), follow=True)

    assert "A colleague has already decided this request." in response.text
    assert response.context["shown"].cancellation == waiting
    assert f"by {colleague.name}" in response.text
    assert "We need you" in response.text
    assert url("approve", waiting) not in response.text
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.DECLINED


def test_second_decision_is_told_who_was_first_where_it_was_no_colleague(desk, lead, department):
    def told(close) -> str:
        waiting = late_request(department)
        close(waiting)
        response = desk.post(url("approve", waiting), follow=True)
        return str(next(iter(response.context["messages"])))

    assert told(lambda waiting: services.decline_cancellation(waiting.pk, by=lead)) == (
        "You have already decided this request."
    )
    assert told(lambda waiting: services.decline_cancellation(waiting.pk, by=None)) == (
        "This request has already been decided by the rule."
    )
    assert "has taken this request back" in told(
        lambda waiting: services.take_back_cancellation(waiting.reference, by=waiting.requested_by)
    )


def test_decided_by_the_policy_says_so(desk, department):
    waiting = late_request(department)
    services.approve_cancellation(waiting.pk, by=None)

    assert "by the rule" in desk.get(url("case", waiting)).text


@pytest.mark.parametrize("note", ["x" * 501, "with \x00 in it"])
def test_bad_note_is_refused_and_kept(desk, department, note):
    waiting = late_request(department)

    response = desk.post(url("approve", waiting), {"note": note})

    assert response.status_code == 422
    assert response.context["form"]["note"].value() == note
    assert f'hx-get="{url("case", waiting)}"' in response.text
    assert response.context["shown"].stands == "open"
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED


def test_reading_decides_nothing(desk, department):
    waiting = late_request(department)

    for name in ("approve", "decline"):
        assert desk.get(url(name, waiting)).url == url("case", waiting)
    assert Cancellation.objects.get(pk=waiting.pk).status == CancellationStatus.REQUESTED


def test_yesterdays_decisions_are_not_todays(desk, department):
    CancellationFactory(
        approved=True,
        interview__department=department,
        decided_at=timezone.now() - timedelta(days=1, hours=1),
    )

    assert desk.get(QUEUE).context["done"] == []


# --- messages -------------------------------------------------------------------------------------


def message(recipient: str, **fields) -> Notification:
    now = timezone.now()
    return Notification.objects.create(
        **{
            "event": "cancellation_to_decide",
            "channel": Channel.DESK,
            "recipient": recipient,
            "language": "en",
            "subject": "interview:7K2M9QX4TB",
            "dedupe_key": f"test:{Notification.objects.count()}",
            "state": State.DELIVERED,
            "not_before": now,
            "created_at": now,
            "title": "A request to decide",
            **fields,
        }
    )


def test_inbox_holds_ones_own_and_the_departments_messages(desk, lead, department):
    own = message(f"user:{lead.pk}")
    departments = message(department.audience, params={"receipt": "7K2M9QX4TB"})
    message(DepartmentFactory().audience)
    message(f"user:{lead.pk}", state=State.QUEUED)

    response = desk.get("/desk/messages/")

    assert list(response.context["page"].entries) == [departments, own]
    assert "/desk/requests/7K2M9QX4TB/" in response.text


def test_recruiter_of_the_department_is_told_once(client, department):
    recruiter = UserFactory(recruiter=True, departments=[department])
    client.force_login(recruiter)
    interview = InterviewFactory(
        position__department=department, position__recruiter=recruiter, starts_in=timedelta(hours=2)
    )
    services.request_cancellation(
        interview.reference,
        by=interview.candidate.user,
        reason=Reason.objects.get(purpose=Purpose.CANCEL, code="unwell"),
        detail="",
    )
    to_decide = Notification.objects.filter(event="cancellation_to_decide", channel=Channel.DESK)
    assert to_decide.update(state=State.DELIVERED) == 2

    response = client.get("/desk/messages/")

    assert len(response.context["page"].entries) == 1


def test_empty_inbox_says_what_will_come(desk):
    assert "No messages yet" in desk.get("/desk/messages/").text


def test_messages_are_walked_in_pages_and_not_counted(desk, lead):
    newest_first = [message(f"user:{lead.pk}") for _number in range(51)][::-1]

    with CaptureQueriesContext(connection) as captured:
        first = desk.get("/desk/messages/")
    second = desk.get("/desk/messages/", {"page": "2"})

    assert list(first.context["page"].entries) == newest_first[:50]
    assert list(second.context["page"].entries) == newest_first[50:]
    assert 'href="/desk/messages/?page=2"' in first.text
    assert 'href="/desk/messages/?page=1"' in second.text
    counts = [each["sql"] for each in captured if "COUNT(" in each["sql"]]
    assert not [sql for sql in counts if "notifications_notification" in sql]


@pytest.mark.parametrize(
    ("fields", "leads_to"),
    [
        ({"params": {"receipt": "7K2M9QX4TB"}}, "/desk/requests/7K2M9QX4TB/"),
        ({"params": {"item": "7K2M9QX4TB"}}, "/desk/work/7K2M9QX4TB/"),
        ({"params": {"interview": "7K2M9QX4TB"}}, "/desk/interviews/7K2M9QX4TB/"),
        ({"event": "token_issued", "subject": "user:1"}, "/desk/settings/connections/"),
        (
            {"event": "webhook_switched_off", "subject": "webhook:12"},
            "/desk/settings/connections/webhooks/12/",
        ),
    ],
)
def test_message_leads_to_what_it_is_about(client, fields, leads_to):
    administrator = UserFactory(administrator=True)
    client.force_login(administrator)
    message(f"user:{administrator.pk}", **fields)

    assert f'<a href="{leads_to}">A request to decide</a>' in client.get("/desk/messages/").text


def test_message_leads_nobody_where_they_may_not_go(desk, lead):
    message(f"user:{lead.pk}", event="token_issued", subject=f"user:{lead.pk}")

    page = desk.get("/desk/messages/").text

    assert "A request to decide" in page
    assert "/desk/settings/connections/" not in page


def test_inbox_query_count_does_not_grow(desk, lead):
    counts = []
    for _round in range(2):
        message(f"user:{lead.pk}")
        with CaptureQueriesContext(connection) as captured:
            desk.get("/desk/messages/")
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 6
