"""+ - * /.  Fast: ints, and floats that need no box.  Slow: bools (as 0 and 1), mixed numbers, strings, lists.  The
host executes the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from safepoint_vm.handlers.concat import extend, join, repeat, repeat_in_place
from safepoint_vm.handlers.exceptions import known
from safepoint_vm.handlers.shared.allocation import float_value, no_room
from safepoint_vm.handlers.shared.exits import fault, hosted
from safepoint_vm.handlers.shared.families import HandlerFunction, hosted_binary, named
from safepoint_vm.handlers.shared.numbers import (
    both_numbers,
    comparable,
    float_difference,
    float_product,
    float_sum,
    packed_difference,
    packed_product,
    packed_quotient,
    packed_sum,
)
from safepoint_vm.handlers.shared.values import as_float, as_number, both_floats, both_ints, is_float, is_int, is_number
from safepoint_vm.language.machine import Immediate, Machine, Slot
from safepoint_vm.language.vocabulary import (
    Exit,
    Float,
    Value,
    Word,
    add_overflows,
    int_to_float,
    mul_overflows,
    opcode,
    slow,
    sub_overflows,
)

Overflowing = Callable[[Word, Word], tuple[Word, bool]]
Packed = Callable[[Value, Value], Value]
OfFloats = Callable[[Float, Float], Float]


def overflowing(
    name: str, compute: Overflowing, packed: Packed, of_floats: OfFloats, otherwise: HandlerFunction, shift: int = 0
) -> HandlerFunction:
    """dst = left op right.  `shift`: how far a left int is untagged; `packed`: for unboxed floats, perhaps out of range;
    `otherwise`: for values that are not numbers, and results beyond 63 bits.
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
IMUL = overflowing("IMUL", mul_overflows, packed_product, float_product, repeat_in_place, shift=1)


int_truediv, float_truediv = known("int_truediv"), known("float_truediv")


@slow
def slow_truediv(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """The host divides ints beyond 53 bits: CPython rounds their quotient only once."""
    x, y = as_number(vm[left]), as_number(vm[right])
    if comparable(x, y):
        if as_float(y) != 0.0:
            number = float_value(vm.thread, as_float(x) / as_float(y))
            if number == 0:
                return no_room(vm)
            vm[dst] = number
            return vm.next()
        if both_ints(x, y):
            return int_truediv(vm)
        return float_truediv(vm)
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
    """dst = left + a small int, tagged by the assembler"""
    x = vm[left]
    if is_int(x):
        result, overflow = add_overflows(x, right)
        if not overflow:
            vm[dst] = Value(result)
            return vm.next()
    return slow_addi(vm, dst, left, right)
