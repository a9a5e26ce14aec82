"""The operators and comparisons on every kind of value, against CPython's own: result, changes of lists, exception and message."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from safepoint.guest import values
from safepoint.guest.code import INT_MAX, Instruction
from safepoint.guest.faults import Fault
from safepoint.guest.heap import NoRoom
from safepoint.guest.operations import instructions as operations
from safepoint.guest.operations import operators
from safepoint.guest.operations.comparison import COMPARE
from safepoint.guest.operations.values import NO_MEMORY, TOO_BIG
from safepoint.guest.reference.heap import MOST, ReferenceHeap
from safepoint.guest.reference.vector import Vector
from safepoint.guest.values import Function
from tests.values import FUNCTION, PROGRAM, Copies, anything, check, evaluated, executed, f, lists, numbers

SYMBOLS = {
    "ADD": "+", "SUB": "-", "MUL": "*", "FLOORDIV": "//", "TRUEDIV": "/", "POWER": "**", "MOD": "%", "AND": "&", "OR": "|",
    "XOR": "^", "SHL": "<<", "SHR": ">>", "NEG": "-", "POS": "+", "INVERT": "~", "NOT": "not", "LESS": "<", "LESS_EQUAL": "<=",
    "GREATER": ">", "GREATER_EQUAL": ">=", "EQUAL": "==", "NOT_EQUAL": "!=", "IN": "in", "NOT_IN": "not in",
}  # fmt: skip
"""Opcode -> the operator that it executes."""


def too_long(*operands: object) -> bool:
    """CPython would really make it."""
    return any(isinstance(n, int) and n > 1000 for n in operands) and any(isinstance(s, str | list) for s in operands)


def small_enough(op: str, left: Any, right: Any) -> bool:
    """For CPython to compute in full: the guest stops before."""
    if op in ("SHL", "POWER") and isinstance(left, int) and isinstance(right, int):
        return right <= 200
    return op != "MUL" or not too_long(left, right)


@pytest.mark.parametrize("op", sorted(operators.BINARY))
@given(left=st.one_of(anything, numbers), right=st.one_of(anything, numbers), augmented=st.booleans())
def test_binary(op: str, left: Any, right: Any, augmented: bool) -> None:
    assume(small_enough(op, left, right) and not (op == "MOD" and isinstance(left, str)))
    symbol = SYMBOLS[op]
    name = {"ADD": "IADD", "MUL": "IMUL"}.get(op, op) if augmented else op
    operation = executed(f"a {symbol}= b", "a") if augmented else evaluated(f"a {symbol} b")
    check(Instruction(name, (9, 0, 1), 1, augmented), operation, [left, right])


@given(left=lists, times=st.integers(-2, 4))
def test_a_list_grows_in_place_also_by_itself(left: Any, times: int) -> None:
    check(Instruction("IADD", (9, 0, 0), 1, True), executed("a += a", "a"), [left])
    check(Instruction("IMUL", (9, 0, 1), 1, True), executed("a *= b", "a"), [left, times])


@given(left=anything, right=st.integers(-20, 20), augmented=st.booleans())
def test_add_immediate_is_an_addition_or_a_subtraction(left: Any, right: int, augmented: bool) -> None:
    symbol = "-" if right < 0 else "+"
    statement = executed(f"a {symbol}= {abs(right)}", "a") if augmented else evaluated(f"a {symbol} {abs(right)}")
    check(Instruction("ADDI", (9, 0, right), 1, augmented), statement, [left])


@pytest.mark.parametrize("op", [*operators.UNARY, "NOT"])
@given(value=anything)
def test_unary(op: str, value: Any) -> None:
    check(Instruction(op, (9, 0), 1), evaluated(f"{SYMBOLS[op]} a"), [value])


@pytest.mark.parametrize("op", COMPARE[:6])
@given(left=st.one_of(anything, numbers), right=st.one_of(anything, numbers))
@example(left=2**53 + 1, right=2.0**53)
@example(left=[1, [2, "a"]], right=[1, [2, "b"]])
@example(left=[1, "a"], right=[1, 2])
def test_compare(op: str, left: Any, right: Any) -> None:
    check(Instruction(op, (9, 0, 1), 1), evaluated(f"a {SYMBOLS[op]} b"), [left, right])
    check(Instruction(op, (9, 0, 0), 1), evaluated(f"a {SYMBOLS[op]} a"), [left])


@pytest.mark.parametrize("op", ["IN", "NOT_IN"])
@given(left=anything, right=st.one_of(anything, lists))
def test_membership(op: str, left: Any, right: Any) -> None:
    check(Instruction(op, (9, 0, 1), 1), evaluated(f"a {SYMBOLS[op]} b"), [left, right])
    if isinstance(right, list):
        check(Instruction(op, (9, 0, 1), 1), evaluated(f"a {SYMBOLS[op]} b"), [left, [*right, left]])


@given(left=st.one_of(st.booleans(), st.none(), st.just(f), lists), right=st.one_of(st.booleans(), st.none(), lists))
def test_identity(left: Any, right: Any) -> None:
    for other in (left, right):
        check(Instruction("IS", (9, 0, 1), 1), evaluated("a is b"), [left, other])
        check(Instruction("IS_NOT", (9, 0, 1), 1), evaluated("a is not b"), [left, other])


def test_identity_of_what_has_none() -> None:
    for value in (INT_MAX, 0.5, "abc", -0.0, math.nan):
        assert values.same(value, type(value)(str(value))), "equal values are one"
    for left, right in (
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ("a", "b"),
        (1.0, math.nan),
        (FUNCTION, Function(2, "f", ())),
    ):
        assert not values.same(left, right)


@pytest.mark.parametrize("left", [0, 1, -1, 2, -2, INT_MAX])
def test_enormous_results_are_not_computed(left: int) -> None:
    heap = ReferenceHeap(Vector())
    large = INT_MAX - 1 if left == -1 else INT_MAX
    assert operators.binary(heap, "SHL", left, INT_MAX) == (TOO_BIG if left else 0)
    assert operators.binary(heap, "SHR", left, INT_MAX) == (-1 if left < 0 else 0)
    assert operators.binary(heap, "POWER", left, large) == (left * left if abs(left) < 2 else TOO_BIG)
    assert operators.binary(heap, "MUL", "ab", INT_MAX) == operators.binary(heap, "MUL", INT_MAX, "ab") == NO_MEMORY
    assert operators.binary(heap, "MUL", heap.new_list([1]), 2**40) == NO_MEMORY
    with pytest.raises(NoRoom):
        operators.binary(heap, "MUL", "ab", MOST)


def test_formatting_with_percent_is_not_the_guests() -> None:
    fault = operators.binary(Copies().heap, "MOD", "%s", 1, augmented=True)
    assert fault == Fault("TypeError", "unsupported operand type(s) for %=: 'str' and 'int'")


# ---------------------------------------------------------------------------------------------- nesting

TOO_DEEP = "maximum recursion depth exceeded"


@pytest.mark.parametrize(
    ("op", "operands", "doing"),
    [("EQUAL", (9, 0, 1), "in comparison"), ("LESS", (9, 0, 1), "in comparison"), ("IN", (9, 0, 1), "in comparison"),
     ("FORMAT", (0, 1), "while getting the repr of an object")],
)  # fmt: skip
def test_lists_nested_without_end(op: str, operands: tuple[int, ...], doing: str) -> None:
    """CPython says the same, of its own depth, which since 3.12 is that of C's stack."""
    heap = ReferenceHeap(Vector())
    these, those = heap.new_list([]), heap.new_list([1])
    mine: list[Any] = []
    other: list[Any] = [1]
    for _ in range(2000):
        these, those = heap.new_list([these]), heap.new_list([those])
    for _ in range(100_000):
        mine, other = [mine], [other]
    fault = operations.result(PROGRAM, Instruction(op, operands, 1), (these, heap.new_list([those])).__getitem__, heap)
    with pytest.raises(RecursionError) as caught:
        str(mine) if op == "FORMAT" else mine == other
    assert fault == Fault("RecursionError", str(caught.value)) == Fault("RecursionError", f"{TOO_DEEP} {doing}")
