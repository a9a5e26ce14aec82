"""Litmus tests: forbidden outcomes are never seen; what must be seen, so that the test is known to see, is."""

from __future__ import annotations

import os

import pytest

from safepoint.graph.text import Text
from safepoint.protocol import files
from safepoint.verify.cores import MOST_ROUNDS
from safepoint_vm.cores.litmus.declared import ALLOWED, FORBIDDEN, INTERESTING, LITMUS, Litmus
from safepoint_vm.cores.litmus.meet import OUTCOMES
from safepoint_vm.cores.litmus.run import row, run_litmus
from tests.rules import case

MUTANTS = Text(files("ticker")[:-1]).mutants | Text().mutants
SEED = 20261127
pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="this process has one core only: nothing races"
)
TWINS = [
    case(MUTANTS[mutant].rule, f"{test.loops}-{mutant}", test, mutant) for test in LITMUS for mutant in test.mutants
]


@pytest.mark.parametrize("test", LITMUS, ids=lambda test: test.name)
def test_no_forbidden_outcome_and_each_interesting_one(test: Litmus) -> None:
    """Store buffering among them: the least frequent comes in one of some thousand rounds, and 2,000,000 may be made."""
    seen = run_litmus(test, 20_000, MOST_ROUNDS, SEED)
    assert seen.forbidden == 0, seen
    assert not seen.blind, seen
    assert sum(seen.outcomes.values()) == seen.rounds >= 20_000


@pytest.mark.parametrize(("test", "mutant"), TWINS)
def test_a_mutant_shows_a_forbidden_outcome(test: Litmus, mutant: str) -> None:
    seen = run_litmus(test, 20_000, MOST_ROUNDS, SEED, mutant)
    assert seen.forbidden > 0, seen


def test_each_test_declares_what_may_not_be() -> None:
    """But the one that shows what the machine does: nothing is forbidden there."""
    for test in LITMUS:
        names = [outcome.name for outcome in test.outcomes]
        assert len(set(names)) == len(names) <= OUTCOMES
        assert {outcome.kind for outcome in test.outcomes} <= {ALLOWED, INTERESTING, FORBIDDEN}
        kinds = [outcome.kind for outcome in test.outcomes]
        assert (FORBIDDEN in kinds) != (test.name == "store buffering, without a fence")
        assert all(outcome.sentence.endswith(".") for outcome in test.outcomes)


def test_an_outcome_that_is_not_declared_is_forbidden() -> None:
    test = LITMUS[0]
    counts = [0] * OUTCOMES
    counts[len(test.outcomes)] = 1
    assert row(test, "", 1, counts).forbidden == 1


def test_what_was_not_seen_is_blind_not_wrong() -> None:
    test = LITMUS[0]
    seen = row(test, "", 1, [1] + [0] * (OUTCOMES - 1))
    assert (seen.forbidden, seen.shown, seen.blind) == (0, False, True)
    assert row(test, "m", 1, [1] + [0] * (OUTCOMES - 1)).blind
