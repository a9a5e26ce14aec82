"""What each instruction computes: `RESULTS`, one line an opcode, for both machines.

The reference machine comes here for everything, machine code for what is not on its fast path.  An operation reads slots and
the heap, and returns the value for `dst` or the fault that it raises.  It changes nothing before its last allocation, so that
it can start again after a collection (see `heap.NoRoom`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from safepoint.guest.code import UNSET, Instruction, Program
from safepoint.guest.faults import KINDS, TERMINATION, Fault, TooDeep, derives, name_fault, unbound_fault
from safepoint.guest.heap import Heap
from safepoint.guest.operations import builtins as builtin
from safepoint.guest.operations import operators, sequences, threads
from safepoint.guest.operations.comparison import COMPARE, compare
from safepoint.guest.operations.text import text
from safepoint.guest.operations.values import new_string, type_name
from safepoint.guest.values import Function, Ref, Value, constant, is_exception, small


class Context(NamedTuple):
    """What an operation may read.  augmented: the instruction stands for `x op= y` (see `code.Instruction`)."""

    program: Program
    heap: Heap
    slot: Callable[[int], Value]
    augmented: bool

    def slots(self, first: int, count: int) -> list[Value]:
        return [self.slot(number) for number in range(first, first + count)]


def _binary(op: str, c: Context, _dst: int, left: int, right: int) -> Value | Fault:
    return operators.binary(c.heap, op, c.slot(left), c.slot(right), c.augmented)


def _immediate(c: Context, _dst: int, left: int, number: int) -> Value | Fault:
    """A negative number stands for a subtraction, which a TypeError then names."""
    return operators.binary(c.heap, "SUB" if number < 0 else "ADD", c.slot(left), abs(number), c.augmented)


def _on_slots(function: Callable[..., Value | Fault], op: str, c: Context, _dst: int, *slots: int) -> Value | Fault:
    return function(c.heap, op, *map(c.slot, slots))


RESULTS: dict[str, Callable[..., Value | Fault]] = {
    # moving values
    "LOADK": lambda c, _, value: small(value),
    "CONSTANT": lambda c, _, number: constant(c.program, number),
    "MOVE": lambda c, _, src: c.slot(src),
    "GLOBAL": lambda c, _, name: name_fault(c.program.globals[name]),
    "BOUND": lambda c, src, name: unbound_fault(c.program.names[name]) if c.slot(src) is UNSET else None,
    # arithmetic, comparison
    **{op: partial(_binary, op) for op in (*operators.BINARY, *operators.IN_PLACE)},
    "ADDI": _immediate,
    **{op: partial(_on_slots, operators.unary, op) for op in (*operators.UNARY, "NOT")},
    **{op: partial(_on_slots, compare, op) for op in COMPARE},
    # lists and strings
    "LIST": lambda c, first, count: c.heap.new_list(c.slots(first, count)),
    "INDEX": lambda c, _, of, index: sequences.item(c.heap, c.slot(of), c.slot(index)),
    "STORE_INDEX": lambda c, of, index, src: sequences.store(c.heap, c.slot(of), c.slot(index), c.slot(src)),
    "DELETE_INDEX": lambda c, of, index: sequences.delete(c.heap, c.slot(of), c.slot(index)),
    "SLICE": lambda c, _, of, bounds: sequences.part(c.heap, c.slot(of), c.slot(bounds), c.slot(bounds + 1)),
    "LEN": lambda c, _, src: sequences.length(c.heap, c.slot(src)),
    "APPEND": lambda c, of, src: sequences.append(c.heap, c.slot(of), c.slot(src)),
    "POP": lambda c, _, of: sequences.pop(c.heap, c.slot(of)),
    "POP_AT": lambda c, _, of, index: sequences.pop(c.heap, c.slot(of), c.slot(index)),
    "FORMAT": lambda c, first, count: new_string(c.heap, "".join([text(c.heap, v) for v in c.slots(first, count)])),
    "BUILTIN": lambda c, first, number, count: builtin.call(c.heap, builtin.BUILTINS[number], c.slots(first, count)),
    # jumps
    "LESS_JUMP_BACK": lambda c, left, right, _: compare(c.heap, "LESS", c.slot(left), c.slot(right)),
    "EACH_PREPARE": lambda c, loop, _: sequences.iterable_fault(c.heap, c.slot(loop)) or 0,
    # exceptions
    "EXCEPTION": lambda c, first, kind, count: c.heap.new_exception(KINDS[kind], tuple(c.slots(first, count))),
    "RAISE": lambda c, src: raised(c.heap, c.slot(src)),
    "RERAISE": lambda c, src: raised(c.heap, c.slot(src)),
    "UNWINDS": lambda c, src: raised(c.heap, c.slot(src)) if terminates(c.heap, c.slot(src)) else None,
    "UNWOUND": lambda c, src: None if terminates(c.heap, c.slot(src)) else raised(c.heap, c.slot(src)),
    "MATCHES": lambda c, _, src, kind: matches(c.heap, c.slot(src), KINDS[kind]),
    # threads
    "THREAD": lambda c, first, count: c.heap.new_thread(c.slot(first), tuple(c.slots(first + 1, count - 1))),
    "LOCK": lambda c, _: c.heap.new_lock(),
    "RELEASE": lambda c, src: threads.release(c.heap, c.slot(src)),
}
"""Opcode -> what it computes from a `Context` and its operands; None if it has no `dst`.

LESS_JUMP_BACK: whether to jump.  EACH_PREPARE: the new value of slot loop+1.  GLOBAL and BOUND: the fault of an unset variable.
Not here: SET_GLOBAL, MASK, and what only moves control; and opcodes of which a machine does a part: FOR_PREPARE, FOR_RANGE and
FOR_EACH (`sequences.range_values`, `turn`), CALL (`call_fault`), PRINT (`text.printed`), START, JOIN, ACQUIRE, SLEEP, INTERRUPT,
TERMINATE and HANDSHAKE (`threads`), UNMASK and COLLECT.
"""


def result(program: Program, instruction: Instruction, slot: Callable[[int], Value], heap: Heap) -> Value | Fault:
    """What an instruction whose opcode is in `RESULTS` computes.  Raises what the heap raises."""
    try:
        return RESULTS[instruction.op](Context(program, heap, slot, instruction.augmented), *instruction.operands)
    except TooDeep as error:
        return Fault("RecursionError", str(error))


# ---------------------------------------------------------------------------------------------- exceptions


def raised(heap: Heap, value: Value) -> Fault:
    """The fault of `raise value`."""
    if isinstance(value, Ref) and is_exception(value):
        return Fault(heap.exception(value)[0], ref=value)
    return Fault("TypeError", "exceptions must derive from BaseException")


def terminates(heap: Heap, value: Value) -> bool:
    """Is it the exception of a TERMINATE?"""
    return isinstance(value, Ref) and is_exception(value) and heap.exception(value)[0] == TERMINATION


def raises_again(op: str, fault: Fault) -> bool:
    """Does an instruction raise what has been raised before, so that its place is not added to the traceback?"""
    return op in ("RERAISE", "UNWINDS") or (op == "UNWOUND" and fault.ref is not None)


def matches(heap: Heap, value: Value, kind: str) -> bool:
    """Whether `except kind` catches the value."""
    return isinstance(value, Ref) and is_exception(value) and derives(heap.exception(value)[0], kind)


def new_exception(heap: Heap, fault: Fault) -> Ref:
    """The exception object that a handler gets: the fault's own, or a new one."""
    return fault.ref or heap.new_exception(fault.kind, (fault.message,) if fault.message else ())


# ---------------------------------------------------------------------------------------------- calls


def call_fault(heap: Heap, callee: Value, count: int) -> Fault | None:
    """The TypeError of calling `callee` with `count` arguments, or None if it can be called."""
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
    listed = " and ".join(quoted) if len(quoted) < 3 else f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    return f"{len(quoted)} required positional argument{'s' * (len(quoted) > 1)}: {listed}"
