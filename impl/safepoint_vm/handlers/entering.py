"""Between the interpreter and compiled code: handlers that stand in a dispatch table under numbers of their own (`tier`)."""

from __future__ import annotations

from safepoint_vm.language.machine import Exited, Machine
from safepoint_vm.language.vocabulary import Exit, Word, slow
from safepoint_vm.language.words import BESIDE, NUMBER_BITS, Heat


@slow
def compiled(vm: Machine) -> Exit:
    """The instruction is compiled."""
    return vm.execute_compiled()


@slow
def warm(vm: Machine) -> Exit:
    """The first instruction of a function, or of a loop's body: count, and leave when it has been executed often; else execute it.

    Threads count without a lock: what one of them overwrites is not worth one.
    """
    heat = Heat(Word(vm.pc) + 2 * BESIDE)
    left = heat.word - (1 << NUMBER_BITS)
    if left < 0:
        return vm.leave(Exited.HOT)
    heat.word = left
    return vm.execute_as(vm.table, left & ((1 << NUMBER_BITS) - 1))
