"""Every operator of the machine code against Python's own, at the edges of 63 bits and with bools and other values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import islice, product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safepoint.guest.code import INT_MAX, INT_MIN
from safepoint.guest.faults import Fault
from safepoint.guest.values import Value
from tests.impl.building import code, evaluate, finish, fresh, outcome, program, word

EDGES = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    61,
    62,
    63,
    64,
    2**31,
    -(2**31),
    2**61,
    -(2**61),
    INT_MAX,
    INT_MIN,
    INT_MAX - 1,
    INT_MIN + 1,
]
OTHERS: list[Value] = [True, False, None]
ints = st.integers(INT_MIN, INT_MAX) | st.sampled_from(EDGES) | st.integers(-70, 70)

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "ADD": operator.add, "SUB": operator.sub, "MUL": operator.mul, "FLOORDIV": operator.floordiv, "MOD": operator.mod,
    "AND": operator.and_, "OR": operator.or_, "XOR": operator.xor, "SHR": operator.rshift,
    "SHL": lambda x, y: x << min(y, 100) if isinstance(y, int) else x << y,
    "LESS": operator.lt, "LESS_EQUAL": operator.le, "GREATER": operator.gt, "GREATER_EQUAL": operator.ge,
    "EQUAL": operator.eq, "NOT_EQUAL": operator.ne,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {
    "NEG": operator.neg, "POS": operator.pos, "INVERT": lambda x: ~(int(x) if isinstance(x, bool) else x), "NOT": operator.not_,
}  # fmt: skip
"""From 3.12 on Python warns of ~True, and says to write ~int(True) for the same."""


def expected(compute: Callable[..., Any], *values: Value) -> tuple[type, object]:
    """The type and value that Python gives, or the kind of fault."""
    try:
        result = compute(*values)
    except (TypeError, ZeroDivisionError, ValueError) as error:
        return Fault, type(error).__name__
    if type(result) is int and not INT_MIN <= result <= INT_MAX:
        return Fault, "OverflowError"
    return type(result), result


def found(result: Value | Fault) -> tuple[type, object]:
    return type(result), result.kind if isinstance(result, Fault) else result


@pytest.mark.parametrize("op", BINARY)
def test_a_binary_operator_is_pythons_at_the_edges(op: str) -> None:
    for left, right in product([*EDGES, *OTHERS], repeat=2):
        assert found(evaluate(op, 1, 2, values=(left, right))) == expected(BINARY[op], left, right), (left, right)


@pytest.mark.parametrize("op", BINARY)
@given(left=ints, right=ints)
def test_a_binary_operator_is_pythons(op: str, left: int, right: int) -> None:
    assert found(evaluate(op, 1, 2, values=(left, right))) == expected(BINARY[op], left, right)


@pytest.mark.parametrize("op", UNARY)
@given(value=ints)
def test_a_unary_operator_is_pythons(op: str, value: int) -> None:
    assert found(evaluate(op, 1, values=(value,))) == expected(UNARY[op], value)


@pytest.mark.parametrize("op", UNARY)
@pytest.mark.parametrize("value", [*EDGES, *OTHERS])
def test_a_unary_operator_is_pythons_at_the_edges(op: str, value: Value) -> None:
    assert found(evaluate(op, 1, values=(value,))) == expected(UNARY[op], value)


@given(value=ints, small=st.integers(-(2**14), 2**14 - 1))
def test_addi_is_an_addition(value: int, small: int) -> None:
    assert found(evaluate("ADDI", 1, small, values=(value,))) == expected(operator.add, value, small)


@pytest.mark.parametrize(
    ("left", "right", "same"), [(1, 1, True), (1, True, False), (0, False, False), (None, None, True)]
)
def test_is_tells_bools_from_ints(left: Value, right: Value, same: bool) -> None:
    assert evaluate("IS", 1, 2, values=(left, right)) is same
    assert evaluate("IS_NOT", 1, 2, values=(left, right)) is not same


@pytest.mark.parametrize("value", [*EDGES, *OTHERS])
def test_jumps_ask_pythons_truth(value: Value) -> None:
    for op, jumps in (("TRUE_JUMP", bool(value)), ("FALSE_JUMP", not value)):
        built = program(
            code("<module>", 2, ("LOADK", 1, 0), (op, 1, 2), ("LOADK", 0, 0), ("HALT",), ("LOADK", 0, 1), ("HALT",))
        )
        thread = fresh(built)
        thread.enter(budget=1)
        thread.stack[1] = word(thread, value)
        thread.enter()
        assert thread.slot(0) == int(jumps)


@pytest.mark.parametrize(("left", "right"), [(1, 2), (2, 1), (False, True), (True, 1), (INT_MIN, INT_MAX)])
def test_less_jump_back_orders_as_python_does(left: int, right: int) -> None:
    lines = [("LOADK", 1, 0), ("LOADK", 2, 0), ("JUMP", 2), ("LOADK", 0, 1), ("HALT",), ("LESS_JUMP_BACK", 1, 2, -3)]
    thread = fresh(program(code("<module>", 3, ("LOADK", 0, 0), *lines, ("HALT",))))
    thread.enter(budget=3)
    thread.stack[1], thread.stack[2] = word(thread, left), word(thread, right)
    thread.enter()
    assert thread.slot(0) == int(left < right)


def turns(start: int, end: int, step: int, most: int) -> list[int]:
    """What a loop over range(start, end, step) assigns, up to `most` turns, by the machine code."""
    loop = [("PRINT", 0, 1), ("ADDI", 5, 5, 1), ("LESS_JUMP_BACK", 6, 5, -4), ("FOR_RANGE", 0, 2, -4), ("HALT",)]
    setting = [*(("CONSTANT", 2 + n, n) for n in range(3)), ("LOADK", 0, 0), ("LOADK", 5, 0), ("CONSTANT", 6, 3)]
    body = [*setting, ("FOR_PREPARE", 2, 4), ("HALT",), *loop]
    _, output = outcome(program(code("<module>", 7, *body), constants=(start, end, step, most)))
    return [int(line) for line in output.split()]


@given(start=ints, end=ints, step=ints.filter(bool))
@example(start=INT_MIN, end=INT_MAX, step=1)
@example(start=INT_MAX, end=INT_MIN, step=-1)
@example(start=INT_MIN, end=INT_MAX, step=INT_MAX)
@example(start=INT_MAX, end=INT_MIN, step=INT_MIN)
@example(start=INT_MAX - 1, end=INT_MAX, step=5)
def test_a_range_loop_takes_pythons_turns(start: int, end: int, step: int) -> None:
    assert turns(start, end, step, 5) == list(islice(range(start, end, step), 6))


@pytest.mark.parametrize("range_of", [(False, 3, True), (True, 2, 1)])
def test_a_range_of_bools_is_one_of_ints(range_of: tuple[int, int, int]) -> None:
    """FOR_PREPARE alone: first value, turns left, step."""
    thread = fresh(
        program(
            code(
                "<module>",
                4,
                *(("LOADK", n, 0) for n in range(4)),
                ("FOR_PREPARE", 0, 0),
                ("FOR_RANGE", 3, 0, -1),
                ("HALT",),
            )
        )
    )
    thread.enter(budget=4)
    for number, value in enumerate(range_of):
        thread.stack[number] = word(thread, value)
    thread.enter(budget=1)
    start, end, step = range_of
    assert [repr(thread.slot(n)) for n in range(3)] == [
        repr(int(start)),
        repr(len(range(start, end, step))),
        repr(int(step)),
    ]


@pytest.mark.parametrize(
    ("values", "kind"), [((1, 2, 0), "ValueError"), ((None, 2, 1), "TypeError"), ((1, None, 1), "TypeError")]
)
def test_a_range_that_is_none_raises(values: tuple[Value, ...], kind: str) -> None:
    body = [*(("LOADK", n, 0) for n in range(4)), ("FOR_PREPARE", 0, 0), ("FOR_RANGE", 3, 0, -1), ("HALT",)]
    thread = fresh(program(code("<module>", 4, *body)))
    thread.enter(budget=4)
    for number, value in enumerate(values):
        thread.stack[number] = word(thread, value)
    finish(thread)
    assert thread.fault is not None
    assert thread.fault.kind == kind
