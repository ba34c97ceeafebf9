"""What candidates are told about the documents a stage asks for."""

from collections.abc import Iterator, Sequence

from django.conf import settings

from config.languages import worded
from interviews import calendar_entries
from interviews.gates.models import Document, StageGate
from interviews.models import Interview
from interviews.notices import CANDIDATE, about
from notifications.services import Notice

WHILE_MISSING = ("documents_missing", "document_rejected")
ABOUT_DOCUMENTS = (*WHILE_MISSING, "documents_accepted")


def documents_missing(
    interview: Interview, gates: Sequence[StageGate], *, time: int | str
) -> Iterator[Notice]:
    """Which documents are still needed; the same `time` goes out once, however often it is asked
    for."""
    person = interview.candidate.user
    yield from about(
        interview,
        "documents_missing",
        person,
        CANDIDATE,
        key=f"{interview.reference}:{time}",
        documents=[{"name": _named(gate, person.language)} for gate in gates],
    )


def document_rejected(document: Document, interview: Interview) -> Iterator[Notice]:
    """What is wrong with it, so that the next one is right."""
    person = interview.candidate.user
    yield from about(
        interview,
        "document_rejected",
        person,
        CANDIDATE,
        key=document.reference,
        document=_named(document.gate, person.language),
        note=document.note,
    )


def documents_accepted(document: Document, interview: Interview) -> Iterator[Notice]:
    """With this one, everything that was asked for is in order."""
    yield from about(
        interview,
        "documents_accepted",
        interview.candidate.user,
        CANDIDATE,
        key=document.reference,
    )


def ended(interview: Interview, *, called_off: bool = False) -> Iterator[Notice]:
    """A polite end; which score it was is for HR to say. `called_off`: the interview was still to
    come, and goes from their calendar."""
    key = interview.reference
    if called_off and interview.ended_at:  # it may have been brought back since the last time
        key = f"{key}:{interview.ended_at.isoformat()}"
    told = about(
        interview,
        "application_ended",
        interview.candidate.user,
        CANDIDATE,
        key=key,
        talent_pool=interview.candidate.talent_pool_at is not None,
        called_off=called_off,
    )
    for notice in told:
        if called_off and notice.channel == "email":
            entry = calendar_entries.entry(
                interview, calendar_entries.CANCEL, language=notice.language
            )
            notice.params.update({"calendar": entry} if entry else {})
        yield notice


def _named(gate: StageGate, language: str) -> str:
    return worded(gate.name_zh, gate.name_en, language or settings.LANGUAGE_CODE)
