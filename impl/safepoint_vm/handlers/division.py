"""// % **"""

# ruff: noqa: ARG001  -- the members of a family have one signature

from __future__ import annotations

import math
from collections.abc import Callable

from safepoint_vm.handlers.exceptions import known
from safepoint_vm.handlers.shared.allocation import float_value, no_room
from safepoint_vm.handlers.shared.exits import hosted
from safepoint_vm.handlers.shared.families import HandlerFunction, named, partial
from safepoint_vm.handlers.shared.numbers import EXACT_FLOAT, SIGN, both_numbers, is_finite
from safepoint_vm.handlers.shared.values import as_float, as_number, both_ints
from safepoint_vm.language.machine import Machine, Slot
from safepoint_vm.language.vocabulary import (
    Exit,
    Float,
    Value,
    Word,
    add_overflows,
    bits_of_float,
    float_floor,
    float_from_bits,
    float_power,
    float_remainder,
    float_to_int,
    inline,
    mul_overflows,
    opcode,
    routine,
    slow,
)
from safepoint_vm.language.words import UNSET_WORD


@inline
def floor_quotient(x: Value, y: Value) -> Word:
    """Python's //, rounded down, untagged: the quotient of tagged ints is that of the ints.  y is not 0."""
    quotient = x // y
    rest = x - quotient * y
    if rest != 0 and (rest ^ y) < 0:
        return quotient - 1
    return quotient


@inline
def floordiv_possible(x: Value, y: Value) -> bool:
    """Only INT_MIN // -1 does not fit."""
    if y == 0:
        return False
    quotient = floor_quotient(x, y)
    _doubled, overflow = add_overflows(quotient, quotient)
    return not overflow


@inline
def floordiv(x: Value, y: Value) -> Word:
    return floor_quotient(x, y) << 1


@inline
def mod_possible(x: Value, y: Value) -> bool:
    return y != 0


@inline
def mod(x: Value, y: Value) -> Word:
    return x - floor_quotient(x, y) * y


# ---- floats: as CPython computes them, step by step


@inline
def zero_like(x: Float) -> Float:
    """0.0 or -0.0"""
    return float_from_bits(bits_of_float(x) & SIGN)


@inline
def float_mod(x: Float, y: Float) -> Float:
    """Python's %: the result has the sign of y, even if it is a zero."""
    rest = float_remainder(x, y)
    if rest == 0.0:
        return zero_like(y)
    if (rest < 0.0) != (y < 0.0):
        return rest + y
    return rest


@inline
def float_floordiv(x: Float, y: Float) -> Float:
    rest = float_remainder(x, y)
    quotient = (x - rest) / y
    if rest != 0.0 and (rest < 0.0) != (y < 0.0):
        quotient = quotient - 1.0
    if quotient == 0.0:
        return zero_like(x / y)
    rounded = float_floor(quotient)
    if quotient - rounded > 0.5:
        return rounded + 1.0
    return rounded


def of_floats(name: str, compute: Callable[[Float, Float], Float]) -> HandlerFunction:
    """A handler for divisions of floats, mixed numbers, and by zero."""
    int_zero, float_zero = known(f"int_{name}"), known(f"float_{name}")

    @slow
    def of_numbers(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = as_number(vm[left]), as_number(vm[right])
        if both_ints(x, y):
            if y == 0:
                return int_zero(vm)
        elif both_numbers(x, y):
            if as_float(y) == 0.0:
                return float_zero(vm)
            number = float_value(vm.thread, compute(as_float(x), as_float(y)))
            if number == 0:
                return no_room(vm)
            vm[dst] = number
            return vm.next()
        return hosted(vm)

    return named(f"floats_{name}", of_numbers)


FLOORDIV = partial("FLOORDIV", floordiv_possible, floordiv, of_floats("floordiv", float_floordiv))
MOD = partial("MOD", mod_possible, mod, of_floats("mod", float_mod))


# ---- **


@inline
def is_odd(x: Float) -> bool:
    """Is a whole number below 2**53 odd?"""
    return float_to_int(x) & 1 != 0


@routine
def int_power(x: Value, y: Value) -> Value:
    """x ** y for y >= 0.  UNSET: it does not fit in 63 bits."""
    base, times, result = x >> 1, y >> 1, Word(1)
    while times != 0:
        if times & 1 != 0:
            product, overflow = mul_overflows(result, base)
            if overflow:
                return Value(UNSET_WORD)
            result = product
        times = times >> 1
        if times != 0:
            square, overflow = mul_overflows(base, base)
            if overflow:
                return Value(UNSET_WORD)
            base = square
    doubled, overflow = add_overflows(result, result)
    if overflow:
        return Value(UNSET_WORD)
    return Value(doubled)


@routine
def ordinary_power(x: Float, y: Float) -> Float:
    """x ** y; nan: the host decides, as for infinities, results that are not finite, signed zeros, complex numbers."""
    if x == 0.0 and (y <= 0.0 or bits_of_float(x) == SIGN):
        return Float(math.nan)
    if not (is_finite(x) and y > -EXACT_FLOAT and y < EXACT_FLOAT):
        return Float(math.nan)
    result = float_power(float_from_bits(bits_of_float(x) & ~SIGN), y)
    if not is_finite(result):
        return Float(math.nan)
    if x < 0.0:
        if float_floor(y) != y:
            return Float(math.nan)
        if is_odd(y):
            return -1.0 * result
    return result


@opcode
def POWER(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """dst = left ** right"""
    x, y = as_number(vm[left]), as_number(vm[right])
    if both_ints(x, y) and y >= 0:
        result = int_power(x, y)
        if result != UNSET_WORD:
            vm[dst] = result
            return vm.next()
    elif both_numbers(x, y):
        power = ordinary_power(as_float(x), as_float(y))
        if is_finite(power):
            number = float_value(vm.thread, power)
            if number == 0:
                return no_room(vm)
            vm[dst] = number
            return vm.next()
    return hosted(vm)
