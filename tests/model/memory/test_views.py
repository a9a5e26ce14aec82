"""The machine of views shows what RC11 allows, and nothing else; and its normal form changes nothing that a thread can tell."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from safepoint.graph.orders import ACQUIRE, RELAXED, RELEASE
from safepoint.model.memory.views import Access, Machine
from tests.model.memory.litmus import MISSED, OUT_OF_ORDER, SHAPES, Op, Program, Shape, allows, outcomes, programs


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_shape_is_allowed_where_rc11_allows_it(shape: Shape) -> None:
    found = allows(outcomes(shape.program), shape.registers, shape.last)
    assert found == (shape.allowed and shape.name not in MISSED)


@pytest.mark.parametrize(
    "shape", [s for s in SHAPES if s.allowed and s.name not in OUT_OF_ORDER], ids=lambda shape: shape.name
)
def test_taken_for_acquire_and_release_seq_cst_misses_nothing(shape: Shape) -> None:
    assert allows(outcomes(shape.program, in_order=False), shape.registers, shape.last)


def test_seq_cst_is_more_than_acquire_and_release() -> None:
    shape = next(s for s in SHAPES if s.name == "SB+sc")
    assert allows(outcomes(shape.program, in_order=False), shape.registers, shape.last)
    assert not allows(outcomes(shape.program), shape.registers, shape.last)


BELOW: Program = (
    (Op("store", "x", (2,), RELAXED), Op("load", "x", (), RELAXED, "r00"), Op("store", "y", (1,), RELAXED)),
    (Op("load", "y", (), RELAXED, "r10"), Op("store", "x", (1,), RELAXED)),
)
"""The second thread knows that x has been read, and stores below what was read: the first store of x is gone by then."""

TWICE: Program = (
    (Op("store", "x", (1,), RELAXED), Op("store", "y", (1,), RELEASE)),
    (Op("load", "y", (), RELAXED, "r10"), Op("load", "y", (), ACQUIRE, "r11"), Op("load", "x", (), RELAXED, "r12")),
)
"""A store is read once more, and only now with acquire: what it hands on must still be there."""

BEHIND: Program = (
    (Op("swap", "x", (2,), RELAXED, "r00"), Op("load", "x", (), RELAXED, "r01"), Op("store", "y", (1,), RELAXED)),
    (Op("load", "y", (), RELAXED, "r10"), Op("store", "x", (1,), RELAXED)),
)
"""As BELOW, but a locked operation has read the first store of x: no place is left there."""


@settings(max_examples=60)
@example(BELOW, True)
@example(TWICE, True)
@example(BEHIND, True)
@given(programs(), st.booleans())
def test_the_normal_form_changes_no_outcome(program: Program, in_order: bool) -> None:
    """Memories as they are made, with all their stores and all that every view says, give the same outcomes."""
    assert outcomes(program, in_order=in_order) == outcomes(program, in_order=in_order, normal=False)


@settings(max_examples=40)
@given(programs())
def test_seq_cst_in_order_is_a_part_of_acquire_and_release(program: Program) -> None:
    assert outcomes(program) <= outcomes(program, in_order=False)


def counting(stale: int | None) -> Machine:
    """One thread stores 1, 2, 3 to a word that another reads."""
    machine = Machine([0], [{1}], [{0, 1}], 2, stale=stale)
    memory = 0
    for value in (1, 2, 3):
        (stored,) = machine.access(memory, Access(0, 0, "store", (value,), RELEASE))
        memory = stored.memory
    assert {o.result: o.behind for o in machine.access(memory, Access(1, 0, "load", (), ACQUIRE))} == {
        3 - n: n for n in range((3 if stale is None else stale) + 1)
    }
    return machine


def test_a_reader_is_up_to_so_many_stores_behind() -> None:
    for stale in (None, 3, 2, 1, 0):
        machine = counting(stale)
        assert machine.normal is not None
        assert machine.normal.was_bounded == (stale is not None and stale < 3)


def test_a_memory_that_every_reader_has_passed_is_forgotten() -> None:
    """Else a world in which a thread stores again and again would have no end of memories."""
    machine, memory, seen = Machine([0, 0], [{1}, {0}], [{0, 1}, {0, 1}], 2, stale=2), 0, set[int]()
    for turn in range(20):
        memory = machine.access(memory, Access(0, 0, "store", (turn & 1,), RELEASE))[0].memory
        memory = machine.access(memory, Access(1, 0, "load", (), ACQUIRE))[-1].memory
        seen.add(memory)
    assert len(seen) == 2


def test_data_is_seen_by_who_acquires_what_its_writer_released() -> None:
    for order, known in ((RELEASE, True), (RELAXED, False)):
        machine = Machine([0], [{1}], [{0, 1}], 2, data=[{0, 1}], fenced=True)
        memory, knew = machine.touch(0, 0, 0)
        assert knew
        assert not machine.knows(memory, 1, 0)
        (stored,) = machine.access(memory, Access(0, 0, "store", (1,), order))
        read = {o.result: o.memory for o in machine.access(stored.memory, Access(1, 0, "load", (), ACQUIRE))}
        assert not machine.knows(read[0], 1, 0)
        assert machine.knows(read[1], 1, 0) == known
