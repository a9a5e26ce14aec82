"""Arithmetic, bits and comparison.  Fast: ints.  Slow: bools, which are the ints 0 and 1.  The rest raises.

A family of opcodes is a function that returns their handlers: the fast one and the slow one.
"""

# ruff: noqa: ARG001  -- the members of a family have one signature

from __future__ import annotations

from collections.abc import Callable

from safepoint_vm.handlers.leaving import fault
from safepoint_vm.machine import Immediate, Machine, Slot
from safepoint_vm.vocabulary import (
    Exit,
    Value,
    Word,
    add_overflows,
    below,
    inline,
    mul_overflows,
    opcode,
    slow,
    sub_overflows,
)
from safepoint_vm.words import as_number, both_ints, is_bool, is_int, is_true, truth_word

Handler = Callable[..., Exit]
Overflowing = Callable[[Word, Word], tuple[Word, bool]]


def named(name: str, handler: Handler) -> Handler:
    """A handler that a family made, under its own name."""
    handler.__name__ = handler.__qualname__ = name
    return handler


# ---- + - *


def overflowing(name: str, compute: Overflowing, shift: int = 0) -> Handler:
    """dst = left op right, unless it leaves 63 bits.  `shift`: how far the left operand is untagged."""

    @slow
    def with_bools(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = as_number(vm[left]), as_number(vm[right])
        if both_ints(x, y):
            result, overflow = compute(x >> shift, y)
            if not overflow:
                vm[dst] = Value(result)
                return vm.next()
        return fault(vm)

    named(f"slow_{name.lower()}", with_bools)

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if both_ints(x, y):
            result, overflow = compute(x >> shift, y)
            if not overflow:
                vm[dst] = Value(result)
                return vm.next()
        return with_bools(vm, dst, left, right)

    return named(name, fast)


ADD = overflowing("ADD", add_overflows)
SUB = overflowing("SUB", sub_overflows)
MUL = overflowing("MUL", mul_overflows, shift=1)


@slow
def slow_addi(vm: Machine, dst: Slot, left: Slot, right: Immediate) -> Exit:
    x = as_number(vm[left])
    if is_int(x):
        result, overflow = add_overflows(x, right)
        if not overflow:
            vm[dst] = Value(result)
            return vm.next()
    return fault(vm)


@opcode
def ADDI(vm: Machine, dst: Slot, left: Slot, right: Immediate) -> Exit:
    """dst = left + a small int, tagged when it was assembled"""
    x = vm[left]
    if is_int(x):
        result, overflow = add_overflows(x, right)
        if not overflow:
            vm[dst] = Value(result)
            return vm.next()
    return slow_addi(vm, dst, left, right)


# ---- // % << >>: each is (result, whether there is one), of tagged ints


@inline
def floor_quotient(x: Value, y: Value) -> Word:
    """Python's //: rounded down, untagged.  y is not 0; the quotient of the tagged ints is that of the ints."""
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


@inline
def shl_possible(x: Value, y: Value) -> bool:
    """A result of 63 bits comes back when it is shifted back."""
    if y < 0:
        return False
    if x == 0:
        return True
    count = y >> 1
    return below(count, Word(63)) and (x << (count & 63)) >> (count & 63) == x


@inline
def shl(x: Value, y: Value) -> Word:
    if x == 0:
        return Word(0)
    return x << ((y >> 1) & 63)


@inline
def shr_possible(x: Value, y: Value) -> bool:
    return y >= 0


@inline
def shr(x: Value, y: Value) -> Word:
    """Far shifts leave the sign."""
    if y > 2 * 62:
        return (x >> 63) << 1
    return (x >> ((y >> 1) & 63)) & ~1


def partial(name: str, possible: Callable[[Value, Value], bool], compute: Callable[[Value, Value], Word]) -> Handler:
    """dst = left op right, where there is a result."""

    @slow
    def with_bools(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = as_number(vm[left]), as_number(vm[right])
        if both_ints(x, y):
            if possible(x, y):
                vm[dst] = Value(compute(x, y))
                return vm.next()
        return fault(vm)

    named(f"slow_{name.lower()}", with_bools)

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if both_ints(x, y):
            if possible(x, y):
                vm[dst] = Value(compute(x, y))
                return vm.next()
        return with_bools(vm, dst, left, right)

    return named(name, fast)


FLOORDIV = partial("FLOORDIV", floordiv_possible, floordiv)
MOD = partial("MOD", mod_possible, mod)
SHL = partial("SHL", shl_possible, shl)
SHR = partial("SHR", shr_possible, shr)


# ---- & | ^


@inline
def bits_and(x: Value, y: Value) -> Word:
    return x & y


@inline
def bits_or(x: Value, y: Value) -> Word:
    return x | y


@inline
def bits_xor(x: Value, y: Value) -> Word:
    return x ^ y


def bitwise(name: str, compute: Callable[[Value, Value], Word]) -> Handler:
    """dst = left op right; of two bools it is a bool."""

    @slow
    def with_bools(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = as_number(vm[left]), as_number(vm[right])
        if not both_ints(x, y):
            return fault(vm)
        result = compute(x, y)
        if is_bool(vm[left]) and is_bool(vm[right]):
            vm[dst] = truth_word(result != 0)
            return vm.next()
        vm[dst] = Value(result)
        return vm.next()

    named(f"slow_{name.lower()}", with_bools)

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if both_ints(x, y):
            vm[dst] = Value(compute(x, y))
            return vm.next()
        return with_bools(vm, dst, left, right)

    return named(name, fast)


AND = bitwise("AND", bits_and)
OR = bitwise("OR", bits_or)
XOR = bitwise("XOR", bits_xor)


# ---- - + ~ not


@inline
def negated(x: Value) -> Word:
    return 0 - x


@inline
def itself(x: Value) -> Word:
    return x


@inline
def inverted(x: Value) -> Word:
    """-x - 1"""
    return x ^ ~1


@inline
def negatable(x: Value) -> bool:
    """Only -INT_MIN does not fit."""
    return x == 0 or 0 - x != x


@inline
def always(x: Value) -> bool:
    return True


def unary(name: str, possible: Callable[[Value], bool], compute: Callable[[Value], Word]) -> Handler:
    """dst = op src"""

    @slow
    def with_bools(vm: Machine, dst: Slot, src: Slot) -> Exit:
        x = as_number(vm[src])
        if is_int(x):
            if possible(x):
                vm[dst] = Value(compute(x))
                return vm.next()
        return fault(vm)

    named(f"slow_{name.lower()}", with_bools)

    @opcode
    def fast(vm: Machine, dst: Slot, src: Slot) -> Exit:
        x = vm[src]
        if is_int(x):
            if possible(x):
                vm[dst] = Value(compute(x))
                return vm.next()
        return with_bools(vm, dst, src)

    return named(name, fast)


NEG = unary("NEG", negatable, negated)
POS = unary("POS", always, itself)
INVERT = unary("INVERT", always, inverted)


@opcode
def NOT(vm: Machine, dst: Slot, src: Slot) -> Exit:
    """dst = not src"""
    vm[dst] = truth_word(not is_true(vm[src]))
    return vm.next()


# ---- comparison: the order of tagged ints is that of the ints


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


def ordering(name: str, holds: Callable[[Value, Value], bool]) -> Handler:
    """dst = left op right, of numbers"""

    @slow
    def with_bools(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = as_number(vm[left]), as_number(vm[right])
        if both_ints(x, y):
            vm[dst] = truth_word(holds(x, y))
            return vm.next()
        return fault(vm)

    named(f"slow_{name.lower()}", with_bools)

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if both_ints(x, y):
            vm[dst] = truth_word(holds(x, y))
            return vm.next()
        return with_bools(vm, dst, left, right)

    return named(name, fast)


LESS = ordering("LESS", is_less)
LESS_EQUAL = ordering("LESS_EQUAL", is_less_equal)
GREATER = ordering("GREATER", is_greater)
GREATER_EQUAL = ordering("GREATER_EQUAL", is_greater_equal)


@inline
def is_equal(x: Value, y: Value) -> bool:
    return x == y


@inline
def is_not_equal(x: Value, y: Value) -> bool:
    return x != y


def equality(name: str, holds: Callable[[Value, Value], bool]) -> Handler:
    """dst = left op right, of any values: words that differ are different things, but that True is 1 and False 0."""

    @slow
    def of_any(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        vm[dst] = truth_word(holds(as_number(vm[left]), as_number(vm[right])))
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


EQUAL = equality("EQUAL", is_equal)
NOT_EQUAL = equality("NOT_EQUAL", is_not_equal)


@opcode
def IS(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """dst = left is right"""
    vm[dst] = truth_word(vm[left] == vm[right])
    return vm.next()


@opcode
def IS_NOT(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """dst = left is not right"""
    vm[dst] = truth_word(vm[left] != vm[right])
    return vm.next()
