"""Real machines on the machine of views: shapes as the architectures have them, and the protocol with its wrong orders."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from safepoint.graph.orders import ACQUIRE, RELAXED, RELEASE, SEQ_CST
from safepoint.model.memory.instructions import Compiled
from safepoint.model.memory.targets import TARGETS
from safepoint.model.memory.turns import Place, settled
from tests.model.memory.axioms import executions
from tests.model.memory.litmus import SHAPES, Op, Program, Shape, allows, outcomes, programs
from tests.model.memory.on_machines import ALLOWED, COLUMNS, UNSHOWN, VERDICTS, WEAKER

PINNED = [shape for shape in SHAPES if shape.name in VERDICTS]


@pytest.mark.parametrize("shape", PINNED, ids=lambda shape: shape.name)
def test_a_shape_is_allowed_where_the_architecture_allows_it(shape: Shape) -> None:
    """But for what the tables of verdicts name: some shapes are shown that are forbidden, and of relaxed loads one sort is not shown."""
    found = {name: allows(outcomes(shape.program, name), shape.registers, shape.last) for name in COLUMNS}
    assert found == {
        name: verdict in (ALLOWED, WEAKER) for name, verdict in zip(COLUMNS, VERDICTS[shape.name], strict=True)
    }


def test_every_verdict_is_of_a_shape() -> None:
    assert {shape.name for shape in PINNED} == set(VERDICTS)


def test_nothing_is_left_unshown_but_stores_before_relaxed_loads() -> None:
    assert {name for name, verdicts in VERDICTS.items() if UNSHOWN in verdicts} == {"LB+rlx", "SB+fences by way of LB"}


@pytest.mark.parametrize("shape", [s for s in PINNED if "membarrier" not in s.name], ids=lambda shape: shape.name)
def test_the_axioms_have_the_same_verdicts(shape: Shape) -> None:
    """But of membarrier, of which they say nothing."""
    found = {name: allows(set(executions(shape.program, name)), shape.registers, shape.last) for name in COLUMNS}
    assert found == {name: verdict == ALLOWED for name, verdict in zip(COLUMNS, VERDICTS[shape.name], strict=True)}


def is_small(program: Program) -> bool:
    """Four results: all their values are tried."""
    return sum(bool(op.register) for thread in program for op in thread) <= 4


@settings(max_examples=50)
@given(programs().filter(is_small))
def test_whatever_the_axioms_allow_is_shown(program: Program) -> None:
    """The machine of views has every outcome that an architecture has: a verdict that something holds there is safe."""
    for name in COLUMNS:
        assert set(executions(program, name)) <= outcomes(program, name)


def test_the_axioms_see_a_machine_that_has_too_little() -> None:
    """A pair is no barrier, and the axioms know; x86-64's locked operation is one."""
    swaps = tuple(
        (Op("swap", mine, (1,), SEQ_CST, f"old {mine}"), Op("load", other, (), RELAXED, f"seen {other}"))
        for mine, other in ("xy", "yx")
    )
    weak = set(executions(swaps, "aarch64"))
    assert weak <= outcomes(swaps, "aarch64")
    assert not weak <= outcomes(swaps, "x86-64")


def places(*accesses: tuple[str, str, str]) -> dict[int, Place]:
    """Accesses of AArch64 as a thread has them: op, word, order."""
    return {n: Place(w, op, TARGETS["aarch64"].compiled(op, order)) for n, (op, w, order) in enumerate(accesses)}


def orders(found: dict[int, Compiled]) -> list[str]:
    return [found[n].made.order for n in sorted(found)]


RELEASED = ("store", "x", RELEASE), ("load", "y", SEQ_CST)
CHAIN = {0: {1}, 1: set[int]()}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (("load", "z", ACQUIRE), [SEQ_CST, SEQ_CST]),
        (("load", "z", RELAXED), [SEQ_CST, ACQUIRE]),  # it may come before or after the LDAR
        (("store", "z", RELAXED), [RELEASE, SEQ_CST]),  # it may be seen before the STLR
        (("store", "y", RELAXED), [RELEASE, ACQUIRE]),  # and the LDAR may read it early
    ],
)
def test_a_handler_comes_in_anywhere(other: tuple[str, str, str], expected: list[str]) -> None:
    assert orders(settled(places(*RELEASED), CHAIN)) == [SEQ_CST, SEQ_CST]
    assert orders(settled(places(*RELEASED), CHAIN, places(other).values())) == expected


def test_what_stands_behind_in_a_loop_also_stands_before() -> None:
    thread = places(*RELEASED, ("load", "z", RELAXED))
    line, loop = {0: {1}, 1: {2}, 2: set[int]()}, {0: {1}, 1: {2}, 2: {1}}
    assert orders(settled(thread, line)) == [SEQ_CST, SEQ_CST, RELAXED]
    assert orders(settled(thread, loop)) == [SEQ_CST, ACQUIRE, RELAXED]
    assert orders(settled(thread, {**loop, 2: {0}})) == [SEQ_CST, SEQ_CST, RELAXED]  # the STLR holds it back
