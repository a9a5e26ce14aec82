"""Lists in machine code: how they grow, shrink and compare, against CPython; and what a thread sees of one that others change."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safepoint.guest.code import Handler
from safepoint.guest.operations.builtins import BUILTINS
from safepoint.guest.operations.values import DEPTH
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.words import List
from safepoint_vm.memory.heap import SMALLEST
from safepoint_vm.memory.value_view import put
from safepoint_vm.threads.thread import GuestThread
from tests.impl.building import code, inhabited, no_room, program
from tests.impl.values import BINARY, expected, given_by, lists, nan_inside, nested, reference, run_lines, stored, texts
from tests.values import atoms, comparable, floats


@given(lists, atoms, st.booleans())
def test_lists_grow_and_shrink(items: list[object], item: object, stress: bool) -> None:
    assert given_by("APPEND", list(items), item, operands=(1, 2), stress=stress) == comparable([*items, item])
    shorter = list(items)
    assert given_by("POP", items) == expected(list.pop, shorter)
    assert given_by("POP", items, operands=(1, 1)) == (expected(list.pop, list(items)))


@given(lists, st.integers(-6, 6) | st.booleans() | floats, atoms)
def test_storing_and_deleting_an_item(items: list[object], index: Any, item: object) -> None:
    def store(changed: list[object]) -> list[object]:
        changed[index] = item
        return changed

    def delete(changed: list[object]) -> list[object]:
        del changed[index]
        return changed

    assert given_by("STORE_INDEX", items, index, item, operands=(1, 2, 3)) == expected(store, list(items))
    assert given_by("DELETE_INDEX", items, index, operands=(1, 2)) == expected(delete, list(items))


@given(
    lists | texts,
    st.integers(-6, 6) | st.none() | st.booleans() | floats,
    st.integers(-6, 6) | st.none(),
    st.booleans(),
)
def test_slices(of: Any, first: Any, end: Any, stress: bool) -> None:
    assert given_by("SLICE", of, first, end, operands=(0, 1, 2), stress=stress) == expected(lambda: of[first:end])


@given(lists, st.integers(-6, 6) | st.booleans() | st.none())
def test_popping_anywhere(items: list[object], index: Any) -> None:
    assert given_by("POP_AT", items, index) == expected(list.pop, list(items), index)
    assert given_by("POP_AT", items, index, operands=(2, 1, 2)) == expected(list.pop, list(items), index)


@given(lists, lists, st.booleans())
def test_a_list_grows_in_place(items: list[object], more: list[object], stress: bool) -> None:
    assert given_by("IADD", items, more, operands=(2, 1, 2), stress=stress) == comparable([*items, *more])
    assert given_by("IADD", items, operands=(0, 1, 1), stress=stress) == comparable([*items, *items])


@given(lists, st.booleans())
def test_a_display_makes_a_list_of_its_slots(items: list[object], stress: bool) -> None:
    found = given_by("LIST", *items, None, operands=(1, len(items)), stress=stress)
    assert found == comparable(items)


@pytest.mark.parametrize("op", ["LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL", "IN", "NOT_IN"])
def test_lists_are_compared_item_by_item(op: str) -> None:
    @given(nested, nested, st.booleans())
    @example([math.nan], [-math.nan], False)
    @example([2**53 + 1], [2.0**53], False)
    @example([1, [2, "a"]], [1, [2.0, "b"]], False)
    @example([[]], [[]], True)
    def check(left: list[object], right: list[object], inside: bool) -> None:
        if inside:
            right = [*right, list(left)]
        found = given_by(op, left, right)
        assert found == reference(op, left, right)
        if not nan_inside(left, right):
            assert found == expected(BINARY[op], left, right)

    check()


def deep(levels: int, last: object) -> list[object]:
    found: list[object] = [last]
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize("levels", [DEPTH - 1, DEPTH, DEPTH + 1])
@pytest.mark.parametrize("op", ["EQUAL", "LESS", "IN"])
def test_lists_are_followed_as_deep_as_the_reference_follows_them(op: str, levels: int) -> None:
    one, other = deep(levels, 1), deep(levels, 2)
    assert given_by(op, one, other) == reference(op, one, other)
    assert given_by(op, one, deep(levels, 1)) == reference(op, one, deep(levels, 1))


@given(st.lists(atoms, max_size=4), st.integers(-1, 3), atoms)
def test_a_list_that_was_repeated_in_place_still_grows(of: list[Any], times: int, item: Any) -> None:
    """Into the room that it has, or into a larger backing."""
    lines = [("LOADK", 2, times), ("IMUL", 0, 0, 2), ("APPEND", 0, 1), ("IMUL", 0, 0, 2)]
    assert run_lines(lines, of, item) == comparable([*of * times, item] * times)


TORN: dict[str, tuple[list[tuple[object, ...]], object]] = {
    "sum": ([("BUILTIN", 0, BUILTINS.index("sum"), 1)], 3),
    "max": ([("BUILTIN", 0, BUILTINS.index("max"), 1)], 2),
    "+": ([("ADD", 0, 0, 1)], [1, 2, 3]),
    "+ behind": ([("ADD", 0, 1, 0)], [3, 1, 2]),
    "+=": ([("IADD", 0, 0, 1)], [1, 2, 3]),
    "*": ([("MUL", 0, 0, 2)], [1, 2, 1, 2]),
    "*=": ([("IMUL", 0, 0, 2)], [1, 2, 1, 2]),
    "in": ([("IN", 0, 1, 0)], False),
    "==": ([("EQUAL", 0, 0, 3)], True),
    "<": ([("LESS", 0, 0, 3)], False),
    "append": ([("APPEND", 0, 2)], [1, 2, 2]),
}


def tear(thread: GuestThread) -> None:
    put(thread.stack[0], List, "length", 2 * 5)


@pytest.mark.parametrize("name", TORN)
def test_bounds_come_from_the_backing(name: str) -> None:
    """A thread that reads a list while another grows it may see its new length beside its old backing."""
    lines, wanted = TORN[name]
    assert run_lines(lines, [1, 2], [3], 2, [1, 2], before=tear) == comparable(wanted)


@pytest.mark.parametrize("line", [("INDEX", 0, 0, 1), ("STORE_INDEX", 0, 1, 0)])
def test_a_torn_list_is_not_out_of_range(line: tuple[object, ...]) -> None:
    """Its last item is that of the backing: no thread has removed it, so there is nothing to raise."""
    body = code("<module>", 3, *(("LOADK", n, 0) for n in range(3)), line, ("HALT",), ("LOADK", 2, 1), ("HALT",))
    thread, _ = inhabited(program(replace(body, handlers=(Handler(3, 4, 5, 0),))), heap=SMALLEST)
    assert thread.enter(budget=3) is Exited.STEPPED
    thread.stack[0], thread.stack[1] = stored(thread, [1, 2]), stored(thread, -1)
    tear(thread)
    while not thread.ended:
        assert thread.serve(thread.enter(), no_room)
    assert thread.slot(2) == 0
