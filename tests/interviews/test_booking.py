"""Inviting, booking, moving and declining."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from cancellations.models import Policy
from interviews import history
from interviews.booking import queries, services
from interviews.models import Closure, Decline, Interview, Slot, Stage
from interviews.queries import free_slots
from interviews.services import SlotFull, invite
from interviews.signals import interview_moved
from notifications.models import Notification
from tests.factories import (
    ApplicationFactory,
    CandidateFactory,
    DepartmentFactory,
    InterviewFactory,
    PositionFactory,
    SlotFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def invited(**fields) -> Interview:
    return InterviewFactory(invited=True, deadline=NOW + timedelta(days=7), **fields)


def another_slot(interview, **fields) -> Slot:
    return SlotFactory(
        **{"position": interview.position, "starts_at": NOW + timedelta(days=4), **fields}
    )


def told(event) -> list[Notification]:
    return list(Notification.objects.filter(event=event).exclude(state="superseded"))


def events(interview) -> list[str]:
    return list(interview.history.order_by("sequence").values_list("event", flat=True))


def fresh(row):
    return type(row)._base_manager.get(pk=row.pk)


# --- inviting -------------------------------------------------------------------------------------


def test_reaching_the_interview_invites_by_itself_with_deadline_and_link():
    position = PositionFactory(invitation_days=3)
    application = ApplicationFactory(position=position, stage=Stage.APPLIED, screened_at=None)

    made = services.reach_stage(application, Stage.AI_INTERVIEW, by=None, at=NOW)

    assert (made.status, made.deadline) == ("invited", NOW + timedelta(days=3))
    assert fresh(application).stage == Stage.AI_INTERVIEW
    assert fresh(application).screened_at == NOW
    (message,) = told("interview_invited")
    assert queries.invitation(message.params["token"]) == made
    assert application.candidate.user.name not in message.params["token"]


def test_reaching_it_again_invites_nobody_twice():
    application = ApplicationFactory(stage=Stage.SCREENED)

    first = services.reach_stage(application, Stage.AI_INTERVIEW, by=None)
    services.reach_stage(application, Stage.SCREENED, by=None)
    second = services.reach_stage(application, Stage.AI_INTERVIEW, by=None)

    assert first is not None
    assert second is None
    assert application.interviews.count() == 1


@pytest.mark.parametrize("stage", [Stage.SCREENED, Stage.OFFER, Stage.ENDED])
def test_other_stages_invite_nobody(stage):
    application = ApplicationFactory(stage=Stage.APPLIED)

    assert services.reach_stage(application, stage, by=None) is None
    assert not Notification.objects.exists()


def test_database_keeps_one_open_invitation_of_an_application():
    application = ApplicationFactory()
    invite(application, by=None)

    with pytest.raises(IntegrityError), transaction.atomic():
        invite(application, by=None)


def test_opening_is_kept_once_and_only_of_an_open_invitation():
    interview, booked = invited(), InterviewFactory()
    token = queries.invitation_token(interview)

    first = services.open_invitation(token).opened_at
    second = services.open_invitation(token).opened_at
    services.open_invitation(queries.invitation_token(booked))

    assert first == second is not None
    assert events(interview).count("opened") == 1
    assert fresh(booked).opened_at is None
    assert list(history.verify(Interview.objects.all())) == []


@pytest.mark.parametrize("token", ["", "x", "7K2M9QX4TB", "7K2M9QX4TB.forged"])
def test_link_of_our_making_only(token):
    assert queries.invitation(token) is None
    with pytest.raises(Interview.DoesNotExist):
        services.open_invitation(token)


# --- booking --------------------------------------------------------------------------------------


def test_booking_takes_the_place_and_tells_once():
    interview = invited(candidate__user__email="zhang@example.com")
    slot = another_slot(interview, capacity=1)
    user = interview.candidate.user

    services.book(interview.reference, slot.pk, by=user)
    services.book(interview.reference, slot.pk, by=user)  # pressed twice

    booked = fresh(interview)
    assert (booked.status, booked.slot_id, booked.starts_at) == ("booked", slot.pk, slot.starts_at)
    assert fresh(slot).booked == 1
    assert {each.channel for each in told("interview_booked")} == {"sms", "email"}
    assert len(told("interview_booked")) == 2
    assert events(interview)[-1] == "booked"


def test_booking_overtakes_the_invitation_that_has_not_left_yet():
    application = ApplicationFactory(stage=Stage.SCREENED)
    interview = services.reach_stage(application, Stage.AI_INTERVIEW, by=None)

    services.book(interview.reference, another_slot(interview).pk, by=application.candidate.user)

    assert told("interview_invited") == []


def test_full_closed_or_foreign_times_cannot_be_booked():
    interview = invited()
    day = timezone.localdate(NOW + timedelta(days=9))
    Closure.objects.create(name="Holiday", first_day=day, last_day=day)
    not_offered = [
        another_slot(interview, capacity=1, booked=1),
        another_slot(interview, starts_at=NOW + timedelta(days=5), closed_at=NOW),
        another_slot(interview, starts_at=NOW - timedelta(minutes=1)),
        another_slot(interview, starts_at=NOW + timedelta(days=6), kind="on_site"),
        another_slot(interview, starts_at=NOW + timedelta(days=9)),
        SlotFactory(),  # of another position
    ]

    for slot in not_offered:
        with pytest.raises(SlotFull):
            services.book(interview.reference, slot.pk, by=interview.candidate.user)

    assert fresh(interview).status == "invited"


def test_after_the_deadline_only_hr_books():
    interview = invited()
    late = interview.deadline
    slot = another_slot(interview, starts_at=late + timedelta(days=1))
    recruiter = UserFactory(recruiter=True, departments=[interview.position.department])

    with pytest.raises(services.InvitationExpired):
        services.book(interview.reference, slot.pk, by=interview.candidate.user, at=late)
    services.book(interview.reference, slot.pk, by=recruiter, at=late)

    assert fresh(interview).status == "booked"


def test_booked_interview_is_moved_not_booked_again():
    interview = InterviewFactory()

    with pytest.raises(services.AlreadyBooked):
        services.book(interview.reference, another_slot(interview).pk, by=interview.candidate.user)


@pytest.mark.parametrize("status", ["cancelled", "withdrawn", "no_show", "completed"])
def test_what_is_over_is_not_booked(status):
    interview = InterviewFactory(status=status, slot=None)

    with pytest.raises(TransitionNotAllowed):
        services.book(interview.reference, another_slot(interview).pk, by=interview.candidate.user)


@pytest.mark.parametrize("service", [services.book, services.move])
def test_nobody_touches_somebody_elses(service):
    interview = invited() if service is services.book else InterviewFactory()
    slot = another_slot(interview)
    elsewhere = UserFactory(recruiter=True, departments=[DepartmentFactory()])
    viewer = UserFactory(viewer=True, departments=[interview.position.department])

    for stranger in (CandidateFactory().user, elsewhere):
        with pytest.raises(Interview.DoesNotExist):
            service(interview.reference, slot.pk, by=stranger)
    with pytest.raises(PermissionDenied):
        service(interview.reference, slot.pk, by=viewer)

    assert fresh(slot).booked == 0


# --- moving ---------------------------------------------------------------------------------------


def test_moving_keeps_it_booked_and_both_slots_right():
    interview = InterviewFactory(candidate__user__email="zhang@example.com")
    before, slot = interview.slot, another_slot(interview, capacity=1)
    heard = []

    def hear(**kwargs):
        heard.append((kwargs["before"], kwargs["interview"].starts_at))

    interview_moved.connect(hear)
    try:
        services.move(interview.reference, slot.pk, by=interview.candidate.user)
    finally:
        interview_moved.disconnect(hear)

    moved = fresh(interview)
    assert (moved.status, moved.slot_id, moved.moves) == ("booked", slot.pk, 1)
    assert (moved.starts_at, moved.ends_at) == (slot.starts_at, slot.ends_at)
    assert (fresh(before).booked, fresh(slot).booked) == (0, 1)
    assert heard == [(before.starts_at, slot.starts_at)]
    entry = moved.history.last()
    assert (entry.event, entry.data["slot"]) == ("moved", slot.pk)
    assert list(history.verify(Interview.objects.all())) == []


def test_one_message_a_move_and_the_older_one_is_overtaken():
    interview = InterviewFactory(interviewer=UserFactory(staff=True))
    user = interview.candidate.user
    first, second = another_slot(interview), another_slot(interview, starts_at=NOW + timedelta(5))

    services.move(interview.reference, first.pk, by=user)
    services.move(interview.reference, second.pk, by=user)
    services.move(interview.reference, second.pk, by=user)  # pressed twice

    (message,) = told("interview_moved")
    assert message.params["starts_at"] == second.starts_at.isoformat()
    assert message.params["before_at"] == first.starts_at.isoformat()
    staff = told("interview_moved_staff")
    assert sorted(each.channel for each in staff) == ["desk", "desk", "email", "email"]


def test_moving_to_a_full_time_changes_nothing():
    interview = InterviewFactory()
    full = another_slot(interview, capacity=1, booked=1)

    with pytest.raises(SlotFull):
        services.move(interview.reference, full.pk, by=interview.candidate.user)

    assert fresh(interview).slot_id == interview.slot_id
    assert (fresh(interview.slot).booked, fresh(full).booked) == (1, 1)


@pytest.mark.parametrize("status", ["invited", "cancelling", "in_progress", "cancelled"])
def test_only_what_is_booked_is_moved(status):
    interview = InterviewFactory(status=status)

    with pytest.raises(TransitionNotAllowed):
        services.move(interview.reference, another_slot(interview).pk, by=interview.candidate.user)


@pytest.mark.parametrize(("seconds", "refused"), [(0, False), (1, True)])
def test_moves_until_the_rule_says_to_the_second(seconds, refused):
    interview = InterviewFactory()
    slot = another_slot(interview)
    at = interview.starts_at - timedelta(minutes=120) + timedelta(seconds=seconds)
    user = interview.candidate.user

    if refused:
        with pytest.raises(services.MoveRefused) as refusal:
            services.move(interview.reference, slot.pk, by=user, at=at)
        assert refusal.value.code == "too_late"
    else:
        services.move(interview.reference, slot.pk, by=user, at=at)


def test_as_often_as_the_rule_says_and_what_hr_moves_does_not_count():
    Policy.objects.filter(is_active=True).update(moves_most=1)
    interview = InterviewFactory()
    user = interview.candidate.user
    recruiter = UserFactory(recruiter=True, departments=[interview.position.department])
    slots = [another_slot(interview, starts_at=NOW + timedelta(days=day)) for day in (4, 5, 6, 7)]

    services.move(interview.reference, slots[0].pk, by=recruiter)
    services.move(interview.reference, slots[1].pk, by=user)
    with pytest.raises(services.MoveRefused) as refusal:
        services.move(interview.reference, slots[2].pk, by=user)
    services.move(interview.reference, slots[3].pk, by=recruiter)

    assert refusal.value.code == "used_up"
    assert fresh(interview).moves == 3


# --- declining ------------------------------------------------------------------------------------


def test_declining_leaves_the_application_with_its_reason_and_tells_both_sides():
    interview = invited()

    decline, is_new = services.decline(
        interview.reference, by=interview.candidate.user, reason="not_interested"
    )
    again, is_second = services.decline(
        interview.reference, by=interview.candidate.user, reason="no_time"
    )

    assert (is_new, is_second) == (True, False)
    assert decline == again
    assert fresh(interview).status == "withdrawn"
    assert fresh(interview).ended_at is not None
    entry = interview.history.last()
    assert (entry.event, entry.data["reason"]) == ("declined", "not_interested")
    assert len(told("invitation_declined")) == 1
    assert len(told("invitation_declined_staff")) == 2


def test_something_else_needs_a_sentence_and_it_stays_out_of_history():
    interview = invited()
    user = interview.candidate.user

    with pytest.raises(ValidationError):
        services.decline(interview.reference, by=user, reason="other", detail=" no ")
    services.decline(interview.reference, by=user, reason="other", detail="I move abroad.")

    assert Decline.objects.get().detail == "I move abroad."
    assert "abroad" not in str(interview.history.last().data)


def test_only_an_invitation_is_declined_and_only_by_whose_it_is():
    interview, booked = invited(), InterviewFactory()

    with pytest.raises(TransitionNotAllowed):
        services.decline(booked.reference, by=booked.candidate.user, reason="no_time")
    with pytest.raises(Interview.DoesNotExist):
        services.decline(interview.reference, by=booked.candidate.user, reason="no_time")


# --- what is offered ------------------------------------------------------------------------------


def test_closure_of_another_department_hides_nothing():
    interview = invited()
    slot = another_slot(interview)
    day = timezone.localdate(slot.starts_at)
    closure = Closure.objects.create(
        name="Away", first_day=day, last_day=day, department=DepartmentFactory()
    )

    assert list(free_slots(interview, now=NOW)) == [slot]
    Closure.objects.filter(pk=closure.pk).update(department=interview.position.department)
    assert list(free_slots(interview, now=NOW)) == []


def test_choice_comes_in_whole_days_where_the_reader_is_and_says_what_is_full():
    interview = InterviewFactory()
    base = (NOW + timedelta(days=10)).replace(hour=15, minute=30, second=0, microsecond=0)
    full = another_slot(interview, starts_at=base, capacity=1, booked=1)
    free = another_slot(interview, starts_at=base + timedelta(hours=1))  # past midnight in China

    with timezone.override("Asia/Shanghai"):
        in_china = queries.choice(interview, now=NOW)
    with timezone.override("UTC"):
        in_utc = queries.choice(interview, now=NOW)

    assert [len(day.times) for day in in_china.days] == [1, 1]
    assert [len(day.times) for day in in_utc.days] == [2]
    assert [(time.slot, time.is_free) for time in in_utc.days[0].times] == [
        (full, False),
        (free, True),
    ]
    assert not in_china.days[0].has_free


def test_day_of_more_times_than_a_page_holds_is_shown_whole():
    interview = invited()
    base = (NOW + timedelta(days=10)).replace(hour=4, minute=0, second=0, microsecond=0)
    for minute in range(queries.TIMES + 2):
        another_slot(interview, starts_at=base + timedelta(minutes=minute))
    later = another_slot(interview, starts_at=base + timedelta(days=2))

    first = queries.choice(interview, now=NOW)
    rest = queries.choice(interview, now=NOW, since=first.later)

    assert [len(day.times) for day in first.days] == [queries.TIMES + 2]
    assert [time.slot for day in rest.days for time in day.times] == [later]


def test_long_choice_goes_on_with_the_day_it_stopped_at():
    interview = invited()
    base = (NOW + timedelta(days=10)).replace(hour=4, minute=0, second=0, microsecond=0)
    for number in range(queries.TIMES + 1):
        another_slot(interview, starts_at=base + timedelta(days=number // 20, minutes=number % 20))

    first = queries.choice(interview, now=NOW)
    rest = queries.choice(interview, now=NOW, since=first.later)

    shown = [*first.days, *rest.days]
    assert sum(len(day.times) for day in shown) == queries.TIMES + 1
    assert len({day.date for day in shown}) == len(shown)
    assert rest.later is None
