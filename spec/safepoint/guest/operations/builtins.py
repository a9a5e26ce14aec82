"""The guest's built-in functions: CPython's own functions on numbers and strings, and definitions here on lists.

`len` and `print` are opcodes, and `range` is a part of `for`.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sequence

from safepoint.guest.code import UNSET
from safepoint.guest.faults import Fault
from safepoint.guest.heap import Heap
from safepoint.guest.operations import sequences
from safepoint.guest.operations.comparison import ordered
from safepoint.guest.operations.operators import binary
from safepoint.guest.operations.text import repr_text, text
from safepoint.guest.operations.values import each, int63, new_string, stand_in, truth
from safepoint.guest.values import Ref, Value

ARGUMENTS: dict[str, tuple[int, int | None]] = {
    "int": (0, 1), "float": (0, 1), "str": (0, 1), "bool": (0, 1), "abs": (1, 1), "min": (1, None), "max": (1, None),
    "sum": (1, 2), "chr": (1, 1), "ord": (1, 1), "repr": (1, 1),
}  # fmt: skip
"""Function -> its least and its greatest number of arguments (None: no limit)."""

BUILTINS = tuple(ARGUMENTS)
"""An operand of kind "builtin" is an index into this table."""

DIRECT = ("int", "float", "abs", "chr", "ord")
"""Functions of one value whose result in CPython is the guest's too."""


def call(heap: Heap, name: str, arguments: Sequence[Value]) -> Value | Fault:
    """Call a built-in function; the verifier has checked the number of arguments.  Raises TooDeep."""
    if name in DIRECT:
        return _direct(heap, name, arguments)
    match name, arguments:
        case "str", [str() as value]:
            return value
        case "str", _:
            return new_string(heap, text(heap, arguments[0]) if arguments else "")
        case "repr", [value]:
            return new_string(heap, repr_text(heap, value))
        case "bool", _:
            return bool(arguments) and truth(heap, arguments[0])
        case "sum", _:
            return _sum(heap, *arguments)
    return _extreme(heap, name, arguments)


def _direct(heap: Heap, name: str, arguments: Sequence[Value]) -> Value | Fault:
    function: Callable[..., int | float | str] = getattr(builtins, name)
    heap.work(sum(len(value) for value in arguments if isinstance(value, str)))
    try:
        result = function(*(stand_in(heap, value) for value in arguments))
    except (TypeError, ValueError, OverflowError) as error:
        return Fault(type(error).__name__, str(error))
    match result:
        case str():
            return new_string(heap, result)
        case int():
            return int63(result)
    return result


def _items(heap: Heap, of: Value) -> Iterator[Value] | Fault:
    """The items of a list or string, or the fault of a value that has none."""
    if fault := sequences.iterable_fault(heap, of):
        return fault
    assert isinstance(of, Ref | str)
    return (item for (item,) in each(heap, of))


def _sum(heap: Heap, of: Value, start: Value = 0) -> Value | Fault:
    items = _items(heap, of)
    if isinstance(items, Fault):
        return items
    if isinstance(start, str):
        return Fault("TypeError", "sum() can't sum strings [use ''.join(seq) instead]")
    total: Value = start
    for item in items:
        more = binary(heap, "ADD", total, item)
        if isinstance(more, Fault):
            return more
        total = more
    return total


def _extreme(heap: Heap, name: str, arguments: Sequence[Value]) -> Value | Fault:
    """`min` or `max` of the items of one argument, or of several arguments; of equals, the first."""
    items = iter(arguments) if len(arguments) > 1 else _items(heap, arguments[0])
    if isinstance(items, Fault):
        return items
    best = next(items, UNSET)
    if best is UNSET:
        return Fault("ValueError", f"{name}() arg is an empty sequence")
    for item in items:
        better = ordered(heap, "LESS" if name == "min" else "GREATER", item, best)
        if isinstance(better, Fault):
            return better
        best = item if better else best
    return best
