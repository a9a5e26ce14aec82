"""Unary operators: - + ~ not."""

# ruff: noqa: ARG001  -- the members of a family have one signature

from __future__ import annotations

from collections.abc import Callable

from safepoint_vm.handlers.shared.allocation import float_value, no_room
from safepoint_vm.handlers.shared.exits import hosted
from safepoint_vm.handlers.shared.families import HandlerFunction, named
from safepoint_vm.handlers.shared.values import as_float, as_number, is_int, is_number, is_true, truth_word
from safepoint_vm.language.machine import Machine, Slot
from safepoint_vm.language.vocabulary import Exit, Value, Word, inline, opcode, slow


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
    """False for INT_MIN only: its negation does not fit."""
    return x == 0 or 0 - x != x


@inline
def always(x: Value) -> bool:
    return True


@slow
def hosted_unary(vm: Machine, dst: Slot, src: Slot) -> Exit:
    return hosted(vm)


@slow
def negated_float(vm: Machine, dst: Slot, src: Slot) -> Exit:
    x = vm[src]
    if is_number(x) and not is_int(x):
        number = float_value(vm.thread, -1.0 * as_float(x))
        if number == 0:
            return no_room(vm)
        vm[dst] = number
        return vm.next()
    return hosted(vm)


@slow
def same_float(vm: Machine, dst: Slot, src: Slot) -> Exit:
    x = vm[src]
    if is_number(x):
        vm[dst] = x
        return vm.next()
    return hosted(vm)


def unary(
    name: str,
    possible: Callable[[Value], bool],
    compute: Callable[[Value], Word],
    otherwise: HandlerFunction = hosted_unary,
) -> HandlerFunction:
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
POS = unary("POS", always, itself, same_float)
INVERT = unary("INVERT", always, inverted)


@opcode
def NOT(vm: Machine, dst: Slot, src: Slot) -> Exit:
    """dst = not src"""
    vm[dst] = truth_word(not is_true(vm[src]))
    return vm.next()
