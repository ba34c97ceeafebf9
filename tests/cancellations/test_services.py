from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from accounts.models import User
from cancellations import queries, services, tasks
from cancellations.models import Cancellation, CancellationStatus, Policy, Purpose, Reason, Tier
from interviews import history
from interviews.models import Interview
from interviews.states import InterviewStatus
from notifications.models import Notification
from tests.factories import CancellationFactory, CandidateFactory, InterviewFactory, UserFactory

pytestmark = pytest.mark.django_db


def reason(code: str = "time_conflict") -> Reason:
    return Reason.objects.get(purpose=Purpose.CANCEL, code=code)


def ask(interview: Interview, *, by: User | None = None, **kwargs) -> Cancellation:
    by = by or interview.candidate.user
    return services.request_cancellation(
        interview.reference, by=by, reason=kwargs.pop("reason", reason()), **kwargs
    )[0]


def events(interview: Interview) -> list[str]:
    return [entry.event for entry in interview.history.all()]


def told(event: str) -> set[tuple[str, str]]:
    return set(Notification.objects.filter(event=event).values_list("channel", "recipient"))


def fresh(interview: Interview) -> Interview:
    return Interview.objects.get(pk=interview.pk)


def test_request_a_day_ahead_is_carried_out_at_once():
    interview = InterviewFactory(starts_in=timedelta(hours=25))
    slot = interview.slot

    cancellation = ask(interview)

    assert cancellation.status == CancellationStatus.APPROVED
    assert not cancellation.short_notice
    assert fresh(interview).status == InterviewStatus.CANCELLED
    assert fresh(interview).slot is None
    slot.refresh_from_db()
    assert slot.booked == 0
    assert events(interview) == ["booked", "cancellation_requested", "cancelled"]
    assert not list(history.verify(Interview.objects.all()))


def test_request_between_twelve_and_twenty_four_hours_is_noted_as_short_notice():
    cancellation = ask(InterviewFactory(starts_in=timedelta(hours=13)))

    assert cancellation.status == CancellationStatus.APPROVED
    assert cancellation.short_notice


def test_late_request_waits_for_hr_and_keeps_the_slot():
    interview = InterviewFactory(starts_in=timedelta(hours=2))

    cancellation = ask(interview)

    assert cancellation.status == CancellationStatus.REQUESTED
    assert cancellation.decide_by == interview.starts_at - timedelta(minutes=30)
    assert fresh(interview).status == InterviewStatus.CANCELLING
    interview.slot.refresh_from_db()
    assert interview.slot.booked == 1
    assert events(interview) == ["booked", "cancellation_requested"]


def test_cancelling_tells_candidate_recruiter_interviewer_and_department():
    interview = InterviewFactory(
        interviewer=UserFactory(recruiter=True), candidate__user__email="candidate@mail.example"
    )
    person = f"user:{interview.candidate.user.pk}"
    recruiter = f"user:{interview.position.recruiter.pk}"
    interviewer = f"user:{interview.interviewer.pk}"
    department = interview.position.department.audience

    ask(interview)

    assert told("cancellation_done") == {("sms", person), ("email", person)}
    assert told("interview_cancelled") == {("email", recruiter), ("desk", recruiter)}
    assert told("interviewer_released") == {("email", interviewer), ("desk", interviewer)}
    assert told("position_cancellation") == {("desk", department), ("email", department)}


def test_late_request_tells_candidate_that_it_arrived_and_hr_that_it_waits():
    interview = InterviewFactory(starts_in=timedelta(hours=2))
    interview.position.recruiter.departments.add(interview.position.department)
    person = f"user:{interview.candidate.user.pk}"

    ask(interview)

    assert told("cancellation_received") == {("sms", person)}
    assert {channel for channel, _ in told("cancellation_to_decide")} == {"email", "desk"}
    assert not told("cancellation_done")


@pytest.mark.parametrize("hours", [25, 2, -1])
def test_invitation_is_called_off_at_once_whatever_time_came_with_it(hours):
    """Imports may give one a time nobody has agreed to yet."""
    starts_at = timezone.now() + timedelta(hours=hours)
    interview = InterviewFactory(invited=True, starts_at=starts_at)
    rule = queries.cancel_rule(
        interview, queries.policies_in_force(timezone.now()), now=timezone.now()
    )

    cancellation = ask(interview)

    assert (rule.outcome.value, rule.spans) == (cancellation.outcome, [])
    assert cancellation.status == CancellationStatus.APPROVED
    assert cancellation.starts_at == starts_at
    assert fresh(interview).status == InterviewStatus.CANCELLED


@pytest.mark.parametrize("decide", ["approve", "decline", "take back", "default"])
def test_what_was_only_true_before_the_decision_is_not_sent_after_it(decide):
    interview = InterviewFactory(starts_in=timedelta(hours=2))
    elsewhere = ask(InterviewFactory(starts_in=timedelta(hours=2)))
    cancellation = ask(interview)
    lead = UserFactory(lead=True)

    match decide:
        case "approve":
            services.approve_cancellation(cancellation.pk, by=lead)
        case "decline":
            services.decline_cancellation(cancellation.pk, by=lead)
        case "take back":
            services.take_back_cancellation(cancellation.reference, by=interview.candidate.user)
        case "default":
            with time_machine.travel(cancellation.decide_by, tick=False):
                services.apply_default(cancellation.pk)

    messages = Notification.objects.filter(subject=interview.subject)
    before = messages.filter(event__in=["cancellation_received", "cancellation_to_decide"])
    after = messages.difference(before)
    others = Notification.objects.filter(subject=elsewhere.interview.subject)
    assert {message.state for message in before} == {"superseded"}
    assert {message.state for message in after} == {"queued"}
    assert {message.state for message in others} == {"queued"}


def test_asking_again_returns_the_first_receipt_and_adds_nothing():
    interview = InterviewFactory()
    first = ask(interview)
    messages, entries = Notification.objects.count(), len(events(interview))

    again, created = services.request_cancellation(
        interview.reference, by=interview.candidate.user, reason=reason("unwell")
    )

    assert not created
    assert again == first
    assert again.reason == first.reason
    assert (Notification.objects.count(), len(events(interview))) == (messages, entries)


def test_time_that_counts_is_when_the_candidate_asked():
    interview = InterviewFactory(starts_in=timedelta(hours=12))

    cancellation = ask(interview, asked_at=interview.starts_at - timedelta(hours=12))

    assert cancellation.status == CancellationStatus.APPROVED


def test_request_for_somebody_elses_interview_finds_nothing():
    interview = InterviewFactory()

    with pytest.raises(Interview.DoesNotExist):
        ask(interview, by=CandidateFactory().user)

    assert not Cancellation.objects.exists()


@pytest.mark.parametrize("trait", ["completed", "in_progress", "no_show"])
def test_request_after_the_start_is_already_over(trait):
    interview = InterviewFactory(**{trait: True})

    with pytest.raises(services.AlreadyOver):
        ask(interview)


def test_booked_interview_whose_start_has_passed_is_already_over():
    with pytest.raises(services.AlreadyOver):
        ask(InterviewFactory(starts_in=timedelta(seconds=-1)))


def test_request_the_policy_refuses_changes_nothing():
    interview = InterviewFactory(starts_in=timedelta(hours=2))
    policy = Policy.objects.create(name="strict", position=interview.position)
    Tier.objects.create(policy=policy, notice_minutes=24 * 60, outcome="automatic")

    with pytest.raises(services.CancellationRefused):
        ask(interview)

    assert fresh(interview).status == InterviewStatus.BOOKED
    assert events(interview) == ["booked"]
    assert not Notification.objects.exists()


@pytest.mark.parametrize("detail", ["", "   ", "嗯", "x" * 501, "\x00\x00\x00\x00\x00\x00"])
def test_vague_reason_needs_a_sentence(detail):
    interview = InterviewFactory()

    with pytest.raises(ValidationError):
        ask(interview, reason=reason("other"), detail=detail)

    assert fresh(interview).status == InterviewStatus.BOOKED


def test_request_keeps_the_policy_as_it_stood():
    cancellation = ask(InterviewFactory(starts_in=timedelta(hours=2)))
    Tier.objects.all().delete()

    kept = Cancellation.objects.get(pk=cancellation.pk).policy

    assert [tier["outcome"] for tier in kept["tiers"]] == ["automatic", "automatic", "needs_hr"]
    assert kept["promised_minutes"] == 15


def test_approval_calls_the_interview_off_and_tells_the_candidate():
    lead = UserFactory(lead=True)
    cancellation = CancellationFactory()

    services.approve_cancellation(cancellation.pk, by=lead, note="好的")

    decided = Cancellation.objects.get(pk=cancellation.pk)
    assert (decided.status, decided.decided_by, decided.note) == ("approved", lead, "好的")
    assert fresh(cancellation.interview).status == InterviewStatus.CANCELLED
    last = cancellation.interview.history.last()
    assert (last.event, last.actor, last.data["decided_by"]) == (
        "cancelled",
        f"user:{lead.pk}",
        "hr",
    )
    assert told("cancellation_done")


def test_refusal_keeps_the_appointment_and_tells_the_candidate():
    cancellation = CancellationFactory()

    services.decline_cancellation(cancellation.pk, by=UserFactory(lead=True), note="请准时参加")

    assert fresh(cancellation.interview).status == InterviewStatus.BOOKED
    assert fresh(cancellation.interview).slot is not None
    assert events(cancellation.interview)[-1] == "cancellation_declined"
    assert told("cancellation_declined")


def test_declined_request_can_be_made_again():
    cancellation = CancellationFactory()
    services.decline_cancellation(cancellation.pk, by=UserFactory(lead=True))

    again = ask(cancellation.interview)

    assert again.pk != cancellation.pk


def test_second_decision_is_refused_and_records_nothing():
    lead = UserFactory(lead=True)
    cancellation = CancellationFactory()
    services.approve_cancellation(cancellation.pk, by=lead)
    entries = len(events(cancellation.interview))

    with pytest.raises(TransitionNotAllowed):
        services.decline_cancellation(cancellation.pk, by=lead)

    assert len(events(cancellation.interview)) == entries


@pytest.mark.parametrize("role", ["recruiter", "viewer"])
@pytest.mark.parametrize("decide", [services.approve_cancellation, services.decline_cancellation])
def test_only_leads_and_administrators_decide(role, decide):
    cancellation = CancellationFactory()

    with pytest.raises(PermissionDenied):
        decide(cancellation.pk, by=UserFactory(**{role: True}))

    assert fresh(cancellation.interview).status == InterviewStatus.CANCELLING


def test_nobody_decides_their_own_request():
    lead = UserFactory(lead=True)
    cancellation = CancellationFactory(requested_by=lead)

    with pytest.raises(PermissionDenied):
        services.approve_cancellation(cancellation.pk, by=lead)


def test_candidate_takes_a_pending_request_back():
    cancellation = CancellationFactory()

    services.take_back_cancellation(
        cancellation.reference, by=cancellation.interview.candidate.user
    )

    assert Cancellation.objects.get(pk=cancellation.pk).status == CancellationStatus.LAPSED
    assert fresh(cancellation.interview).status == InterviewStatus.BOOKED
    assert events(cancellation.interview)[-1] == "cancellation_taken_back"
    assert told("cancellation_taken_back")


def test_asking_and_taking_back_over_and_over_ends_within_the_hour():
    interview = InterviewFactory(starts_in=timedelta(hours=8))
    user = interview.candidate.user
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(services.REQUESTS_AN_HOUR):
            services.take_back_cancellation(ask(interview).reference, by=user)
        sent = Notification.objects.count()

        with pytest.raises(services.AskedTooOften):
            ask(interview)

        assert Notification.objects.count() == sent
        assert fresh(interview).status == InterviewStatus.BOOKED
        clock.shift(timedelta(hours=1))
        assert ask(interview).status == CancellationStatus.REQUESTED


def test_decided_request_cannot_be_taken_back():
    cancellation = CancellationFactory(approved=True)

    with pytest.raises(TransitionNotAllowed):
        services.take_back_cancellation(
            cancellation.reference, by=cancellation.interview.candidate.user
        )


def test_somebody_elses_request_cannot_be_taken_back():
    cancellation = CancellationFactory()

    with pytest.raises(Cancellation.DoesNotExist):
        services.take_back_cancellation(cancellation.reference, by=CandidateFactory().user)


@pytest.mark.parametrize(
    ("default", "status"),
    [("approve", InterviewStatus.CANCELLED), ("decline", InterviewStatus.BOOKED)],
)
def test_default_decides_once_it_falls_due_and_not_before(default, status):
    cancellation = CancellationFactory(policy={"promised_minutes": 15, "default": default})

    with time_machine.travel(cancellation.decide_by - timedelta(seconds=1), tick=False):
        tasks.apply_defaults()
    assert fresh(cancellation.interview).status == InterviewStatus.CANCELLING

    with time_machine.travel(cancellation.decide_by, tick=False):
        tasks.apply_defaults()
    decided = fresh(cancellation.interview)
    assert decided.status == status
    assert decided.history.last().actor == "system"
    assert cancellation.decide_by < decided.starts_at


def test_one_request_that_breaks_does_not_keep_the_others_waiting():
    broken = CancellationFactory()
    Interview.objects.filter(pk=broken.interview.pk).update(status="booked")
    sound = CancellationFactory(decide_by=timezone.now() + timedelta(hours=1, minutes=31))

    with time_machine.travel(sound.decide_by + timedelta(minutes=5)):
        tasks.apply_defaults()

    assert fresh(sound.interview).status == InterviewStatus.CANCELLED


def test_cancelling_needs_at_most_fourteen_statements(django_assert_max_num_queries):
    """A request may take sixteen; session and user come on top of these."""
    interview = InterviewFactory(interviewer=UserFactory(recruiter=True))
    user, why = interview.candidate.user, reason()

    with django_assert_max_num_queries(14):
        services.request_cancellation(interview.reference, by=user, reason=why)
