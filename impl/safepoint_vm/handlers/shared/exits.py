"""Where an instruction goes that machine code cannot finish."""

from __future__ import annotations

from safepoint_vm.language.machine import Exited, Machine
from safepoint_vm.language.vocabulary import Exit, slow


@slow
def fault(vm: Machine) -> Exit:
    """The instruction raises.  What it raises is the host's to say, from the instruction and its slots."""
    return vm.leave(Exited.FAULT)


@slow
def hosted(vm: Machine) -> Exit:
    """The host executes the instruction, by the guest's definitions; or it raises."""
    return vm.leave(Exited.HOSTED)
