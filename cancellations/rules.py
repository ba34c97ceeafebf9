"""What a policy says of a request. Pure: no ORM, no clock; every time is handed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    AUTOMATIC = "automatic"
    NEEDS_HR = "needs_hr"
    REFUSED = "refused"


class Default(StrEnum):
    """What happens to a request HR has not decided in time."""

    APPROVE = "approve"
    DECLINE = "decline"


@dataclass(frozen=True)
class Tier:
    """What happens to a request made at least `notice` before the start."""

    notice: timedelta
    outcome: Outcome
    short_notice: bool = False  # recorded as such, and HR told


@dataclass(frozen=True)
class Scope:
    """What a policy is for, or what an interview is; None in a policy means any."""

    department: int | None = None
    category: int | None = None
    position: int | None = None
    kind: str | None = None

    def covers(self, facts: "Scope") -> bool:
        return all(
            mine is None or mine == theirs
            for mine, theirs in (
                (self.position, facts.position),
                (self.category, facts.category),
                (self.department, facts.department),
                (self.kind, facts.kind),
            )
        )

    @property
    def weight(self) -> tuple[bool, bool, bool, bool]:
        """Greater is more specific: position, then category, then department, then kind."""
        return (
            self.position is not None,
            self.category is not None,
            self.department is not None,
            self.kind is not None,
        )


@dataclass(frozen=True)
class ExitRules:
    """What leaving an interview midway takes, by its part, and what follows."""

    introduction: Outcome = Outcome.AUTOMATIC
    professional: Outcome = Outcome.AUTOMATIC
    closing: Outcome = Outcome.AUTOMATIC
    second_factor: bool = False  # a code by text message
    cooldown: timedelta = timedelta(0)  # without a new application
    misstart_grace: timedelta = timedelta(minutes=3)
    resume: timedelta = timedelta(hours=24)  # to come back in, from entering
    self_rebooking: bool = True


@dataclass(frozen=True)
class MoveRules:
    """Until when candidates may move an interview alone, and how often."""

    before: timedelta = timedelta(hours=2)  # of the start
    most: int = 2


@dataclass(frozen=True)
class Policy:
    """The rule for cancelling, as data."""

    id: int
    name: str
    scope: Scope
    tiers: tuple[Tier, ...]  # longest notice first
    promised_minutes: int
    default: Default
    default_before: timedelta  # how long before the start the default falls due
    exits: ExitRules = ExitRules()
    moves: MoveRules = MoveRules()
    mark_lasts: timedelta = timedelta(days=180)  # an absence on somebody's record


@dataclass(frozen=True)
class Decision:
    """What a policy says of one request."""

    outcome: Outcome
    short_notice: bool
    notice: timedelta  # negative: asked after the start
    tier: Tier | None
    decide_by: datetime | None  # when the default falls due; only where HR decides


# Where nobody has switched a policy on, nothing is refused and nothing happens by itself.
HR_DECIDES = Policy(
    id=0,
    name="",
    scope=Scope(),
    tiers=(Tier(timedelta(0), Outcome.NEEDS_HR),),
    promised_minutes=15,
    default=Default.APPROVE,
    default_before=timedelta(minutes=30),
)


def most_specific(policies: Iterable[Policy], facts: Scope) -> Policy:
    """The policy that speaks most precisely of `facts`; of two equally precise, the newest."""
    return max(
        (policy for policy in policies if policy.scope.covers(facts)),
        key=lambda policy: (policy.scope.weight, policy.id),
        default=HR_DECIDES,
    )


def decide(policy: Policy, *, starts_at: datetime | None, asked_at: datetime) -> Decision:
    """The first tier, longest notice first, that the request still makes.

    After the start nothing is cancelled: that is an exit, and refused here. An invitation without a
    time can always be called off.
    """
    if starts_at is None:
        return Decision(Outcome.AUTOMATIC, False, timedelta(0), None, None)
    notice = starts_at - asked_at
    if notice <= timedelta(0):
        return Decision(Outcome.REFUSED, False, notice, None, None)
    tier = next((tier for tier in policy.tiers if notice >= tier.notice), None)
    if tier is None:
        return Decision(Outcome.REFUSED, False, notice, None, None)
    decide_by = None
    if tier.outcome is Outcome.NEEDS_HR:
        decide_by = default_due(policy, starts_at=starts_at, asked_at=asked_at)
    return Decision(tier.outcome, tier.short_notice, notice, tier, decide_by)


def default_due(policy: Policy, *, starts_at: datetime, asked_at: datetime) -> datetime:
    """When the default decides: `default_before` the start, so that nobody waits in the room; where
    the request came later than that, half-way between asking and the start."""
    due = starts_at - policy.default_before
    return due if due > asked_at else asked_at + (starts_at - asked_at) / 2


class NoMove(StrEnum):
    """Why an interview cannot be moved without asking anybody."""

    NEVER = "never"  # the policy leaves it to HR
    USED_UP = "used_up"
    TOO_LATE = "too_late"


@dataclass(frozen=True)
class MoveDecision:
    """What a policy says of moving one interview at one moment."""

    refused: NoMove | None
    until: datetime  # the last moment
    left: int  # how often still
    most: int


def decide_move(
    policy: Policy, *, starts_at: datetime, asked_at: datetime, moved: int
) -> MoveDecision:
    """`moved` is how often the candidate has moved it already."""
    until = starts_at - policy.moves.before
    left = max(policy.moves.most - moved, 0)
    refused = None
    if not policy.moves.most:
        refused = NoMove.NEVER
    elif not left:
        refused = NoMove.USED_UP
    elif asked_at > until:
        refused = NoMove.TOO_LATE
    return MoveDecision(refused, until, left, policy.moves.most)


@dataclass(frozen=True)
class ExitDecision:
    """What a policy says of leaving one interview at one moment."""

    is_misstart: bool  # as if it had not begun: nothing is recorded against anybody
    outcome: Outcome
    second_factor: bool
    decide_by: datetime | None  # when the default falls due; only where HR decides
    cooldown_until: datetime | None


def decide_exit(
    policy: Policy,
    *,
    stage: str,
    answered: int,
    entered_at: datetime,
    asked_at: datetime,
    our_fault: bool = False,
) -> ExitDecision:
    """Leaving within the grace with nothing answered is a false start. Otherwise the part of the
    interview (`stage`; empty before the first question, which is with the introduction) decides who
    has to agree; HR has twice the time it promises, then the default decides. No cooldown follows
    from what was `our_fault`."""
    exits = policy.exits
    if answered == 0 and asked_at - entered_at <= exits.misstart_grace:
        return ExitDecision(True, Outcome.AUTOMATIC, False, None, None)
    outcome: Outcome = getattr(exits, stage or "introduction", Outcome.AUTOMATIC)
    decide_by = None
    if outcome is Outcome.NEEDS_HR:
        decide_by = asked_at + 2 * timedelta(minutes=policy.promised_minutes)
    cools = bool(exits.cooldown) and not our_fault
    return ExitDecision(
        is_misstart=False,
        outcome=outcome,
        second_factor=exits.second_factor,
        decide_by=decide_by,
        cooldown_until=asked_at + exits.cooldown if cools else None,
    )


def automatic_until(policy: Policy, *, starts_at: datetime | None) -> datetime | None:
    """The last moment at which cancelling needs nobody's approval; None where it always does."""
    if starts_at is None:
        return None
    shortest = None
    for tier in policy.tiers:  # longest notice first: stop where it ceases to be automatic
        if tier.outcome is not Outcome.AUTOMATIC:
            break
        shortest = tier.notice
    return starts_at - shortest if shortest is not None else None


@dataclass(frozen=True)
class Span:
    """From when until when one outcome holds, for showing a policy as a table."""

    outcome: Outcome
    short_notice: bool
    since: datetime | None
    until: datetime


def spans(policy: Policy, *, starts_at: datetime) -> list[Span]:
    """The policy laid out in time for one interview, earliest first, ending at the start."""
    result: list[Span] = []
    since: datetime | None = None
    for tier in policy.tiers:
        until = starts_at - tier.notice
        result.append(Span(tier.outcome, tier.short_notice, since, until))
        since = until
    if since is None or since < starts_at:
        result.append(Span(Outcome.REFUSED, False, since, starts_at))
    return result


class Concern(StrEnum):
    """What a policy may do, but nobody should switch on without noticing."""

    REFUSES_ALL = "refuses_all"
    LEAVES_GAP = "leaves_gap"  # later than its last tier, everything is refused
    EASIER_LATE = "easier_late"  # who asks later is treated more kindly


_SEVERITY = [Outcome.AUTOMATIC, Outcome.NEEDS_HR, Outcome.REFUSED]


def _severity(tier: Tier) -> tuple[int, bool]:
    """What is refused is not recorded as anything."""
    recorded = tier.short_notice and tier.outcome is not Outcome.REFUSED
    return _SEVERITY.index(tier.outcome), recorded


def concerns(tiers: Sequence[Tier]) -> list[Concern]:
    """What is unusual about these tiers, longest notice first."""
    if {tier.outcome for tier in tiers} <= {Outcome.REFUSED}:
        return [Concern.REFUSES_ALL]
    found = []
    last = tiers[-1]
    if last.notice > timedelta(0) and last.outcome is not Outcome.REFUSED:
        found.append(Concern.LEAVES_GAP)
    severities = [_severity(tier) for tier in tiers]
    if severities != sorted(severities):
        found.append(Concern.EASIER_LATE)
    return found


def longest_waiting(tiers: Sequence[Tier]) -> timedelta | None:
    """Every request that waits for HR comes later than this before the start; None without limit,
    or where HR decides nothing."""
    above: timedelta | None = None
    for tier in tiers:
        if tier.outcome is Outcome.NEEDS_HR:
            return above
        above = tier.notice
    return None


def snapshot(policy: Policy) -> dict[str, Any]:
    """The policy as it stood, for keeping with the request it decided."""
    return {
        "policy": policy.id,
        "name": policy.name,
        "tiers": [
            {
                "notice_minutes": int(tier.notice.total_seconds() // 60),
                "outcome": tier.outcome.value,
                "short_notice": tier.short_notice,
            }
            for tier in policy.tiers
        ],
        "promised_minutes": policy.promised_minutes,
        "default": policy.default.value,
    }


def exit_snapshot(policy: Policy) -> dict[str, Any]:
    """As `snapshot`, of what the policy says about leaving."""
    exits = policy.exits
    return {
        "policy": policy.id,
        "name": policy.name,
        "promised_minutes": policy.promised_minutes,
        "default": policy.default.value,
        "exit": {
            "introduction": exits.introduction.value,
            "professional": exits.professional.value,
            "closing": exits.closing.value,
            "second_factor": exits.second_factor,
            "cooldown_days": exits.cooldown.days,
            "self_rebooking": exits.self_rebooking,
        },
    }
