"""Exceptions: making one is machine code; raising it, and finding who catches it, is the host's."""

# ruff: noqa: ARG001  -- the signature is the encoding: an operand need not be used

from __future__ import annotations

from safepoint_vm.handlers.allocating import bump, no_room
from safepoint_vm.handlers.leaving import fault, hosted
from safepoint_vm.machine import Count, Kind, Machine, Slot
from safepoint_vm.values import has_kind, truth_word
from safepoint_vm.vocabulary import Exit, Value, Word, inline, opcode
from safepoint_vm.words import EXCEPTION_HEADER, EXCEPTION_KIND, EXCEPTION_WORDS, OBJECT, UNSET_WORD, Heading, Raisable


@inline
def is_exception(x: Value) -> bool:
    return has_kind(x, Word(EXCEPTION_KIND))


@opcode
def EXCEPTION(vm: Machine, first: Slot, kind: Kind, count: Count) -> Exit:
    """first = kind(first, …)"""
    start = bump(vm.thread, Word(8 * EXCEPTION_WORDS))
    if start == 0:
        return no_room(vm)
    Heading(start).header = Word(EXCEPTION_HEADER | EXCEPTION_WORDS << 32)
    made = Raisable(start + OBJECT)
    made.kind = Value(kind << 1)
    made.trace = Value(UNSET_WORD)
    made.argument = Value(UNSET_WORD)
    if count != 0:
        made.argument = vm[first]
    vm[first] = Value(start + OBJECT)
    return vm.next()


@opcode
def RAISE(vm: Machine, src: Slot) -> Exit:
    """raise src: this place is added to its traceback"""
    return fault(vm)


@opcode
def RERAISE(vm: Machine, src: Slot) -> Exit:
    """raise src once more, where a handler did not want it: its traceback is as it was"""
    return fault(vm)


@opcode
def MATCHES(vm: Machine, dst: Slot, src: Slot, kind: Kind) -> Exit:
    """dst = src is an instance of kind"""
    x = vm[src]
    if is_exception(x):
        bases = vm.thread.ancestry[Raisable(x).kind >> 1]
        vm[dst] = truth_word((bases >> kind) & 1 != 0)
        return vm.next()
    return hosted(vm)
