"""What each instruction computes: one definition for both machines.

The reference machine comes here for everything; machine code for whatever is not on a fast path.  An operation reads slots
and the heap, and gives what goes into `dst`, or the fault that it raises; it has no effect before its last allocation, so
that it can be begun again after a collection (see `heap.NoRoom`).
"""

from __future__ import annotations

from collections.abc import Callable

from safepoint.guest.code import UNSET, Instruction, Program
from safepoint.guest.faults import KINDS, Fault, TooDeep, derives, name_fault, unbound_fault
from safepoint.guest.heap import Heap
from safepoint.guest.operations import builtins as builtin
from safepoint.guest.operations import comparison as comparing
from safepoint.guest.operations import operators, sequences, threads
from safepoint.guest.operations.text import text
from safepoint.guest.operations.values import made, type_name
from safepoint.guest.values import Function, Ref, Value, constant, is_exception, small

Slot = Callable[[int], Value]


def result(program: Program, instruction: Instruction, slot: Slot, heap: Heap) -> Value | Fault:
    """What the instruction computes; None, if it has no `dst`.

    Of LESS_JUMP_BACK: whether to jump; of EACH_PREPARE: its new slot loop+1; of GLOBAL and BOUND: the fault of an unset
    variable.  Not for FOR_PREPARE, FOR_RANGE and FOR_EACH (`sequences.range_values`, `turn`), CALL (`call_fault`), PRINT
    (`text.printed`), START, JOIN, ACQUIRE, SLEEP, INTERRUPT and HANDSHAKE (`threads`), MASK, UNMASK and COLLECT, and what only
    moves control.  Raises what the heap raises.
    """
    op, operands = instruction.op, instruction.operands
    try:
        match op, operands:
            case "ADDI", (_, left, number):  # a negative number stands for a subtraction, and complains as one
                name = "SUB" if number < 0 else "ADD"
                return operators.binary(heap, name, slot(left), abs(number), instruction.augmented)
            case _, (_, left, right) if op in operators.BINARY or op in operators.IN_PLACE:
                return operators.binary(heap, op, slot(left), slot(right), instruction.augmented)
            case _, (_, src) if op in operators.UNARY or op == "NOT":
                return operators.unary(heap, op, slot(src))
            case _, (_, left, right) if op in comparing.COMPARE:
                return comparing.compare(heap, op, slot(left), slot(right))
            case "LESS_JUMP_BACK", (left, right, _):
                return comparing.compare(heap, "LESS", slot(left), slot(right))
        return _other(program, op, operands, slot, heap)
    except TooDeep as deep:
        return Fault("RecursionError", str(deep))


def _other(program: Program, op: str, operands: tuple[int, ...], slot: Slot, heap: Heap) -> Value | Fault:
    match op, operands:
        case "LOADK", (_, value):
            return small(value)
        case "CONSTANT", (_, number):
            return constant(program, number)
        case "MOVE", (_, src):
            return slot(src)
        case "GLOBAL", (_, name):
            return name_fault(program.globals[name])
        case "BOUND", (src, name):
            return unbound_fault(program.names[name]) if slot(src) is UNSET else None
        case "EXCEPTION", (first, kind, count):
            return heap.new_exception(KINDS[kind], tuple(map(slot, range(first, first + count))))
        case "RAISE" | "RERAISE", (src,):
            return raised(heap, slot(src))
        case "MATCHES", (_, src, kind):
            return matches(heap, slot(src), KINDS[kind])
        case "BUILTIN", (first, number, count):
            return builtin.call(heap, builtin.BUILTINS[number], [slot(first + i) for i in range(count)])
        case "FORMAT", (first, count):
            return made(heap, "".join([text(heap, slot(first + i)) for i in range(count)]))
        case "THREAD", (first, count):
            return heap.new_thread(slot(first), tuple(slot(first + i) for i in range(1, count)))
        case "LOCK", _:
            return heap.new_lock()
        case "RELEASE", (src,):
            return threads.release(heap, slot(src))
        case _:
            return _sequence(op, operands, slot, heap)


def _sequence(op: str, operands: tuple[int, ...], slot: Slot, heap: Heap) -> Value | Fault:
    match op, operands:
        case "LIST", (first, count):
            return heap.new_list([slot(first + i) for i in range(count)])
        case "INDEX", (_, of, index):
            return sequences.item(heap, slot(of), slot(index))
        case "STORE_INDEX", (of, index, src):
            return sequences.store(heap, slot(of), slot(index), slot(src))
        case "DELETE_INDEX", (of, index):
            return sequences.delete(heap, slot(of), slot(index))
        case "SLICE", (_, of, bounds):
            return sequences.part(heap, slot(of), slot(bounds), slot(bounds + 1))
        case "LEN", (_, src):
            return sequences.length(heap, slot(src))
        case "APPEND", (of, src):
            return sequences.append(heap, slot(of), slot(src))
        case "POP", (_, of):
            return sequences.pop(heap, slot(of))
        case "POP_AT", (_, of, index):
            return sequences.pop(heap, slot(of), slot(index))
        case "EACH_PREPARE", (loop, _):
            return sequences.iterable_fault(heap, slot(loop)) or 0
    raise AssertionError(f"{op} computes nothing")


# ---------------------------------------------------------------------------------------------- exceptions


def raised(heap: Heap, value: Value) -> Fault:
    """What `raise value` raises."""
    if isinstance(value, Ref) and is_exception(value):
        return Fault(heap.exception(value)[0], ref=value)
    return Fault("TypeError", "exceptions must derive from BaseException")


def matches(heap: Heap, value: Value, kind: str) -> bool:
    """Does `except kind` catch it?"""
    return isinstance(value, Ref) and is_exception(value) and derives(heap.exception(value)[0], kind)


def new_exception(heap: Heap, fault: Fault) -> Ref:
    """The exception object that a handler gets."""
    return fault.ref or heap.new_exception(fault.kind, (fault.message,) if fault.message else ())


# ---------------------------------------------------------------------------------------------- calls


def call_fault(heap: Heap, callee: Value, count: int) -> Fault | None:
    """Why `callee` cannot be called with `count` arguments; None: it can."""
    if not isinstance(callee, Function):
        return Fault("TypeError", f"'{type_name(heap, callee)}' object is not callable")
    takes = len(callee.parameters)
    if count > takes:
        plural, verb = ("" if takes == 1 else "s"), ("was" if count == 1 else "were")
        return Fault("TypeError", f"{callee.name}() takes {takes} positional argument{plural} but {count} {verb} given")
    if count < takes:
        return Fault("TypeError", f"{callee.name}() missing {_missing(callee.parameters[count:])}")
    return None


def _missing(names: tuple[str, ...]) -> str:
    quoted = [f"'{n}'" for n in names]
    match quoted:
        case [one]:
            return f"1 required positional argument: {one}"
        case [one, two]:
            return f"2 required positional arguments: {one} and {two}"
        case _:
            return f"{len(quoted)} required positional arguments: {', '.join(quoted[:-1])}, and {quoted[-1]}"
