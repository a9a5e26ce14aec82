"""The unary and binary operators: results and faults.

Numbers and strings go to CPython's own operators, unless the result could be enormous; so results and messages are CPython's.
Operators on lists are defined here.  For operands that an operator does not take, CPython words the fault, given stand-ins.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from safepoint.guest.faults import Fault
from safepoint.guest.heap import MOST_ELEMENTS, Heap
from safepoint.guest.operations.values import (
    NO_MEMORY,
    TOO_BIG,
    int63,
    new_string,
    stand_in,
    truth,
    type_name,
)
from safepoint.guest.values import Ref, Value

BINARY: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "ADD": (operator.add, operator.iadd), "SUB": (operator.sub, operator.isub), "MUL": (operator.mul, operator.imul),
    "FLOORDIV": (operator.floordiv, operator.ifloordiv), "TRUEDIV": (operator.truediv, operator.itruediv),
    "POWER": (operator.pow, operator.ipow), "MOD": (operator.mod, operator.imod), "AND": (operator.and_, operator.iand),
    "OR": (operator.or_, operator.ior), "XOR": (operator.xor, operator.ixor), "SHL": (operator.lshift, operator.ilshift),
    "SHR": (operator.rshift, operator.irshift),
}  # fmt: skip
"""Opcode -> `x op y` and `x op= y`, whose TypeErrors are worded differently."""

IN_PLACE = {"IADD": "ADD", "IMUL": "MUL"}


def _inverted(value: Any) -> Any:
    return operator.inv(int(value) if isinstance(value, bool) else value)  # since 3.12 CPython warns of a bool's


UNARY: dict[str, Callable[[Any], Any]] = {"NEG": operator.neg, "POS": operator.pos, "INVERT": _inverted}
NO_COMPLEX = Fault("ValueError", "a negative number cannot be raised to a fractional power")


def binary(heap: Heap, op: str, left: Value, right: Value, augmented: bool = False) -> Value | Fault:
    """`left op right`.  op: an opcode in BINARY or IN_PLACE.  augmented: it comes from `left op= right`, as IN_PLACE does."""
    if op in IN_PLACE:
        op, augmented = IN_PLACE[op], True
    match op, left, right:
        case "ADD", str(), str():
            return _joined(heap, left, right)
        case "ADD", Ref(kind="list"), Ref(kind="list"):
            return _extended(heap, left, right, augmented)
        case "ADD", Ref(kind="list"), str() if augmented:
            return _extended(heap, left, right, augmented)
        case "MUL", str() | Ref(kind="list"), int():
            return _repeated(heap, left, right, augmented)
        case "MUL", int(), str() | Ref(kind="list"):
            return _repeated(heap, right, left, False)
        case "MOD", str(), _:
            kinds = f"'str' and '{type_name(heap, right)}'"
            return Fault("TypeError", f"unsupported operand type(s) for %{'=' * augmented}: {kinds}")
    return _cpython(heap, op, left, right, augmented)


def unary(heap: Heap, op: str, value: Value) -> Value | Fault:
    """`op value`.  op: NEG, POS, INVERT or NOT."""
    if op == "NOT":
        return not truth(heap, value)
    try:
        result = UNARY[op](stand_in(heap, value))
    except TypeError as error:
        return Fault("TypeError", str(error))
    return int63(result) if isinstance(result, int) else float(result)


# ---------------------------------------------------------------------------------------------- strings and lists


def _joined(heap: Heap, left: str, right: str) -> str | Fault:
    if len(left) + len(right) > MOST_ELEMENTS:
        return NO_MEMORY
    return new_string(heap, left + right)


def _extended(heap: Heap, left: Ref, right: Ref | str, in_place: bool) -> Ref | Fault:
    first, second = (len(of) if isinstance(of, str) else heap.length(of) for of in (left, right))
    if first + second > MOST_ELEMENTS:
        return NO_MEMORY
    heap.work(second if in_place else first + second)
    return _list(heap, left, heap.gather([(left, 0, first), (right, 0, second)]), in_place)


def _repeated(heap: Heap, sequence: str | Ref, times: int, in_place: bool) -> Value | Fault:
    times = max(0, times)
    length = len(sequence) if isinstance(sequence, str) else heap.length(sequence)
    if length * times > MOST_ELEMENTS:
        return NO_MEMORY
    if isinstance(sequence, str):
        heap.text_room(length * times)  # before Python makes it: it may be larger than any memory
        heap.work(length * times)
        return sequence * times
    heap.list_room(length * times)
    heap.work(length * times)
    return _list(heap, sequence, heap.gather([(sequence, 0, length)], times), in_place)


def _list(heap: Heap, old: Ref, new: Ref, in_place: bool) -> Ref:
    """What an operator gives that has made a new list: the list that it has changed, if it works in place."""
    if not in_place:
        return new
    heap.become(old, new)
    return old


# ---------------------------------------------------------------------------------------------- numbers, and operands that an operator does not take


def _cpython(heap: Heap, op: str, left: Value, right: Value, augmented: bool) -> Value | Fault:
    """CPython's result or fault.  Of a result that would be enormous, only enough is computed to see that it is too big."""
    if isinstance(left, int) and isinstance(right, int):
        if op == "SHL" and right > 0:
            right = min(right, 64)
        if op == "POWER" and abs(left) > 1 and right > 62:
            return TOO_BIG
    try:
        result = BINARY[op][augmented](stand_in(heap, left), stand_in(heap, right))
    except (TypeError, ValueError, ArithmeticError) as error:
        return Fault(type(error).__name__, str(error))
    if isinstance(result, complex):
        return NO_COMPLEX
    return int63(result) if isinstance(result, int) else float(result)
