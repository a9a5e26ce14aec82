"""Every opcode on floats, strings and lists, in machine code, against CPython's own operators and the reference machine's
definitions: results, types and messages.
"""

from __future__ import annotations

import builtins
import math
import operator
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from safepoint.guest.code import INT_MAX, INT_MIN
from safepoint.guest.operations.builtins import ARGUMENTS, BUILTINS
from tests.impl.values import BINARY, UNARY, anything, expected, given_by, nan_inside, reference, texts
from tests.values import HUGE, TINY, atoms, comparable, floats, ints, numerals


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
        assume(not unlike(op, left))
        assume(op not in ("MUL", "IMUL") or not large or max(x for x in (left, right) if isinstance(x, int)) <= 9)
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


@given(atoms, anything)
@example(0.0, -0.0)
@example(-0.0, -0.0)
@example(math.nan, -math.nan)
@example(1e300, 1e300)
@example("ab", "ab")
@example("ab", "ba")
def test_is_says_whether_type_and_value_are_the_same(left: Any, right: Any) -> None:
    same = not isinstance(right, list) and comparable(left) == comparable(right)
    assert given_by("IS", left, right) == comparable(same)
    assert given_by("IS_NOT", left, right) == comparable(not same)


@given(texts, texts, texts)
def test_a_string_is_found_in_a_longer_one(before: str, wanted: str, after: str) -> None:
    assert given_by("IN", wanted, before + wanted + after) == comparable(True)
    assert given_by("IN", wanted + "c", before + wanted + after) == comparable(False)


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
    assert found == comparable("".join(map(str, parts)))


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
        assume(least <= len(values) <= (most or 3))  # the examples above are for several functions
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
