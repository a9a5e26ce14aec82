"""Values for opcodes: strategies; what an opcode gives in machine code; and what Python and the reference machine say of it."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from safepoint.guest.code import INT_MAX, INT_MIN, Instruction
from safepoint.guest.faults import Fault
from safepoint.guest.operations import instructions as operations
from safepoint.guest.reference.heap import ReferenceHeap
from safepoint.guest.reference.vector import Vector
from safepoint.guest.values import Ref, Value
from safepoint_vm.language.machine import Exited
from safepoint_vm.memory.heap import SMALLEST
from safepoint_vm.threads.thread import GuestThread
from tests.impl.building import code, inhabited, no_room, program

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "ADD": operator.add, "SUB": operator.sub, "MUL": operator.mul, "TRUEDIV": operator.truediv, "IADD": operator.iadd,
    "IMUL": operator.imul, "FLOORDIV": operator.floordiv, "MOD": operator.mod,
    "LESS": operator.lt, "LESS_EQUAL": operator.le, "GREATER": operator.gt, "GREATER_EQUAL": operator.ge,
    "EQUAL": operator.eq, "NOT_EQUAL": operator.ne,
    "IN": lambda x, y: x in y, "NOT_IN": lambda x, y: x not in y, "INDEX": operator.getitem,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {
    "NEG": operator.neg, "POS": operator.pos, "INVERT": operator.invert, "NOT": operator.not_, "LEN": len,
}  # fmt: skip
TINY, HUGE = 2.0**-255, 2.0**257  # where floats begin to need a box
floats = st.floats() | st.sampled_from(
    [0.0, -0.0, 1.0, TINY, HUGE, -HUGE, math.nextafter(TINY, 0), math.nextafter(HUGE, 0), math.inf, math.nan]
)
ints = st.integers(INT_MIN, INT_MAX) | st.integers(-3, 3) | st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1, INT_MAX])
texts = st.text(st.sampled_from("ab\xff\u0100\U0001f600"), max_size=5)
numerals = st.integers(-(10**19), 10**19).map(str) | st.text(st.sampled_from("-+0189 _."), max_size=4)
atoms = floats | ints | texts | st.booleans() | st.none()
lists = st.lists(atoms, max_size=4)
few = st.sampled_from([0, 1, 1.0, True, 2**53 + 1, 2.0**53, math.nan, "a", "b", None])  # so that many are equal
nested = st.recursive(st.lists(few, max_size=3), lambda inner: st.lists(few | inner, max_size=3), max_leaves=6)
anything = atoms | lists


def python(value: object) -> object:
    """Comparable: types and all; the nans are one; a result beyond 63 bits is the guest's OverflowError."""
    if type(value) is int and not INT_MIN <= value <= INT_MAX:
        return "OverflowError: integer result does not fit in 63 bits"
    if isinstance(value, list):
        return [python(item) for item in value]
    return type(value).__name__, repr(value)


def expected(compute: Callable[..., Any], *values: object) -> object:
    try:
        return python(compute(*values))
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        return f"{type(error).__name__}: {error}"


def stored(thread: GuestThread, value: object) -> int:
    if isinstance(value, list):
        return thread._view.new_list([thread._view.value(stored(thread, item)) for item in value]).number
    return thread._view.word(value)  # type: ignore[arg-type]


def run_lines(
    lines: Sequence[tuple[object, ...]], *values: object, before: Callable[[GuestThread], None] = lambda _: None
) -> object:
    """What is in slot 0 after these instructions, from values in the slots from 0 on."""
    filling = [("LOADK", number, 0) for number in range(8)]
    thread, _ = inhabited(program(code("<module>", 8, *filling, *lines, ("HALT",))), heap=SMALLEST)
    assert thread.enter(budget=len(filling)) is Exited.STEPPED
    for number, value in enumerate(values):
        thread._view.begin()
        thread.stack[number] = stored(thread, value)
    before(thread)
    while not thread.ended:
        assert thread.serve(thread.enter(), no_room)
    return str(thread.fault) if thread.fault else seen(thread, thread.slot(0))


def seen(thread: GuestThread, value: Value) -> object:
    if isinstance(value, Ref):
        return [seen(thread, item) for item in thread._view.items(value)]
    return python(value)


def given_by(op: str, *values: object, operands: tuple[int, ...] | None = None, stress: bool = False) -> object:
    """What `op` puts into slot 0, from values in the slots from 1 on; or what it raises."""
    used = tuple(range(len(values) + 1)) if operands is None else operands
    lines = [("LOADK", number, 0) for number in range(len(values) + 1)]
    built = program(code("<module>", len(values) + 1, *lines, (op, *used), ("HALT",)))
    thread, world = inhabited(built, heap=SMALLEST)
    assert thread.enter(budget=len(lines)) is Exited.STEPPED
    for number, value in enumerate(values):
        thread._view.begin()
        thread.stack[number + 1] = stored(thread, value)
    if stress:
        world.heap.stress = True
        world.record.set("tlab_bytes", 0)
        thread.engine.routine("retire", thread.address)
    while not thread.ended:
        assert thread.serve(thread.enter(), (lambda: world.collect(thread)) if stress else no_room)
    if thread.fault:
        return str(thread.fault) if thread.fault.message else f"{thread.fault.kind}: "
    return seen(thread, thread.slot(used[0]))


def reference(op: str, *values: object, operands: tuple[int, ...] | None = None) -> object:
    """What the reference machine's definition of `op` gives."""
    heap = ReferenceHeap(Vector())

    def made(value: object) -> Value:
        return heap.new_list([made(item) for item in value]) if isinstance(value, list) else value  # type: ignore[return-value]

    def shown(value: Value) -> object:
        return [shown(item) for item in heap.items(value)] if isinstance(value, Ref) else python(value)

    slots = [0, *(made(value) for value in values)]
    used = tuple(range(len(slots))) if operands is None else operands
    found = operations.result(
        program(code("<module>", 1, ("HALT",))), Instruction(op, used, 1), slots.__getitem__, heap
    )
    return f"{found.kind}: {found.message}" if isinstance(found, Fault) else shown(found)


def nan_inside(*values: object) -> bool:
    """Of a list: CPython then asks for its identity, which the guest's floats have not."""
    return any(isinstance(value, list) and "nan" in repr(value) for value in values)
