"""The explorer: counts, bounds, mutants, and what must be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint.model.bounds import bound_of
from safepoint.model.explore import NotExplored, Result, search
from safepoint.model.mutants import hunt
from safepoint.model.properties import ALWAYS, SOMETIMES, Properties
from safepoint.model.scopes import SCOPES, Scope, chosen
from safepoint.model.system import Model
from safepoint.model.text import Text
from safepoint.policy import FOLDED, Bound
from safepoint.rules import RULES

TEXT = Text()
LIMIT_ONLY = Path(__file__).parent / "data" / "limit_only.py"

PINNED = {
    "interrupt-1": (276, 636),
    "stop-1": (974, 1_881),
    "both-1": (11_874, 34_047),
    "both-1-loops": (42_688, 121_859),
    "both-1-deep": (17_724, 50_893),
    "interrupt-2": (43_052, 162_884),
    "stop-2": (169_744, 498_290),
}
"""States and transitions of our own text.  No other tool has counted these: a change means that the text, or what is one
step, has changed, and whoever changed it says why.  What other tools have counted is `test_spin_and_tlc_agree`."""

CAUGHT = {
    "spurious-is-overflow": ("interrupt-1", "no-fake-overflow"),
    "overflow-wins": ("interrupt-1", "owed-is-pending"),
    "push-not-retried": ("interrupt-1", "no-fake-overflow"),  # a spurious entry is enough
    "poison-before-post": ("interrupt-1", "pending-is-poisoned"),
    "word-forgotten": ("interrupt-1", "pending-is-poisoned"),
    "stop-published-late": ("stop-1", "awaited-is-poisoned"),
    "take-before-restore": ("interrupt-1", "pending-is-poisoned"),
    "second-word-late": ("interrupt-1", "pending-is-poisoned"),
    "unlocked-take": ("interrupt-1", "owed-is-pending"),
    "stop-without-park": ("stop-1", "awaited-is-poisoned"),
    "no-recheck": ("stop-1", "world-stopped"),
}


def explored(scope: Scope, mutant: str = "") -> Result:
    model = Model(TEXT, scope, mutant)
    return search(model, Properties(model).judge)


@pytest.mark.parametrize("name", PINNED)
def test_holds_with_the_declared_bound(name: str) -> None:
    result = explored(SCOPES[name])
    assert (result.broken, result.states, result.transitions) == ("", *PINNED[name])
    assert bound_of(result.model, result, FOLDED) == Bound(frames=1, back_edges=1) == FOLDED.declared


NIGHTLY = {"interrupt-3": (5_655_040, 29_074_200), "both-2": (11_965_086, 48_016_023)}


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NIGHTLY)
def test_holds_nightly(name: str) -> None:
    model = Model(TEXT, SCOPES[name])
    result = search(model, Properties(model).judge, most=20_000_000)
    assert (result.broken, result.states, result.transitions) == ("", *NIGHTLY[name])


def test_every_scope_is_pinned() -> None:
    assert list(PINNED) == [s.name for s in chosen("small")]
    assert {*PINNED, *NIGHTLY} == set(SCOPES)


@pytest.mark.parametrize(
    ("threads", "states", "transitions"), [(1, 268, 568), (2, 14_622, 48_551), (3, 747_752, 3_392_472)]
)
def test_spin_and_tlc_agree(threads: int, states: int, transitions: int) -> None:
    """The counts of Spin 6.5 and TLC 2.15 for hand-written models of the same protocol (they count the initial state as a
    transition more); so what we take for one step is what was meant."""
    model = Model(Text((LIMIT_ONLY,)), Scope("limit-only", "", threads, ("coordinator",), "", widths=()))
    result = search(model, lambda _: "")
    assert (result.states, result.transitions) == (states, transitions)


def test_every_step_and_branch_is_reached() -> None:
    model = Model(TEXT, SCOPES["both-1"])
    search(model, lambda _: "")
    assert model.unreached() == []


def test_a_scope_without_requests_reaches_no_slow_path() -> None:
    """The check of the check: where nobody asks for anything, much of the text must be reported as unreached."""
    model = Model(TEXT, Scope("nobody", "", 1, (), ""))
    search(model, lambda _: "")
    assert any("serve" in place for place in model.unreached())


@pytest.mark.parametrize("name", SOMETIMES)
def test_interesting_states_are_reached(name: str) -> None:
    result = explored(SCOPES["both-1"])
    interesting = Properties(result.model).sometimes()[name]
    assert any(map(interesting, result.reached))
    assert not all(map(interesting, result.reached))


@pytest.mark.parametrize("name", CAUGHT)
def test_mutant_is_caught_in_the_smallest_scope(name: str) -> None:
    hunted = hunt(TEXT, name)
    assert hunted.result is not None
    assert (hunted.result.model.scope.name, hunted.result.broken) == CAUGHT[name]


def test_every_mutant_is_expected_somewhere() -> None:
    assert set(CAUGHT) == set(TEXT.mutants)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_mutant(rule: str) -> None:
    mutants = [m.name for m in TEXT.mutants.values() if m.rule == rule]
    assert mutants, f"nothing in the text breaks {rule}"
    assert {CAUGHT[name][1] for name in mutants} <= set(RULES[rule].checks)
    assert set(RULES[rule].checks) <= set(ALWAYS)


def test_mutants_break_known_rules() -> None:
    assert {m.rule for m in TEXT.mutants.values()} == set(RULES)


@pytest.mark.parametrize(
    ("mutant", "bound"),
    [
        ("word-forgotten", Bound(frames=1, back_edges=None)),
        ("take-before-restore", Bound(frames=None, back_edges=None)),
    ],
)
def test_a_broken_text_has_no_bound(mutant: str, bound: Bound) -> None:
    """Explored on past its broken property: a thread that only loops never reads the limit, for ever."""
    model = Model(TEXT, SCOPES["interrupt-1"], mutant)
    assert bound_of(model, search(model, lambda _: ""), FOLDED) == bound


def test_the_first_counterexample_is_a_shortest_one() -> None:
    """Every state before the last one, and every state at a smaller depth, is good."""
    result = explored(SCOPES["interrupt-1"], "take-before-restore")
    judge = Properties(result.model).judge
    assert judge(result.path[-1])
    assert not any(judge(state) for state in result.reached if state != result.path[-1])


def test_too_many_states_are_no_verdict() -> None:
    model = Model(TEXT, SCOPES["both-1"])
    with pytest.raises(NotExplored, match="more than 1,000 states"):
        search(model, Properties(model).judge, most=1_000)
