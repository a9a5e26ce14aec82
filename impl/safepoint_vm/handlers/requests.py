"""Requests that the guest makes, through the host; critical sections, by procedures of the protocol."""

# ruff: noqa: ARG001  -- the signature is the encoding: an operand need not be used

from __future__ import annotations

from safepoint.guest.faults import KINDS, TERMINATION
from safepoint.protocol.words import GO
from safepoint_vm.handlers.exceptions import is_exception
from safepoint_vm.handlers.shared.checks import keep_place, suspends
from safepoint_vm.handlers.shared.exits import hosted, raises
from safepoint_vm.handlers.shared.values import truth_word
from safepoint_vm.language.machine import PROTOCOL, Exited, Machine, Slot, mask, unmask, unwound
from safepoint_vm.language.vocabulary import Exit, opcode, slow
from safepoint_vm.language.words import FALSE_WORD, Raisable

TERMINATED = KINDS.index(TERMINATION) << 1
"""The kind of the exception of a TERMINATE, tagged."""


@slow
def begin_section(vm: Machine, dst: Slot) -> Exit:
    """MASK, out of line."""
    vm[dst] = truth_word(False)
    if PROTOCOL:
        mask(vm.thread, 0)
        vm[dst] = truth_word(vm.thread.result != 0)
    return vm.next()


@opcode
def MASK(vm: Machine, dst: Slot) -> Exit:
    """begin a critical section; dst = is it nested?"""
    return begin_section(vm, dst)


@slow
def end_section(vm: Machine) -> Exit:
    """End the outermost section.  Requests masked meanwhile have lost their poison, so `unmask` looks for them."""
    if PROTOCOL:
        keep_place(vm.thread, vm.pc, vm.frame)
        if suspends(vm.thread, unmask(vm.thread, 0)):
            return vm.leave(Exited.UNMASK_WAITS)
        return after_unmask(vm)
    return vm.next()


@slow
def after_unmask(vm: Machine) -> Exit:
    """`unmask` or `unwound` has returned."""
    if vm.thread.result != GO:
        return raises(vm)
    return vm.next()


@opcode
def UNMASK(vm: Machine, src: Slot) -> Exit:
    """if src is False: end the outermost critical section, and serve requests masked meanwhile"""
    if vm[src] != FALSE_WORD:
        return vm.next()
    return end_section(vm)


@slow
def end_unwinding(vm: Machine) -> Exit:
    """The unwinding by a TERMINATE ends here.  What came meanwhile has lost its poison, so `unwound` looks for it."""
    if PROTOCOL:
        keep_place(vm.thread, vm.pc, vm.frame)
        if suspends(vm.thread, unwound(vm.thread, 0)):
            return vm.leave(Exited.UNWOUND_WAITS)
        return after_unmask(vm)
    return vm.next()


@opcode
def UNWOUND(vm: Machine, src: Slot) -> Exit:
    """if src is the exception of a TERMINATE: its unwinding ends here; else raise src again"""
    x = vm[src]
    if is_exception(x):
        if Raisable(x).kind == TERMINATED:
            return end_unwinding(vm)
    return hosted(vm)


@slow
def asks(vm: Machine) -> Exit:
    """Leave for the host, which finds the other thread's record."""
    return vm.leave(Exited.ASKS)


@opcode
def INTERRUPT(vm: Machine, src: Slot) -> Exit:
    """interrupt(src): post INTERRUPT to a thread"""
    return asks(vm)


@opcode
def TERMINATE(vm: Machine, src: Slot) -> Exit:
    """terminate(src): post a TERMINATE to a thread"""
    return asks(vm)


@opcode
def HANDSHAKE(vm: Machine, src: Slot) -> Exit:
    """handshake(src): run one operation on a thread; it does so itself, or this thread for it"""
    return asks(vm)


@opcode
def COLLECT(vm: Machine) -> Exit:
    """collect(): stop the world, collect, start it"""
    return vm.leave(Exited.COLLECTS)
