"""Equality, order, `is` and `in`; lists are compared item by item, as in CPython."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from safepoint.guest.faults import Fault, TooDeep
from safepoint.guest.heap import Heap
from safepoint.guest.operations.values import DEPTH, each, stand_in
from safepoint.guest.values import Ref, Value, is_list, same

ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "LESS": operator.lt, "LESS_EQUAL": operator.le, "GREATER": operator.gt, "GREATER_EQUAL": operator.ge,
}  # fmt: skip
COMPARE = (*ORDER, "EQUAL", "NOT_EQUAL", "IS", "IS_NOT", "IN", "NOT_IN")
DEEP = "maximum recursion depth exceeded in comparison"


def compare(heap: Heap, op: str, left: Value, right: Value) -> bool | Fault:
    """`left op right`.  op: an opcode in COMPARE.  Raises TooDeep."""
    match op:
        case "EQUAL":
            return equal(heap, left, right)
        case "NOT_EQUAL":
            return not equal(heap, left, right)
        case "IS":
            return same(left, right)
        case "IS_NOT":
            return not same(left, right)
        case "IN":
            return contains(heap, right, left)
        case "NOT_IN":
            inside = contains(heap, right, left)
            return inside if isinstance(inside, Fault) else not inside
    return ordered(heap, op, left, right)


def equal(heap: Heap, left: Value, right: Value, depth: int = 0) -> bool:
    """`left == right`.  A value that is not a number, string or list equals only itself."""
    if isinstance(left, Ref) and isinstance(right, Ref) and left.kind == right.kind == "list":
        if depth > DEPTH:
            raise TooDeep(DEEP)
        return heap.length(left) == heap.length(right) and _difference(heap, left, right, depth) is None
    if isinstance(left, str) and isinstance(right, str) and len(left) == len(right):
        heap.work(len(left))
    return left == right


def ordered(heap: Heap, op: str, left: Value, right: Value, depth: int = 0) -> bool | Fault:
    """`left op right`, op in ORDER.  Lists are ordered by the first items that differ, or else by length."""
    if isinstance(left, Ref) and isinstance(right, Ref) and left.kind == right.kind == "list":
        if depth > DEPTH:
            raise TooDeep(DEEP)
        if differ := _difference(heap, left, right, depth):
            return ordered(heap, op, *differ, depth + 1)
        return ORDER[op](heap.length(left), heap.length(right))
    if isinstance(left, str) and isinstance(right, str):
        heap.work(min(len(left), len(right)))
    try:
        return ORDER[op](stand_in(heap, left), stand_in(heap, right))
    except TypeError as error:
        return Fault("TypeError", str(error))


def _difference(heap: Heap, these: Ref, those: Ref, depth: int) -> tuple[Value, Value] | None:
    """The first two items that differ; None: there are none, up to the end of the shorter list."""
    for left, right in each(heap, these, those):
        if not same(left, right) and not equal(heap, left, right, depth + 1):
            return left, right
    return None


def contains(heap: Heap, container: Value, wanted: Value) -> bool | Fault:
    """`wanted in container`: a list contains it if an item is `wanted` or equals it."""
    if isinstance(container, Ref) and is_list(container):
        return any(same(item, wanted) or equal(heap, item, wanted) for (item,) in each(heap, container))
    if isinstance(container, str) and isinstance(wanted, str) and wanted:
        heap.work(len(container))
    try:
        return operator.contains(stand_in(heap, container), stand_in(heap, wanted))  # type: ignore[arg-type]
    except TypeError as error:
        return Fault("TypeError", str(error))
