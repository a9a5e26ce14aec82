"""Policy `patched`: the back-edges of compiled code are jumps that a requester overwrites, once for all threads.

What one thread does to another's words there needs two threads, and a claim that is taken for another's three: the scopes of loops alone are
small enough for that. What catches each mutant is pinned with all the others (`pinned`, `test_model`).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from safepoint.model.counterexample import counterexample
from safepoint.model.engines import engine
from safepoint.model.mutants import BEYOND, attempt
from safepoint.model.properties import Properties
from safepoint.model.scopes import LESS, SCOPES, Scope, chosen
from safepoint.model.system import Model
from safepoint.proof.promela import export
from safepoint.protocol.policies import PATCHED, POLICIES
from safepoint.protocol.policy import Bound
from safepoint.verify.explore import decide
from safepoint.verify.text import LARGE
from tests.model.patched import NO_TABLE, ONE, TEXT, THREE, TWO, found
from tests.model.pinned import CAUGHT_ELSEWHERE, COUNTS
from tests.proof.spin import MISSING, Opinion, ask_spin

# -- the right text


@pytest.mark.parametrize("memory", ["sc", "tso"])
def test_two_threads_in_loops_hold_within_the_declared_bound(memory: str) -> None:
    """No frame is pushed there."""
    decision = decide(Model(TEXT, TWO, policy=PATCHED, memory=memory), PATCHED, engine())
    assert (decision.result.broken, decision.bound) == ("", Bound(0, 1))


def test_two_compiled_loops_are_both_overwritten_and_both_put_back() -> None:
    """A row of two words: the second is overwritten after the first, and put back by itself."""
    decision = decide(Model(TEXT, SCOPES["two-loops-1"], policy=PATCHED), PATCHED, engine())
    assert (decision.result.broken, decision.bound) == ("", Bound(0, 1))
    assert len(decision.result.model.checked_by_all) == 2


LEFT = [(memory, scope) for (policy, memory), scopes in LARGE.items() if policy == PATCHED.name for scope in scopes]


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("memory", "scope"), LEFT)
def test_what_verify_leaves_out_holds_too(memory: str, scope: str) -> None:
    decision = decide(Model(TEXT, SCOPES[scope], policy=PATCHED, memory=memory), PATCHED, engine())
    assert (decision.result.broken, decision.refuted) == ("", False)


SMALL = [s for s in chosen("small", slices=PATCHED.slices) if s.group == "small" and s.threads == 1]


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scope", SMALL, ids=lambda scope: scope.name)
def test_one_thread_holds_in_the_small_scopes_too(scope: Scope) -> None:
    decision = decide(Model(TEXT, scope, policy=PATCHED), PATCHED, engine())
    assert (decision.result.broken, decision.refuted) == ("", False)


def two(role: str, *slices: str) -> Scope:
    """Two threads that do anything but back-edges of interpreted code, beside a requester."""
    return Scope(f"{'-'.join((role, *slices))}-2", "", 2, (role,), "", slices, widths=NO_TABLE)


ANYTHING = [
    two(role, *feature) for feature in ((), ("births",), ("blocking",)) for role in ("interrupter", "coordinator")
]


@pytest.mark.nightly  # one to two million states each
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scope", ANYTHING, ids=lambda scope: scope.name)
def test_two_threads_that_do_anything_hold_within_the_declared_bound(scope: Scope) -> None:
    decision = decide(Model(TEXT, scope, policy=PATCHED), PATCHED, engine())
    assert (decision.result.broken, decision.bound) == ("", Bound(1, 1))


LATE = {
    SCOPES["interrupt-2"]: (7_210_229, 23_703_078),
    two("coordinator", "masks"): (7_508_594, 22_085_816),
    two("interrupter", "masks"): (11_685_789, 40_208_578),
}
"""No other tool has counted these."""


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scope", LATE, ids=lambda scope: scope.name)
def test_nothing_is_broken_in_the_largest_scopes(scope: Scope) -> None:
    """Bounds and what must happen in the end are decided in the smaller scopes only."""
    model = Model(TEXT, scope, policy=PATCHED)
    result = engine()(model, Properties(model).judge, 20_000_000)
    assert (result.broken, (result.states, result.transitions)) == ("", LATE[scope])


def test_the_page_has_the_count_that_a_night_finds() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    shown = re.findall(r"-p patched --scope (\S+) --max-states (\d+) +#.*?: ([\d,]+) states", page)
    assert len(shown) == 1
    for scope, most, states in shown:
        assert f"{LATE[SCOPES[scope]][0]:,}" == states
        assert LATE[SCOPES[scope]][0] <= int(most)


SPIN_COUNTS = {
    ("loops-1", "sc"): (368, 769),
    ("loops-2", "sc"): (101_671, 328_530),
    ("interrupt-1", "sc"): (3_799, 8_139),
    ("interrupt-1", "tso"): (7_247, 16_409),
    ("stop-1", "sc"): (4_799, 9_118),
}
"""States and transitions: what Spin counts, and our explorer; the others of `pinned` it counts in a night (`tests/proof/test_spin.py`)."""


def test_what_is_pinned_is_what_spin_counts() -> None:
    pinned = {key: tuple(COUNTS[f"{PATCHED.name}/{key[1]}/{key[0]}"]) for key in SPIN_COUNTS}
    assert pinned == SPIN_COUNTS


@pytest.mark.skipif(
    bool(MISSING), reason="no second opinion from Spin: spin or gcc is not installed (Debian: spin, gcc)"
)
@pytest.mark.parametrize(("name", "memory"), SPIN_COUNTS)
def test_spin_finds_as_many(name: str, memory: str, tmp_path: Path) -> None:
    model = Model(TEXT, SCOPES[name], policy=PATCHED, memory=memory)
    assert ask_spin(tmp_path, export(model)) == Opinion(*SPIN_COUNTS[name, memory], 0, "")


def test_guest_code_that_does_less_is_explored_with_this_policy_alone() -> None:
    """Under another there is nothing that one thread restores for all, and these scopes would show less than the others."""
    assert [policy.name for policy in POLICIES.values() if LESS.keys() & {*policy.slices}] == [PATCHED.name]
    assert {feature for scope in chosen("tiny") for feature in scope.slices} >= LESS.keys()


# -- its mistakes

ORDERS = (
    "poison.limit.publish.release",
    "came_back.limit.look.acquire",
    "put_back.state.look.acquire",
)
"""Wrong under C11 alone: a requester, a thread that comes back and one that puts the jump back must see each other."""
ANOTHER = [
    (mutant, scope)
    for (policy, mutant), (scope, memory, _) in CAUGHT_ELSEWHERE.items()
    if policy == PATCHED.name and memory == "sc" and SCOPES[scope] in (TWO, THREE)
]


@pytest.mark.parametrize(("mutant", "scope"), ANOTHER)
def test_with_a_thread_less_it_is_not_caught(mutant: str, scope: str) -> None:
    """So the scope is the smallest, and it is the other thread that the mistake harms."""
    fewer = {TWO.name: ONE, THREE.name: TWO}[scope]
    assert found(fewer, mutant).broken == ""


@pytest.mark.parametrize("mutant", [mutant for trigger, mutant in BEYOND if trigger == PATCHED.trigger])
def test_what_is_hunted_beyond_the_tiny_scopes_is_caught_in_none_of_them(mutant: str) -> None:
    """Asked of those of loops, where nothing is checked but this word."""
    scopes = [scope for scope in chosen("tiny", slices=PATCHED.slices) if LESS.keys() & {*scope.slices}]
    for memory in ("sc", "tso"):
        for scope in scopes:
            assert attempt(Model(TEXT, scope, mutant, PATCHED, memory)).broken == ""


@pytest.mark.nightly  # half a minute each: 36,000 to 69,000 states
@pytest.mark.parametrize("mutant", ORDERS)
def test_each_order_is_needed(mutant: str) -> None:
    assert found(TWO, mutant, "c11").broken == "pending-is-poisoned"


@pytest.mark.parametrize("mutant", ORDERS)
def test_an_order_alone_makes_no_difference_where_stores_are_seen_at_once(mutant: str) -> None:
    model = Model(TEXT, TWO, mutant, PATCHED)
    assert engine()(model, Properties(model).judge).broken == ""


def test_a_claim_is_shown_as_the_number_that_it_is() -> None:
    shown = counterexample(found(TWO, "put-back-by-a-store"), TEXT)
    assert re.search(r"claimed = word\.cas\(now, mine\) +world\.code\[0\] poison -> 2\n", shown)
    assert re.search(r"word\.swap\(word\.poison\) +world\.code\[0\] 2 -> poison\n", shown)


def test_the_trap_of_who_waits_for_those_outside_says_whose_it_is() -> None:
    result = found(TWO, "asks-those-outside")
    assert result.detail == "T0: if no further request is posted, and no thread but T0 comes back from native code"
