"""The guest's values, and what can be said of one value alone.

Exactly Python's meaning.  All that differs from CPython 3.11 is this:

* an `int` has 63 bits: a result beyond them is an OverflowError;
* ints, floats and strings have no identity: `is` says whether type and value are the same (`0.0 is -0.0` is false, a nan is
  itself);
* a negative number to a fractional power is a ValueError: there are no complex numbers;
* `str % x` is a TypeError: there is no formatting with `%`;
* a string or list of more than 2**31 elements is a MemoryError before it is tried, and lists nested more than 300 deep are
  neither compared nor printed: RecursionError;
* a method that a value does not have is noticed after its arguments are computed;
* the text of a function says no address, and an exception raised while another one is handled is printed alone;
* threads and locks are printed as `<Thread>` and `<lock>`; of a thread's own traceback, only the guest's part is printed;
* an exception of Python's own with two arguments (`1e308 ** 2`) has their text as its only one.
"""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.guest.code import SMALL, FunctionConstant, Program, Unset


@dataclass(frozen=True)
class Function:
    """A function of the guest: `codes[number]` of its program.  A `def` is executed once, so the number is its identity."""

    number: int
    name: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Ref:
    """An object in a heap.  kind: "list", "exception", "thread" or "lock".  number: the heap's own name for it, good until it collects."""

    kind: str
    number: int


Value = int | float | str | Function | Ref | Unset | None
"""`bool` is an `int` in Python's types too.  UNSET never reaches an operator of a compiled program."""


def constant(program: Program, number: int) -> Value:
    """The value of `program.constants[number]`."""
    match program.constants[number]:
        case FunctionConstant(code):
            return Function(code, program.codes[code].name, program.codes[code].parameters)
        case value:
            return value


def small(number: int) -> Value:
    """The value that this operand of LOADK stands for."""
    value = SMALL.get(number, number)
    assert value is None or isinstance(value, int | Unset)
    return value


def is_list(value: Value) -> bool:
    return isinstance(value, Ref) and value.kind == "list"


def is_exception(value: Value) -> bool:
    return isinstance(value, Ref) and value.kind == "exception"


def same(left: Value, right: Value) -> bool:
    """`is`."""
    if isinstance(left, float) and isinstance(right, float):
        return repr(left) == repr(right)  # tells the zeros apart, and nans not
    return type(left) is type(right) and left == right
