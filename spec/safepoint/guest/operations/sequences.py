"""Operations on lists and strings, and what a `for` iterates over: lists, strings and ranges."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from safepoint.guest.faults import Fault
from safepoint.guest.heap import MOST_ELEMENTS, Heap
from safepoint.guest.operations.values import NO_MEMORY, new_string, stand_in, type_name
from safepoint.guest.values import Ref, Value, is_list


def length(heap: Heap, of: Value) -> int | Fault:
    """`len(of)`."""
    if isinstance(of, Ref) and is_list(of):
        return heap.length(of)
    if isinstance(of, str):
        return len(of)
    return Fault("TypeError", f"object of type '{type_name(heap, of)}' has no len()")


def item(heap: Heap, of: Value, index: Value) -> Value | Fault:
    """`of[index]`."""
    if isinstance(of, Ref) and is_list(of) and isinstance(index, int):
        try:
            return heap.item(of, _position(heap, of, index))
        except IndexError:
            return Fault("IndexError", "list index out of range")
    if isinstance(of, str) and isinstance(index, int) and -len(of) <= index < len(of):
        return new_string(heap, of[index])
    return _complaint(heap, operator.getitem, of, stand_in(heap, index))


def store(heap: Heap, of: Value, index: Value, value: Value) -> Fault | None:
    """`of[index] = value`."""
    if isinstance(of, Ref) and is_list(of) and isinstance(index, int):
        try:
            heap.set_item(of, _position(heap, of, index), value)
        except IndexError:
            return Fault("IndexError", "list assignment index out of range")
        return None
    return _complaint(heap, operator.setitem, of, stand_in(heap, index), None)


def delete(heap: Heap, of: Value, index: Value) -> Fault | None:
    """`del of[index]`."""
    if isinstance(of, Ref) and is_list(of) and isinstance(index, int):
        at = _position(heap, of, index)
        if not 0 <= at < heap.length(of):
            return Fault("IndexError", "list assignment index out of range")
        _remove(heap, of, at)
        return None
    return _complaint(heap, operator.delitem, of, stand_in(heap, index))


def part(heap: Heap, of: Value, start: Value, end: Value) -> Value | Fault:
    """`of[start:end]`; None: from the start, to the end."""
    if isinstance(start, int | None) and isinstance(end, int | None):
        if isinstance(of, Ref) and is_list(of):
            first, last, _ = slice(start, end).indices(heap.length(of))
            heap.work(max(0, last - first))
            return heap.gather([(of, first, last)])
        if isinstance(of, str):
            return new_string(heap, of[start:end])
    return _complaint(heap, operator.getitem, of, slice(stand_in(heap, start), stand_in(heap, end)))


def append(heap: Heap, of: Value, value: Value) -> Fault | None:
    """`of.append(value)`."""
    if not (isinstance(of, Ref) and is_list(of)):
        return no_method(heap, of, "append")
    if heap.length(of) >= MOST_ELEMENTS:
        return NO_MEMORY
    heap.append(of, value)
    return None


def pop(heap: Heap, of: Value, index: Value = -1) -> Value | Fault:
    """`of.pop(index)`."""
    if not (isinstance(of, Ref) and is_list(of)):
        return no_method(heap, of, "pop")
    if not isinstance(index, int):
        return Fault("TypeError", f"'{type_name(heap, index)}' object cannot be interpreted as an integer")
    at = _position(heap, of, index)
    if not heap.length(of):
        return Fault("IndexError", "pop from empty list")
    if not 0 <= at < heap.length(of):
        return Fault("IndexError", "pop index out of range")
    value = heap.item(of, at)
    _remove(heap, of, at)
    return value


def _remove(heap: Heap, of: Ref, at: int) -> None:
    """Remove one item; those behind it move."""
    length = heap.length(of)
    heap.work(length - at)
    heap.become(of, heap.gather([(of, 0, at), (of, at + 1, length)]))


def no_method(heap: Heap, of: Value, name: str) -> Fault:
    """The AttributeError of calling a method that `of` does not have."""
    return Fault("AttributeError", f"'{type_name(heap, of)}' object has no attribute '{name}'")


def _position(heap: Heap, of: Ref, index: int) -> int:
    """The index counted from the start; still negative if it is before the first item."""
    return index if index >= 0 else index + heap.length(of)


def _complaint(heap: Heap, operation: Callable[..., Any], of: Value, *others: object) -> Fault:
    """The fault that CPython raises for an operation that is not possible."""
    try:
        operation(stand_in(heap, of), *others)
    except (TypeError, IndexError) as error:
        return Fault(type(error).__name__, str(error))
    raise AssertionError(f"{operation.__name__} of {of!r} and {others!r} is possible")


# ---------------------------------------------------------------------------------------------- loops


def iterable_fault(heap: Heap, of: Value) -> Fault | None:
    """The TypeError of a `for` over a value that is neither a list nor a string; else None."""
    if isinstance(of, str) or is_list(of):
        return None
    return Fault("TypeError", f"'{type_name(heap, of)}' object is not iterable")


def turn(heap: Heap, of: Value, number: int) -> tuple[Value, ...]:
    """(value,) for turn `number` of a loop over a list or string; () if the list, as it is now, has no such item."""
    try:
        return (heap.item(of, number) if isinstance(of, Ref) else new_string(heap, str(of)[number]),)
    except IndexError:
        return ()


def range_values(heap: Heap, start: Value, end: Value, step: Value) -> tuple[int, int, int] | Fault:
    """What FOR_PREPARE writes into its three slots: first value, turns left, step.

    The number of turns may need 64 unsigned bits: `range(INT_MIN, INT_MAX)` has 2**63 - 1 of them.
    """
    if not isinstance(start, int) or not isinstance(end, int) or not isinstance(step, int):
        wrong = next(v for v in (start, end, step) if not isinstance(v, int))
        return Fault("TypeError", f"'{type_name(heap, wrong)}' object cannot be interpreted as an integer")
    if step == 0:
        return Fault("ValueError", "range() arg 3 must not be zero")
    turns = max(0, -((start - end) // step))  # rounded up
    return int(start), turns, int(step)
