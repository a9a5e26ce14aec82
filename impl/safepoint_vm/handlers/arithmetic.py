"""Arithmetic, bits and comparison.  Fast: ints, and floats that need no box.  Slow: bools, which are the ints 0 and 1, and
numbers of two kinds; strings.  The rest is the host's.

A family of opcodes is a function that returns their handlers: the fast one and the slow one.
"""

# ruff: noqa: ARG001  -- the members of a family have one signature

from __future__ import annotations

from collections.abc import Callable

from safepoint_vm.handlers.allocating import float_value, no_room
from safepoint_vm.handlers.leaving import fault, hosted
from safepoint_vm.handlers.numbers import (
    both_numbers,
    comparable,
    float_difference,
    float_equal,
    float_greater,
    float_greater_equal,
    float_less,
    float_less_equal,
    float_not_equal,
    float_product,
    float_sum,
    packed_difference,
    packed_product,
    packed_quotient,
    packed_sum,
)
from safepoint_vm.handlers.strings import extend, join, order_of_strings, repeat
from safepoint_vm.machine import Immediate, Machine, Slot
from safepoint_vm.vocabulary import (
    Exit,
    Float,
    Value,
    Word,
    add_overflows,
    below,
    inline,
    int_to_float,
    mul_overflows,
    opcode,
    slow,
    sub_overflows,
)
from safepoint_vm.words import (
    FALSE_WORD,
    TRUE_WORD,
    String,
    as_float,
    as_number,
    both_floats,
    both_ints,
    is_bool,
    is_float,
    is_int,
    is_number,
    is_object,
    is_reference,
    is_string,
    is_true,
    pack,
    scaled,
    truth_word,
)

Handler = Callable[..., Exit]
Overflowing = Callable[[Word, Word], tuple[Word, bool]]
Packed = Callable[[Value, Value], Value]
OfFloats = Callable[[Float, Float], Float]
FloatTest = Callable[[Float, Float], bool]


def named(name: str, handler: Handler) -> Handler:
    """A handler that a family made, under its own name."""
    handler.__name__ = handler.__qualname__ = name
    return handler


# ---- + - *


@slow
def hosted_binary(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    return hosted(vm)


def overflowing(
    name: str, compute: Overflowing, packed: Packed, of_floats: OfFloats, otherwise: Handler, shift: int = 0
) -> Handler:
    """dst = left op right.  `shift`: how far a left int is untagged; `packed`: of floats in range, perhaps beyond it;
    `otherwise`: where values go that are no numbers, and results that leave 63 bits.
    """

    @slow
    def of_numbers(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = as_number(vm[left]), as_number(vm[right])
        if both_ints(x, y):
            result, overflow = compute(x >> shift, y)
            if not overflow:
                vm[dst] = Value(result)
                return vm.next()
        elif both_numbers(x, y):
            number = float_value(vm.thread, of_floats(as_float(x), as_float(y)))
            if number == 0:
                return no_room(vm)
            vm[dst] = number
            return vm.next()
        return otherwise(vm, dst, left, right)

    named(f"slow_{name.lower()}", of_numbers)

    @opcode
    def fast(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = vm[left], vm[right]
        if both_ints(x, y):
            result, overflow = compute(x >> shift, y)
            if not overflow:
                vm[dst] = Value(result)
                return vm.next()
        elif both_floats(x, y):
            number = packed(x, y)
            if is_float(number):
                vm[dst] = number
                return vm.next()
        return of_numbers(vm, dst, left, right)

    return named(name, fast)


ADD = overflowing("ADD", add_overflows, packed_sum, float_sum, join)
IADD = overflowing("IADD", add_overflows, packed_sum, float_sum, extend)
SUB = overflowing("SUB", sub_overflows, packed_difference, float_difference, hosted_binary)
MUL = overflowing("MUL", mul_overflows, packed_product, float_product, repeat, shift=1)
IMUL = overflowing("IMUL", mul_overflows, packed_product, float_product, hosted_binary, shift=1)


@slow
def slow_truediv(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """Ints beyond 53 bits are the host's: CPython rounds their quotient once."""
    x, y = as_number(vm[left]), as_number(vm[right])
    if comparable(x, y):
        if as_float(y) != 0.0:
            number = float_value(vm.thread, as_float(x) / as_float(y))
            if number == 0:
                return no_room(vm)
            vm[dst] = number
            return vm.next()
    return hosted(vm)


@opcode
def TRUEDIV(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """dst = left / right"""
    x, y = vm[left], vm[right]
    if both_floats(x, y):
        number = packed_quotient(x, y)
        if is_float(number):
            vm[dst] = number
            return vm.next()
    return slow_truediv(vm, dst, left, right)


@opcode
def POWER(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """dst = left ** right"""
    return hosted(vm)


@slow
def slow_addi(vm: Machine, dst: Slot, left: Slot, right: Immediate) -> Exit:
    x = as_number(vm[left])
    if is_int(x):
        result, overflow = add_overflows(x, right)
        if not overflow:
            vm[dst] = Value(result)
            return vm.next()
    elif is_number(x):
        number = float_value(vm.thread, as_float(x) + int_to_float(right >> 1))
        if number == 0:
            return no_room(vm)
        vm[dst] = number
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
        return hosted(vm)

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
            return hosted(vm)
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


@slow
def hosted_unary(vm: Machine, dst: Slot, src: Slot) -> Exit:
    return hosted(vm)


@slow
def negated_float(vm: Machine, dst: Slot, src: Slot) -> Exit:
    """The sign is where the tag does not see it."""
    x = vm[src]
    if is_float(x):
        vm[dst] = pack(-1.0 * scaled(x))
        return vm.next()
    return hosted(vm)


def unary(
    name: str, possible: Callable[[Value], bool], compute: Callable[[Value], Word], otherwise: Handler = hosted_unary
) -> Handler:
    """dst = op src"""

    @slow
    def with_bools(vm: Machine, dst: Slot, src: Slot) -> Exit:
        x = as_number(vm[src])
        if is_int(x):
            if possible(x):
                vm[dst] = Value(compute(x))
                return vm.next()
        return otherwise(vm, dst, src)

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


NEG = unary("NEG", negatable, negated, negated_float)
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
