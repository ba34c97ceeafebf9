"""Who is told what about an absence, a mark and an appeal."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import translation

from accounts.models import User
from accounts.permissions import Role
from cancellations.absences.models import Absence
from candidates.models import Appeal, Mark
from interviews.models import Interview
from interviews.notices import CANDIDATE, STAFF, about, leads_of
from notifications.services import Notice


def missed(absence: Absence, interview: Interview) -> Iterator[Notice]:
    yield from _to_candidate(interview, "interview_missed", key=absence.reference)


def to_look_at(absence: Absence, interview: Interview, *, key: str = "") -> Iterator[Notice]:
    """HR has an absence to decide; once for each `key`."""
    position = interview.position
    recruiter = position.recruiter
    people = [recruiter] if recruiter and recruiter.is_active else leads_of(position.department)
    for person in people:
        with translation.override(person.language or settings.LANGUAGE_CODE):
            words = str(absence.get_code_display())
        yield from about(
            interview,
            "absence_to_decide",
            person,
            STAFF,
            key=key or absence.reference,
            absence=absence.reference,
            words=words,
        )


def excused(absence: Absence, interview: Interview) -> Iterator[Notice]:
    yield from _to_candidate(interview, "absence_excused", key=absence.reference)


def rebooked(absence: Absence, interview: Interview) -> Iterator[Notice]:
    yield from _to_candidate(interview, "interview_rebooked", key=absence.reference)


def marked(mark: Mark, interview: Interview) -> Iterator[Notice]:
    """They learn of it at once, with until when it stays and how to appeal."""
    yield from _to_candidate(
        interview, "mark_set", key=mark.reference, expires_at=mark.expires_at.isoformat()
    )


def appealed(mark: Mark, interview: Interview) -> Iterator[Notice]:
    """The HR leads who did not set it; the administrators, where there is nobody else."""
    for person in deciders(mark, interview):
        yield from about(
            interview,
            "appeal_to_decide",
            person,
            STAFF,
            key=mark.reference,
            mark=mark.reference,
        )


def deciders(mark: Mark, interview: Interview) -> list[User]:
    leads = leads_of(interview.position.department)
    others = [lead for lead in leads if lead.pk != mark.set_by_id]
    if others:
        return others
    administrators = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True)
    return list(administrators.exclude(pk=mark.set_by_id).order_by("pk"))


def decided(mark: Mark, appeal: Appeal, interview: Interview) -> Iterator[Notice]:
    yield from _to_candidate(
        interview,
        "appeal_decided",
        key=mark.reference,
        lifted=bool(appeal.granted),
        note=appeal.note,
        expires_at=mark.expires_at.isoformat(),
    )


def _to_candidate(
    interview: Interview, event: str, *, key: str, **more: object
) -> Iterator[Notice]:
    user = interview.candidate.user
    yield from about(interview, event, user, CANDIDATE, key=key, **more)
