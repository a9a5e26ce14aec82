"""Instructions that machine code leaves to the host: executed by the guest's own definitions, over real memory."""

from __future__ import annotations

from collections.abc import Callable

from safepoint.guest.code import OPCODES, Instruction, Program
from safepoint.guest.faults import Fault
from safepoint.guest.operations import instructions as operations
from safepoint.guest.operations import sequences
from safepoint.guest.operations.text import printed
from safepoint.guest.values import Value
from safepoint_vm.memory.heap_view import HeapView

WITH_RESULT = frozenset(name for name, o in OPCODES.items() if o.operands and o.operands[0].name in ("dst", "first"))
"""Opcodes whose first operand is the slot of their result."""
Slot = Callable[[int], Value]


class InternalError(Exception):
    """Machine code and the guest's definitions disagree: a bug of this interpreter."""


def result(program: Program, instruction: Instruction, slot: Slot, view: HeapView) -> Value | Fault:
    """Compute the result of an instruction, or the fault that it raises.  NoRoom: the heap is full."""
    match instruction.op, instruction.operands:
        case "CALL", (base, count):
            return operations.call_fault(view, slot(base), count)
        case "FOR_PREPARE", (loop, _):
            found = sequences.range_values(view, slot(loop), slot(loop + 1), slot(loop + 2))
            return found if isinstance(found, Fault) else None
    return operations.result(program, instruction, slot, view)


def text_of(instruction: Instruction, slot: Slot, view: HeapView) -> str | Fault:
    """The output of a PRINT or PRINT_END, or the fault that it raises."""
    first, count = instruction.operands
    values = [slot(first + index) for index in range(count)]
    if instruction.op == "PRINT_END":
        return printed(view, values[:-1], values[-1])
    return printed(view, values)


def distance(instruction: Instruction, found: Value) -> int:
    """How many instructions the guest advances after this one with this result."""
    return 1 + instruction.operands[2] if instruction.op == "LESS_JUMP_BACK" and found else 1
