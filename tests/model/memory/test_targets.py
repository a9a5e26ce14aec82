"""Real machines on the machine of views: shapes as the architectures have them, and the protocol with its wrong orders."""

from __future__ import annotations

import pytest

from tests.model.memory.axioms import executions
from tests.model.memory.litmus import SHAPES, Shape, allows, outcomes
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


@pytest.mark.parametrize("shape", PINNED, ids=lambda shape: shape.name)
def test_the_axioms_have_the_same_verdicts(shape: Shape) -> None:
    """Of the architectures that are multi-copy atomic; they say as little of membarrier as of what is not shown."""
    if "membarrier" in shape.name:
        return
    found = {name: allows(set(executions(shape.program, name)), shape.registers, shape.last) for name in COLUMNS[:-1]}
    assert found == {
        name: verdict == ALLOWED for name, verdict in zip(COLUMNS[:-1], VERDICTS[shape.name], strict=False)
    }
