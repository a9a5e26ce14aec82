"""The ways out for an instruction that machine code cannot finish."""

from __future__ import annotations

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
