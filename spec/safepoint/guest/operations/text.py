"""The text of a value, as `str`, `repr` and `print` give it.  `text` and `repr_text` raise TooDeep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from safepoint.guest.faults import Fault, TooDeep
from safepoint.guest.heap import WORK, Heap
from safepoint.guest.operations.values import DEPTH, each, type_name
from safepoint.guest.values import Function, Ref, Value


def text(heap: Heap, value: Value) -> str:
    """`str(value)`.  An exception has the text of its argument; a KeyError quotes it."""
    for _ in range(DEPTH):
        match value:
            case str():
                return value
            case Ref(kind="exception"):
                kind, args = heap.exception(value)
                if not args:
                    return ""
                if kind == "KeyError":
                    return repr_text(heap, args[0])
                value = args[0]
            case _:
                return repr_text(heap, value)
    raise TooDeep("maximum recursion depth exceeded while getting the str of an object")


def repr_text(heap: Heap, value: Value, above: tuple[Ref, ...] = ()) -> str:
    """`repr(value)`.  above: the lists and exceptions around it; a list inside itself is `[...]`."""
    if len(above) > DEPTH:
        raise TooDeep("maximum recursion depth exceeded while getting the repr of an object")
    match value:
        case Function():
            return f"<function {value.name}>"
        case Ref(kind="list"):
            if value in above:
                return "[...]"
            inside: Iterable[Value] = (item for (item,) in each(heap, value))
            start, end = "[", "]"
        case Ref(kind="thread"):
            return "<Thread>"
        case Ref(kind="lock"):
            return "<lock>"
        case Ref():
            kind, args = heap.exception(value)
            inside, start, end = args, f"{kind}(", ")"
        case str():
            heap.work(len(value))
            return repr(value)
        case _:
            return repr(value)
    parts = []
    for item in inside:  # a plain loop, so that a level costs one Python frame
        parts.append(repr_text(heap, item, (*above, value)))  # noqa: PERF401
    return start + ", ".join(parts) + end


def printed(heap: Heap, values: Sequence[Value], end: Value = None) -> str | Fault:
    """The text that `print(*values, end=end)` writes, or the fault that it raises."""
    if end is not None and not isinstance(end, str):
        return Fault("TypeError", f"end must be None or a string, not {type_name(heap, end)}")
    try:
        line = " ".join([text(heap, value) for value in values]) + ("\n" if end is None else end)
        heap.work(len(line))
        line.encode()
    except TooDeep as deep:
        return Fault("RecursionError", str(deep))
    except UnicodeEncodeError as error:  # half a surrogate pair
        return Fault("UnicodeEncodeError", str(error))
    return line


class _Brief:
    """A heap for a text that is made where there is no check site: it is given up instead."""

    def __init__(self, heap: Heap) -> None:
        self._heap, self._units = heap, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._heap, name)

    def work(self, units: int) -> None:
        self._units += units
        if self._units > WORK:
            raise TooDeep


def message(heap: Heap, ref: Ref) -> str:
    """The text of an exception in the last line of a traceback, behind its kind, if it takes no more than WORK units of work."""
    try:
        return text(cast("Heap", _Brief(heap)), ref)
    except TooDeep:
        return "<exception str() failed>"
