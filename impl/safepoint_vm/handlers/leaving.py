"""Where an instruction goes that raises."""

from __future__ import annotations

from safepoint_vm.machine import Exited, Machine
from safepoint_vm.vocabulary import Exit, slow


@slow
def fault(vm: Machine) -> Exit:
    """The instruction raises.  What it raises is the host's to say, from the instruction and its slots."""
    return vm.leave(Exited.FAULT)
