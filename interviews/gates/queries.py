"""How applications stand before their gates."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from candidates.models import FileEntry
from interviews.gates import rules
from interviews.gates.models import Document, DocumentState, GateKind, StageGate
from interviews.models import Application, Interview, Position, Stage
from interviews.states import InterviewStatus

ORDER = [str(each) for each in Stage]


@dataclass(frozen=True)
class Before:
    """One gate, and how an application stands before it."""

    gate: StageGate
    standing: rules.Standing
    document: Document | None = None  # the latest, without its bytes
    score: float | None = None

    @property
    def is_open(self) -> bool:
        return self.standing is rules.Standing.OPEN

    @property
    def is_asked_for(self) -> bool:
        return self.standing in rules.ASKED_FOR


def stages_until(stage: str) -> list[str]:
    """A gate of an earlier stage is not passed by leaving that stage out."""
    return ORDER[: ORDER.index(stage) + 1]


def has_gate(position: Position, stage: str) -> bool:
    """Whether anybody has to hand in or to reach something before they enter the stage."""
    gates = StageGate.objects.filter(position=position, is_active=True)
    return gates.filter(stage__in=stages_until(stage)).exists()


def gates_before(
    application: Application, *, today: date, until: str | None = None
) -> list[Before]:
    """The gates of its position up to the stage `until`, or all of them, in the order of stages."""
    gates = StageGate.objects.filter(position=application.position_id, is_active=True)
    if until is not None:
        gates = gates.filter(stage__in=stages_until(until))
    found = sorted(gates, key=lambda gate: (ORDER.index(gate.stage), gate.pk))
    if not found:
        return []
    passed = set(application.passes.values_list("gate_id", flat=True))
    papers: dict[int, list[Document]] = defaultdict(list)
    for each in _documents(application):
        papers[each.gate_id].append(each)
    scores = scores_of(application) if any(g.kind == GateKind.SCORE for g in found) else {}
    return [_before(gate, papers[gate.pk], scores, gate.pk in passed, today) for gate in found]


def _documents(application: Application) -> Iterable[Document]:
    documents = application.documents.exclude(state=DocumentState.REPLACED)
    return documents.defer("data").select_related("checked_by").order_by("-pk")


def _before(
    gate: StageGate,
    papers: list[Document],
    scores: dict[str, float],
    is_passed: bool,
    today: date,
) -> Before:
    if gate.kind == GateKind.SCORE:
        standing = rules.score(scores, dimension=gate.dimension, minimum=gate.minimum or 0)
    else:
        checked = {DocumentState.ACCEPTED: True, DocumentState.REJECTED: False}
        standing = rules.document(
            (rules.Paper(checked.get(p.state), p.expires_on) for p in papers), needed_on=today
        )
    return Before(
        gate=gate,
        standing=rules.Standing.OPEN if is_passed else standing,
        document=papers[0] if papers else None,
        score=scores.get(gate.dimension),
    )


def scores_of(application: Application) -> dict[str, float]:
    """What the candidate scored in the interviews of this application, the latest of each
    dimension."""
    own = Interview.objects.filter(application=application).values("reference")
    entries = FileEntry.objects.filter(interview__in=own).order_by("ended_at", "pk")
    found: dict[str, float] = {}
    for scores in entries.values_list("scores", flat=True):
        found.update(scores)
    return found


def waits_for_check(application: Application) -> bool:
    """Whether HR has to say something to what was handed in."""
    passed = application.passes.values("gate")
    handed_in = application.documents.filter(state=DocumentState.UPLOADED, gate__is_active=True)
    return handed_in.exclude(gate__in=passed).exists()


class PapersState(StrEnum):
    NEEDED = "needed"
    REJECTED = "rejected"
    TO_CHECK = "to_check"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Papers:
    """How a candidate stands with the documents that are asked for, all in all."""

    state: PapersState
    names: list[str]  # of those they still have to hand in


def papers_of(application: Application, *, today: date) -> Papers | None:
    """None where no stage of its position asks for any."""
    before = gates_before(application, today=today)
    documents = [each for each in before if each.gate.kind == GateKind.DOCUMENT]
    if not documents:
        return None
    asked = [each for each in documents if each.is_asked_for]
    names = [each.gate.name for each in asked]
    if any(each.standing is rules.Standing.REJECTED for each in asked):
        return Papers(PapersState.REJECTED, names)
    if asked:
        return Papers(PapersState.NEEDED, names)
    if any(each.standing is rules.Standing.TO_CHECK for each in documents):
        return Papers(PapersState.TO_CHECK, names)
    return Papers(PapersState.ACCEPTED, names)


def are_accepted(application: Application, *, today: date) -> bool:
    """Whether there is nothing to hand in or to check any more."""
    papers = papers_of(application, today=today)
    if papers is None or papers.state is not PapersState.ACCEPTED:
        return False
    return not waits_for_check(application)  # of what was accepted, a newer one may


def waiting_for_documents(*, ended_since: datetime) -> list[int]:
    """The applications whose interview was completed since then, at positions that ask for a
    document; who has handed in everything is found out one by one."""
    asking = StageGate.objects.filter(is_active=True, kind=GateKind.DOCUMENT).values("position")
    done = Interview.objects.filter(
        status=InterviewStatus.COMPLETED,
        ended_at__gte=ended_since,
        application__position__in=asking,
        application__stage=Stage.AI_INTERVIEW,
    )
    return list(done.order_by("application").values_list("application", flat=True).distinct())
