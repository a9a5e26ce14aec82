"""Faults that machine code raises by itself: what the guest's definitions say of an example of each."""

from __future__ import annotations

from safepoint.guest.faults import Fault
from safepoint.guest.objects import Objects
from safepoint.guest.operators import binary
from safepoint.guest.persistent import Vector
from safepoint.guest.sequences import item, pop, store
from safepoint.guest.values import Value


def _examples() -> dict[str, Value | Fault]:
    heap = Objects(Vector())
    empty = heap.new_list([])
    return {
        "list_index": item(heap, empty, 0),
        "string_index": item(heap, "", 0),
        "store_index": store(heap, empty, 0, None),
        "empty_pop": pop(heap, empty),
        "int_floordiv": binary(heap, "FLOORDIV", 1, 0),
        "int_mod": binary(heap, "MOD", 1, 0),
        "int_truediv": binary(heap, "TRUEDIV", 1, 0),
        "float_floordiv": binary(heap, "FLOORDIV", 1.0, 0.0),
        "float_mod": binary(heap, "MOD", 1.0, 0.0),
        "float_truediv": binary(heap, "TRUEDIV", 1.0, 0.0),
    }


FAULTS = {name: fault for name, fault in _examples().items() if isinstance(fault, Fault)}
"""Machine code knows a fault by its place here."""
NUMBERS = {name: number for number, name in enumerate(FAULTS)}
