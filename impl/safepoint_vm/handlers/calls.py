"""Calls, returns, and instructions that leave machine code.

CALL compares with the thread's limit once, as it must for real overflows: with policy `folded` that makes the frame push a check site at no
cost.  It clears nothing: each collection clears the slots above the top frame (`GuestThread.roots`), so the slots of a new
frame hold stale values, but valid ones.
"""

# ruff: noqa: ARG001  -- the signature is the encoding: an operand need not be used

from __future__ import annotations

from safepoint.guest.code import LINK
from safepoint.protocol.words import GO
from safepoint_vm.handlers.shared.checks import keep_place, push_fails, return_fails, stack_limit, suspends
from safepoint_vm.handlers.shared.elsewhere import pass_elsewhere, slow_elsewhere
from safepoint_vm.handlers.shared.exits import fault, raises
from safepoint_vm.handlers.shared.values import is_function
from safepoint_vm.language.machine import (
    BASE,
    CHECKS_ELSEWHERE,
    COUNTING,
    ENTERED_PUSH,
    LIMIT_IS_POISONED,
    LOGS_PUSHES,
    PROTOCOL,
    PUSHED,
    TRACED,
    Count,
    Exited,
    Machine,
    Slot,
    log_check,
    push_failed,
)
from safepoint_vm.language.vocabulary import Bytecode, Exit, Word, below, inline, opcode, slow
from safepoint_vm.language.words import Frame, FunctionObject, Link


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
    code = FunctionObject(callee).code
    if code.parameters != count:
        return fault(vm)
    if COUNTING:
        vm.thread.frames = vm.thread.frames + 1
    frame = vm.frame.at(base + LINK)
    if push_fails(vm.thread, vm.pc):
        return slow_push(vm, base)
    if below(stack_limit(vm.thread), frame.at(code.slots)):
        if LIMIT_IS_POISONED:
            return slow_push(vm, base)
        return overflow(vm)
    if TRACED and LOGS_PUSHES:
        log_check(vm.thread, Word(PUSHED), vm.pc, 0)
    link(frame, vm.pc + 1, vm.frame)
    return vm.enter(code.start, frame)


@slow
def overflow(vm: Machine) -> Exit:
    """A real overflow, whatever is asked."""
    return vm.leave(Exited.OVERFLOWED)


@slow
def slow_push(vm: Machine, base: Slot) -> Exit:
    """The comparison failed: a request, a real overflow, both, or neither.  `push_failed` decides."""
    if PROTOCOL:
        thread = vm.thread
        thread.slow_entries = thread.slow_entries + 1
        if TRACED:
            log_check(thread, Word(ENTERED_PUSH), vm.pc, 0)
        keep_place(thread, vm.pc, vm.frame)
        end = vm.frame.at(base + LINK).at(FunctionObject(vm[base]).code.slots)
        if suspends(thread, push_failed(thread, Word(end) - BASE, 0)):
            return vm.leave(Exited.PUSH_WAITS)
        return after_push(vm, base)
    return overflow(vm)


@slow
def after_push(vm: Machine, base: Slot) -> Exit:
    """`push_failed` has returned.  On GO push the frame without comparing with `limit` again: it may be poisoned again."""
    if vm.thread.result != GO:
        return raises(vm)
    frame = vm.frame.at(base + LINK)
    link(frame, vm.pc + 1, vm.frame)
    return vm.enter(FunctionObject(vm[base]).code.start, frame)


@opcode
def RETURN(vm: Machine, src: Slot) -> Exit:
    """pop the frame; the result goes to the caller's base"""
    if return_fails(vm.thread, vm.pc):
        return slow_elsewhere(vm)
    if CHECKS_ELSEWHERE == "return":
        pass_elsewhere(vm.thread, vm.pc)
    below_frame = Link(vm.frame)
    vm[-LINK] = vm[src]
    return vm.enter(below_frame.return_to, below_frame.caller)


@opcode
def PRINT(vm: Machine, first: Slot, count: Count) -> Exit:
    """print(first, first+1, …): by the host, in a native region"""
    return vm.leave(Exited.PRINT)


@opcode
def PRINT_END(vm: Machine, first: Slot, count: Count) -> Exit:
    """print(first, …, end=the last of them): by the host, in a native region"""
    return vm.leave(Exited.PRINT)


@opcode
def HALT(vm: Machine) -> Exit:
    """end of the module"""
    return vm.leave(Exited.FINISHED)


@slow
def begin(vm: Machine) -> Exit:
    """Entered by the host: execute the instruction at pc."""
    return vm.execute(vm.table)


@slow
def step(vm: Machine) -> Exit:
    """Every entry of the stepping table: leave if the budget is spent, else dispatch one opcode through the thread's live table,
    which requesters poison.
    """
    thread = vm.thread
    if thread.steps_left == 0:
        return vm.leave(Exited.STEPPED)
    thread.steps_left = thread.steps_left - 1
    return vm.execute_alone(thread.table)
