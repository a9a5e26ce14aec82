"""What an opcode gives in machine code, in the form in which `tests.values` has what CPython and its definition make of it."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from safepoint.guest.code import Instruction
from safepoint.guest.faults import Fault
from safepoint.guest.values import Ref, Value
from safepoint_vm.language.machine import Exited
from safepoint_vm.memory.heap import SMALLEST
from safepoint_vm.threads.thread import GuestThread
from tests.impl.building import code, inhabited, no_room, program
from tests.values import MANY, atoms, by_cpython, by_definition, comparable

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
texts = st.text(st.sampled_from("ab\xff\u0100\U0001f600"), max_size=5)
lists = st.lists(atoms, max_size=4)
few = st.sampled_from([0, 1, 1.0, True, 2**53 + 1, 2.0**53, math.nan, "a", "b", None])  # so that many are equal
nested = st.recursive(st.lists(few, max_size=3), lambda inner: st.lists(few | inner, max_size=3), max_leaves=6)
anything = atoms | lists


def expected(compute: Callable[..., Any], *values: object) -> object:
    """What CPython makes of it, in the form of `comparable`."""
    return comparable(by_cpython(compute, *values))


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
        return ["list", *(seen(thread, item) for item in thread._view.items(value))]
    return comparable(value)


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
    thread.polls = MANY
    if stress:
        world.heap.stress = True
        world.record.set("tlab_bytes", 0)
        thread.engine.routine("retire", thread.address)
    while not thread.ended:
        assert thread.serve(thread.enter(), (lambda: world.collect(thread)) if stress else no_room)
    if thread.fault:
        return Fault(thread.fault.kind, thread.fault.message)
    return seen(thread, thread.slot(used[0]))


def reference(op: str, *values: object, operands: tuple[int, ...] | None = None) -> object:
    """What the definition of `op` computes, from values in the slots from 1 on."""
    used = tuple(range(len(values) + 1)) if operands is None else operands
    return by_definition(Instruction(op, used, 1), values, first=1)[0]


def nan_inside(*values: object) -> bool:
    """Of a list: CPython then asks for its identity, which the guest's floats have not."""
    return any(isinstance(value, list) and "nan" in repr(value) for value in values)
