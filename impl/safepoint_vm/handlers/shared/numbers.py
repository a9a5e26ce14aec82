"""Arithmetic and comparison of floats, and of an int with a float."""

from __future__ import annotations

from safepoint_vm.handlers.shared.values import is_int, is_number, pack, scaled, unscaled
from safepoint_vm.language.vocabulary import Float, Value, inline

EXACT = 1 << 53  # a double represents every int up to here
EXACT_FLOAT = float(EXACT)
SIGN = -(1 << 63)  # the sign bit of a double


@inline
def packed_sum(x: Value, y: Value) -> Value:
    return pack(scaled(x) + scaled(y))


@inline
def packed_difference(x: Value, y: Value) -> Value:
    return pack(scaled(x) - scaled(y))


@inline
def packed_product(x: Value, y: Value) -> Value:
    return pack(scaled(x) * unscaled(y))


@inline
def packed_quotient(x: Value, y: Value) -> Value:
    return pack(scaled(x) / unscaled(y))


@inline
def float_sum(x: Float, y: Float) -> Float:
    return x + y


@inline
def float_difference(x: Float, y: Float) -> Float:
    return x - y


@inline
def float_product(x: Float, y: Float) -> Float:
    return x * y


@inline
def both_numbers(x: Value, y: Value) -> bool:
    return is_number(x) and is_number(y)


@inline
def is_finite(x: Float) -> bool:
    return x - x == 0.0


@inline
def is_exact(x: Value) -> bool:
    """Is a number unchanged by conversion to float?"""
    if is_int(x):
        return x >= -2 * EXACT and x <= 2 * EXACT
    return True


@inline
def comparable(x: Value, y: Value) -> bool:
    """Are these two numbers that can be compared as floats?"""
    if both_numbers(x, y):
        return is_exact(x) and is_exact(y)
    return False


@inline
def float_less(x: Float, y: Float) -> bool:
    return x < y


@inline
def float_less_equal(x: Float, y: Float) -> bool:
    return x <= y


@inline
def float_greater(x: Float, y: Float) -> bool:
    return x > y


@inline
def float_greater_equal(x: Float, y: Float) -> bool:
    return x >= y
