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
Slot = Callable[[int], Value]


class InternalError(Exception):
    """Machine code and the guest's definitions do not agree: a bug of this interpreter."""


def result(program: Program, instruction: Instruction, slot: Slot, view: HeapView) -> Value | Fault:
    """What the instruction computes, or raises.  NoRoom."""
    match instruction.op, instruction.operands:
        case "CALL", (base, count):
            return operations.call_fault(view, slot(base), count)
        case "FOR_PREPARE", (loop, _):
            found = sequences.range_values(view, slot(loop), slot(loop + 1), slot(loop + 2))
            return found if isinstance(found, Fault) else None
    return operations.result(program, instruction, slot, view)


def text_of(instruction: Instruction, slot: Slot, view: HeapView) -> str | Fault:
    """What a PRINT prints."""
    first, count = instruction.operands
    values = [slot(first + index) for index in range(count)]
    return printed(view, values[:-1], values[-1]) if instruction.op == "PRINT_END" else printed(view, values)


def jumps(instruction: Instruction, found: Value) -> int:
    """How many instructions further the guest goes on."""
    return 1 + instruction.operands[2] if instruction.op == "LESS_JUMP_BACK" and found else 1
