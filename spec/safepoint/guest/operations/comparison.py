"""Equality, order, `is` and `in`; lists are compared item by item, as in CPython."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from safepoint.guest.faults import Fault, TooDeep
from safepoint.guest.heap import Heap
from safepoint.guest.operations.values import DEPTH, stand_in
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
        these, those = heap.items(left), heap.items(right)
        return len(these) == len(those) and _difference(heap, these, those, depth) == len(these)
    return left == right


def ordered(heap: Heap, op: str, left: Value, right: Value, depth: int = 0) -> bool | Fault:
    """`left op right`, op in ORDER.  Lists are ordered by the first items that differ, or else by length."""
    if isinstance(left, Ref) and isinstance(right, Ref) and left.kind == right.kind == "list":
        if depth > DEPTH:
            raise TooDeep(DEEP)
        these, those = heap.items(left), heap.items(right)
        first = _difference(heap, these, those, depth)
        if first < min(len(these), len(those)):
            return ordered(heap, op, these[first], those[first], depth + 1)
        return ORDER[op](len(these), len(those))
    try:
        return ORDER[op](stand_in(heap, left), stand_in(heap, right))
    except TypeError as error:
        return Fault("TypeError", str(error))


def _difference(heap: Heap, these: Sequence[Value], those: Sequence[Value], depth: int) -> int:
    """The first index at which the items differ, or the length of the shorter."""
    for number, (left, right) in enumerate(zip(these, those, strict=False)):
        if not same(left, right) and not equal(heap, left, right, depth + 1):
            return number
    return min(len(these), len(those))


def contains(heap: Heap, container: Value, wanted: Value) -> bool | Fault:
    """`wanted in container`: a list contains it if an item is `wanted` or equals it."""
    if isinstance(container, Ref) and is_list(container):
        return any(same(item, wanted) or equal(heap, item, wanted) for item in heap.items(container))
    try:
        return operator.contains(stand_in(heap, container), stand_in(heap, wanted))  # type: ignore[arg-type]
    except TypeError as error:
        return Fault("TypeError", str(error))
