"""The truth of a value, its items, its type's name for messages, and the limits of sizes."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Iterator, Sequence

from safepoint.guest.code import INT_MAX, INT_MIN
from safepoint.guest.faults import Fault
from safepoint.guest.heap import Heap
from safepoint.guest.values import Function, Ref, Value


def truth(heap: Heap, value: Value) -> bool:
    """`bool(value)`."""
    if isinstance(value, Ref):
        return value.kind != "list" or heap.length(value) > 0
    return bool(value)


CHUNK = 256
"""Items that are read at once."""


def each(heap: Heap, *sequences: Ref | str) -> Iterator[tuple[Value, ...]]:
    """The items of lists and strings side by side, up to the end of the shortest, as they are when it is their turn.

    Each turn is a unit of work.
    """
    at, turns = 0, CHUNK
    while turns == CHUNK:
        items = list(zip(*(_items(heap, of, at) for of in sequences), strict=False))
        at, turns = at + CHUNK, len(items)
        heap.work(turns)
        yield from items


def _items(heap: Heap, of: Ref | str, at: int) -> Sequence[Value]:
    return heap.items(of, at, at + CHUNK) if isinstance(of, Ref) else of[at : at + CHUNK]


# ---------------------------------------------------------------------------------------------- for messages


def _function() -> None:
    """CPython's counterpart of all the guest's functions."""


_lock = threading.Lock()
"""CPython's counterpart of all the guest's locks."""


def stand_in(heap: Heap, value: Value) -> object:
    """A CPython object of the same type and, except for heap objects, the same value.

    Given stand-ins, CPython itself words the message of an operation that fails.
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
    """The name of the value's type in CPython's messages."""
    kind = type(stand_in(heap, value))
    return "_thread.lock" if kind is type(_lock) else kind.__name__


# ---------------------------------------------------------------------------------------------- sizes

TOO_BIG = Fault("OverflowError", "integer result does not fit in 63 bits")
NO_MEMORY = Fault("MemoryError")
DEPTH = 300
"""Lists nested deeper are neither compared nor printed."""


def int63(result: int) -> int | Fault:
    """The result of an operator, or an OverflowError if it does not fit in the guest's int."""
    return result if INT_MIN <= result <= INT_MAX else TOO_BIG


def new_string(heap: Heap, text: str) -> str:
    """The string, once the heap has room for it.  Each character is a unit of work.  Raises NoRoom."""
    heap.text_room(len(text))
    heap.work(len(text))
    return text
