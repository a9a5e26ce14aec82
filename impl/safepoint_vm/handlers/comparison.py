"""Comparison, identity and `in`.  Fast: ints, whose order is that of their tagged words, and floats that need no box."""

from __future__ import annotations

from collections.abc import Callable

from safepoint_vm.handlers.shared.compare_values import (
    ABOVE,
    BELOW,
    HOSTED,
    NO,
    SAME,
    YES,
    compare,
    contains,
    equal,
    identical,
)
from safepoint_vm.handlers.shared.exits import hosted
from safepoint_vm.handlers.shared.families import HandlerFunction, named
from safepoint_vm.handlers.shared.numbers import float_greater, float_greater_equal, float_less, float_less_equal
from safepoint_vm.handlers.shared.values import both_floats, both_ints, is_object, scaled, truth_word
from safepoint_vm.handlers.shared.work import begin_work
from safepoint_vm.language.machine import Machine, Slot
from safepoint_vm.language.vocabulary import Exit, Float, Value, Word, inline, opcode, slow

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


def ordering(name: str, holds: Callable[[Value, Value], bool], of_floats: FloatTest, wanted: int) -> HandlerFunction:
    """dst = left op right.  `wanted`: the answers of `compare` that mean True."""

    @slow
    def of_any(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        begin_work(vm.thread)
        found = compare(vm.thread, vm[left], vm[right], Word(0))
        if found == HOSTED:
            return hosted(vm)
        vm[dst] = truth_word(found & wanted != 0)
        return vm.next()

    named(f"slow_{name.lower()}", of_any)

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if both_ints(x, y):
            vm[dst] = truth_word(holds(x, y))
            return vm.next()
        if both_floats(x, y):
            vm[dst] = truth_word(of_floats(scaled(x), scaled(y)))
            return vm.next()
        return of_any(vm, dst, left, right)

    return named(name, fast)


LESS = ordering("LESS", is_less, float_less, BELOW)
LESS_EQUAL = ordering("LESS_EQUAL", is_less_equal, float_less_equal, BELOW | SAME)
GREATER = ordering("GREATER", is_greater, float_greater, ABOVE)
GREATER_EQUAL = ordering("GREATER_EQUAL", is_greater_equal, float_greater_equal, ABOVE | SAME)


@inline
def is_equal(x: Value, y: Value) -> bool:
    return x == y


@inline
def is_not_equal(x: Value, y: Value) -> bool:
    return x != y


def equality(name: str, holds: Callable[[Value, Value], bool], wanted: int) -> HandlerFunction:
    """dst = left op right, for any values.  `wanted`: the answer of `equal` that means True."""

    @slow
    def of_any(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        begin_work(vm.thread)
        found = equal(vm.thread, vm[left], vm[right], Word(0))
        if found == HOSTED:
            return hosted(vm)
        vm[dst] = truth_word(found == wanted)
        return vm.next()

    named(f"slow_{name.lower()}", of_any)

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if both_ints(x, y):
            vm[dst] = truth_word(holds(x, y))
            return vm.next()
        return of_any(vm, dst, left, right)

    return named(name, fast)


EQUAL = equality("EQUAL", is_equal, YES)
NOT_EQUAL = equality("NOT_EQUAL", is_not_equal, NO)


def identity(name: str, wanted: int) -> HandlerFunction:
    """dst = left is right, or is not."""

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        found = Word(YES)
        if x != y:
            found = Word(NO)
            if is_object(x) and is_object(y):
                found = identical(vm.thread, x, y)
        if found == HOSTED:
            return hosted(vm)
        vm[dst] = truth_word(found == wanted)
        return vm.next()

    return named(name, fast)


IS = identity("IS", YES)
IS_NOT = identity("IS_NOT", NO)


def membership(name: str, wanted: int) -> HandlerFunction:
    """dst = left in right, or not in."""

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        found = contains(vm.thread, vm[right], vm[left])
        if found == HOSTED:
            return hosted(vm)
        vm[dst] = truth_word(found == wanted)
        return vm.next()

    return named(name, fast)


IN = membership("IN", YES)
NOT_IN = membership("NOT_IN", NO)
