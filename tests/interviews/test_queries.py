from itertools import product

import pytest
from django.utils import timezone, translation

from interviews.models import Application, Interview, Stage
from interviews.queries import timeline
from interviews.states import ENDED, InterviewStatus

NOW = timezone.now()


def way(status: str, stage: str, *, screened: bool = False, booked: bool = False) -> list[str]:
    """The states of the steps of an interview that is not stored."""
    application = Application(stage=stage, screened_at=NOW if screened else None)
    interview = Interview(
        application=application,
        status=status,
        booked_at=NOW if booked else None,
        created_at=NOW,
    )
    return [step.state for step in timeline(interview)]


@pytest.mark.parametrize(
    ("status", "stage", "screened", "booked"),
    list(product(InterviewStatus, Stage, [True, False], [True, False])),
)
def test_timeline_goes_from_done_over_one_current_step_to_what_is_ahead(
    status, stage, screened, booked
):
    states = way(status, stage, screened=screened, booked=booked)

    order = ["done", "current", "ended", "ahead"]
    assert states == sorted(states, key=order.index)
    assert states.count("current") + states.count("ended") <= 1
    if status not in ENDED:
        assert states.count("current") == 1


@pytest.mark.parametrize("status", sorted(set(InterviewStatus) - {InterviewStatus.INVITED}))
def test_resume_of_an_imported_interview_is_screened(status):
    assert way(status, Stage.APPLIED)[1] == "done"


def test_resume_of_an_invited_applicant_may_still_be_looked_at():
    assert way(InterviewStatus.INVITED, Stage.APPLIED)[1:3] == ["current", "ahead"]
    assert way(InterviewStatus.INVITED, Stage.SCREENED)[1:3] == ["done", "current"]
    assert way(InterviewStatus.INVITED, Stage.APPLIED, screened=True)[1:3] == ["done", "current"]


def test_completed_interview_waits_for_the_second_or_has_had_it():
    assert way(InterviewStatus.COMPLETED, Stage.APPLIED)[-1] == "current"
    assert way(InterviewStatus.COMPLETED, Stage.OFFER)[-1] == "done"
    assert way(InterviewStatus.COMPLETED, Stage.ENDED)[-1] == "ahead"


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        (InterviewStatus.WITHDRAWN, "Invitation declined"),
        (InterviewStatus.CANCELLED, "Cancelled"),
        (InterviewStatus.NO_SHOW, "Missed"),
    ],
)
def test_what_was_never_booked_ends_at_the_invitation(status, ended):
    interview = Interview(
        application=Application(stage=Stage.AI_INTERVIEW), status=status, created_at=NOW
    )

    with translation.override("en"):
        steps = timeline(interview)

    assert [step.label for step in steps[2:]] == ["Invited", ended]
    assert steps[2].at == NOW


@pytest.mark.parametrize("known", [{"booked_at": NOW}, {"starts_at": NOW}])
def test_who_leaves_an_appointment_has_declined_no_invitation(known):
    interview = Interview(
        application=Application(stage=Stage.AI_INTERVIEW),
        status=InterviewStatus.WITHDRAWN,
        created_at=NOW,
        **known,
    )

    with translation.override("en"):
        labels = [step.label for step in timeline(interview)]

    assert labels[2:] == ["AI interview booked", "Left"]
