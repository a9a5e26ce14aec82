"""The protocol's text under C11: a thread may read what is stale, and the rest of the model is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint.graph.gather import text_of
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.engines import engine
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import Result, search
from safepoint.model.fields import Field
from safepoint.model.memory.attach import attach
from safepoint.model.memory.names import C11, SC, STALE, TSO, base, label, not_said, says, target_of
from safepoint.model.memory.targets import TARGETS
from safepoint.model.mutants import memories_for
from safepoint.model.path import path_of, replay
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.proof.any_number import argument
from safepoint.proof.promela import export
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.verify.explore import explore
from tests.model.memory.wrong_orders import ORDERS

TEXT = Text()
DATA = Path(__file__).parents[1] / "data"


def searched(scope: str, memory: str = C11, mutant: str = "") -> Result:
    model = Model(TEXT, SCOPES[scope], mutant, memory=memory)
    return search(model, Properties(model).judge)


def seen(result: Result) -> set[int]:
    """The states, without what only C11 has: the number of the memory is the last field of all."""
    model = result.model
    bits = (1 << model.views.number.shift if model.is_weak else 1 << model.bits) - 1
    return {state & bits for state in result.reached}


def test_c11_has_every_state_of_sequential_consistency_and_more_with_each_stale_store() -> None:
    strict, one, two = (searched("interrupt-1", memory) for memory in ("sc", "c11k1", C11))
    assert seen(strict) <= seen(one) <= seen(two)
    assert strict.states < one.states < two.states


def test_both_engines_find_the_same() -> None:
    pytest.importorskip("numpy")
    results = [
        engine(name)(m := Model(TEXT, SCOPES["interrupt-1"], memory="c11k1"), Properties(m).judge)
        for name in ("python", "numpy")
    ]
    assert len({(r.states, r.transitions, r.depth) for r in results}) == 1


def test_a_text_of_ones_own_is_refused_and_not_judged_by_less() -> None:
    text = Text((DATA / "limit_only.py",))
    with pytest.raises(ProtocolError, match=r"limit_only\.py: .* is not explored under c11 yet \(write: --memory sc"):
        Model(text, SCOPES["interrupt-1"], memory=C11)


def test_a_step_that_the_machine_has_no_rule_for_is_refused() -> None:
    model = Model(Text(), SCOPES["interrupt-1"])
    step = model.processes[0].graph.steps[0]
    step.joined = True
    with pytest.raises(
        ProtocolError, match=rf"{step.file}:{step.line}: .*: not explored under power yet \(choose another"
    ):
        attach(model.processes, model.cells, dict.fromkeys(model.cells, 0), Field(0, 1), "power", is_exclusive=False)


def test_what_knows_no_views_says_so() -> None:
    model = Model(TEXT, SCOPES["interrupt-1"], memory=C11)
    with pytest.raises(ValueError, match=r"c11: views without a counterpart in Promela \(write: --memory sc"):
        export(model)
    assert "no part of its footprint" in "".join(argument(model).reasons)


def test_a_verdict_says_how_far_it_goes() -> None:
    found = explore(TEXT, [SCOPES["signal-1"]], FOLDED, "c11k1", "", search, 10_000, lambda *_: None)
    (row,) = found.rows
    assert (row.scope, row.memory, row.verdict, row.bound) == ("signal-1", "c11k1", "holds", None)
    assert "no bounds" in found.left_out["c11"]
    assert STALE["c11k1"] == 1


def test_a_machine_says_of_itself_what_is_not_shown() -> None:
    found = explore(TEXT, [SCOPES["signal-1"]], FOLDED, "power-k1", "", search, 10_000, lambda *_: None)
    assert [(row.memory, row.verdict) for row in found.rows] == [("power-k1", "holds")]
    assert "up to 1 stale store of a word may still be read" in found.left_out["power"]
    assert "no store is made before a relaxed read" in found.left_out["power"]
    assert "relaxed read" not in not_said("x86-64")


def test_a_name_with_its_number_of_stale_stores() -> None:
    assert [(base(m), label(m)) for m in ("sc", "c11k3", "aarch64-lse", "x86-64-k1")] == [
        ("sc", "sc"), ("c11", "c11 k3"), ("aarch64-lse", "aarch64-lse"), ("x86-64", "x86-64 k1"),
    ]  # fmt: skip
    assert [says(m) for m in (TSO, "riscv64-k1")] == [
        "tso", "riscv64, as LLVM compiles the text, up to 1 stale store of a word",
    ]  # fmt: skip
    assert target_of("c11k1") is None
    assert target_of("power-k4") is TARGETS["power"]


@pytest.mark.parametrize(("mutant", "scope", "broken", "steps"), ORDERS)
def test_with_acquire_and_release_alone_the_text_is_wrong(mutant: str, scope: str, broken: str, steps: int) -> None:
    """herd7 (rc11.cat) allows the outcome of each of the three, as a litmus test of its words."""
    result = searched(scope, mutant=mutant)
    assert (result.broken, len(result.path) - 1) == (broken, steps)
    told = path_of(result)
    assert any("before the newest" in step.move.source for step in told.steps)
    again = replay(TEXT, told.replay)
    assert (again.broken, len(again.steps)) == (broken, steps)


@pytest.mark.parametrize(("mutant", "scope"), [(mutant, scope) for mutant, scope, _, _ in ORDERS])
@pytest.mark.parametrize("memory", [SC, TSO])
def test_no_stronger_memory_shows_a_wrong_order(mutant: str, scope: str, memory: str) -> None:
    assert check_liveness(searched(scope, memory, mutant)).broken == ""


def test_a_wrong_order_is_hunted_under_c11_and_any_other_mistake_where_less_is_enough() -> None:
    assert [memories_for(TEXT, mutant) for mutant, *_ in ORDERS] == [(C11,), (C11,), (TSO, C11)]
    assert memories_for(TEXT, "block-unfenced") == (TSO, C11)
    assert memories_for(TEXT, "no-recheck") == (SC, TSO)


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("memory", ["c11k3", "c11k4"])
def test_more_stale_stores_show_nothing_more(memory: str, policy: str) -> None:
    """In the scopes in which two of them show what a wrong order does."""
    for scope in ("interrupt-1", "stop-1", "handshake-1", "blocking-1"):
        if set(SCOPES[scope].slices) <= set(POLICIES[policy].slices):
            model = Model(text_of(POLICIES[policy]), SCOPES[scope], policy=POLICIES[policy], memory=memory)
            assert check_liveness(engine()(model, Properties(model).judge)).broken == "", scope


@pytest.mark.nightly  # six minutes and three, and 5 GB
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scope", ["both-1", "raise-two-1"])
def test_the_largest_tiny_scopes_hold_with_two_stale_stores(scope: str) -> None:
    """`orders` and `mutate` explore folded's with one: they have 2 and 3 million states."""
    model = Model(TEXT, SCOPES[scope], policy=FOLDED, memory=C11)
    assert check_liveness(engine()(model, Properties(model).judge, 6_000_000)).broken == ""
