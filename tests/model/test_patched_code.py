"""`examples/patched_code`: the back-edges of compiled code are jumps that a requester overwrites, once for all threads.

What one thread does to another's words there needs two threads, and a claim that is taken for another's three. Guest code of loops alone
(`loops.py`) is small enough for that.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from safepoint.model.counterexample import counterexample
from safepoint.model.engines import engine
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES, Scope, chosen
from safepoint.model.system import Model
from safepoint.proof.promela import export
from safepoint.protocol.policy import Bound
from safepoint.verify.explore import decide
from tests.model.patched import LOOPS, NO_TABLE, PATCHED, TEXT, found, loops
from tests.proof.spin import MISSING, Opinion, ask_spin

# -- the right text

LARGE = ("both-1", "raise-two-1")
SCOPES_OF_ONE = [
    pytest.param(scope, memory, marks=() if memory == "sc" and scope not in LARGE else pytest.mark.nightly)
    for scope in (s.name for s in chosen("tiny", slices=PATCHED.slices))
    for memory in ("sc", "tso")
]


@pytest.mark.parametrize(("scope", "memory"), SCOPES_OF_ONE)
def test_one_thread_holds_within_the_declared_bound(scope: str, memory: str) -> None:
    decision = decide(Model(TEXT, SCOPES[scope], policy=PATCHED, memory=memory), PATCHED, engine())
    assert (decision.result.broken, decision.bound) == ("", Bound(1, 1))


@pytest.mark.parametrize("memory", ["sc", "tso"])
def test_two_threads_in_loops_hold_within_the_declared_bound(memory: str) -> None:
    """No frame is pushed there."""
    decision = decide(Model(LOOPS, loops(2), policy=PATCHED, memory=memory), PATCHED, engine())
    assert (decision.result.broken, decision.bound) == ("", Bound(0, 1))


def test_two_compiled_loops_are_both_overwritten_and_both_put_back() -> None:
    """A row of two words: the second is overwritten after the first, and put back by itself."""
    scope = Scope("two-loops-1", "", 1, ("sampler",), "", widths=(("entry", 0), ("code", 2)))
    decision = decide(Model(LOOPS, scope, policy=PATCHED), PATCHED, engine())
    assert (decision.result.broken, decision.bound) == ("", Bound(0, 1))
    reached = decision.result.model
    assert len(reached.checked_by_all) == 2


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
    shown = re.findall(r"PATCHED --scope (\S+) --max-states (\d+) +#.*?: ([\d,]+) states", page)
    assert len(shown) == 1
    for scope, most, states in shown:
        assert f"{LATE[SCOPES[scope]][0]:,}" == states
        assert LATE[SCOPES[scope]][0] <= int(most)


@pytest.mark.parametrize("scope", [loops(1), pytest.param(SCOPES["stop-1"], marks=pytest.mark.nightly)], ids=str)
def test_it_holds_under_c11(scope: Scope) -> None:
    """One thread: two in loops alone are more than a million states there, so of them only the wrong orders are known (below)."""
    assert found(LOOPS if scope.name.startswith("loops") else TEXT, scope, memory="c11").broken == ""


COUNTS = {
    ("loops-1", "sc"): (368, 769),
    ("loops-2", "sc"): (101_671, 328_530),
    ("interrupt-1", "sc"): (3_799, 8_139),
    ("interrupt-1", "tso"): (7_247, 16_409),
    ("stop-1", "sc"): (4_799, 9_118),
}
"""States and transitions: what our explorer counts, and Spin."""


def counted(name: str, memory: str) -> Model:
    text, scope = (LOOPS, loops(int(name[-1]))) if name.startswith("loops") else (TEXT, SCOPES[name])
    return Model(text, scope, policy=PATCHED, memory=memory)


@pytest.mark.parametrize(("name", "memory"), COUNTS)
def test_as_many_states_as_ever(name: str, memory: str) -> None:
    model = counted(name, memory)
    result = engine()(model, Properties(model).judge)
    assert (result.states, result.transitions) == COUNTS[name, memory]


@pytest.mark.skipif(
    bool(MISSING), reason="no second opinion from Spin: spin or gcc is not installed (Debian: spin, gcc)"
)
@pytest.mark.parametrize(("name", "memory"), COUNTS)
def test_spin_finds_as_many(name: str, memory: str, tmp_path: Path) -> None:
    assert ask_spin(tmp_path, export(counted(name, memory))) == Opinion(*COUNTS[name, memory], 0, "")


# -- its mistakes

ONE, TWO, THREE = loops(1), loops(2), loops(3)
CAUGHT = {
    "code-first": (TWO, "pending-is-poisoned"),  # another thread puts it back before the limit says that it must not
    "table-forgotten": (SCOPES["interrupt-1"], "pending-is-poisoned"),
    "code-forgotten": (ONE, "pending-is-poisoned"),
    "claim-respected": (TWO, "pending-is-poisoned"),
    "never-restored": (ONE, "checks-pass"),
    "code-stays-overwritten": (ONE, "checks-pass"),
    "claimed-only-if-overwritten": (ONE, "checks-pass"),  # its own claim is left behind, too
    "one-claim-for-all": (
        THREE,
        "pending-is-poisoned",
    ),  # whose request is lost, who claims, and whose claim that is taken for
    "claims-with-what-stands-there": (TWO, "pending-is-poisoned"),
    "looks-at-none": (TWO, "pending-is-poisoned"),
    "asks-those-outside": (
        TWO,
        "checks-pass",
    ),  # nothing is lost: the others are slow for as long as native code goes on
    "put-back-by-a-store": (TWO, "pending-is-poisoned"),
    "comes-back-blindly": (TWO, "pending-is-poisoned"),
}
"""Mutant to the smallest of these worlds that catches it, under sequential consistency, and the property that it breaks."""

ORDERS = {
    "overwritten-by-a-store",  # who claims after two requesters reads from the last one, and sees nothing of the first
    "poison.limit.publish.release",
    "came_back.limit.look.acquire",
    "put_back.state.look.acquire",
}
"""Wrong under C11 alone.  The last three: a requester, a thread that comes back and one that puts the jump back must see each other."""


@pytest.mark.parametrize("mutant", CAUGHT)
def test_each_mutant_is_caught(mutant: str) -> None:
    scope, broken = CAUGHT[mutant]
    assert found(LOOPS if scope.name.startswith("loops") else TEXT, scope, mutant).broken == broken


@pytest.mark.parametrize("mutant", [m for m, (scope, _) in CAUGHT.items() if scope in (TWO, THREE)])
def test_with_a_thread_less_it_is_not(mutant: str) -> None:
    """So the scope is the smallest, and it is the other thread that the mistake harms."""
    assert found(LOOPS, loops(CAUGHT[mutant][0].threads - 1), mutant).broken == ""


@pytest.mark.nightly  # half a minute each: 36,000 to 69,000 states
@pytest.mark.parametrize("mutant", sorted(ORDERS))
def test_each_order_is_needed(mutant: str) -> None:
    assert found(LOOPS, TWO, mutant, "c11").broken == "pending-is-poisoned"


@pytest.mark.parametrize("mutant", sorted(ORDERS))
def test_an_order_alone_makes_no_difference_where_stores_are_seen_at_once(mutant: str) -> None:
    model = Model(LOOPS, TWO, mutant, PATCHED)
    assert engine()(model, Properties(model).judge).broken == ""


def test_every_mutant_of_the_trigger_is_expected() -> None:
    own = {m.name for m in TEXT.mutants.values() if m.file == "patched_jumps.py"}
    assert own == {*CAUGHT} | {mutant for mutant in ORDERS if "." not in mutant}


def test_a_claim_is_shown_as_the_number_that_it_is() -> None:
    shown = counterexample(found(LOOPS, TWO, "put-back-by-a-store"), LOOPS)
    assert re.search(r"claimed = word\.cas\(now, mine\) +world\.code\[0\] poison -> 2\n", shown)
    assert re.search(r"word\.swap\(word\.poison\) +world\.code\[0\] 2 -> poison\n", shown)


def test_the_trap_of_who_waits_for_those_outside_says_whose_it_is() -> None:
    result = found(LOOPS, TWO, "asks-those-outside")
    assert result.detail == "T0: if no further request is posted, and no thread but T0 comes back from native code"
