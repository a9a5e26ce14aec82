"""<< >> & | ^"""

# ruff: noqa: ARG001  -- the members of a family have one signature

from __future__ import annotations

from collections.abc import Callable

from safepoint_vm.handlers.shared.exits import hosted
from safepoint_vm.handlers.shared.families import HandlerFunction, named, partial
from safepoint_vm.handlers.shared.values import as_number, both_ints, is_bool, truth_word
from safepoint_vm.language.machine import Machine, Slot
from safepoint_vm.language.vocabulary import Exit, Value, Word, below, inline, opcode, slow


@inline
def shl_possible(x: Value, y: Value) -> bool:
    """Does the result fit in 63 bits?  If so, shifting back restores x."""
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
    """Shifts of more than 62 bits leave the sign only."""
    if y > 2 * 62:
        return (x >> 63) << 1
    return (x >> ((y >> 1) & 63)) & ~1


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


def bitwise(name: str, compute: Callable[[Value, Value], Word]) -> HandlerFunction:
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
