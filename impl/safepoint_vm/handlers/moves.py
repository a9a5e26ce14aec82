"""Moving values: constants, slots, globals."""

# ruff: noqa: ARG001  -- the signature is the encoding: an operand need not be used

from __future__ import annotations

from safepoint_vm.handlers.shared.exits import fault
from safepoint_vm.language.machine import Constant, Global, Machine, Name, Slot, Small
from safepoint_vm.language.vocabulary import Exit, Value, opcode
from safepoint_vm.language.words import UNSET_WORD


@opcode
def LOADK(vm: Machine, dst: Slot, value: Small) -> Exit:
    """dst = a small constant, tagged by the assembler"""
    vm[dst] = Value(value)
    return vm.next()


@opcode
def CONSTANT(vm: Machine, dst: Slot, constant: Constant) -> Exit:
    """dst = constants[constant]"""
    vm[dst] = vm.thread.constants[constant]
    return vm.next()


@opcode
def MOVE(vm: Machine, dst: Slot, src: Slot) -> Exit:
    """dst = src"""
    vm[dst] = vm[src]
    return vm.next()


@opcode
def GLOBAL(vm: Machine, dst: Slot, name: Global) -> Exit:
    """dst = globals[name]; NameError if it is UNSET"""
    x = vm.thread.globals[name]
    if x == UNSET_WORD:
        return fault(vm)
    vm[dst] = x
    return vm.next()


@opcode
def SET_GLOBAL(vm: Machine, src: Slot, name: Global) -> Exit:
    """globals[name] = src"""
    vm.thread.globals[name] = vm[src]
    return vm.next()


@opcode
def BOUND(vm: Machine, src: Slot, name: Name) -> Exit:
    """UnboundLocalError if src is UNSET"""
    if vm[src] == UNSET_WORD:
        return fault(vm)
    return vm.next()
