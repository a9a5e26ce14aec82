"""Families: a function that makes the handlers of several opcodes, the fast one and the slow one that it goes to."""

# ruff: noqa: ARG001  -- the members of a family have one signature

from __future__ import annotations

from collections.abc import Callable

from safepoint_vm.handlers.shared.exits import hosted
from safepoint_vm.handlers.shared.values import as_number, both_ints
from safepoint_vm.language.machine import Machine, Slot
from safepoint_vm.language.vocabulary import Exit, Value, Word, opcode, slow

HandlerFunction = Callable[..., Exit]


def named(name: str, handler: HandlerFunction) -> HandlerFunction:
    """Name a handler that a family made."""
    handler.__name__ = handler.__qualname__ = name
    return handler


@slow
def hosted_binary(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    return hosted(vm)


def partial(
    name: str,
    possible: Callable[[Value, Value], bool],
    compute: Callable[[Value, Value], Word],
    otherwise: HandlerFunction = hosted_binary,
) -> HandlerFunction:
    """dst = left op right, of ints for which it is `possible`; other operands go to `otherwise`."""

    @slow
    def with_bools(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
        x, y = as_number(vm[left]), as_number(vm[right])
        if both_ints(x, y):
            if possible(x, y):
                vm[dst] = Value(compute(x, y))
                return vm.next()
        return otherwise(vm, dst, left, right)

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
