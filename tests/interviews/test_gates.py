"""Gates before stages: whether they are open, what is handed in, who gets through."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from candidates.models import FileEntry
from interviews.booking.services import reach_stage
from interviews.gates import queries, rules, services
from interviews.gates.rules import Paper, Standing
from interviews.models import AccessLog, Application, Document, Stage
from interviews.tasks import remind_of_documents
from notifications.models import Notification, WorkItem
from tests.contracts.api import assert_problem, caller
from tests.factories import (
    PDF,
    ApplicationFactory,
    DepartmentFactory,
    DocumentFactory,
    InterviewFactory,
    PositionFactory,
    StageGateFactory,
    UserFactory,
)

NOW = timezone.now()
TODAY = timezone.localdate(NOW)
DAY = timedelta(days=1)
ON = date(2026, 11, 22)


# --- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("papers", "standing"),
    [
        ([], Standing.MISSING),
        ([Paper(None, None)], Standing.TO_CHECK),
        ([Paper(False, None)], Standing.REJECTED),
        ([Paper(True, None)], Standing.OPEN),
        ([Paper(True, ON)], Standing.OPEN),  # valid on its last day
        ([Paper(True, ON - DAY)], Standing.EXPIRED),
        ([Paper(None, None), Paper(True, ON)], Standing.OPEN),
        ([Paper(None, None), Paper(True, ON - DAY)], Standing.TO_CHECK),
        ([Paper(False, None), Paper(True, ON)], Standing.OPEN),
        ([Paper(False, None), Paper(True, ON - DAY)], Standing.REJECTED),
        ([Paper(None, None), Paper(False, None)], Standing.TO_CHECK),
    ],
)
def test_gate_of_a_document(papers, standing):
    assert rules.document(papers, needed_on=ON) is standing


@pytest.mark.parametrize(
    ("scores", "standing"),
    [
        ({}, Standing.UNSCORED),
        ({"days": 99}, Standing.UNSCORED),
        ({"nights": 59.99}, Standing.BELOW),
        ({"nights": 60}, Standing.OPEN),
        ({"nights": 0}, Standing.BELOW),
    ],
)
def test_gate_of_a_score(scores, standing):
    assert rules.score(scores, dimension="nights", minimum=60) is standing


# --- nobody enters a stage whose gate is shut -----------------------------------------------------


@pytest.fixture
def department(db):
    return DepartmentFactory()


@pytest.fixture
def interview(department):
    """Over, its application before the second interview."""
    return InterviewFactory(department=department, status="completed", ended_at=NOW - DAY)


@pytest.fixture
def gate(interview):
    return StageGateFactory(position=interview.position)


@pytest.fixture
def recruiter(department):
    return UserFactory(recruiter=True, departments=[department])


def fresh(row):
    return type(row)._base_manager.get(pk=row.pk)


def standings(interview) -> list[str]:
    before = queries.gates_before(interview.application, today=TODAY)
    return [str(each.standing) for each in before]


@pytest.mark.parametrize("stage", [Stage.SECOND_INTERVIEW, Stage.OFFER, Stage.HIRED])
def test_shut_gate_keeps_from_its_stage_and_from_all_later_ones(interview, gate, stage):
    with pytest.raises(services.GateShut) as shut:
        reach_stage(interview.application, stage, by=None)

    assert [each.gate for each in shut.value.gates] == [gate]
    assert fresh(interview.application).stage == Stage.AI_INTERVIEW


@pytest.mark.parametrize("stage", [Stage.ENDED, Stage.SCREENED, Stage.AI_INTERVIEW])
def test_shut_gate_keeps_nobody_from_going_back_or_ending(interview, gate, stage):
    reach_stage(interview.application, stage, by=None)

    assert fresh(interview.application).stage == stage


@pytest.mark.parametrize(
    "made",
    [{"is_active": False}, {"stage": Stage.OFFER}, {"position": None}],
    ids=["switched off", "later", "of another position"],
)
def test_other_gates_are_in_nobodys_way(interview, made):
    given = {"position": interview.position, **made}
    StageGateFactory(**{**given, "position": given["position"] or PositionFactory()})

    reach_stage(interview.application, Stage.SECOND_INTERVIEW, by=None)

    assert fresh(interview.application).stage == Stage.SECOND_INTERVIEW


def test_accepted_document_opens_it_until_it_expires(interview, gate, recruiter):
    document = DocumentFactory(
        application=interview.application, gate=gate, expires_on=TODAY + 10 * DAY
    )
    assert standings(interview) == ["to_check"]

    services.check(document.reference, by=recruiter, accepted=True)

    assert standings(interview) == ["open"]
    later = queries.gates_before(interview.application, today=TODAY + 11 * DAY)
    assert [str(each.standing) for each in later] == ["expired"]
    reach_stage(interview.application, Stage.SECOND_INTERVIEW, by=recruiter)


def test_by_the_api_too(interview, gate, recruiter):
    response = caller(recruiter).post(
        f"/api/v1/applications/{interview.application.reference}/stage/",
        {"stage": "second_interview"},
    )

    assert_problem(response, 409, "gate-shut")


def test_by_the_admin_too(client, interview, gate):
    client.force_login(UserFactory(administrator=True))
    application = interview.application
    address = reverse("admin:interviews_application_change", args=[application.pk])
    applied = timezone.localtime(application.applied_at)
    sent = {
        "stage": "second_interview",
        "applied_at_0": f"{applied:%Y-%m-%d}",
        "applied_at_1": f"{applied:%H:%M:%S}",
        "interviews-TOTAL_FORMS": "0",
        "interviews-INITIAL_FORMS": "0",
    }

    response = client.post(address, sent)

    assert "Health certificate" in response.content.decode()
    assert fresh(application).stage == Stage.AI_INTERVIEW


def test_hr_lets_somebody_through_with_a_reason(interview, gate, recruiter):
    services.let_through(interview.application, gate, by=recruiter, reason="Seen on paper.")
    services.let_through(interview.application, gate, by=recruiter, reason="Again.")

    assert standings(interview) == ["open"]
    entry = interview.history.last()
    assert (entry.event, entry.data["gate"]) == ("gate_passed", gate.pk)
    assert interview.history.filter(event="gate_passed").count() == 1
    viewer = UserFactory(viewer=True, departments=[interview.position.department])
    for stranger in (viewer, UserFactory(recruiter=True)):
        with pytest.raises(PermissionDenied):
            services.let_through(interview.application, gate, by=stranger, reason="Please.")


# --- handing in -----------------------------------------------------------------------------------


def upload(interview, gate, content=PDF, **given):
    given = {"expires_on": TODAY + 30 * DAY, "by": interview.candidate.user, **given}
    return services.upload(interview.application.reference, gate.pk, content=content, **given)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (PDF, "application/pdf"),
        (b"\xff\xd8\xff\xe0 picture", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n picture", "image/png"),
    ],
)
def test_what_a_file_is_says_its_beginning(interview, gate, content, content_type):
    assert upload(interview, gate, content).content_type == content_type


@pytest.mark.parametrize(
    ("content", "given", "code"),
    [
        (b"", {}, "empty"),
        (b"<html>", {}, "format"),
        (b"GIF89a", {}, "format"),
        (b"x%PDF-1.7", {}, "format"),
        (PDF + b"x" * services.LARGEST_DOCUMENT, {}, "too_large"),
        (PDF, {"expires_on": None}, "needs_expiry"),
        (PDF, {"expires_on": TODAY - DAY}, "expired"),
    ],
)
def test_what_is_not_taken(interview, gate, content, given, code):
    with pytest.raises(services.NotAccepted) as refusal:
        upload(interview, gate, content, **given)

    assert refusal.value.code == code
    assert not Document.objects.exists()


def test_document_is_encrypted_replaces_what_nobody_checked_and_is_work(interview, gate):
    first = upload(interview, gate)
    second = upload(interview, gate, content=PDF + b" better")

    assert (fresh(first).state, fresh(second).state) == ("replaced", "uploaded")
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM interviews_document")
        assert not any(b"%PDF" in bytes(data) for (data,) in cursor.fetchall())
    (item,) = WorkItem.objects.all()
    assert (item.kind, item.params) == ("document", {"code": "document_to_check"})


@pytest.mark.parametrize("decision", ["accept", "reject", "let through"])
def test_work_leads_to_the_document_and_ends_with_the_decision(
    client, interview, gate, recruiter, decision
):
    document = upload(interview, gate)
    (item,) = WorkItem.objects.all()
    client.force_login(recruiter)
    page = client.get(reverse("cancellations:work_item", args=[item.reference])).text
    assert reverse("interviews:desk_documents", args=[interview.reference]) in page

    if decision == "let through":
        lead = UserFactory(lead=True, departments=[interview.position.department])
        services.let_through(interview.application, gate, by=lead, reason="Seen on paper.")
    else:
        accepted = decision == "accept"
        services.check(document.reference, by=recruiter, accepted=accepted, note="Blurred.")

    assert fresh(item).closed_at is not None
    assert interview.history.filter(event="work_resolved").exists()


def test_work_stays_while_another_document_waits(interview, gate, recruiter):
    other = StageGateFactory(position=gate.position)
    document = upload(interview, gate)
    upload(interview, other)

    services.check(document.reference, by=recruiter, accepted=True)

    assert WorkItem.objects.get().closed_at is None


def test_what_was_replaced_is_not_kept_and_cannot_be_opened(client, interview, gate, recruiter):
    first = upload(interview, gate)
    second = upload(interview, gate)
    client.force_login(recruiter)

    assert (bytes(fresh(first).data), fresh(first).size) == (b"", 0)
    assert bytes(fresh(second).data) == PDF
    read = "interviews:read_document"
    address = reverse(read, args=[interview.reference, first.reference])
    assert client.post(address).status_code == 404
    assert not AccessLog.objects.exists()


def test_so_many_files_an_hour_and_no_more(interview, gate):
    for minute in range(services.UPLOADS_AN_HOUR):
        upload(interview, gate, at=NOW + timedelta(minutes=minute))

    with pytest.raises(services.NotAccepted) as refusal:
        upload(interview, gate, at=NOW + timedelta(minutes=59))

    assert refusal.value.code == "too_often"
    assert upload(interview, gate, at=NOW + timedelta(hours=1))


@pytest.mark.parametrize("told", [True, False])
def test_hr_sets_right_until_when_it_is_valid(client, interview, gate, recruiter, told):
    document = upload(interview, gate)
    really = document.expires_on - 7 * DAY
    client.force_login(recruiter)
    address = reverse("interviews:desk_documents", args=[interview.reference])

    page = client.get(address).text
    sent = {f"check{gate.pk}-expires_on": f"{really:%Y-%m-%d}" if told else ""}
    client.post(
        address,
        {
            "action": "check",
            "document": document.reference,
            f"check{gate.pk}-verdict": "accept",
            **sent,
        },
    )

    assert f'value="{document.expires_on:%Y-%m-%d}"' in page
    assert fresh(document).state == "accepted"
    assert fresh(document).expires_on == (really if told else document.expires_on)


def test_only_ones_own_application_and_one_that_goes_on(interview, gate):
    stranger = InterviewFactory().candidate.user

    with pytest.raises(Application.DoesNotExist):
        upload(interview, gate, by=stranger)
    Application.objects.filter(pk=interview.application.pk).update(stage=Stage.ENDED)
    with pytest.raises(Application.DoesNotExist):
        upload(interview, gate)


def test_rejecting_tells_the_candidate_why(interview, gate, recruiter):
    document = DocumentFactory(application=interview.application, gate=gate)

    services.check(document.reference, by=recruiter, accepted=False, note="Not readable.")

    assert standings(interview) == ["rejected"]
    message = Notification.objects.get(event="document_rejected", channel="sms")
    assert message.params["note"] == "Not readable."
    with pytest.raises(TransitionNotAllowed):
        services.check(document.reference, by=recruiter, accepted=True)


def test_with_the_last_document_accepted_the_candidate_is_told_once(interview, gate, recruiter):
    papers = [
        DocumentFactory(application=interview.application, gate=each)
        for each in (gate, StageGateFactory(position=interview.position))
    ]
    told = Notification.objects.filter(event="documents_accepted", channel="sms")

    services.check(papers[0].reference, by=recruiter, accepted=True)
    assert not told.exists()
    services.check(papers[1].reference, by=recruiter, accepted=True)
    assert told.get().subject == interview.subject


def test_what_was_still_to_be_said_of_missing_ones_is_not_said_any_more(interview, gate, recruiter):
    services.ask_for_documents(interview.application, by=recruiter)
    document = DocumentFactory(application=interview.application, gate=gate)

    services.check(document.reference, by=recruiter, accepted=True)

    asked = Notification.objects.filter(event="documents_missing")
    assert {each.state for each in asked} == {"superseded"}


@pytest.mark.parametrize("stage", [Stage.ENDED, Stage.HIRED])
def test_who_has_nothing_ahead_is_not_told_of_a_next_step(interview, gate, recruiter, stage):
    document = DocumentFactory(application=interview.application, gate=gate)
    Application.objects.filter(pk=interview.application.pk).update(stage=stage)

    services.check(document.reference, by=recruiter, accepted=True)

    assert not Notification.objects.filter(event="documents_accepted").exists()


def test_all_is_not_accepted_while_a_newer_one_waits(interview, gate, recruiter):
    other = StageGateFactory(position=interview.position)
    accepted = DocumentFactory(application=interview.application, gate=gate)
    services.check(accepted.reference, by=recruiter, accepted=True)
    DocumentFactory(application=interview.application, gate=gate)
    last = DocumentFactory(application=interview.application, gate=other)

    services.check(last.reference, by=recruiter, accepted=True)

    assert not Notification.objects.filter(event="documents_accepted").exists()


def test_who_let_a_document_run_out_is_not_told_that_all_is_well(interview, gate, recruiter):
    document = DocumentFactory(application=interview.application, gate=gate)
    yesterday = TODAY - DAY

    services.check(document.reference, by=recruiter, accepted=True, expires_on=yesterday)

    assert not Notification.objects.filter(event="documents_accepted").exists()


@pytest.mark.parametrize("role", ["viewer", "recruiter"])
def test_only_hr_of_the_department_checks(interview, gate, department, role):
    document = DocumentFactory(application=interview.application, gate=gate)
    where = [department] if role == "viewer" else []

    with pytest.raises(PermissionDenied):
        services.check(
            document.reference, by=UserFactory(departments=where, **{role: True}), accepted=True
        )


def test_database_keeps_one_document_to_check_and_its_moves(interview, gate):
    document = DocumentFactory(application=interview.application, gate=gate)

    with pytest.raises(IntegrityError), transaction.atomic():
        DocumentFactory(application=interview.application, gate=gate)
    Document.objects.filter(pk=document.pk).update(state="accepted")
    with pytest.raises(DatabaseError), transaction.atomic():
        Document.objects.filter(pk=document.pk).update(state="rejected")


# --- scores ---------------------------------------------------------------------------------------


def file_with(interview, **scores):
    return FileEntry.objects.create(
        candidate=interview.candidate,
        interview=interview.reference,
        entered_at=NOW - DAY,
        ended_at=NOW - DAY,
        ending="completed",
        scores=scores,
    )


def test_score_not_reached_ends_the_application_once_and_politely(interview):
    StageGateFactory(score=True, position=interview.position)

    ended = services.weigh(interview, {"nights": 40.625}, at=NOW)
    again = services.weigh(interview, {"nights": 40.625}, at=NOW)

    assert (ended, again) == (True, False)
    assert fresh(interview.application).stage == Stage.ENDED
    assert interview.history.filter(event="ended_by_score").count() == 1
    (message,) = Notification.objects.filter(event="application_ended", channel="sms")
    assert "40.625" not in str(message.params)


@pytest.mark.parametrize(
    ("made", "scores"),
    [({}, {"nights": 60}), ({}, {"days": 1}), ({"below": "waits"}, {"nights": 1})],
)
def test_other_scores_end_nothing(interview, made, scores):
    StageGateFactory(score=True, position=interview.position, **made)

    assert not services.weigh(interview, scores, at=NOW)
    assert fresh(interview.application).stage == Stage.AI_INTERVIEW


def test_score_stands_before_the_stage_by_the_latest_of_the_file(interview):
    StageGateFactory(score=True, position=interview.position, below="waits")
    assert standings(interview) == ["unscored"]

    file_with(interview, nights=40)

    assert standings(interview) == ["below"]


# --- reminders ------------------------------------------------------------------------------------


def reminders() -> int:
    return Notification.objects.filter(event="documents_missing", channel="sms").count()


def test_reminded_every_three_days_for_three_weeks(interview, gate):
    for hours in range(0, 24 * 40, 12):
        services.remind_of_missing(
            interview.application_id, now=interview.ended_at + timedelta(hours=hours)
        )

    assert reminders() == 7


def test_who_has_handed_in_is_left_alone(interview, gate):
    DocumentFactory(application=interview.application, gate=gate)

    remind_of_documents()

    assert reminders() == 0


def test_nobody_is_reminded_before_the_interview_or_after_the_end(gate, interview):
    InterviewFactory(position=interview.position)
    InterviewFactory(
        position=interview.position,
        status="completed",
        ended_at=NOW,
        application=ApplicationFactory(position=interview.position, stage=Stage.ENDED),
    )

    remind_of_documents()

    assert reminders() == 1


# --- pages ----------------------------------------------------------------------------------------


def test_candidate_hands_in_on_a_page(client, interview, gate):
    client.force_login(interview.candidate.user)
    address = reverse("interviews:documents", args=[interview.reference])
    prefix = f"gate{gate.pk}"

    before = client.get(address).content.decode()
    wrong = client.post(
        address,
        {
            "gate": gate.pk,
            f"{prefix}-file": SimpleUploadedFile("x.pdf", b"<html>"),
            f"{prefix}-expires_on": (TODAY + DAY).isoformat(),
        },
    )
    right = client.post(
        address,
        {
            "gate": gate.pk,
            f"{prefix}-file": SimpleUploadedFile("x.exe", PDF),
            f"{prefix}-expires_on": (TODAY + DAY).isoformat(),
        },
        follow=True,
    )

    assert "Still needed" in before
    assert wrong.status_code == 422
    assert "neither a PDF" in wrong.content.decode()
    assert "Handed in" in right.content.decode()


def test_nothing_is_asked_for_once_the_application_has_ended(client, interview, gate):
    Application.objects.filter(pk=interview.application_id).update(stage=Stage.ENDED)
    client.force_login(interview.candidate.user)

    page = client.get(reverse("cancellations:interview", args=[interview.reference])).text

    assert reverse("interviews:documents", args=[interview.reference]) not in page


def test_hr_asks_for_what_is_missing_once_a_day(client, interview, gate, recruiter):
    client.force_login(recruiter)
    address = reverse("interviews:desk_documents", args=[interview.reference])

    page = client.get(address).text
    first = client.post(address, {"action": "ask"}, follow=True).text
    again = client.post(address, {"action": "ask"}, follow=True).text

    assert "Ask the candidate for them" in page
    assert "The candidate is being asked for it." in first
    assert "has been asked today" in again
    assert reminders() == 1
    assert interview.history.get(event="documents_asked").data["gates"] == [gate.pk]


def test_viewer_asks_for_nothing(client, interview, gate, department):
    client.force_login(UserFactory(viewer=True, departments=[department]))
    address = reverse("interviews:desk_documents", args=[interview.reference])

    assert client.post(address, {"action": "ask"}).status_code == 403
    assert reminders() == 0


def test_hr_reads_with_a_trace_checks_and_moves_on(client, interview, gate, recruiter):
    document = DocumentFactory(application=interview.application, gate=gate)
    client.force_login(recruiter)
    address = reverse("interviews:desk_documents", args=[interview.reference])
    reading = reverse("interviews:read_document", args=[interview.reference, document.reference])

    shut = client.post(address, {"action": "stage", "stage": "second_interview"})
    file = client.post(reading)
    client.post(
        address,
        {"action": "check", "document": document.reference, f"check{gate.pk}-verdict": "accept"},
    )
    client.post(address, {"action": "stage", "stage": "second_interview"})

    assert shut.status_code == 422
    assert "Health certificate" in shut.content.decode()
    assert file.content == PDF
    assert file["Content-Disposition"].startswith("attachment")
    assert AccessLog.objects.get().detail == {"document": document.reference}
    assert fresh(interview.application).stage == Stage.SECOND_INTERVIEW


def test_document_of_another_application_is_not_there(client, interview, recruiter):
    other = DocumentFactory()
    client.force_login(recruiter)

    response = client.post(
        reverse("interviews:read_document", args=[interview.reference, other.reference])
    )

    assert response.status_code == 404
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize(
    ("status", "papers", "words"),
    [
        ("booked", [], "Please hand in: Health certificate"),
        ("completed", [], "Please hand in: Health certificate"),
        ("completed", ["rejected"], "could not be accepted"),
        ("completed", ["uploaded"], "HR looks at it"),
        ("completed", ["accepted"], "has been accepted"),
        ("cancelled", [], None),
    ],
)
def test_page_of_the_interview_says_how_the_documents_stand(
    client, department, recruiter, status, papers, words
):
    interview = InterviewFactory(department=department, status=status)
    gate = StageGateFactory(position=interview.position)
    for state in papers:
        document = DocumentFactory(application=interview.application, gate=gate)
        if state != "uploaded":
            services.check(document.reference, by=recruiter, accepted=state == "accepted", note="x")
    client.force_login(interview.candidate.user)

    page = client.get(reverse("cancellations:interview", args=[interview.reference])).text
    own = client.get(reverse("interviews:documents", args=[interview.reference])).text

    address = f'href="{reverse("interviews:documents", args=[interview.reference])}"'
    assert (address in page) == (words is not None)
    assert words is None or words in page
    assert ("<b>Accepted</b>" in own) == (papers == ["accepted"])
