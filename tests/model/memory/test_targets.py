"""Real machines on the machine of views: shapes as the architectures have them, and the protocol with its wrong orders."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from safepoint.graph.orders import RELAXED, SEQ_CST
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
