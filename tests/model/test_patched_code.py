"""`examples/patched_code`: the back-edges of compiled code are jumps that a requester overwrites, once for all threads.

What one thread does to another's words there needs two threads, and a claim that is taken for another's three. Guest code of loops alone
(`loops.py`) is small enough for that.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.gather import text_of
from safepoint.graph.ir import WORLD, Cell
from safepoint.graph.text import Text
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.reference.world import World
from safepoint.model.bounds import bound_of
from safepoint.model.counterexample import counterexample
from safepoint.model.custom import read
from safepoint.model.engines import engine
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import Result, search
from safepoint.model.own_policies import PolicyError, find_policy
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES, Scope, chosen
from safepoint.model.system import Model
from safepoint.proof.promela import export
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Bound
from safepoint.verify.explore import decide
from tests.proof.spin import MISSING, Opinion, ask_spin

EXAMPLE = Path(__file__).parents[2] / "examples" / "patched_code"
NAME = f"{EXAMPLE}/patched.py:PATCHED"
PATCHED = find_policy(NAME)
TEXT, LOOPS = text_of(PATCHED), read((EXAMPLE / "loops.py",), PATCHED)
GCD = EXAMPLE.parents[1] / "tests" / "programs" / "gcd.py"
NO_TABLE = (("entry", 0),)


def loops(threads: int) -> Scope:
    """Compiled loops, and native regions, beside a sampler.  Nothing there is dispatched, so the tables are left out."""
    return Scope(f"loops-{threads}", "", threads, ("sampler",), "", widths=NO_TABLE)


def found(text: Text, scope: Scope, mutant: str = "", memory: str = "sc") -> Result:
    """Always, then in the end."""
    model = Model(text, scope, mutant, PATCHED, memory)
    assert model.mutated == bool(mutant)
    result = engine()(model, Properties(model).judge, 2_000_000)
    return result if result.broken or model.is_weak else check_liveness(result)


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


@pytest.mark.nightly  # a million states each, and seven
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "scope",
    [
        *(Scope(f"{role}-2", "", 2, (role,), "", widths=NO_TABLE) for role in ("interrupter", "coordinator")),
        SCOPES["interrupt-2"],
    ],
    ids=lambda scope: str(scope.name),
)
def test_two_threads_that_do_anything_hold_within_the_declared_bound(scope: Scope) -> None:
    decision = decide(Model(TEXT, scope, policy=PATCHED), PATCHED, engine(), 10_000_000)
    assert (decision.result.broken, decision.bound) == ("", Bound(1, 1))


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


# -- what is asked of it, and of others


def test_a_word_of_all_threads_fails_the_check_of_each_unless_it_is_real() -> None:
    """Also while it holds a claim; and a post is under way until it is overwritten."""
    model = Model(LOOPS, TWO, policy=PATCHED)
    properties, code = Properties(model), model.cells[Cell(WORLD, "code[0]")]
    assert [properties.poisoned(model.initial, thread) for thread in (0, 1)] == [[False, False]] * 2
    for value in (0, 2, 3):
        state = code.put(model.initial, value)
        assert [properties.poisoned(state, thread)[-1] for thread in (0, 1)] == [True, True]
    reached = search(model, lambda _: None, 200_000).reached
    assert {code.get(state) for state in reached} == {0, 1, 2, 3}


def test_no_other_policy_has_such_a_word() -> None:
    """So its graphs, and its goals, are what they were."""
    model = Model(text_of(FOLDED), SCOPES["interrupt-2"], policy=FOLDED)
    assert model.checked_by_all == []
    assert not any("code" in cell.word for cell in model.cells)


GUEST = "def f(n):\n    while n:\n        n -= 1\n    return n\n\n\nprint(f(30))\n"


def test_the_reference_machine_overwrites_and_puts_back() -> None:
    """It has no compiled code: the word is overwritten by each post, and put back in each slow path."""
    seen = []
    world = World(compile_program(GUEST, "f.py"), 300, policy=PATCHED)
    for n in range(400):
        if n % 7 == 3:
            world.sites[0].go_on(world.sites[0].begin("post", 8))  # SAMPLE
        seen.append(world.words[Cell(WORLD, "code[0]")])
        world.advance(0)
        if world.ended:
            break
    assert world.ended
    assert world.output == "0\n"
    assert {*seen} == {0, 1}
    assert world.counts.slow_entries > 5


def refused(*args: str) -> str:
    result = CliRunner().invoke(cli, args)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


def test_it_has_no_header_and_no_machine_code() -> None:
    assert f"policy {NAME} has no header: what requesters overwrite in compiled code, the VM's own compiler has made" in refused("emit", "--c", "-p", NAME)  # fmt: skip
    assert "the interpreter has no checks for trigger patched_jumps" in refused("run", "-p", NAME, str(GCD))  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('("limit", "entry", "code")', '("limit", "entry")', "words: leaves out code, which a check of trigger patched_jumps reads"),
        ('("push", "back-edge", "compiled back-edge")', '("push", "back-edge")', "words: code: no check of trigger patched_jumps reads it"),
        ('"patched_jumps.py"', '"limit_and_table"', "sites: trigger limit_and_table has no came_back(), so that a thread which comes back may be unseen at a compiled back-edge"),
        ('("code", 1)', '("code", 9)', "widths: (('entry', 1), ('code', 9)) is no size of a row of trigger words"),
    ],
)  # fmt: skip
def test_a_policy_that_says_half_is_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    for file in EXAMPLE.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text())
    source = (tmp_path / "patched.py").read_text()
    assert source.count(old) == 1
    (tmp_path / "patched.py").write_text(source.replace(old, new))
    with pytest.raises(PolicyError, match=r"patched\.py:\d+:\d+: ") as error:
        find_policy(f"{tmp_path}/patched.py:PATCHED")
    assert said in str(error.value)


def test_the_bound_of_compiled_code_is_counted_with_the_other_back_edges() -> None:
    model = Model(LOOPS, ONE, "code-forgotten", PATCHED)
    assert bound_of(model, search(model, lambda _: None)).back_edges is None
