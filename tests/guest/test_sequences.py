"""Lists, strings, and what a loop can go over, against CPython's own: result, changes of lists, exception and message."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from safepoint.guest.code import Instruction
from safepoint.guest.faults import Fault
from safepoint.guest.operations import instructions as operations
from safepoint.guest.operations import sequences
from tests.values import (
    PROGRAM,
    Copies,
    anything,
    by_cpython,
    check,
    comparable,
    evaluated,
    executed,
    flat,
    lists,
    strings,
)

indices = st.one_of(st.integers(-5, 5), anything)
sequence = st.one_of(lists, strings, anything)


busy = st.lists(flat, min_size=1, max_size=4)  # of anything, few have the item that is wanted
places = st.integers(-5, 4)


def check_items(of: Any, index: Any, value: Any) -> None:
    check(Instruction("INDEX", (9, 0, 1), 1), evaluated("a[b]"), [of, index])
    check(Instruction("POP_AT", (9, 0, 1), 1), evaluated("a.pop(b)"), [[*of] if isinstance(of, list) else of, index])
    check(Instruction("STORE_INDEX", (0, 1, 2), 1), executed("a[b] = c"), [of, index, value])
    check(Instruction("DELETE_INDEX", (0, 1), 1), executed("del a[b]"), [of, index])


@given(of=sequence, index=indices, value=anything)
def test_items_of_anything(of: Any, index: Any, value: Any) -> None:
    check_items(of, index, value)


@given(of=busy, index=places, value=flat)
def test_items_of_lists(of: Any, index: Any, value: Any) -> None:
    check_items(of, index, value)


def check_slice(of: Any, start: Any, end: Any) -> None:
    check(Instruction("SLICE", (9, 0, 1), 1), evaluated("a[b:c]"), [of, start, end])


@given(of=sequence, start=st.one_of(st.none(), indices), end=st.one_of(st.none(), indices))
def test_slices_of_anything(of: Any, start: Any, end: Any) -> None:
    check_slice(of, start, end)


@given(of=st.one_of(busy, strings), start=st.one_of(st.none(), places), end=st.one_of(st.none(), places))
def test_slices_of_lists_and_strings(of: Any, start: Any, end: Any) -> None:
    check_slice(of, start, end)


@given(of=st.one_of(sequence, busy), value=anything)
def test_methods(of: Any, value: Any) -> None:
    check(Instruction("LEN", (9, 0), 1), evaluated("len(a)"), [of])
    check(Instruction("APPEND", (0, 1), 1), executed("a.append(b)"), [of, value])
    check(Instruction("POP", (9, 0), 1), evaluated("a.pop()"), [of])


@given(of=sequence)
def test_what_a_loop_can_go_over(of: Any) -> None:
    copies = Copies()
    guest = copies.guest(of)
    fault = operations.result(PROGRAM, Instruction("EACH_PREPARE", (0, 0), 1), lambda _: guest, copies.heap)
    theirs = by_cpython(iter, of)
    assert fault == (theirs if isinstance(theirs, Fault) else 0)
    if fault == 0:
        found = [sequences.turn(copies.heap, guest, n) for n in range(len(of) + 1)]
        assert found.pop() == ()
        assert [copies.comparable(item) for (item,) in found] == [comparable(item) for item in of]


@given(start=anything, end=anything, step=anything)
def test_ranges(start: Any, end: Any, step: Any) -> None:
    expected = by_cpython(range, start, end, step)
    copies = Copies()
    ours = sequences.range_values(copies.heap, *(copies.guest(v) for v in (start, end, step)))
    if isinstance(expected, Fault):
        assert ours == expected
        return
    assert isinstance(ours, tuple)
    assert isinstance(expected, range)
    first, turns, by = ours
    assert (turns > 0, by) == (len(expected[:1]) == 1, step)
    if turns:
        assert (type(first), first) == (int, expected[0])
        assert first + (turns - 1) * by == expected[-1]
