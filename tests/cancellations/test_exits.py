"""Leaving midway: who has to agree, what stays, and what is told to whom."""

import re
from datetime import timedelta
from itertools import product

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from cancellations import again, exits, queries, services
from cancellations.exits import NothingToLeave, SecondFactorNeeded
from cancellations.help import services as help_services
from cancellations.models import (
    Cancellation,
    CancellationStatus,
    PlausibilityRule,
    Policy,
    Purpose,
    Reason,
)
from cancellations.views.leaving import CHOICE
from candidates.models import FileEntry
from interviews.models import Application, Ending, HistoryEntry, Interview, Sitting
from interviews.room.services import record_event
from interviews.states import InterviewStatus
from interviews.tasks import lapse_sittings
from notifications.models import Notification, WorkItem
from tests.factories import (
    CancellationFactory,
    SittingFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def reason(code="emergency"):
    return Reason.objects.get(purpose=Purpose.EXIT, code=code)


def policy(**changes):
    Policy.objects.filter(is_active=True).update(**changes)


@pytest.fixture
def sitting():
    """Ten minutes in, the first of three questions answered, at the second, professional one."""
    sitting = SittingFactory(entered_at=timezone.now() - timedelta(minutes=10), current=2)
    answer(sitting, 1)
    return sitting


def answer(sitting, number, text="我做过两年装配。"):
    sitting.answers.filter(number=number).update(text=text, saved_at=timezone.now(), revision=1)


def leave(sitting, code="emergency", **options):
    interview = sitting.interview
    return exits.leave(
        interview.reference, by=interview.candidate.user, reason=reason(code), **options
    )


def fresh(sitting) -> Interview:
    return Interview.objects.get(pk=sitting.interview_id)


def lead_of(sitting):
    return UserFactory(lead=True, departments=[sitting.interview.position.department])


def told(event) -> set[str]:
    return set(Notification.objects.filter(event=event).values_list("channel", flat=True))


def events(sitting) -> list[str]:
    entries = HistoryEntry.objects.filter(interview=sitting.interview_id).order_by("sequence")
    return list(entries.values_list("event", flat=True))


def test_leaving_ends_everything_in_one_go(sitting):
    left = leave(sitting)

    interview = fresh(sitting)
    sitting.refresh_from_db()
    assert interview.status == InterviewStatus.WITHDRAWN
    assert interview.slot_id is None
    assert interview.ended_at == left.exit.requested_at
    assert (sitting.ending, sitting.ended_at) == (Ending.EXITED, left.exit.requested_at)
    assert left.exit.status == CancellationStatus.APPROVED
    evidence = left.exit.evidence
    assert (evidence["answered"], evidence["questions"], evidence["stage"]) == (
        1,
        3,
        "professional",
    )
    entry = FileEntry.objects.get(interview=interview.reference)
    assert (entry.candidate, entry.ending, entry.reason, entry.answered) == (
        interview.candidate,
        "exited",
        "emergency",
        1,
    )
    assert events(sitting)[-2:] == ["exit_requested", "withdrawn"]
    assert told("exit_done") == {"sms"} or told("exit_done") == {"sms", "email"}
    assert "desk" in told("position_exit")
    assert sitting.answers.get(number=1).text == "我做过两年装配。"
    assert queries.receipt(left.exit.reference).verified


def test_leaving_twice_is_one_exit(sitting):
    first, second = leave(sitting), leave(sitting)

    assert first.exit == second.exit
    assert (first.is_new, second.is_new) == (True, False)
    assert Cancellation.objects.count() == 1
    assert Notification.objects.filter(event="exit_done", channel="sms").count() == 1


def test_false_start_steps_back_and_leaves_no_trace_against_anybody():
    sitting = SittingFactory(entered_at=timezone.now() - timedelta(minutes=1))

    left = leave(sitting, "mistake")

    assert left.is_misstart
    assert fresh(sitting).status == InterviewStatus.BOOKED
    sitting.refresh_from_db()
    assert sitting.ending == Ending.MISSTART
    assert not Cancellation.objects.exists()
    assert not FileEntry.objects.exists()
    assert not Notification.objects.exists()
    assert events(sitting)[-1] == "misstarted"


def test_appointment_stands_after_a_false_start_also_where_the_door_has_closed(client):
    """They were told so."""
    sitting = SittingFactory(
        entered_at=timezone.now() - timedelta(minutes=1),
        interview__starts_in=timedelta(minutes=-31),
    )
    assert leave(sitting, "mistake").is_misstart
    reference = sitting.interview.reference
    client.force_login(sitting.interview.candidate.user)

    page = client.get(reverse("cancellations:interview", args=[reference])).content.decode()
    client.post(reverse("room:enter", args=[reference]))

    assert reverse("room:page", args=[reference]) in page
    assert fresh(sitting).status == InterviewStatus.IN_PROGRESS


def test_where_hr_decides_the_candidate_waits_and_may_go_on(sitting):
    policy(exit_professional="needs_hr")

    left = leave(sitting)

    assert fresh(sitting).status == InterviewStatus.EXITING
    assert left.exit.decide_by == left.exit.requested_at + timedelta(minutes=30)
    item = WorkItem.objects.get()
    assert item.due_at == left.exit.decide_by
    services.take_back_cancellation(left.exit.reference, by=sitting.interview.candidate.user)
    assert fresh(sitting).status == InterviewStatus.IN_PROGRESS
    sitting.refresh_from_db()
    assert sitting.ended_at is None
    assert WorkItem.objects.get().closed_at
    assert events(sitting)[-1] == "exit_taken_back"
    again = leave(sitting)
    assert again.is_new
    assert again.exit != left.exit


@pytest.mark.parametrize("decision", ["approve", "decline", "default"])
def test_hr_or_the_default_decides(sitting, decision):
    policy(exit_professional="needs_hr")
    asked = leave(sitting).exit
    lead = UserFactory(lead=True, departments=[sitting.interview.position.department])

    if decision == "approve":
        services.approve_cancellation(asked.pk, by=lead)
    elif decision == "decline":
        services.decline_cancellation(asked.pk, by=lead, note="请继续")
    else:
        Cancellation.objects.filter(pk=asked.pk).update(decide_by=timezone.now())
        services.apply_default(asked.pk)

    sitting.refresh_from_db()
    goes_on = decision == "decline"
    wanted = InterviewStatus.IN_PROGRESS if goes_on else InterviewStatus.WITHDRAWN
    assert fresh(sitting).status == wanted
    assert (sitting.ended_at is None) is goes_on
    assert told("exit_declined" if goes_on else "exit_done")
    assert queries.receipt(asked.reference).verified
    assert WorkItem.objects.get().closed_at


RULES = list(product(["introduction", "professional", "closing"], ["automatic", "needs_hr"]))


@pytest.mark.parametrize(("stage", "outcome"), RULES)
@pytest.mark.parametrize("second_factor", [False, True])
@pytest.mark.parametrize("days", [0, 30])
def test_every_rule_for_leaving(sitting, stage, outcome, second_factor, days):
    policy(**{f"exit_{stage}": outcome}, exit_second_factor=second_factor, cooldown_days=days)
    numbers = {"introduction": 1, "professional": 2, "closing": 3}
    sitting.current = numbers[stage]
    sitting.save()

    if second_factor:
        with pytest.raises(SecondFactorNeeded):
            leave(sitting)
        assert fresh(sitting).status == InterviewStatus.IN_PROGRESS
    left = leave(sitting, confirmed=second_factor)

    waits = outcome == "needs_hr"
    assert fresh(sitting).status == (
        InterviewStatus.EXITING if waits else InterviewStatus.WITHDRAWN
    )
    cooldown = left.exit.cooldown_until
    assert cooldown == (left.exit.requested_at + timedelta(days=days) if days else None)


@pytest.mark.parametrize("minutes", [0, 9])
def test_no_cooldown_follows_from_our_own_fault(sitting, minutes):
    """Also where they tried again first, and asked for help."""
    policy(cooldown_days=30)
    record_event(sitting, "server_error", at=timezone.now() - timedelta(minutes=minutes))

    assert leave(sitting).exit.cooldown_until is None


def test_vague_reason_needs_a_sentence(sitting):
    with pytest.raises(ValidationError):
        leave(sitting, "other")

    assert fresh(sitting).status == InterviewStatus.IN_PROGRESS
    assert leave(sitting, "other", detail="孩子突然发烧了").exit.detail == "孩子突然发烧了"


def test_only_an_interview_under_way_is_left(sitting):
    leave(sitting)
    Interview.objects.filter(pk=sitting.interview_id)
    other = SittingFactory(ended=True)

    with pytest.raises(NothingToLeave):
        leave(other)


def test_nobody_leaves_for_somebody_else(sitting):
    with pytest.raises(Interview.DoesNotExist):
        exits.leave(sitting.interview.reference, by=UserFactory(), reason=reason())


def test_reason_that_contradicts_what_happened_is_a_hint_and_decides_nothing(sitting):
    for number in (1, 2, 3):
        answer(sitting, number)

    left = leave(sitting, "device")

    assert fresh(sitting).status == InterviewStatus.WITHDRAWN
    hints = PlausibilityRule.objects.filter(pk__in=left.exit.evidence["hints"])
    assert {rule.fact for rule in hints} == {"answered_share", "troubles"}
    item = WorkItem.objects.get()
    assert (item.kind, item.params) == ("anomaly", {"code": "reason_contradicted"})


def test_hint_that_hr_has_seen_while_deciding_is_not_put_before_them_again(sitting):
    policy(exit_professional="needs_hr")
    asked = leave(sitting, "device").exit
    assert asked.evidence["hints"]

    services.approve_cancellation(asked.pk, by=lead_of(sitting))

    assert not WorkItem.objects.filter(kind="anomaly").exists()


@pytest.mark.parametrize("trouble", ["device_error", "offline", "away", "server_error"])
def test_reason_that_fits_raises_no_hint(sitting, trouble):
    """A device that fails is often noticed as a line that was lost."""
    record_event(sitting, trouble)

    assert leave(sitting, "device").exit.evidence["hints"] == []
    assert not WorkItem.objects.exists()


def test_hint_is_shown_with_what_was_observed(client, sitting):
    for number in (1, 2, 3):
        answer(sitting, number)
    asked = leave(sitting, "device").exit
    client.force_login(lead_of(sitting))

    page = client.get(reverse("cancellations:case", args=[asked.reference])).content.decode()

    assert "nearly every question is answered" in page
    assert "(share of questions answered, in percent: 100)" in page


def test_exit_is_no_late_cancellation(sitting):
    policy(exit_professional="needs_hr")
    leave(sitting)

    assert fresh(sitting).asked_late is False


def ahead(sitting, **fields):
    return SlotFactory(position=sitting.interview.position, **fields)


def test_who_left_takes_another_time_alone(sitting):
    left = leave(sitting).exit
    slot = ahead(sitting)

    interview = exits.book_again(
        sitting.interview.reference, by=sitting.interview.candidate.user, slot_id=slot.pk
    )

    assert (interview.status, interview.slot_id) == (InterviewStatus.BOOKED, slot.pk)
    left = Cancellation.objects.get(pk=left.pk)
    assert left.status == CancellationStatus.REVERSED
    assert queries.receipt(left.reference).verified
    assert told("booked_again")
    slot.refresh_from_db()
    assert slot.booked == 1


@pytest.mark.parametrize(
    "rule", [{"self_rebooking": False}, {"cooldown_days": 30}], ids=["asks HR", "cooldown"]
)
def test_where_the_rule_says_so_nobody_rebooks_alone(sitting, rule):
    policy(**rule)
    leave(sitting)

    with pytest.raises(exits.NotAlone):
        exits.book_again(
            sitting.interview.reference,
            by=sitting.interview.candidate.user,
            slot_id=ahead(sitting).pk,
        )


@pytest.mark.parametrize("stage", ["ended", "hired"])
def test_nobody_books_again_under_an_application_that_is_over(client, sitting, stage):
    leave(sitting)
    own = sitting.interview
    Application.objects.filter(pk=own.application_id).update(stage=stage)
    client.force_login(own.candidate.user)

    with pytest.raises(exits.NotAlone):
        exits.book_again(own.reference, by=own.candidate.user, slot_id=ahead(sitting).pk)

    page = client.get(reverse("cancellations:interview", args=[own.reference])).text
    assert reverse("cancellations:again", args=[own.reference]) not in page


def test_who_has_applied_again_does_not_bring_back_what_they_left(sitting):
    leave(sitting)
    own = sitting.interview
    again.apply_again(own.reference, by=own.candidate.user)

    with pytest.raises(exits.NotAlone):
        exits.book_again(own.reference, by=own.candidate.user, slot_id=ahead(sitting).pk)


# --- the pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["declined", "taken back"])
def test_waiting_for_hr_uses_up_no_time_to_come_back(sitting, end):
    policy(exit_professional="needs_hr")
    now = timezone.now()
    Sitting.objects.update(resume_until=now + timedelta(minutes=20))
    asked = leave(sitting).exit

    with time_machine.travel(now + timedelta(minutes=25), tick=False):
        if end == "declined":
            services.decline_cancellation(asked.pk, by=lead_of(sitting))
        else:
            user = sitting.interview.candidate.user
            services.take_back_cancellation(asked.reference, by=user)
        assert lapse_sittings() is None

        assert fresh(sitting).status == InterviewStatus.IN_PROGRESS
        left = Sitting.objects.get().resume_until - timezone.now()
        assert left >= timedelta(hours=1)


def test_nobody_is_sent_messages_without_end(sitting):
    """Each request that HR decides sends text messages, and so does taking it back."""
    policy(exit_professional="needs_hr")
    user = sitting.interview.candidate.user
    for _time in range(services.REQUESTS_AN_HOUR):
        services.take_back_cancellation(leave(sitting).exit.reference, by=user)

    with pytest.raises(services.AskedTooOften):
        leave(sitting)

    assert fresh(sitting).status == InterviewStatus.IN_PROGRESS
    policy(exit_professional="automatic")
    assert leave(sitting).exit.status == CancellationStatus.APPROVED


@pytest.mark.parametrize("where", ["elsewhere", "too late"])
def test_there_is_nothing_to_leave(client, sitting, page, where):
    """An interview held on a platform is left there; one that can no longer be gone on with lapses
    by itself, which is no exit."""
    if where == "elsewhere":
        Interview.objects.update(link="https://platform.example/room")
    else:
        Sitting.objects.update(resume_until=timezone.now())

    with pytest.raises(NothingToLeave):
        leave(sitting)
    response = client.get(page)

    assert response["Location"] == reverse(
        "cancellations:interview", args=[sitting.interview.reference]
    )


def test_time_of_leaving_is_when_it_was_asked(sitting):
    policy(exit_professional="needs_hr")
    asked = leave(sitting).exit

    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        services.approve_cancellation(asked.pk, by=lead_of(sitting))

    params = Notification.objects.filter(event="exit_done").first().params
    assert params["left_at"] == asked.requested_at.isoformat()


def test_interviewer_is_told(sitting):
    interviewer = UserFactory(staff=True)
    Interview.objects.update(interviewer=interviewer)

    leave(sitting)

    told = Notification.objects.filter(event="candidate_left", recipient=f"user:{interviewer.pk}")
    assert set(told.values_list("channel", flat=True)) == {"email", "desk"}


def test_exit_is_no_earlier_cancellation(sitting):
    leave(sitting)
    asked = CancellationFactory(interview__application__candidate=sitting.interview.candidate)

    earlier = queries.earlier_cancellations(asked, UserFactory(administrator=True))

    assert earlier == 0


def test_help_that_did_not_keep_them_is_known(sitting):
    talk, turns = help_services.ask(
        sitting.interview, text="断网了", reason="device", conversation=None
    )
    help_services.say_whether_it_helped(talk, turns[0].pk, True)

    leave(sitting)

    talk.refresh_from_db()
    assert talk.stayed is False


@pytest.fixture
def page(client, sitting):
    client.force_login(sitting.interview.candidate.user)
    return reverse("cancellations:exit", args=[sitting.interview.reference])


def test_page_says_how_far_one_is_and_what_follows(client, sitting, page):
    policy(cooldown_days=30, exit_second_factor=True, exit_professional="needs_hr")

    text = client.get(page).content.decode()

    assert "You have completed 33% of the interview: 1 of 3 questions." in text
    assert "You can apply again from" in text
    assert "a code to your mobile phone" in text
    assert "HR decides, by" in text


def test_who_decides_reads_the_rule_about_leaving(client, sitting):
    policy(exit_professional="needs_hr")
    asked = leave(sitting).exit
    client.force_login(lead_of(sitting))

    page = client.get(reverse("cancellations:case", args=[asked.reference])).content.decode()

    said = " ".join(re.sub("<[^>]+>", " ", page).split())
    assert "Leaving during the professional questions: HR decides this request" in said
    assert "Leaving during the introduction: at once, after confirming" in said


def test_choice_is_forgotten_by_who_begins_anew(client, sitting, page):
    policy(exit_second_factor=True)
    client.post(page, {"reason": "other", "detail": "孩子突然发烧了"})

    client.get(page)

    assert CHOICE not in client.session


def test_leaving_by_the_page(client, sitting, page):
    response = client.post(page, {"reason": "emergency", "detail": ""}, follow=True)

    text = response.content.decode()
    assert "You have left the interview." in text
    assert fresh(sitting).status == InterviewStatus.WITHDRAWN
    assert "Would you like to arrange another time?" in text
    slot = ahead(sitting)
    again = reverse("cancellations:again", args=[sitting.interview.reference])
    assert str(slot.pk) in client.get(again).content.decode()
    client.post(again, {"slot": slot.pk})
    assert fresh(sitting).status == InterviewStatus.BOOKED


def test_in_the_dialog_the_way_out_is_a_redirect_of_the_whole_page(client, sitting, page):
    response = client.post(page, {"reason": "emergency"}, headers={"HX-Request": "true"})

    assert response.headers["HX-Redirect"].endswith(f"/{sitting.interview.reference}/")


def test_missing_reason_keeps_what_was_written(client, sitting, page):
    response = client.post(page, {"detail": "孩子突然发烧了"})

    assert response.status_code == 422
    assert "孩子突然发烧了" in response.content.decode()
    assert fresh(sitting).status == InterviewStatus.IN_PROGRESS


def test_code_by_text_message_confirms(client, sitting, page):
    policy(exit_second_factor=True)
    user = sitting.interview.candidate.user

    response = client.post(page, {"reason": "emergency", "detail": ""})
    assert "ending in" in response.content.decode()
    assert fresh(sitting).status == InterviewStatus.IN_PROGRESS
    code = Notification.objects.get(event="exit_code", recipient=f"user:{user.pk}").params["code"]
    address = reverse("cancellations:exit_code", args=[sitting.interview.reference])
    wrong = client.post(address, {"code": "000000" if code != "000000" else "111111"})
    assert wrong.status_code == 422
    client.post(address, {"code": f" {code[:3]} {code[3:]} "})

    assert fresh(sitting).status == InterviewStatus.WITHDRAWN


def test_choice_for_one_interview_is_none_for_another(client, sitting, page):
    policy(exit_second_factor=True)
    user = sitting.interview.candidate.user
    other = SittingFactory(
        interview__application__candidate=sitting.interview.candidate,
        entered_at=timezone.now() - timedelta(minutes=10),
    ).interview
    client.post(page, {"reason": "other", "detail": "孩子突然发烧了"})
    code = Notification.objects.get(event="exit_code", recipient=f"user:{user.pk}").params["code"]

    response = client.post(
        reverse("cancellations:exit_code", args=[other.reference]), {"code": code}
    )

    assert response["Location"] == reverse("cancellations:exit", args=[other.reference])
    assert Interview.objects.get(pk=other.pk).status == InterviewStatus.IN_PROGRESS


def test_false_start_told_and_no_longer_true_asks_anew(client, sitting, page):
    response = client.post(page, {"false_start": "1"})

    assert response.status_code == 409
    assert "Please say why" in response.content.decode()
    assert fresh(sitting).status == InterviewStatus.IN_PROGRESS


def test_stranger_finds_nothing(client, page):
    client.force_login(UserFactory())

    assert client.get(page).status_code == 404
    assert client.post(page, {"reason": "emergency"}).status_code == 404


@pytest.fixture
def desk(client, sitting):
    department = sitting.interview.position.department
    client.force_login(UserFactory(lead=True, departments=[department]))
    return client


def test_interview_page_tells_of_leaving_and_of_what_contradicts_it(desk, sitting):
    left = leave(sitting, "device").exit

    text = desk.get(
        reverse("cancellations:desk_interview", args=[sitting.interview.reference])
    ).content.decode()

    (hint,) = PlausibilityRule.objects.filter(pk__in=left.evidence["hints"])
    assert "Left midway" in text
    assert "after the start" in text
    assert "1 of 3 questions answered" in text
    assert hint.hint in text
    assert "<strong>Cancelled</strong>" not in text


def test_deciding_several_says_who_leaves(desk, sitting):
    policy(exit_professional="needs_hr")
    left = leave(sitting).exit
    chosen = {"action": "approve", "receipt": left.reference}

    text = desk.get(reverse("cancellations:bulk"), chosen).content.decode()

    assert "Who asked to leave midway has then left" in text
    assert "Leaving midway" in text
