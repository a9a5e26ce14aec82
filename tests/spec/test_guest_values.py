"""Every operator on every kind of value, against CPython's own; beyond 63 bits it is an OverflowError."""

from __future__ import annotations

import types
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.guest import values
from safepoint.guest.code import INT_MAX, INT_MIN, FunctionConstant, Program
from safepoint.guest.faults import Fault
from safepoint.guest.values import Function, Value

EDGES = [
    e + d for e in (INT_MIN, -(2**31), 0, 2**31, INT_MAX) for d in (-2, -1, 0, 1, 2) if INT_MIN <= e + d <= INT_MAX
]
ints = st.one_of(st.sampled_from(EDGES), st.integers(INT_MIN, INT_MAX), st.integers(-70, 70))
FUNCTION = Function(1, "f", ())
anything = st.one_of(ints, st.booleans(), st.none(), st.just(FUNCTION))
COMPARISONS = ("LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL", "IS", "IS_NOT")


def f() -> None:
    """CPython's counterpart of FUNCTION."""


def theirs(value: Value) -> object:
    return f if isinstance(value, Function) else value


def python(expression: str, **operands: Value) -> object:
    """What CPython makes of it: a value, or a Fault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = eval(expression, {name: theirs(value) for name, value in operands.items()})
    except (TypeError, ZeroDivisionError, ValueError) as error:
        return Fault(type(error).__name__, str(error))
    if isinstance(result, int) and not INT_MIN <= result <= INT_MAX:
        return values.TOO_BIG
    return FUNCTION if isinstance(result, types.FunctionType) else result


def identical(ours: object, other: object) -> bool:
    return type(ours) is type(other) and ours == other


@pytest.mark.parametrize("op", sorted(values.BINARY))
@given(left=anything, right=anything)
def test_binary(op: str, left: Value, right: Value) -> None:
    if op == "SHL" and isinstance(right, int) and right > 200:
        right = 200  # CPython computes it in full
    assert identical(values.binary(op, left, right), python(f"a {values.SYMBOLS[op]} b", a=left, b=right))


@given(left=anything, right=st.integers(-20, 20))
def test_add_immediate_is_an_addition_or_a_subtraction(left: Value, right: int) -> None:
    expression = f"a - {-right}" if right < 0 else f"a + {right}"
    assert identical(values.binary("ADDI", left, right), python(expression, a=left))


@pytest.mark.parametrize("op", [*values.UNARY, "NOT"])
@given(value=anything)
def test_unary(op: str, value: Value) -> None:
    assert identical(values.unary(op, value), python(f"{values.SYMBOLS[op]} a", a=value))


@pytest.mark.parametrize("op", COMPARISONS[:-2])
@given(left=anything, right=anything)
def test_compare(op: str, left: Value, right: Value) -> None:
    assert identical(values.compare(op, left, right), python(f"a {values.SYMBOLS[op]} b", a=left, b=right))


@given(left=st.one_of(st.booleans(), st.none(), st.integers(-5, 200)), right=st.one_of(st.booleans(), st.none()))
def test_identity(left: Value, right: Value) -> None:
    assert values.compare("IS", left, right) is python("a is b", a=left, b=right)
    assert values.compare("IS_NOT", left, right) is python("a is not b", a=left, b=right)


def test_identity_of_ints_and_functions() -> None:
    assert values.compare("IS", INT_MAX, int(str(INT_MAX))) is True, "ints have no identity of their own"
    assert values.compare("IS", FUNCTION, Function(2, "f", ())) is False


@pytest.mark.parametrize("left", [0, 1, -1, INT_MAX])
def test_a_huge_shift_is_not_computed(left: int) -> None:
    assert values.binary("SHL", left, INT_MAX) == (values.TOO_BIG if left else 0)
    assert values.binary("SHR", left, INT_MAX) == (-1 if left < 0 else 0)


@given(start=anything, end=anything, step=anything)
def test_ranges(start: Value, end: Value, step: Value) -> None:
    expected = _range(start, end, step)
    ours = values.range_values(start, end, step)
    if isinstance(expected, Fault):
        assert ours == expected
        return
    assert isinstance(ours, tuple)
    first, turns, by = ours
    assert (turns > 0, by) == (len(expected[:1]) == 1, step)
    if turns:
        assert identical(first, expected[0])
        assert first + (turns - 1) * by == expected[-1]


def _range(start: Value, end: Value, step: Value) -> range | Fault:
    try:
        return range(theirs(start), theirs(end), theirs(step))  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError) as error:
        return Fault(type(error).__name__, str(error))


@pytest.mark.parametrize("takes", range(5))
@pytest.mark.parametrize("given_", range(6))
def test_the_messages_of_wrong_calls_are_cpythons(takes: int, given_: int) -> None:
    names = tuple("abcde"[:takes])
    scope: dict[str, Any] = {}
    exec(f"def f({', '.join(names)}): pass", scope)
    expected = None
    try:
        scope["f"](*range(given_))
    except TypeError as error:
        expected = Fault("TypeError", str(error))
    assert values.call_fault(Function(1, "f", names), given_) == expected


@pytest.mark.parametrize("callee", [None, True, 3])
def test_what_is_no_function_cannot_be_called(callee: Value) -> None:
    assert values.call_fault(callee, 0) == python("a()", a=callee)


@given(anything)
def test_text_and_truth(value: Value) -> None:
    assert values.truth(value) == bool(theirs(value))
    if not isinstance(value, Function):
        assert values.text(value) == str(value)
    else:
        assert values.text(value) == "<function f>"


def test_constants_become_values() -> None:
    program = Program("f", "", (), (7, FunctionConstant(0)), (), ())
    assert values.constant(program, 0) == 7
    assert [values.small(n) for n in (5, -(2**30), -(2**30) + 1, -(2**30) + 2)] == [5, None, False, True]
