"""Calls, returns, and what leaves guest code.

CALL makes one comparison with the thread's limit, as it must for real overflows: the frame push is a check site, and
nothing is added for it.  It clears nothing: what is above the top frame is cleared by each collection (`thread.roots`), so a
new frame begins with values that may be looked at, if not with ones that mean something.
"""

# ruff: noqa: ARG001  -- the signature is the encoding: an operand need not be used

from __future__ import annotations

from safepoint.guest.code import LINK
from safepoint.protocol.words import RAISE_INTERRUPT, RAISE_OVERFLOW
from safepoint_vm.handlers.shared.exits import fault
from safepoint_vm.handlers.shared.values import is_function
from safepoint_vm.language.machine import COUNTING, PROTOCOL, Count, Exited, Machine, Slot, push_failed
from safepoint_vm.language.vocabulary import Bytecode, Exit, below, inline, opcode, slow
from safepoint_vm.language.words import Frame, Function, Link


@inline
def link(frame: Frame, return_to: Bytecode, caller: Frame) -> None:
    """Write the two words below a new frame."""
    Link(frame).return_to = return_to
    Link(frame).caller = caller


@opcode
def CALL(vm: Machine, base: Slot, count: Count) -> Exit:
    """base = base(base+3, …): push a frame that begins at base+3"""
    callee = vm[base]
    if not is_function(callee):
        return fault(vm)
    code = Function(callee).code
    if code.parameters != count:
        return fault(vm)
    if COUNTING:
        vm.thread.frames = vm.thread.frames + 1
    frame = vm.frame.at(base + LINK)
    if below(vm.thread.limit, frame.at(code.slots)):
        return slow_push(vm, base)
    link(frame, vm.pc + 1, vm.frame)
    return vm.enter(code.start, frame)


@slow
def slow_push(vm: Machine, base: Slot) -> Exit:
    """The comparison failed: a request, a real overflow, both, or neither.  The protocol's text says which."""
    if PROTOCOL:
        thread = vm.thread
        thread.slow_entries = thread.slow_entries + 1
        thread.pc = vm.pc
        thread.frame = vm.frame
        end = vm.frame.at(base + LINK).at(Function(vm[base]).code.slots)
        suspended = push_failed(thread, end, 0)
        if suspended != 0:
            thread.suspended = suspended
            return vm.leave(Exited.PUSH_WAITS)
        return after_push(vm, base)
    return vm.leave(Exited.OVERFLOWED)


@slow
def after_push(vm: Machine, base: Slot) -> Exit:
    """`push_failed` is through.  On GO the frame is pushed without asking the limit again: it may be poisoned again."""
    if vm.thread.result == RAISE_INTERRUPT:
        return vm.leave(Exited.INTERRUPTED)
    if vm.thread.result == RAISE_OVERFLOW:
        return vm.leave(Exited.OVERFLOWED)
    frame = vm.frame.at(base + LINK)
    link(frame, vm.pc + 1, vm.frame)
    return vm.enter(Function(vm[base]).code.start, frame)


@opcode
def RETURN(vm: Machine, src: Slot) -> Exit:
    """pop the frame; the result goes to the caller's base"""
    below_frame = Link(vm.frame)
    vm[-LINK] = vm[src]
    return vm.enter(below_frame.return_to, below_frame.caller)


@opcode
def PRINT(vm: Machine, first: Slot, count: Count) -> Exit:
    """print(first, first+1, …): the host's, in a native region"""
    return vm.leave(Exited.PRINT)


@opcode
def PRINT_END(vm: Machine, first: Slot, count: Count) -> Exit:
    """print(first, …, end=the last of them): the host's, in a native region"""
    return vm.leave(Exited.PRINT)


@opcode
def HALT(vm: Machine) -> Exit:
    """the module is through"""
    return vm.leave(Exited.FINISHED)


@slow
def begin(vm: Machine) -> Exit:
    """Where the host enters: execute the instruction at pc."""
    return vm.execute(vm.table)


@slow
def step(vm: Machine) -> Exit:
    """Every entry of the stepping table: stop when the budget is spent, else dispatch through the thread's live table, which
    is the one that requesters poison.
    """
    thread = vm.thread
    if thread.budget == 0:
        return vm.leave(Exited.STEPPED)
    thread.budget = thread.budget - 1
    return vm.execute(thread.table)
