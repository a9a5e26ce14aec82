"""Comparison, identity, and `in`.  The order of tagged ints is that of the ints."""

# ruff: noqa: ARG001  -- the signature is the encoding: an operand need not be used

from __future__ import annotations

from collections.abc import Callable

from safepoint_vm.handlers.families import Handler, named
from safepoint_vm.handlers.leaving import hosted
from safepoint_vm.handlers.numbers import (
    both_numbers,
    comparable,
    float_equal,
    float_greater,
    float_greater_equal,
    float_less,
    float_less_equal,
    float_not_equal,
)
from safepoint_vm.handlers.strings import order_of_strings
from safepoint_vm.machine import Machine, Slot
from safepoint_vm.values import (
    as_float,
    as_number,
    both_floats,
    both_ints,
    is_object,
    is_reference,
    is_string,
    scaled,
    truth_word,
)
from safepoint_vm.vocabulary import Exit, Float, Value, inline, opcode, slow
from safepoint_vm.words import FALSE_WORD, TRUE_WORD, String

FloatTest = Callable[[Float, Float], bool]


@inline
def is_less(x: Value, y: Value) -> bool:
    return x < y


@inline
def is_less_equal(x: Value, y: Value) -> bool:
    return x <= y


@inline
def is_greater(x: Value, y: Value) -> bool:
    return x > y


@inline
def is_greater_equal(x: Value, y: Value) -> bool:
    return x >= y


def ordering(name: str, holds: Callable[[Value, Value], bool], of_floats: FloatTest, otherwise: Handler) -> Handler:
    """dst = left op right"""

    @slow
    def of_numbers(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = as_number(vm[left]), as_number(vm[right])
        if both_ints(x, y):
            vm[dst] = truth_word(holds(x, y))
            return vm.next()
        if comparable(x, y):
            vm[dst] = truth_word(of_floats(as_float(x), as_float(y)))
            return vm.next()
        return otherwise(vm, dst, left, right)

    named(f"slow_{name.lower()}", of_numbers)

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if both_ints(x, y):
            vm[dst] = truth_word(holds(x, y))
            return vm.next()
        if both_floats(x, y):
            vm[dst] = truth_word(of_floats(scaled(x), scaled(y)))
            return vm.next()
        return of_numbers(vm, dst, left, right)

    return named(name, fast)


def ordering_of_strings(name: str, holds: Callable[[Value, Value], bool]) -> Handler:
    """Where a comparison goes that is not one of numbers.  `holds`: of their order and 0."""

    @slow
    def of_strings(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if is_string(x) and is_string(y):
            vm[dst] = truth_word(holds(Value(order_of_strings(String(x), String(y))), Value(0)))
            return vm.next()
        return hosted(vm)

    return named(f"strings_{name.lower()}", of_strings)


LESS = ordering("LESS", is_less, float_less, ordering_of_strings("LESS", is_less))
LESS_EQUAL = ordering("LESS_EQUAL", is_less_equal, float_less_equal, ordering_of_strings("LESS_EQUAL", is_less_equal))
GREATER = ordering("GREATER", is_greater, float_greater, ordering_of_strings("GREATER", is_greater))
GREATER_EQUAL = ordering(
    "GREATER_EQUAL", is_greater_equal, float_greater_equal, ordering_of_strings("GREATER_EQUAL", is_greater_equal)
)


@inline
def is_equal(x: Value, y: Value) -> bool:
    return x == y


@inline
def is_not_equal(x: Value, y: Value) -> bool:
    return x != y


def equality(name: str, holds: Callable[[Value, Value], bool], of_floats: FloatTest, otherwise: Handler) -> Handler:
    """dst = left op right, of any values: True is 1 and False 0, an int may equal a float; of other plain values the words
    are compared.
    """

    @slow
    def of_any(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = as_number(vm[left]), as_number(vm[right])
        if comparable(x, y) and not both_ints(x, y):
            vm[dst] = truth_word(of_floats(as_float(x), as_float(y)))
            return vm.next()
        if both_ints(x, y) or (not is_reference(x) and not is_reference(y) and not both_numbers(x, y)):
            vm[dst] = truth_word(holds(x, y))
            return vm.next()
        return otherwise(vm, dst, left, right)

    named(f"slow_{name.lower()}", of_any)

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if both_ints(x, y):
            vm[dst] = truth_word(holds(x, y))
            return vm.next()
        return of_any(vm, dst, left, right)

    return named(name, fast)


EQUAL = equality("EQUAL", is_equal, float_equal, ordering_of_strings("EQUAL", is_equal))
NOT_EQUAL = equality("NOT_EQUAL", is_not_equal, float_not_equal, ordering_of_strings("NOT_EQUAL", is_not_equal))


def identity(name: str, when_same: int, when_not: int) -> Handler:
    """dst = left is right, or is not.  Strings and boxed floats have no identity: the host compares them."""

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if x == y:
            vm[dst] = Value(when_same)
            return vm.next()
        if is_object(x) and is_object(y):
            return hosted(vm)
        vm[dst] = Value(when_not)
        return vm.next()

    return named(name, fast)


IS = identity("IS", TRUE_WORD, FALSE_WORD)
IS_NOT = identity("IS_NOT", FALSE_WORD, TRUE_WORD)


@opcode
def IN(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """dst = left in right"""
    return hosted(vm)


@opcode
def NOT_IN(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """dst = left not in right"""
    return hosted(vm)
