"""Writing records by the batch: look up by set queries, copy in, one history entry each interview.

An import adds; it never changes a person, a position or an interview that is already there.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import crypto
from accounts.models import User
from accounts.permissions import STAFF_ROLES, Role
from candidates.models import Candidate
from config.references import new_reference
from config.tracking import act_as
from interviews import history
from interviews.imports.bulk import copy_in
from interviews.imports.mapping import Mapping
from interviews.imports.problems import ImportRefused, Problem, Rejection
from interviews.imports.rows import Record
from interviews.imports.text import fold
from interviews.models import (
    Application,
    Department,
    HistoryEntry,
    Interview,
    InterviewKind,
    Position,
    PositionCategory,
    Stage,
)
from interviews.signals import history_recorded
from interviews.states import InterviewStatus

ACTOR = "import"
UNSORTED = "未分类"  # the category of a position of which nothing else is said
IDENTITIES = ("candidate_key", "mobile", "email", "national_id")
OVER = frozenset({InterviewStatus.COMPLETED, InterviewStatus.INCOMPLETE, InterviewStatus.NO_SHOW})


class Outcome(StrEnum):
    IMPORTED = "imported"
    KNOWN = "known"


@dataclass(slots=True, eq=False)
class Person:
    """Somebody a row is about: already known, or about to be created."""

    name: str
    role: str = Role.CANDIDATE
    user_id: int = 0  # none yet
    candidate_id: int = 0  # none yet
    record: Record | None = None  # the first one about them; what to create them from


class Store:
    """Writes the records of one file; a subclass for each thing a row can be.

    Departments, categories and positions, which are few, are remembered; everything else is looked
    up per batch. `created` says what the last batch made for which line, by table: a person two
    lines are about is made for the first of them.
    """

    def __init__(
        self, mapping: Mapping, title: Callable[[str], str], *, by: User | None, now: datetime
    ) -> None:
        self.mapping = mapping
        self.title = title  # what the file calls a field
        self.source = mapping.source
        self.by = history.actor_of(by) if by else ""
        self.now = now
        self.created: dict[int, dict[str, int]] = {}
        self.references: dict[int, str] = {}  # of what a line became, where it has one
        self._staff: dict[str, int | None] = {}
        self._remember_places()

    def write(self, records: Sequence[Record]) -> list[Outcome | Rejection]:
        """What became of each record, in order. A collision with somebody else's change is tried
        again once; raises ImportRefused when it happens again."""
        for attempt in (1, 2):
            self.created.clear()
            self.references.clear()
            try:
                with transaction.atomic():
                    act_as(self.by or ACTOR)
                    return self._write(records)
            except IntegrityError as error:
                if attempt == 2:
                    raise ImportRefused(
                        _("Somebody changed the same records meanwhile. Start the import again.")
                    ) from error
                self._remember_places()
        raise AssertionError  # the loop returns or raises

    def _write(self, records: Sequence[Record]) -> list[Outcome | Rejection]:
        raise NotImplementedError

    def _note(self, records: Iterable[Record], model: type[Model], keys: Iterable[int]) -> None:
        """Write down that a row of `model` was made for each record."""
        name = model._meta.label_lower
        for record, key in zip(records, keys, strict=True):
            self.created.setdefault(record.line, {})[name] = key

    def _known_keys(self, model: type[Model], records: Sequence[Record]) -> set[str]:
        """The keys of those that came from this source already."""
        # `exclude` states the condition of the partial index, which a long list does not imply.
        known = model._default_manager.filter(
            source=self.source, source_key__in={record.key for record in records}
        ).exclude(source_key="")
        return set(known.values_list("source_key", flat=True))

    # --- people -----------------------------------------------------------------------------

    def _people(
        self, records: Sequence[Record], outcomes: dict[int, Outcome | Rejection]
    ) -> dict[int, Person]:
        """Who each record is about, by line; who cannot be told is rejected."""
        identities = {record.line: _identities(record) for record in records}
        known = self._known_people({key for keys in identities.values() for key in keys})
        people = {}
        for record in records:
            keys = identities[record.line]
            matches = {id(known[key]): known[key] for key in keys if key in known}
            if message := _person_problem(record, list(matches.values())):
                given = [name for name in IDENTITIES if record[name]]
                problem = Problem(self._titles(given), record["name"], message)
                outcomes[record.line] = Rejection(record.line, (problem,))
                continue
            person = next(iter(matches.values()), None)
            if person is None:
                person = Person(record["name"])
                known.update(dict.fromkeys(keys, person))
            people[record.line] = person
        return people

    def _known_people(self, identities: set[tuple[str, str]]) -> dict[tuple[str, str], Person]:
        wanted: dict[str, list[str]] = {}
        for kind, value in identities:
            wanted.setdefault(kind, []).append(value)
        found: dict[tuple[str, str], Person] = {}
        people: dict[int, Person] = {}

        def add(kind: str, rows: Iterable[tuple[str, int, str, str, int | None]]) -> None:
            for value, user_id, name, role, candidate_id in rows:
                person = Person(name, role, user_id, candidate_id or 0)
                found[kind, value] = people.setdefault(user_id, person)

        facts = ("pk", "name", "role", "candidate__pk")
        for kind in ("mobile", "email", "national_id_index"):
            if kind in wanted:
                users = User.objects.filter(**{f"{kind}__in": wanted[kind]})
                add(kind, users.values_list(kind, *facts))
        if "key" in wanted:
            candidates = Candidate.objects.filter(
                source=self.source, source_key__in=wanted["key"]
            ).exclude(source_key="")
            facts = ("user_id", "user__name", "user__role", "pk")
            add("key", candidates.values_list("source_key", *facts))
        return found

    def _titles(self, names: Iterable[str]) -> str:
        return "; ".join(map(self.title, names))

    # --- staff ------------------------------------------------------------------------------

    def _look_up_staff(self, records: Sequence[Record]) -> None:
        named = {record[role] for record in records for role in ("recruiter", "interviewer")}
        unseen = named - {""} - self._staff.keys()
        if not unseen:
            return
        self._staff.update(dict.fromkeys(unseen))
        staff = User.objects.filter(email__in=unseen, role__in=STAFF_ROLES, is_active=True)
        self._staff.update({user.email or "": user.pk for user in staff.only("email")})

    def _staff_problem(self, record: Record) -> Problem | None:
        for role in ("recruiter", "interviewer"):
            if record[role] and not self._staff[record[role]]:
                message = _("No member of staff has this address. Correct it or leave it out.")
                return Problem(self.title(role), record[role], message)
        return None

    def _create_people(self, records: Sequence[Record], people: dict[int, Person]) -> None:
        """Those of `people` the records are about and we do not know yet."""
        for record in records:
            person = people[record.line]
            person.record = person.record or record
        wanted = list({id(p): p for p in (people[r.line] for r in records)}.values())
        strangers = [(p, p.record) for p in wanted if p.record and not p.user_id]
        users = copy_in(User, [_user(record, self.now) for _person, record in strangers])
        self._note((record for _person, record in strangers), User, users)
        for (person, _record), key in zip(strangers, users, strict=True):
            person.user_id = key
        without = [(p, p.record) for p in wanted if p.record and not p.candidate_id]
        rows = [self._candidate(person, record) for person, record in without]
        candidates = copy_in(Candidate, rows)
        self._note((record for _person, record in without), Candidate, candidates)
        for (person, _record), key in zip(without, candidates, strict=True):
            person.candidate_id = key

    def _candidate(self, person: Person, record: Record) -> dict[str, Any]:
        return {
            "user_id": person.user_id,
            "city": record["city"],
            "source": self.source,
            "source_key": record["candidate_key"],
        }

    # --- departments, categories, positions ----------------------------------------------------

    def _remember_places(self) -> None:
        self._departments: dict[str, int] = {}
        self._categories: dict[str, int] = {}
        for places, known in (
            (Department.objects.all(), self._departments),
            (PositionCategory.objects.all(), self._categories),
        ):
            for pk, code, name in places.values_list("pk", "code", "name"):
                known[fold(name)] = known[fold(code)] = pk
        self._position_ids: dict[str | tuple[int, str], int] = {}
        facts = Position.objects.order_by("-pk").values_list("pk", "code", "department_id", "title")
        for pk, code, department_id, title in facts.iterator():
            self._position_ids[code] = self._position_ids[department_id, fold(title)] = pk

    def _positions(self, records: Sequence[Record]) -> dict[int, int]:
        """The position of each record, by line, with its department and category; made where there
        is none."""
        self._create_named(Department, self._departments, "department", records)
        self._create_named(PositionCategory, self._categories, "category", records)
        new: dict[str | tuple[int, str], Record] = {}
        for record in records:
            if self._position_id(record) is None:
                new.setdefault(self._position_key(record), record)
        positions = [self._position(record) for record in new.values()]
        keys = copy_in(Position, positions)
        self._note(new.values(), Position, keys)
        for position, key in zip(positions, keys, strict=True):
            place = (position["department_id"], fold(position["title"]))
            self._position_ids[position["code"]] = key
            self._position_ids.setdefault(place, key)
        return {record.line: self._position_id(record) or 0 for record in records}

    def _create_named(
        self,
        model: type[Department] | type[PositionCategory],
        known: dict[str, int],
        field: str,
        records: Sequence[Record],
    ) -> None:
        new: dict[str, Record] = {}
        for record in records:
            if _place(record, field) not in known:
                new.setdefault(_place(record, field), record)
        rows = [_named(record, field) for record in new.values()]
        keys = copy_in(model, rows)
        self._note(new.values(), model, keys)
        for place, row, key in zip(new, rows, keys, strict=True):
            known.setdefault(fold(row["name"]), key)
            known[place] = key

    def _position_key(self, record: Record) -> str | tuple[int, str]:
        """Its code, or else its department and title."""
        department_id = self._departments[_place(record, "department")]
        return record["position_code"] or (department_id, fold(record["position"]))

    def _position_id(self, record: Record) -> int | None:
        return self._position_ids.get(self._position_key(record))

    def _position(self, record: Record) -> dict[str, Any]:
        department_id = self._departments[_place(record, "department")]
        title = record["position"]
        return {
            "code": record["position_code"] or _code(title, f"{department_id}|{fold(title)}"),
            "title": title,
            "department_id": department_id,
            "category_id": self._categories[_place(record, "category")],
            "recruiter_id": self._staff.get(record["recruiter"]),
            "city": record["position_city"],
            "is_open": record["is_open"] != "no",
        }

    def _applications(
        self, records: Sequence[Record], people: dict[int, Person], positions: dict[int, int]
    ) -> dict[int, int]:
        """The application of each record, by line: the candidate's latest for that position, or a
        new one."""
        candidates = {people[record.line].candidate_id for record in records}
        existing = Application.objects.filter(candidate_id__in=candidates).order_by("pk")
        facts = existing.values_list("candidate_id", "position_id", "pk")
        known = {(candidate, position): pk for candidate, position, pk in facts}
        pairs = {r.line: (people[r.line].candidate_id, positions[r.line]) for r in records}
        new: dict[tuple[int, int], Record] = {}
        for record in records:
            if pairs[record.line] not in known:
                new.setdefault(pairs[record.line], record)
        keys = copy_in(Application, [self._application(*pair, new[pair]) for pair in new])
        self._note(new.values(), Application, keys)
        known.update(zip(new, keys, strict=True))
        return {line: known[pair] for line, pair in pairs.items()}

    def _application(self, candidate_id: int, position_id: int, record: Record) -> dict[str, Any]:
        return {
            "reference": new_reference(),
            "candidate_id": candidate_id,
            "position_id": position_id,
            "stage": record["stage"] or Stage.APPLIED.value,
            "applied_at": record.applied_at or min(record.starts_at or self.now, self.now),
            "screened_at": record.screened_at,
            "source": self.source,
        }


class InterviewStore(Store):
    """Interviews, with their people, applications and positions."""

    def _write(self, records: Sequence[Record]) -> list[Outcome | Rejection]:
        known = self._known_keys(Interview, records)
        outcomes: dict[int, Outcome | Rejection] = {
            record.line: Outcome.KNOWN for record in records if record.key in known
        }
        fresh = [record for record in records if record.line not in outcomes]
        people = self._people(fresh, outcomes)
        self._look_up_staff(fresh)
        chosen = []
        for record in fresh:
            if record.line in outcomes:
                continue
            if problem := self._time_problem(record) or self._staff_problem(record):
                outcomes[record.line] = Rejection(record.line, (problem,))
            else:
                outcomes[record.line] = Outcome.IMPORTED
                chosen.append(record)
        self._create(chosen, people)
        return [outcomes[record.line] for record in records]

    def _time_problem(self, record: Record) -> Problem | None:
        if record.starts_at is None:
            return None
        typed = record.starts_at.isoformat(sep=" ", timespec="minutes")
        title = self._titles(("status", "starts_at"))
        if record["status"] in OVER and record.starts_at > self.now:
            message = _(
                "It has not begun yet, so it cannot be over. Correct the time or the status."
            )
            return Problem(title, typed, message)
        if record["status"] == InterviewStatus.BOOKED and record.starts_at < self.now:
            message = _("The interview is past. Say how it ended: completed, missed or cancelled.")
            return Problem(title, typed, message)
        return None

    def _create(self, records: Sequence[Record], people: dict[int, Person]) -> None:
        self._create_people(records, people)
        positions = self._positions(records)
        applications = self._applications(records, people, positions)
        interviews = [self._interview(record, applications[record.line]) for record in records]
        keys = copy_in(Interview, interviews)
        self._note(records, Interview, keys)
        for record, interview, key in zip(records, interviews, keys, strict=True):
            interview["id"] = key
            self.references[record.line] = interview["reference"]
        self._record_history(interviews)

    def _interview(self, record: Record, application_id: int) -> dict[str, Any]:
        over = record["status"] in OVER
        return {
            "reference": new_reference(),
            "application_id": application_id,
            "kind": record["kind"] or InterviewKind.AI.value,
            "status": record["status"],
            "starts_at": record.starts_at,
            "ends_at": record.ends_at,
            "ended_at": (record.ends_at or record.starts_at) if over else None,
            "deadline": record.deadline,
            "link": record["link"],
            "location": record["location"],
            "interviewer_id": self._staff.get(record["interviewer"]),
            "source": self.source,
            "source_key": record.key,
            "extra": record.extra,
        }

    def _record_history(self, interviews: Sequence[dict[str, Any]]) -> None:
        """The first entry of each: they differ only by status and by whose they are."""
        statuses = {interview["status"] for interview in interviews}
        firsts = {status: self._first_entry(status) for status in statuses}
        entries = []
        for interview in interviews:
            first = firsts[interview["status"]]
            entries.append(
                {
                    "interview_id": interview["id"],
                    "sequence": first.sequence,
                    "event": first.event,
                    "actor": first.actor,
                    "at": first.at,
                    "data": first.data,
                    "previous_hash": first.previous_hash,
                    "hash": history.digest(first, interview["reference"]),
                }
            )
        keys = copy_in(HistoryEntry, entries)
        if not history_recorded.has_listeners(HistoryEntry):
            return
        stored = [HistoryEntry(id=key, **entry) for entry, key in zip(entries, keys, strict=True)]
        for interview, entry in zip(interviews, stored, strict=True):
            entry.interview = Interview(**interview)
        history_recorded.send(sender=HistoryEntry, entries=stored)

    def _first_entry(self, status: str) -> HistoryEntry:
        data = {"source": self.source, "status": status}
        if self.by:
            data["by"] = self.by
        return HistoryEntry(
            sequence=1,
            event="imported",
            actor=ACTOR,
            at=self.now,
            data=data,
            previous_hash=history.GENESIS,
        )


def _place(record: Record, field: str) -> str:
    """By what the department or category of a record is found: its code, or else its name."""
    return fold(record[f"{field}_code"] or record[field] or UNSORTED)


def _named(record: Record, field: str) -> dict[str, str]:
    name = record[field] or record[f"{field}_code"] or UNSORTED
    return {"code": record[f"{field}_code"] or _code(name, fold(name)), "name": name}


def _code(name: str, key: str) -> str:
    """A readable code where the name is Latin, and the same one every time."""
    mark = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{slugify(name)[:40]}-{mark}".strip("-")


def _identities(record: Record) -> list[tuple[str, str]]:
    """What tells this person from others, as looked up."""
    national_id = record["national_id"]
    found = [
        ("key", record["candidate_key"]),
        ("mobile", record["mobile"]),
        ("email", record["email"]),
        ("national_id_index", crypto.blind_index(national_id) if national_id else ""),
    ]
    return [(kind, value) for kind, value in found if value]


def _person_problem(record: Record, matches: Sequence[Person]) -> str:
    if len(matches) > 1:
        return _("These belong to different people. Correct them.")
    if matches and matches[0].role != Role.CANDIDATE:
        return _("This belongs to a member of staff. Correct it.")
    if matches and fold(matches[0].name) != fold(record["name"]):
        return _("This already belongs to somebody of another name. Correct one of the two.")
    return ""


def _user(record: Record, now: datetime) -> dict[str, Any]:
    national_id = record["national_id"]
    return {
        "name": record["name"],
        "mobile": record["mobile"] or None,
        "email": record["email"] or None,
        "national_id": national_id,
        "national_id_index": crypto.blind_index(national_id) if national_id else None,
        "password": UNUSABLE_PASSWORD_PREFIX + secrets.token_urlsafe(30),
        "role": Role.CANDIDATE.value,
        "date_joined": now,
    }
