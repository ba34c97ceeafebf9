"""Absences: what HR decides, what may never be held against anybody, and what candidates say."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from cancellations import company
from cancellations.absences import queries, services
from cancellations.absences.models import Absence
from cancellations.absences.rules import Known, Obstacle
from cancellations.models import Policy, Purpose, Reason
from cancellations.tasks import expire_marks, lift_unfair_marks
from cancellations.work import resolve_work
from candidates.models import Appeal, Mark
from interviews import history
from interviews.models import (
    AccessLog,
    Interview,
    Move,
    PlatformEvent,
    PlatformLink,
    RoomEvent,
    TroubleReport,
)
from interviews.reminders import services as trouble
from interviews.reminders.queries import has_failed
from interviews.room import services as room
from interviews.services import SlotFull
from interviews.states import InterviewStatus
from notifications.models import Notification, WorkItem
from tests.factories import (
    AbsenceFactory,
    CancellationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    MarkFactory,
    SittingFactory,
    SlotFactory,
    UserFactory,
    tell,
)
from tests.interviews.platforms import booked_on, platform_for

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def absence():
    """Told of it, and not come: nothing forbids to hold it against them."""
    absence = AbsenceFactory(interview__candidate__user__email="zhang@example.com")
    tell(absence.interview, created_at=absence.starts_at - timedelta(hours=2))
    return absence


def lead_of(absence, **fields):
    return UserFactory(lead=True, departments=[absence.interview.position.department], **fields)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def status(absence) -> str:
    return Interview.objects.get(pk=absence.interview_id).status


def told(event) -> set[str]:
    return set(Notification.objects.filter(event=event).values_list("channel", flat=True))


def intact(absence) -> bool:
    return not list(history.verify(Interview.objects.filter(pk=absence.interview_id)))


# --- how an absence comes before HR ---------------------------------------------------------------


def miss(interview):
    locked = Interview.objects.lock(interview.reference)
    locked.miss(at=timezone.now())
    locked.save()
    history.record(locked, "missed", by=None)


def test_whoever_is_put_down_as_missing_is_looked_at_by_hr():
    interview = InterviewFactory(starts_in=-DAY, link="")

    miss(interview)

    absence = Absence.objects.get()
    item = WorkItem.objects.open().get(subject=interview.subject)
    assert (absence.code, absence.starts_at) == ("missed", interview.starts_at)
    assert (item.kind, item.params["absence"]) == ("absence", absence.reference)
    assert told("interview_missed") == {"sms"}
    assert told("absence_to_decide") == {"desk", "email"}
    assert intact(absence)


def test_set_right_by_hand_to_missed_is_looked_at_as_well():
    interview = InterviewFactory(starts_in=-DAY)
    by = UserFactory(lead=True, departments=[interview.position.department])

    company.correct_interview(
        interview.reference, by=by, move=Move.MISS, expected="booked", reason="Nobody came."
    )

    assert Absence.objects.get().interview == interview
    assert told("interview_missed") == set()  # they are told that it was corrected


def test_what_is_set_right_otherwise_takes_the_work_away():
    absence = AbsenceFactory()
    MarkFactory(missed=absence.interview)
    by = lead_of(absence)

    company.correct_interview(
        absence.interview.reference,
        by=by,
        move=Move.REINSTATE,
        expected="no_show",
        reason="They had called.",
        starts_at=timezone.now() + DAY,
    )

    assert fresh(absence).decision == "overtaken"
    assert not WorkItem.objects.open().filter(kind="absence").exists()
    assert Mark.objects.get().state == "lifted"
    assert intact(absence)


def trouble_before_the_start(**fields) -> Interview:
    interview = InterviewFactory(link="", starts_in=timedelta(minutes=9), **fields)
    trouble.tell_trouble(interview.reference, kind="device")
    assert Absence.objects.get().decision == ""
    return interview


def called_off_by_the_company(interview):
    reason = Reason.objects.filter(purpose=Purpose.COMPANY, needs_detail=False).first()
    by = UserFactory(lead=True, departments=[interview.position.department])
    company.cancel_for_company(interview.reference, by=by, reason=reason)


def came_in_before_the_start(interview):
    room.enter(interview.reference, by=interview.candidate.user)


def lapsed(interview):
    Interview.objects.filter(pk=interview.pk).update(status="in_progress")
    locked = Interview.objects.lock(interview.reference)
    locked.lapse(at=timezone.now())
    locked.save()
    history.record(locked, "lapsed", by=None)


def began_there_before_the_start(interview):
    """On a platform, which tells of it later."""
    locked = Interview.objects.lock(interview.reference)
    locked.start()
    locked.save()
    history.record(locked, "started", by=None, at=interview.starts_at - timedelta(hours=1))


@pytest.mark.parametrize(
    "happened",
    [
        called_off_by_the_company,
        came_in_before_the_start,
        lapsed,
        began_there_before_the_start,
    ],
)
def test_absence_of_somebody_who_told_of_trouble_in_time_can_end(happened):
    interview = trouble_before_the_start()

    happened(interview)

    assert Absence.objects.get().decision == "overtaken"
    assert not WorkItem.objects.open().filter(kind="absence").exists()


def test_import_of_old_no_shows_opens_nothing():
    interview = InterviewFactory(no_show=True)

    history.record(interview, "imported", by=None)

    assert not Absence.objects.exists()


# --- what may never be held against anybody -------------------------------------------------------


def known(**changes):
    plain = {
        "starts_at": NOW,
        "booked_at": NOW - DAY,
        "is_over": True,
        "came": False,
        "was_told": True,
        "request_pending": False,
        "platform_fault": False,
    }
    return Known(**plain | changes)


@pytest.mark.parametrize(
    ("changes", "obstacles"),
    [
        ({}, []),
        ({"booked_at": None}, [Obstacle.NEVER_BOOKED]),
        ({"is_over": False}, [Obstacle.NOT_OVER]),
        ({"came": True}, [Obstacle.CAME]),
        ({"was_told": False}, [Obstacle.NOT_DELIVERED]),
        ({"request_pending": True}, [Obstacle.REQUEST_PENDING]),
        ({"platform_fault": True}, [Obstacle.PLATFORM_FAULT]),
        ({"trouble": "device", "troubles": (("offline", 3),)}, []),
        (
            {"was_told": False, "platform_fault": True},
            [Obstacle.NOT_DELIVERED, Obstacle.PLATFORM_FAULT],
        ),
    ],
)
def test_obstacles(changes, obstacles):
    assert known(**changes).obstacles() == obstacles
    assert known(**changes).as_evidence()["obstacles"] == [each.value for each in obstacles]


def nothing_arrived(interview):
    Notification.objects.filter(subject=interview.subject).update(state="failed")


def the_last_bounced(interview):
    tell(interview, "trouble_asked", state="bounced", created_at=interview.starts_at)


def nothing_was_sent(interview):
    Notification.objects.filter(subject=interview.subject).delete()


def request_was_pending(interview):
    CancellationFactory(interview=interview, starts_at=interview.starts_at)


def request_was_decided_too_late(interview):
    CancellationFactory(
        interview=interview,
        starts_at=interview.starts_at,
        status="declined",
        decided_at=interview.starts_at + timedelta(minutes=1),
    )


def room_failed(interview):
    sitting = SittingFactory(interview=interview, ended=True, ending="misstart")
    RoomEvent.objects.create(sitting=sitting, kind="server_error", at=timezone.now())


def was_in_the_room(interview):
    SittingFactory(interview=interview, ended=True, ending="dropped")


def never_booked(interview):
    Interview.objects.filter(pk=interview.pk).update(booked_at=None)


@pytest.mark.parametrize(
    ("happened", "obstacle"),
    [
        (nothing_arrived, Obstacle.NOT_DELIVERED),
        (the_last_bounced, Obstacle.NOT_DELIVERED),
        (nothing_was_sent, Obstacle.NOT_DELIVERED),
        (request_was_pending, Obstacle.REQUEST_PENDING),
        (request_was_decided_too_late, Obstacle.REQUEST_PENDING),
        (room_failed, Obstacle.PLATFORM_FAULT),
        (was_in_the_room, Obstacle.CAME),
        (never_booked, Obstacle.NEVER_BOOKED),
    ],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_service_refuses_an_unfair_mark(absence, happened, obstacle):
    happened(absence.interview)

    with pytest.raises(services.Unfair) as refused:
        services.mark(absence.reference, by=lead_of(absence))

    assert obstacle in refused.value.obstacles
    assert not Mark.objects.exists()
    assert fresh(absence).decision == ""


@pytest.mark.parametrize("told_at", [None, NOW])
def test_what_failed_on_the_platform_is_never_held_against_anybody(told_at):
    """Nor what the platform was never told of."""
    platform = platform_for()
    interview = booked_on(platform)
    link = PlatformLink.objects.get(interview=interview)
    PlatformLink.objects.filter(pk=link.pk).update(external_id="x", told_at=told_at)
    if told_at:
        assert not has_failed(interview)
        PlatformEvent.objects.create(
            platform=platform, event_id="e", external_id="x", at=NOW, body={"kind": "error"}
        )

    found = queries.known_of(interview, timezone.now())

    assert Obstacle.PLATFORM_FAULT in found.obstacles()


def test_nothing_stands_in_the_way_of_a_fair_mark(absence):
    assert queries.known_of(absence.interview, timezone.now()).obstacles() == []


# --- deciding -------------------------------------------------------------------------------------


def test_marking_keeps_the_evidence_and_tells_the_candidate(absence):
    Policy.objects.filter(is_active=True).update(mark_days=30)
    TroubleReport.objects.create(
        interview=absence.interview, starts_at=absence.starts_at, at=NOW, kind="late"
    )
    lead = lead_of(absence)

    with time_machine.travel(NOW, tick=False):
        mark = services.mark(absence.reference, by=lead, note="Third time.")

    assert mark.expires_at == mark.set_at + 30 * DAY
    assert mark.evidence["trouble"] == "late"
    assert mark.evidence["messages"][0]["state"] == "delivered"
    assert (mark.state, mark.set_by) == ("active", lead)
    assert fresh(absence).decision == "marked"
    assert not WorkItem.objects.open().filter(kind="absence").exists()
    assert told("mark_set") == {"sms", "email"}
    entry = absence.interview.history.get(event="absence_marked")
    assert entry.data["mark"] == mark.reference
    assert "Third" not in str(entry.data)
    assert intact(absence)


def test_excusing_holds_nothing_against_anybody(absence):
    services.excuse(absence.reference, by=lead_of(absence), note="Was ill.")

    assert fresh(absence).decision == "excused"
    assert not Mark.objects.exists()
    assert told("absence_excused") == {"sms", "email"}
    assert intact(absence)


@pytest.mark.parametrize("start", ["no_show", "booked"])
def test_another_time_is_booked_and_the_old_place_freed(start):
    interview = InterviewFactory(status=start, starts_in=-DAY, link="")
    absence = AbsenceFactory(interview=interview)
    old, slot = interview.slot, SlotFactory(position=interview.position)

    services.rebook(absence.reference, by=lead_of(absence), slot_id=slot.pk)

    moved = Interview.objects.get(pk=interview.pk)
    assert (moved.status, moved.slot, moved.starts_at) == ("booked", slot, slot.starts_at)
    assert (fresh(old).booked, fresh(slot).booked) == (0, 1)
    assert fresh(absence).decision == "rebooked"
    assert told("interview_rebooked") == {"sms"}
    assert interview.steps.filter(done_at=None).count() == 4
    assert intact(absence)


@pytest.mark.parametrize("decide", ["excuse", "mark"])
def test_whom_the_clock_had_left_to_hr_is_missing_from_then(decide):
    interview = InterviewFactory(starts_in=-DAY, link="")
    absence = AbsenceFactory(interview=interview, code="attendance_unknown")
    tell(interview, created_at=interview.starts_at - timedelta(hours=2))

    getattr(services, decide)(absence.reference, by=lead_of(absence))

    assert status(absence) == InterviewStatus.NO_SHOW
    assert interview.history.filter(event="missed").count() == 1
    assert Absence.objects.count() == 1
    assert not WorkItem.objects.open().filter(kind="absence").exists()
    assert intact(absence)


def test_full_slot_decides_nothing(absence, monkeypatch):
    slot = SlotFactory(position=absence.interview.position, capacity=1)

    def full(*args, **kwargs):
        raise SlotFull

    monkeypatch.setattr(services, "reinstate_interview", full)
    with pytest.raises(SlotFull):
        services.rebook(absence.reference, by=lead_of(absence), slot_id=slot.pk)

    assert fresh(absence).decision == ""
    assert status(absence) == InterviewStatus.NO_SHOW


def test_who_was_there_after_all_has_completed_it():
    interview = InterviewFactory(starts_in=-DAY)
    absence = AbsenceFactory(interview=interview, code="attendance_unknown")

    services.attended(absence.reference, by=lead_of(absence))

    assert status(absence) == InterviewStatus.COMPLETED
    assert fresh(absence).decision == "attended"
    assert intact(absence)


def test_who_was_put_down_as_missing_cannot_be_made_to_have_come(absence):
    with pytest.raises(TransitionNotAllowed):
        services.attended(absence.reference, by=lead_of(absence))


@pytest.mark.parametrize("second", ["excuse", "mark"])
def test_second_decision_is_refused(absence, second):
    services.excuse(absence.reference, by=lead_of(absence))

    with pytest.raises(services.AlreadyDecided):
        getattr(services, second)(absence.reference, by=lead_of(absence))

    assert fresh(absence).decision == "excused"


@pytest.mark.parametrize("decide", ["excuse", "mark", "attended"])
def test_viewers_decide_nothing(absence, decide):
    with pytest.raises(PermissionDenied):
        getattr(services, decide)(absence.reference, by=UserFactory(viewer=True))


def test_an_absence_is_not_settled_by_a_word(absence):
    item = WorkItem.objects.get(kind="absence")

    with pytest.raises(PermissionDenied):
        resolve_work(item, by=lead_of(absence), note="Done.")


# --- appeals --------------------------------------------------------------------------------------


@pytest.fixture
def mark(absence):
    recruiter = UserFactory(recruiter=True, departments=[absence.interview.position.department])
    return services.mark(absence.reference, by=recruiter)


def test_appeal_goes_to_those_who_did_not_set_the_mark(absence, mark):
    lead = lead_of(absence)

    services.appeal(mark.reference, by=mark.candidate.user, text="医院证明")

    assert fresh(mark).state == "appealed"
    item = WorkItem.objects.open().get(kind="appeal")
    assert item.params["mark"] == mark.reference
    recipients = Notification.objects.filter(event="appeal_to_decide").values_list("recipient")
    assert set(recipients) == {(f"user:{lead.pk}",)}
    assert "医院" not in str(absence.interview.history.get(event="mark_appealed").data)


def test_appealing_again_changes_nothing(mark):
    first = services.appeal(mark.reference, by=mark.candidate.user, text="A")
    again = services.appeal(mark.reference, by=mark.candidate.user, text="B")

    assert first == again
    assert Appeal.objects.get().text == "A"


def test_nobody_appeals_for_somebody_else(mark):
    with pytest.raises(Mark.DoesNotExist):
        services.appeal(mark.reference, by=CandidateFactory().user, text="")


@pytest.mark.parametrize(("granted", "state"), [(True, "lifted"), (False, "active")])
def test_appeal_is_decided(absence, mark, granted, state):
    services.appeal(mark.reference, by=mark.candidate.user, text="")
    lead = lead_of(absence)

    services.decide_appeal(mark.reference, granted=granted, by=lead, note="看过证明")

    assert fresh(mark).state == state
    appeal = Appeal.objects.get()
    assert (appeal.decided_by, appeal.granted) == (lead, granted)
    assert not WorkItem.objects.open().filter(kind="appeal").exists()
    assert told("appeal_decided") == {"sms", "email"}
    assert intact(absence)
    with pytest.raises(TransitionNotAllowed):
        services.decide_appeal(mark.reference, granted=not granted, by=lead_of(absence))


def test_who_set_the_mark_does_not_decide_the_appeal(absence):
    lead = lead_of(absence)
    mark = services.mark(absence.reference, by=lead)
    services.appeal(mark.reference, by=mark.candidate.user, text="")

    with pytest.raises(PermissionDenied):
        services.decide_appeal(mark.reference, granted=False, by=lead)

    assert fresh(mark).state == "appealed"


def test_recruiters_decide_no_appeals(absence, mark):
    services.appeal(mark.reference, by=mark.candidate.user, text="")

    with pytest.raises(PermissionDenied):
        services.decide_appeal(mark.reference, granted=True, by=UserFactory(recruiter=True))


def test_marks_go_when_their_time_has_passed(mark):
    services.appeal(mark.reference, by=mark.candidate.user, text="")
    with time_machine.travel(mark.expires_at - timedelta(seconds=1), tick=False):
        expire_marks()
    assert fresh(mark).state == "appealed"

    with time_machine.travel(mark.expires_at, tick=False):
        expire_marks()

    assert fresh(mark).state == "expired"
    assert not WorkItem.objects.open().filter(kind="appeal").exists()


# --- the pages ------------------------------------------------------------------------------------


def test_case_says_everything_that_is_known(client, absence):
    client.force_login(lead_of(absence))

    page = client.get(reverse("cancellations:absence", args=[absence.reference])).text

    for words in ("They did not come.", "Booked", "Delivered", "Did not confirm", "Excuse it"):
        assert words in page
    assert "Put it on the record" in page


def test_nobody_is_put_on_the_record_by_one_click_or_without_a_reason(client, absence):
    client.force_login(lead_of(absence))
    address = reverse("cancellations:decide_absence", args=[absence.reference, "mark"])

    without = client.post(address, {"note": " ", "step": "confirm"})
    asked = client.post(address, {"note": "Third time."})
    assert not Mark.objects.exists()
    done = client.post(address, {"note": "Third time.", "step": "confirm"}, follow=True)

    assert without.status_code == 422
    assert "Write why it goes on the record" in without.text
    assert "Put it on the record?" in asked.text
    assert "for 180 days" in asked.text
    assert "It is on the record." in done.text
    assert fresh(absence).note == "Third time."


def test_mark_stands_only_with_a_reason_and_is_lifted_without(client, mark):
    services.appeal(mark.reference, by=mark.candidate.user, text="")
    department = Interview.objects.get(reference=mark.interview).position.department
    client.force_login(UserFactory(lead=True, departments=[department]))

    def decide(action, note):
        address = reverse("cancellations:decide_appeal", args=[mark.reference, action])
        return client.post(address, {"note": note})

    assert "Write why the mark stands" in decide("uphold", "").text
    assert fresh(mark).state == "appealed"
    decide("lift", "")
    assert fresh(mark).state == "lifted"


@pytest.mark.parametrize("decided", [True, False])
def test_desk_page_of_the_interview_leads_to_the_absence(client, absence, decided):
    lead = lead_of(absence)
    client.force_login(lead)
    if decided:
        services.excuse(absence.reference, by=lead)

    page = client.get(
        reverse("cancellations:desk_interview", args=[absence.interview.reference])
    ).text

    assert reverse("cancellations:absence", args=[absence.reference]) in page
    assert ("how it was decided" in page) is decided


def test_where_it_would_be_unfair_the_button_is_not_there(client, absence):
    nothing_arrived(absence.interview)
    client.force_login(lead_of(absence))

    page = client.get(reverse("cancellations:absence", args=[absence.reference])).text

    assert "Nothing we wrote about it is known to have arrived." in page
    assert "Put it on the record" not in page


def test_posting_an_unfair_mark_says_why_nothing_happened(client, absence):
    nothing_arrived(absence.interview)
    client.force_login(lead_of(absence))
    address = reverse("cancellations:decide_absence", args=[absence.reference, "mark"])

    page = client.post(address, {"note": ""}, follow=True)

    assert "something meanwhile speaks against it" in page.text
    assert not Mark.objects.exists()


def test_slot_taken_meanwhile_is_said_politely(client, absence):
    slot = SlotFactory(position=absence.interview.position, capacity=1)
    client.force_login(lead_of(absence))
    address = reverse("cancellations:decide_absence", args=[absence.reference, "rebook"])
    type(slot).objects.filter(pk=slot.pk).update(booked=1)

    page = client.post(address, {"note": "", "slot": str(slot.pk)})

    assert page.status_code == 422
    assert "This time has just been taken." in page.text


def test_another_departments_absence_is_not_there(client, absence):
    client.force_login(UserFactory(lead=True, departments=[DepartmentFactory()]))

    page = client.get(reverse("cancellations:absence", args=[absence.reference]))

    assert page.status_code == 404


def test_queue_leads_to_where_it_is_decided(client, absence):
    client.force_login(lead_of(absence))
    item = WorkItem.objects.get(kind="absence")

    page = client.get(reverse("cancellations:work_item", args=[item.reference])).text

    assert reverse("cancellations:absence", args=[absence.reference]) in page
    assert "Mark as settled" not in page


def test_record_without_marks_says_so(client):
    client.force_login(CandidateFactory().user)

    assert "Nothing is held against you" in client.get(reverse("cancellations:record")).text


def test_candidate_sees_the_mark_with_what_it_rests_on_and_appeals_in_one_tap(client, mark):
    client.force_login(mark.candidate.user)
    record = reverse("cancellations:record")

    page = client.get(record).text
    assert "What it rests on" in page
    assert "Did not confirm" in page
    done = client.post(reverse("cancellations:make_appeal", args=[mark.reference]), follow=True)

    assert fresh(mark).state == "appealed"
    assert "Your appeal is with HR." in done.text
    assert Appeal.objects.get().text == ""


def sent(mark, content, name="proof.pdf"):
    return {f"{mark.reference}-file": SimpleUploadedFile(name, content)}


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"%PDF-1.7 x", "application/pdf"),
        (b"\xff\xd8\xff\xe0 x", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n x", "image/png"),
    ],
)
def test_file_is_known_by_how_it_begins(client, mark, content, content_type):
    client.force_login(mark.candidate.user)
    address = reverse("cancellations:make_appeal", args=[mark.reference])

    client.post(address, sent(mark, content, "whatever.exe"))

    appeal = Appeal.objects.get()
    assert (appeal.content_type, bytes(appeal.file)) == (content_type, content)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"MZ\x90\x00 program", "Choose a photo (JPEG or PNG) or a PDF."),
        (b"<html><script>", "Choose a photo (JPEG or PNG) or a PDF."),
        (b"%PDF-" + b"x" * (5 * 1024 * 1024), "larger than 5 MB"),
    ],
)
def test_other_files_are_refused_and_nothing_is_lost(client, mark, content, error):
    client.force_login(mark.candidate.user)
    address = reverse("cancellations:make_appeal", args=[mark.reference])
    text = {f"{mark.reference}-text": "我在医院"}

    page = client.post(address, {**sent(mark, content), **text})

    assert page.status_code == 422
    assert error in page.text
    assert "我在医院" in page.text
    assert fresh(mark).state == "active"


def test_file_is_given_out_to_who_is_written_down(client, absence, mark):
    services.appeal(
        mark.reference,
        by=mark.candidate.user,
        text="",
        file=b"%PDF-1.7",
        content_type="application/pdf",
    )
    client.force_login(lead_of(absence))
    address = reverse("cancellations:appeal_file", args=[mark.reference])

    assert client.get(address).status_code == 302
    assert not AccessLog.objects.exists()
    response = client.post(address)

    assert response.content == b"%PDF-1.7"
    assert response["Content-Disposition"].startswith("attachment")
    assert AccessLog.objects.get().detail == {"mark": mark.reference}


def test_nothing_but_the_record_and_the_desk_reads_marks():
    """They influence nothing silently: whoever reads them is named here."""
    root = Path(settings.BASE_DIR)
    reading = {
        str(path.relative_to(root).parent)
        for app in ("accounts", "candidates", "cancellations", "interviews", "notifications")
        for path in (root / app).rglob("*.py")
        if "migrations" not in path.parts
        and re.search(r"import .*\bMark\b|own_marks|\.marks\b", path.read_text())
    }

    assert reading == {"candidates", "cancellations/absences", "cancellations/absences/views"}


# --- what is reported late ------------------------------------------------------------------------


def reported(interview, state="failed"):
    Notification.objects.filter(subject=interview.subject, event="interview_reminder").update(
        state=state, error_code="30003"
    )


@pytest.mark.parametrize("state", ["failed", "bounced"])
def test_mark_goes_when_the_message_is_reported_late_not_to_have_arrived(absence, state):
    Notification.objects.update(state="sent")
    mark = services.mark(absence.reference, by=lead_of(absence))
    reported(absence.interview, state)

    lift_unfair_marks()

    again = fresh(absence)
    assert fresh(mark).state == "lifted"
    assert (again.decision, again.code, again.decided_by) == ("", "not_delivered", None)
    item = WorkItem.objects.open().get(subject=absence.interview.subject)
    assert (item.kind, item.params["absence"]) == ("absence", absence.reference)
    told = Notification.objects.filter(event="absence_to_decide", state="queued")
    assert set(told.values_list("channel", flat=True)) == {"desk", "email"}
    assert Notification.objects.get(event="mark_set", channel="sms").state == "superseded"
    assert intact(absence)


def test_appeal_against_a_mark_that_was_lifted_waits_for_nobody(absence):
    mark = services.mark(absence.reference, by=lead_of(absence))
    services.appeal(mark.reference, by=absence.interview.candidate.user, text="")
    reported(absence.interview)

    services.lift_unfair_marks()

    assert fresh(mark).state == "lifted"
    assert not WorkItem.objects.open().filter(kind="appeal").exists()


def test_what_was_lifted_is_decided_anew_but_not_marked_again(absence):
    lead = lead_of(absence)
    services.mark(absence.reference, by=lead)
    reported(absence.interview)
    services.lift_unfair_marks()
    reported(absence.interview, "delivered")  # sent again, long after

    with pytest.raises(services.AlreadyDecided):
        services.mark(absence.reference, by=lead)
    services.excuse(absence.reference, by=lead)

    assert fresh(absence).decision == "excused"


def test_mark_stands_where_the_same_arrived_another_way(absence):
    first = Notification.objects.get()
    tell(absence.interview, channel="email", created_at=first.created_at)
    mark = services.mark(absence.reference, by=lead_of(absence))
    Notification.objects.filter(pk=first.pk).update(state="failed")

    services.lift_unfair_marks()
    services.lift_unfair_marks()

    assert fresh(mark).state == "active"
    assert fresh(absence).decision == "marked"


def test_one_mark_that_cannot_be_looked_at_keeps_no_other(absence, monkeypatch):
    other = AbsenceFactory(interview__candidate__user__email="li@example.com")
    tell(other.interview, created_at=other.starts_at - timedelta(hours=2))
    for each in (absence, other):
        services.mark(each.reference, by=lead_of(each))
        reported(each.interview)
    real = queries.known_of

    def fail_for_one(interview, now):
        if interview.pk == absence.interview_id:
            raise ValueError
        return real(interview, now)

    monkeypatch.setattr(services.queries, "known_of", fail_for_one)

    assert services.lift_unfair_marks() == 1
