"""Values of the guest's language as Python objects: strategies, and one operation done by CPython and by its definition.

CPython does it on the objects, `operations` on copies of them in the reference machine's heap.  Results, and what became of
the operands, are compared in one form: `comparable`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from safepoint.guest.code import INT_MAX, INT_MIN, Instruction, Program
from safepoint.guest.faults import Fault
from safepoint.guest.operations import instructions as operations
from safepoint.guest.operations.operators import NO_COMPLEX
from safepoint.guest.operations.values import TOO_BIG
from safepoint.guest.reference.heap import ReferenceHeap
from safepoint.guest.reference.vector import Vector
from safepoint.guest.values import Function, Ref, Value
from tests.oracle import message_of


def f() -> None:
    """CPython's counterpart of FUNCTION."""


FUNCTION = Function(1, "f", ())
ERROR = ValueError("v")
PROGRAM = Program("f", "", (), (), (), ())

# ---------------------------------------------------------------------------------------------- strategies

EDGES = [e + d for e in (INT_MIN, -(2**53), -(2**31), 0, 2**31, 2**53, INT_MAX) for d in range(-2, 3)]
TINY, HUGE = 2.0**-255, 2.0**257  # where machine code begins to need a box for a float
ints = st.one_of(
    st.sampled_from([e for e in EDGES if INT_MIN <= e <= INT_MAX]), st.integers(INT_MIN, INT_MAX), st.integers(-9, 70)
)
floats = st.one_of(
    st.floats().map(lambda x: math.nan if math.isnan(x) else x),  # in the guest's language there is only one nan
    st.integers(-4, 9).map(lambda n: n / 2),
    st.sampled_from((0.0, -0.0, 1e308, -1e308, TINY, HUGE, -HUGE, math.nextafter(TINY, 0), math.nextafter(HUGE, 0))),
)
strings = st.one_of(
    st.text(max_size=4),
    st.text(st.sampled_from("ab\xff\u0100\U0001f600"), max_size=5),  # characters of each width that a machine stores
    st.sampled_from(("a", "ab", "b", "", "12", " -1.5 ")),
)
numerals = st.integers(-(10**19), 10**19).map(str) | st.text(st.sampled_from("-+0189 _."), max_size=4)
numbers = st.one_of(ints, floats, st.booleans())
atoms = st.one_of(ints, floats, strings, st.booleans(), st.none())
flat = st.one_of(atoms, st.just(f), st.just(ERROR))
lists = st.recursive(
    st.lists(flat, max_size=3), lambda inner: st.lists(st.one_of(flat, inner), max_size=3), max_leaves=6
)
anything = st.one_of(flat, lists)


def has_function(thing: object) -> bool:
    """Whether CPython's text of it has an address, which the guest's has not."""
    return "<function" in repr(thing)


# ---------------------------------------------------------------------------------------------- comparison


def comparable(thing: object) -> object:
    """Types told apart, floats by all their digits, exceptions by name; a Fault stays as it is."""
    match thing:
        case Fault():
            return thing
        case list():
            return ["list", *map(comparable, thing)]
        case BaseException():
            return type(thing).__name__, thing.args
    return ("Function", "f") if thing is f or thing == FUNCTION else (type(thing).__name__, repr(thing))


MANY = 1000
"""Polls that an operation has passed: it is done as if no requester asked for anything."""


class Copies:
    """A heap of the reference machine, and copies in it of CPython's objects."""

    def __init__(self) -> None:
        self.heap = ReferenceHeap(Vector(), polls=MANY)
        self.known: dict[int, Ref] = {}
        self.kept: list[object] = []  # so that no `id` is used twice

    def guest(self, thing: Any) -> Value:
        """The copy of an object; the same one each time."""
        if isinstance(thing, list | BaseException):
            if id(thing) not in self.known:
                self.kept.append(thing)
                if isinstance(thing, list):
                    ref = self.known[id(thing)] = self.heap.new_list(())
                    self.heap.become(ref, self.heap.new_list([self.guest(item) for item in thing]))
                else:
                    args = tuple(self.guest(a) for a in thing.args)
                    self.known[id(thing)] = self.heap.new_exception(type(thing).__name__, args)
            return self.known[id(thing)]
        return FUNCTION if thing is f else thing

    def comparable(self, value: object) -> object:
        """A guest's value in the form of `comparable`."""
        match value:
            case Ref(kind="list"):
                return ["list", *(self.comparable(item) for item in self.heap.items(value))]
            case Ref():
                return self.heap.exception(value)
        return comparable(value)


# ---------------------------------------------------------------------------------------------- one operation


def by_cpython(operation: Callable[..., object], *operands: Any) -> object:
    """What CPython makes of it: a value, or the Fault that the guest's language has for it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = operation(*operands)
    except (TypeError, ArithmeticError, ValueError, LookupError, AttributeError) as error:
        return Fault(type(error).__name__, message_of(error))
    if isinstance(result, complex):
        return NO_COMPLEX
    if isinstance(result, int) and not INT_MIN <= result <= INT_MAX:
        return TOO_BIG
    return result


def by_definition(instruction: Instruction, operands: Sequence[Any], first: int = 0) -> tuple[object, list[object]]:
    """What `operations` computes from operands in the slots from `first` on; and what becomes of them.  Comparable."""
    copies = Copies()
    slots = [*[0] * first, *map(copies.guest, operands)]
    result = operations.result(PROGRAM, instruction, slots.__getitem__, copies.heap)
    return copies.comparable(result), [copies.comparable(slot) for slot in slots[first:]]


def check(instruction: Instruction, operation: Callable[..., object], operands: Sequence[Any]) -> None:
    """The instruction, which reads its operands from slots 0, 1, 2, does what the operation does in CPython."""
    ours, after = by_definition(instruction, operands)
    assert ours == comparable(by_cpython(operation, *operands))
    assert after == [comparable(thing) for thing in operands], "what became of an operand"


def evaluated(expression: str) -> Callable[..., object]:
    """A function of a, b and c with this value."""
    function: Callable[..., object] = eval(f"lambda a, b=None, c=None: {expression}")
    return function


def executed(statement: str, result: str = "None") -> Callable[..., object]:
    """A function of a, b and c that executes a statement."""
    scope: dict[str, Any] = {}
    exec(f"def g(a, b=None, c=None):\n    {statement}\n    return {result}", scope)
    function: Callable[..., object] = scope["g"]
    return function
