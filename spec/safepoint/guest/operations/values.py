"""What needs a value's heap, or says what is wrong with a value: truth, CPython's names for types, and the limits of sizes."""

from __future__ import annotations

import builtins
import threading

from safepoint.guest.code import INT_MAX, INT_MIN
from safepoint.guest.faults import Fault
from safepoint.guest.heap import Heap
from safepoint.guest.values import Function, Ref, Value


def truth(heap: Heap, value: Value) -> bool:
    if isinstance(value, Ref):
        return value.kind != "list" or heap.length(value) > 0
    return bool(value)


# ---------------------------------------------------------------------------------------------- for messages


def _function() -> None:
    """CPython's counterpart of all the guest's functions."""


_lock = threading.Lock()
"""CPython's counterpart of all the guest's locks."""


def stand_in(heap: Heap, value: Value) -> object:
    """An object of CPython's with the same type and, but for objects of the heap, the same value.

    So CPython itself can say what is wrong with an operation, in its own words.
    """
    match value:
        case Function():
            return _function
        case Ref(kind="list"):
            return []
        case Ref(kind="thread"):
            return threading.Thread.__new__(threading.Thread)
        case Ref(kind="lock"):
            return _lock
        case Ref():
            kind: type[BaseException] = getattr(builtins, heap.exception(value)[0])
            return kind.__new__(kind)
    return value


def type_name(heap: Heap, value: Value) -> str:
    """As CPython's messages name it."""
    kind = type(stand_in(heap, value))
    return "_thread.lock" if kind is type(_lock) else kind.__name__


# ---------------------------------------------------------------------------------------------- sizes

TOO_BIG = Fault("OverflowError", "integer result does not fit in 63 bits")
NO_MEMORY = Fault("MemoryError")
MOST_ELEMENTS = 2**31
DEPTH = 300
"""Lists nested deeper are neither compared nor printed."""


def fitting(result: int) -> int | Fault:
    """The result of an operator, if a guest's int can hold it."""
    return result if INT_MIN <= result <= INT_MAX else TOO_BIG


def made(heap: Heap, text: str) -> str:
    """A string that an operation has made, if there is room for it."""
    heap.text_room(len(text))
    return text
