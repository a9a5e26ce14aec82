"""Faults that machine code raises itself.  Kind and message are CPython's, from an example of each."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from safepoint.guest.faults import Fault

EXAMPLES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "list_index": (operator.getitem, ([], 0)),
    "string_index": (operator.getitem, ("", 0)),
    "store_index": (operator.setitem, ([], 0, None)),
    "empty_pop": (list[int].pop, ([],)),
    "int_floordiv": (operator.floordiv, (1, 0)),
    "int_mod": (operator.mod, (1, 0)),
    "int_truediv": (operator.truediv, (1, 0)),
    "float_floordiv": (operator.floordiv, (1.0, 0.0)),
    "float_mod": (operator.mod, (1.0, 0.0)),
    "float_truediv": (operator.truediv, (1.0, 0.0)),
}


def _raised(operation: Callable[..., Any], operands: tuple[Any, ...]) -> Fault:
    try:
        operation(*operands)
    except (IndexError, ZeroDivisionError) as error:
        return Fault(type(error).__name__, str(error))
    raise AssertionError(f"{operation} of {operands} raises nothing")


FAULTS = {name: _raised(*example) for name, example in EXAMPLES.items()}
"""The faults; machine code uses their index."""
NUMBERS = {name: number for number, name in enumerate(FAULTS)}
