"""What else a row can be beside an interview: a candidate, a position, a slot, an application."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from candidates.models import Candidate
from interviews.booking.services import INVITES, reach_stage
from interviews.gates.services import GateShut
from interviews.imports.bulk import copy_in
from interviews.imports.mapping import What
from interviews.imports.problems import Problem, Rejection
from interviews.imports.rows import Record
from interviews.imports.store import InterviewStore, Outcome, Person, Store
from interviews.imports.text import fold
from interviews.models import Application, InterviewKind, Slot, Stage

Outcomes = dict[int, Outcome | Rejection]


class CandidateStore(Store):
    """People by what they sign in with, without any application."""

    def _write(self, records: Sequence[Record]) -> list[Outcome | Rejection]:
        known = self._known_keys(Candidate, records)
        outcomes: Outcomes = {r.line: Outcome.KNOWN for r in records if r.key in known}
        fresh = [record for record in records if record.line not in outcomes]
        people = self._people(fresh, outcomes)
        chosen = []
        for record in fresh:
            if record.line not in outcomes:
                new = self._is_new(record, people[record.line])
                outcomes[record.line] = Outcome.IMPORTED if new else Outcome.KNOWN
                chosen += [record] if new else []
        self._create_people(chosen, people)
        return [outcomes[record.line] for record in records]

    def _is_new(self, record: Record, person: Person) -> bool:
        """Whether this is the first row about somebody who is no candidate yet."""
        if person.candidate_id or person.record:
            return False
        person.record = record
        return True


class PositionStore(Store):
    """Positions by their code; departments and categories by code or name."""

    def _write(self, records: Sequence[Record]) -> list[Outcome | Rejection]:
        outcomes: Outcomes = {
            r.line: Outcome.KNOWN for r in records if r["position_code"] in self._position_ids
        }
        fresh = [record for record in records if record.line not in outcomes]
        self._look_up_staff(fresh)
        for record in fresh:
            problem = self._place_problem(record) or self._staff_problem(record)
            outcomes[record.line] = (
                Rejection(record.line, (problem,)) if problem else Outcome.IMPORTED
            )
        self._positions([r for r in fresh if outcomes[r.line] == Outcome.IMPORTED])
        return [outcomes[record.line] for record in records]

    def _place_problem(self, record: Record) -> Problem | None:
        """A code nobody knows is a slip of the hand, unless a name stands beside it."""
        for field, known in (("department", self._departments), ("category", self._categories)):
            code = record[f"{field}_code"]
            if code and not record[field] and fold(code) not in known:
                message = _("This code is not known. Correct it, or give the name beside it.")
                return Problem(self.title(f"{field}_code"), code, message)
        if not record["department"] and not record["department_code"]:
            return Problem(self.title("department"), "", _("This must not be empty."))
        return None


class _AtPosition(Store):
    """Rows of a position that must be there already."""

    def _position_problem(self, record: Record) -> Problem | None:
        code = record["position_code"]
        if code in self._position_ids:
            return None
        message = _("No position has this code. Correct it, or import the positions first.")
        return Problem(self.title("position_code"), code, message)

    def _with_position(self, records: Sequence[Record], outcomes: Outcomes) -> list[Record]:
        for record in records:
            if problem := self._position_problem(record):
                outcomes[record.line] = Rejection(record.line, (problem,))
        return [record for record in records if record.line not in outcomes]


class SlotStore(_AtPosition):
    """Bookable times; nobody has booked them yet."""

    def _write(self, records: Sequence[Record]) -> list[Outcome | Rejection]:
        outcomes: Outcomes = {}
        fresh = self._with_position(records, outcomes)
        known = self._known_slots(fresh)
        chosen = []
        for record in fresh:
            if record.ends_at is None:
                problem = Problem(self.title("minutes"), "", _("This must not be empty."))
                outcomes[record.line] = Rejection(record.line, (problem,))
            elif self._place_and_time(record) in known:
                outcomes[record.line] = Outcome.KNOWN
            else:
                known.add(self._place_and_time(record))
                outcomes[record.line] = Outcome.IMPORTED
                chosen.append(record)
        self._note(chosen, Slot, copy_in(Slot, [self._slot(record) for record in chosen]))
        return [outcomes[record.line] for record in records]

    def _place_and_time(self, record: Record) -> tuple[int, str, datetime | None]:
        position_id = self._position_ids[record["position_code"]]
        return position_id, record["kind"] or InterviewKind.AI.value, record.starts_at

    def _known_slots(self, records: Sequence[Record]) -> set[tuple[int, str, datetime | None]]:
        places = [self._place_and_time(record) for record in records]
        slots = Slot.objects.filter(
            position__in={position for position, _kind, _at in places},
            starts_at__in={at for _position, _kind, at in places},
        )
        return set(slots.values_list("position_id", "kind", "starts_at"))

    def _slot(self, record: Record) -> dict[str, Any]:
        position_id, kind, starts_at = self._place_and_time(record)
        return {
            "position_id": position_id,
            "kind": kind,
            "starts_at": starts_at,
            "ends_at": record.ends_at,
            "capacity": int(record["capacity"] or 1),
        }


class ApplicationStore(_AtPosition):
    """Applications of people, who come along with them where they are new."""

    def _write(self, records: Sequence[Record]) -> list[Outcome | Rejection]:
        outcomes: Outcomes = {}
        people = self._people(self._with_position(records, outcomes), outcomes)
        fresh = [record for record in records if record.line not in outcomes]
        known = self._known_pairs(fresh, people)
        chosen = []
        for record in fresh:
            pair = (id(people[record.line]), self._position_ids[record["position_code"]])
            outcomes[record.line] = Outcome.KNOWN if pair in known else Outcome.IMPORTED
            if pair not in known:
                known.add(pair)
                chosen.append(record)
        self._create_people(chosen, people)
        positions = {r.line: self._position_ids[r["position_code"]] for r in chosen}
        applications = self._applications(chosen, people, positions)
        if self.mapping.invites:
            self._invite(applications.values())
        return [outcomes[record.line] for record in records]

    def _invite(self, applications: Iterable[int]) -> None:
        """Those of them whose stage is one of an interview, as if they reached it here and now: who
        stands before a shut gate waits there."""
        at_it = Application.objects.filter(pk__in=applications, stage__in=INVITES)
        for application in at_it.order_by("pk"):
            wanted, application.stage = application.stage, Stage.SCREENED
            application.save(update_fields=["stage"])
            with suppress(GateShut):
                reach_stage(application, wanted, by=None, at=self.now)

    def _known_pairs(
        self, records: Sequence[Record], people: dict[int, Person]
    ) -> set[tuple[int, int]]:
        """Who has applied for what already: the person as this batch holds them, the position."""
        by_candidate = {p.candidate_id: id(p) for p in (people[r.line] for r in records)}
        existing = Application.objects.filter(candidate_id__in=by_candidate.keys() - {0})
        pairs = existing.values_list("candidate_id", "position_id")
        return {(by_candidate[candidate], position) for candidate, position in pairs}


STORES: dict[str, type[Store]] = {
    What.CANDIDATES: CandidateStore,
    What.POSITIONS: PositionStore,
    What.SLOTS: SlotStore,
    What.APPLICATIONS: ApplicationStore,
    What.INTERVIEWS: InterviewStore,
}
