from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cancellations import rules
from cancellations.rules import Default, Outcome, Policy, Scope, Tier

START = datetime(2026, 5, 10, 6, 0, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
POLICY = Policy(
    id=1,
    name="default",
    scope=Scope(),
    tiers=(
        Tier(24 * HOUR, Outcome.AUTOMATIC),
        Tier(12 * HOUR, Outcome.AUTOMATIC, short_notice=True),
        Tier(timedelta(0), Outcome.NEEDS_HR),
    ),
    promised_minutes=15,
    default=Default.APPROVE,
    default_before=timedelta(minutes=30),
)


@pytest.mark.parametrize(
    ("notice", "outcome", "short_notice"),
    [
        (30 * 24 * HOUR, Outcome.AUTOMATIC, False),
        (24 * HOUR + SECOND, Outcome.AUTOMATIC, False),
        (24 * HOUR, Outcome.AUTOMATIC, False),
        (24 * HOUR - SECOND, Outcome.AUTOMATIC, True),
        (12 * HOUR, Outcome.AUTOMATIC, True),
        (12 * HOUR - SECOND, Outcome.NEEDS_HR, False),
        (SECOND, Outcome.NEEDS_HR, False),
        (timedelta(0), Outcome.REFUSED, False),
        (-SECOND, Outcome.REFUSED, False),
    ],
)
def test_decision_changes_exactly_at_each_tier(notice, outcome, short_notice):
    decision = rules.decide(POLICY, starts_at=START, asked_at=START - notice)

    assert (decision.outcome, decision.short_notice) == (outcome, short_notice)
    assert decision.notice == notice


def test_request_below_every_tier_is_refused():
    policy = replace(POLICY, tiers=(Tier(48 * HOUR, Outcome.AUTOMATIC),))

    assert rules.decide(policy, starts_at=START, asked_at=START - 47 * HOUR).outcome is (
        Outcome.REFUSED
    )


def test_invitation_without_a_time_can_always_be_called_off():
    assert rules.decide(POLICY, starts_at=None, asked_at=START).outcome is Outcome.AUTOMATIC


@pytest.mark.parametrize(
    ("notice", "due"),
    [
        (11 * HOUR, START - timedelta(minutes=30)),
        (timedelta(minutes=31), START - timedelta(minutes=30)),
        (timedelta(minutes=30), START - timedelta(minutes=15)),
        (timedelta(minutes=10), START - timedelta(minutes=5)),
    ],
)
def test_default_falls_due_before_the_start(notice, due):
    assert rules.decide(POLICY, starts_at=START, asked_at=START - notice).decide_by == due


def test_only_requests_hr_decides_have_a_due_time():
    assert rules.decide(POLICY, starts_at=START, asked_at=START - 25 * HOUR).decide_by is None


def test_automatic_until_is_the_last_automatic_moment():
    until = rules.automatic_until(POLICY, starts_at=START)

    assert until == START - 12 * HOUR
    assert rules.decide(POLICY, starts_at=START, asked_at=until).outcome is Outcome.AUTOMATIC
    later = rules.decide(POLICY, starts_at=START, asked_at=until + SECOND)
    assert later.outcome is Outcome.NEEDS_HR


def test_policy_that_never_cancels_by_itself_has_no_automatic_moment():
    policy = replace(POLICY, tiers=(Tier(timedelta(0), Outcome.NEEDS_HR),))

    assert rules.automatic_until(policy, starts_at=START) is None


def test_spans_lay_the_policy_out_until_the_start():
    assert [
        (s.outcome, s.short_notice, s.since, s.until) for s in rules.spans(POLICY, starts_at=START)
    ] == [
        (Outcome.AUTOMATIC, False, None, START - 24 * HOUR),
        (Outcome.AUTOMATIC, True, START - 24 * HOUR, START - 12 * HOUR),
        (Outcome.NEEDS_HR, False, START - 12 * HOUR, START),
    ]


def test_spans_say_refused_where_no_tier_reaches():
    policy = replace(POLICY, tiers=(Tier(24 * HOUR, Outcome.AUTOMATIC),))

    assert rules.spans(policy, starts_at=START)[-1] == rules.Span(
        Outcome.REFUSED, False, START - 24 * HOUR, START
    )


tiers = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(list(Outcome))),
    min_size=1,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: tuple(Tier(h * HOUR, outcome) for h, outcome in sorted(pairs, reverse=True)))


@given(tiers=tiers, notice=st.integers(1, 300 * 3600))
def test_what_is_shown_is_what_is_decided(tiers, notice):
    """The table a candidate reads and the decision they get agree at every second."""
    policy = replace(POLICY, tiers=tiers)
    asked_at = START - timedelta(seconds=notice)
    shown = next(span for span in rules.spans(policy, starts_at=START) if asked_at <= span.until)

    assert rules.decide(policy, starts_at=START, asked_at=asked_at).outcome is shown.outcome
    until = rules.automatic_until(policy, starts_at=START)
    if until is not None and asked_at <= until:
        assert shown.outcome is Outcome.AUTOMATIC


def test_most_specific_policy_wins():
    facts = Scope(department=1, category=2, position=3, kind="ai")
    everything = POLICY
    department = replace(POLICY, id=2, scope=Scope(department=1))
    category = replace(POLICY, id=3, scope=Scope(category=2))
    position = replace(POLICY, id=4, scope=Scope(position=3))
    position_and_kind = replace(POLICY, id=5, scope=Scope(position=3, kind="ai"))
    other = replace(POLICY, id=6, scope=Scope(position=99))
    ladder = [everything, department, category, position, position_and_kind]

    for count in range(1, len(ladder) + 1):
        assert rules.most_specific([*ladder[:count], other], facts) == ladder[count - 1]


def test_where_no_policy_is_switched_on_hr_decides():
    policy = rules.most_specific([replace(POLICY, scope=Scope(position=99))], Scope(position=3))

    assert rules.decide(policy, starts_at=START, asked_at=START - 90 * 24 * HOUR).outcome is (
        Outcome.NEEDS_HR
    )


# --- leaving midway -------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)
ENTERED = START
EXITS = replace(
    POLICY,
    exits=rules.ExitRules(
        professional=Outcome.NEEDS_HR,
        second_factor=True,
        cooldown=timedelta(days=30),
        misstart_grace=3 * MINUTE,
    ),
)


def leaving(policy=EXITS, *, stage="introduction", answered=1, after=10 * MINUTE, our_fault=False):
    return rules.decide_exit(
        policy,
        stage=stage,
        answered=answered,
        entered_at=ENTERED,
        asked_at=ENTERED + after,
        our_fault=our_fault,
    )


@pytest.mark.parametrize(
    ("answered", "after", "is_misstart"),
    [
        (0, timedelta(0), True),
        (0, 3 * MINUTE, True),
        (0, 3 * MINUTE + SECOND, False),
        (1, timedelta(0), False),
        (1, 3 * MINUTE, False),
    ],
)
def test_false_start_is_early_and_without_an_answer(answered, after, is_misstart):
    assert leaving(answered=answered, after=after).is_misstart is is_misstart


def test_before_the_first_question_the_rule_of_the_introduction_holds():
    exits = rules.ExitRules(introduction=Outcome.NEEDS_HR)

    assert leaving(replace(POLICY, exits=exits), stage="").outcome is Outcome.NEEDS_HR


@pytest.mark.parametrize("stage", ["introduction", "professional", "closing"])
@pytest.mark.parametrize("outcome", [Outcome.AUTOMATIC, Outcome.NEEDS_HR])
@pytest.mark.parametrize("second_factor", [False, True])
@pytest.mark.parametrize("days", [0, 30])
@pytest.mark.parametrize("our_fault", [False, True])
def test_each_part_of_the_interview_has_its_own_rule(
    stage, outcome, second_factor, days, our_fault
):
    exits = rules.ExitRules(
        **{stage: outcome}, second_factor=second_factor, cooldown=timedelta(days=days)
    )
    decision = leaving(replace(POLICY, exits=exits), stage=stage, our_fault=our_fault)

    asked_at = ENTERED + 10 * MINUTE
    assert decision.outcome is outcome
    assert decision.second_factor is second_factor
    waits = outcome is Outcome.NEEDS_HR
    assert decision.decide_by == (asked_at + 30 * MINUTE if waits else None)
    cools = days and not our_fault
    assert decision.cooldown_until == (asked_at + timedelta(days=30) if cools else None)


def test_one_part_says_nothing_of_another():
    assert leaving(stage="introduction").outcome is Outcome.AUTOMATIC
    assert leaving(stage="professional").outcome is Outcome.NEEDS_HR
    assert leaving(stage="closing").outcome is Outcome.AUTOMATIC


def test_false_start_starts_no_cooldown_and_asks_for_no_code():
    decision = leaving(stage="professional", answered=0, after=MINUTE)

    assert (decision.is_misstart, decision.second_factor, decision.cooldown_until) == (
        True,
        False,
        None,
    )
