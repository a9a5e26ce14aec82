"""What an instruction raises that machine code has left as a FAULT: said by the guest's own definitions."""

from __future__ import annotations

from collections.abc import Callable

from safepoint.guest import values
from safepoint.guest.code import Instruction, Program
from safepoint.guest.faults import Fault, name_fault, unbound_fault
from safepoint.guest.values import Value


class InternalError(Exception):
    """Machine code and the guest's definitions do not agree: a bug of this interpreter."""


def fault_of(program: Program, instruction: Instruction, slot: Callable[[int], Value]) -> Fault:
    """`slot`: the value of a slot of the frame.  Raises InternalError if the instruction has no reason to raise."""
    found = _outcome(program, instruction.op, instruction.operands, slot)
    if not isinstance(found, Fault):
        raise InternalError(f"{instruction} left machine code as a fault, but gives {found!r}")
    return found


def _outcome(program: Program, op: str, operands: tuple[int, ...], slot: Callable[[int], Value]) -> object:
    match op, operands:
        case "GLOBAL", (_, name):
            return name_fault(program.globals[name])
        case "BOUND", (_, name):
            return unbound_fault(program.names[name])
        case "CALL", (base, count):
            return values.call_fault(slot(base), count)
        case "FOR_PREPARE", (loop, _):
            return values.range_values(slot(loop), slot(loop + 1), slot(loop + 2))
        case "LESS_JUMP_BACK", (left, right, _):
            return values.compare("LESS", slot(left), slot(right))
        case "ADDI", (_, left, right):
            return values.binary("ADDI", slot(left), right)
        case _, (_, src):
            return values.unary(op, slot(src))
        case _, (_, left, right) if op in values.BINARY:
            return values.binary(op, slot(left), slot(right))
        case _, (_, left, right):
            return values.compare(op, slot(left), slot(right))
    raise InternalError(f"{op} never raises")
