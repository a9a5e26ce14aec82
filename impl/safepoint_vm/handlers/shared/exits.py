"""The ways out for an instruction that machine code cannot finish."""

from __future__ import annotations

from safepoint.protocol.words import RAISE_INTERRUPT, RAISE_TERMINATE
from safepoint_vm.language.machine import Exited, Machine
from safepoint_vm.language.vocabulary import Exit, slow


@slow
def fault(vm: Machine) -> Exit:
    """The instruction raises.  The host finds out what, from the instruction and its slots."""
    return vm.leave(Exited.FAULT)


@slow
def hosted(vm: Machine) -> Exit:
    """The host executes the instruction, by the guest's definitions; it may raise."""
    return vm.leave(Exited.HOSTED)


@slow
def raises(vm: Machine) -> Exit:
    """The outcome of a check site is not GO: the host raises it there."""
    if vm.thread.result == RAISE_INTERRUPT:
        return vm.leave(Exited.INTERRUPTED)
    if vm.thread.result == RAISE_TERMINATE:
        return vm.leave(Exited.TERMINATED)
    return vm.leave(Exited.OVERFLOWED)
