"""Every opcode on floats, strings and lists, in machine code, against CPython's own operators and the reference machine's
definitions: results, types and messages.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safepoint.guest.code import INT_MAX, INT_MIN, Handler, Instruction
from safepoint.guest.faults import Fault
from safepoint.guest.operations import instructions as operations
from safepoint.guest.operations.builtins import ARGUMENTS, BUILTINS
from safepoint.guest.operations.values import DEPTH
from safepoint.guest.reference.heap import ReferenceHeap
from safepoint.guest.reference.vector import Vector
from safepoint.guest.values import Ref, Value
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.words import List
from safepoint_vm.memory.heap import SMALLEST
from safepoint_vm.memory.view import put
from safepoint_vm.threads.thread import GuestThread
from tests.impl.building import code, inhabited, no_room, program

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "ADD": operator.add, "SUB": operator.sub, "MUL": operator.mul, "TRUEDIV": operator.truediv, "IADD": operator.iadd,
    "IMUL": operator.imul, "FLOORDIV": operator.floordiv, "MOD": operator.mod,
    "LESS": operator.lt, "LESS_EQUAL": operator.le, "GREATER": operator.gt, "GREATER_EQUAL": operator.ge,
    "EQUAL": operator.eq, "NOT_EQUAL": operator.ne,
    "IN": lambda x, y: x in y, "NOT_IN": lambda x, y: x not in y, "INDEX": operator.getitem,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {
    "NEG": operator.neg, "POS": operator.pos, "INVERT": operator.invert, "NOT": operator.not_, "LEN": len,
}  # fmt: skip
TINY, HUGE = 2.0**-255, 2.0**257  # where floats begin to need a box
floats = st.floats() | st.sampled_from(
    [0.0, -0.0, 1.0, TINY, HUGE, -HUGE, math.nextafter(TINY, 0), math.nextafter(HUGE, 0), math.inf, math.nan]
)
ints = st.integers(INT_MIN, INT_MAX) | st.integers(-3, 3) | st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1, INT_MAX])
texts = st.text(st.sampled_from("ab\xff\u0100\U0001f600"), max_size=5)
numerals = st.integers(-(10**19), 10**19).map(str) | st.text(st.sampled_from("-+0189 _."), max_size=4)
atoms = floats | ints | texts | st.booleans() | st.none()
lists = st.lists(atoms, max_size=4)
few = st.sampled_from([0, 1, 1.0, True, 2**53 + 1, 2.0**53, math.nan, "a", "b", None])  # so that many are equal
nested = st.recursive(st.lists(few, max_size=3), lambda inner: st.lists(few | inner, max_size=3), max_leaves=6)
anything = atoms | lists


def python(value: object) -> object:
    """Comparable: types and all; the nans are one; a result beyond 63 bits is the guest's OverflowError."""
    if type(value) is int and not INT_MIN <= value <= INT_MAX:
        return "OverflowError: integer result does not fit in 63 bits"
    if isinstance(value, list):
        return [python(item) for item in value]
    return type(value).__name__, repr(value)


def expected(compute: Callable[..., Any], *values: object) -> object:
    try:
        return python(compute(*values))
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        return f"{type(error).__name__}: {error}"


def stored(thread: GuestThread, value: object) -> int:
    if isinstance(value, list):
        return thread._view.new_list([thread._view.value(stored(thread, item)) for item in value]).number
    return thread._view.word(value)  # type: ignore[arg-type]


def run_lines(
    lines: Sequence[tuple[object, ...]], *values: object, before: Callable[[GuestThread], None] = lambda _: None
) -> object:
    """What is in slot 0 after these instructions, from values in the slots from 0 on."""
    filling = [("LOADK", number, 0) for number in range(8)]
    thread, _ = inhabited(program(code("<module>", 8, *filling, *lines, ("HALT",))), heap=SMALLEST)
    assert thread.enter(budget=len(filling)) is Exited.STEPPED
    for number, value in enumerate(values):
        thread._view.begin()
        thread.stack[number] = stored(thread, value)
    before(thread)
    while not thread.ended:
        assert thread.serve(thread.enter(), no_room)
    return str(thread.fault) if thread.fault else seen(thread, thread.slot(0))


def seen(thread: GuestThread, value: Value) -> object:
    if isinstance(value, Ref):
        return [seen(thread, item) for item in thread._view.items(value)]
    return python(value)


def given_by(op: str, *values: object, operands: tuple[int, ...] | None = None, stress: bool = False) -> object:
    """What `op` puts into slot 0, from values in the slots from 1 on; or what it raises."""
    used = tuple(range(len(values) + 1)) if operands is None else operands
    lines = [("LOADK", number, 0) for number in range(len(values) + 1)]
    built = program(code("<module>", len(values) + 1, *lines, (op, *used), ("HALT",)))
    thread, world = inhabited(built, heap=SMALLEST)
    assert thread.enter(budget=len(lines)) is Exited.STEPPED
    for number, value in enumerate(values):
        thread._view.begin()
        thread.stack[number + 1] = stored(thread, value)
    if stress:
        world.heap.stress = True
        world.record.set("chunk", 0)
        thread.engine.routine("retire", thread.address)
    while not thread.ended:
        assert thread.serve(thread.enter(), (lambda: world.collect(thread)) if stress else no_room)
    if thread.fault:
        return str(thread.fault) if thread.fault.message else f"{thread.fault.kind}: "
    return seen(thread, thread.slot(used[0]))


def reference(op: str, *values: object, operands: tuple[int, ...] | None = None) -> object:
    """What the reference machine's definition of `op` gives."""
    heap = ReferenceHeap(Vector())

    def made(value: object) -> Value:
        return heap.new_list([made(item) for item in value]) if isinstance(value, list) else value  # type: ignore[return-value]

    def shown(value: Value) -> object:
        return [shown(item) for item in heap.items(value)] if isinstance(value, Ref) else python(value)

    slots = [0, *(made(value) for value in values)]
    used = tuple(range(len(slots))) if operands is None else operands
    found = operations.result(
        program(code("<module>", 1, ("HALT",))), Instruction(op, used, 1), slots.__getitem__, heap
    )
    return f"{found.kind}: {found.message}" if isinstance(found, Fault) else shown(found)


def nan_inside(*values: object) -> bool:
    """Of a list: CPython then asks for its identity, which the guest's floats have not."""
    return any(isinstance(value, list) and "nan" in repr(value) for value in values)


def unlike(op: str, left: object) -> bool:
    """What the guest has otherwise than CPython, and says so: `%` of strings."""
    return op == "MOD" and isinstance(left, str)


@pytest.mark.parametrize("op", BINARY)
def test_a_binary_operator_is_pythons(op: str) -> None:
    @given(anything, anything, st.booleans())
    @example(0.1, 0.2, False)
    @example(TINY, TINY, True)
    @example(HUGE, HUGE, False)
    @example(2**53 + 1, 2.0**53, False)
    @example(True, 1.0, False)
    @example("ab", "ab", True)
    @example([1, 2.5], [1.0, 2.5], False)
    @example([1, "x"], 3, True)
    @example("a\U0001f600", -1, True)
    @example([1.5], True, False)
    @example(8.375735679641949, 1.1886975978660026, False)  # whose quotient is just below 7
    @example(INT_MIN, -1, False)
    @example(-0.0, 1.0, False)
    @example(-4.0, 2.0, False)
    def check(left: Any, right: Any, stress: bool) -> None:
        large = isinstance(left, int) and isinstance(right, str | list)
        large = large or (isinstance(right, int) and isinstance(left, str | list))
        if unlike(op, left) or (
            op in ("MUL", "IMUL") and large and max(x for x in (left, right) if isinstance(x, int)) > 9
        ):
            return
        copied = list(left) if isinstance(left, list) else left
        found = given_by(op, left, right, stress=stress)
        if nan_inside(left, right):
            assert found == reference(op, left, right)
        else:
            assert found == expected(BINARY[op], copied, right)

    check()


@pytest.mark.parametrize("op", UNARY)
def test_a_unary_operator_is_pythons(op: str) -> None:
    @given(anything)
    @example(INT_MIN)
    def check(value: Any) -> None:
        assert given_by(op, value) == expected(UNARY[op], value)

    check()


@given(anything, anything)
@example(0.0, -0.0)
@example(-0.0, -0.0)
@example(math.nan, -math.nan)
@example(1e300, 1e300)
@example("ab", "ab")
@example("ab", "ba")
def test_is_says_whether_type_and_value_are_the_same(left: Any, right: Any) -> None:
    if isinstance(left, list):
        return
    same = not isinstance(right, list) and python(left) == python(right)
    assert given_by("IS", left, right) == python(same)
    assert given_by("IS_NOT", left, right) == python(not same)


@given(lists, atoms, st.booleans())
def test_lists_grow_and_shrink(items: list[object], item: object, stress: bool) -> None:
    assert given_by("APPEND", list(items), item, operands=(1, 2), stress=stress) == python([*items, item])
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
    assert given_by("IADD", items, more, operands=(2, 1, 2), stress=stress) == python([*items, *more])
    assert given_by("IADD", items, operands=(0, 1, 1), stress=stress) == python([*items, *items])


@given(lists, st.booleans())
def test_a_display_makes_a_list_of_its_slots(items: list[object], stress: bool) -> None:
    found = given_by("LIST", *items, None, operands=(1, len(items)), stress=stress)
    assert found == python(items)


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


@given(texts, texts, texts)
def test_a_string_is_found_in_a_longer_one(before: str, wanted: str, after: str) -> None:
    assert given_by("IN", wanted, before + wanted + after) == python(True)
    assert given_by("IN", wanted + "c", before + wanted + after) == python(False)


@given(floats | ints | st.booleans(), floats | st.integers(-70, 70) | st.booleans(), st.booleans())
@example(2, 62, False)
@example(-2, 62, False)
@example(-2, 61, False)
@example(0.0, -1, False)
@example(-0.0, 3, True)
@example(-2.5, 0.5, False)
@example(-1.5, 2, True)
@example(-1.5, 3, False)
@example(1e308, 2, False)
@example(1e-308, 2, False)
@example(-1e-308, 3, False)
@example(math.inf, 0.5, False)
def test_powers(left: Any, right: Any, stress: bool) -> None:
    found = given_by("POWER", left, right, stress=stress)
    assert found == reference("POWER", left, right)
    if not (left < 0 and right != int(right) if math.isfinite(right) else True) and "Result too large" not in str(
        found
    ):
        assert found == expected(operator.pow, left, right)


@given(st.lists(anything, min_size=1, max_size=4), st.booleans())
@example(["a", INT_MIN, INT_MAX, 0], False)
@example([10, 9, -10, 99], False)
def test_a_text_is_made_of_its_parts(parts: list[Any], stress: bool) -> None:
    found = given_by("FORMAT", *parts, operands=(1, len(parts)), stress=stress)
    assert found == python("".join(map(str, parts)))


@pytest.mark.parametrize("name", BUILTINS)
def test_a_built_in_function_is_pythons(name: str) -> None:
    least, most = ARGUMENTS[name]

    @given(st.lists(anything | numerals, min_size=least, max_size=3 if most is None else most), st.booleans())
    @example([[1, 2, 3.5, True, -0.0]], False)
    @example([[INT_MAX, 1]], False)
    @example([[], True], False)
    @example([[True, 2], True], False)
    @example([[0.1, 10**18, 2**60 + 1], 0.5], True)
    @example([[2, 1.0, True, 1]], False)
    @example([["b", "a", "c"]], False)
    @example([INT_MIN], False)
    @example([-(2.0**62)], False)
    @example([2.0**62], False)
    @example([math.nextafter(-(2.0**62), -math.inf)], False)
    @example(["-9223372036854775808"], False)
    @example(["-" + 18 * "9"], False)
    @example([""], False)
    @example(["-"], False)
    @example(["1:"], False)
    @example([0x110000], False)
    @example([0x10FFFF], True)
    def check(values: list[Any], stress: bool) -> None:
        if not least <= len(values) <= (most or 3):
            return
        operands = (1, BUILTINS.index(name), len(values))
        found = given_by("BUILTIN", *values, None, operands=operands, stress=stress)
        assert found == reference("BUILTIN", *values, operands=operands)
        if not nan_inside(values):
            assert found == expected(getattr(builtins, name), *values)

    check()


@given(st.lists(atoms, max_size=4) | texts, st.integers(-2, 5) | st.booleans(), st.booleans())
def test_sequences_are_repeated(of: Any, times: int, stress: bool) -> None:
    assert given_by("MUL", of, times, stress=stress) == expected(operator.mul, of, times)
    assert given_by("MUL", times, of, stress=stress) == expected(operator.mul, times, of)
    assert given_by("IMUL", of, times, operands=(1, 1, 2), stress=stress) == expected(operator.mul, of, times)


@given(st.lists(atoms, max_size=4), st.integers(-1, 3), atoms)
def test_a_list_that_was_repeated_in_place_still_grows(of: list[Any], times: int, item: Any) -> None:
    """Into the room that it has, or into a larger backing."""
    lines = [("LOADK", 2, times), ("IMUL", 0, 0, 2), ("APPEND", 0, 1), ("IMUL", 0, 0, 2)]
    assert run_lines(lines, of, item) == python([*of * times, item] * times)


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
    assert run_lines(lines, [1, 2], [3], 2, [1, 2], before=tear) == python(wanted)


@pytest.mark.parametrize("line", [("INDEX", 0, 0, 1), ("STORE_INDEX", 0, 1, 0)])
def test_a_torn_list_is_not_out_of_range(line: tuple[object, ...]) -> None:
    """Its last item is that of the backing: nobody has taken it away, so there is nothing to catch."""
    body = code("<module>", 3, *(("LOADK", n, 0) for n in range(3)), line, ("HALT",), ("LOADK", 2, 1), ("HALT",))
    thread, _ = inhabited(program(replace(body, handlers=(Handler(3, 4, 5, 0),))), heap=SMALLEST)
    assert thread.enter(budget=3) is Exited.STEPPED
    thread.stack[0], thread.stack[1] = stored(thread, [1, 2]), stored(thread, -1)
    tear(thread)
    while not thread.ended:
        assert thread.serve(thread.enter(), no_room)
    assert thread.slot(2) == 0
