"""The guest's values: their types, constants and identity.

Values behave as in CPython 3.11, with exactly these differences:

* an `int` has 63 bits: a result beyond them is an OverflowError;
* ints, floats and strings have no identity: `is` compares type and value (`0.0 is -0.0` is false, a nan is itself);
* a negative number to a fractional power is a ValueError: there are no complex numbers;
* `str % x` is a TypeError: there is no formatting with `%`;
* a string or list of more than 2**31 elements is a MemoryError, raised before any work is done;
* a traceback has only the innermost `heap.WORK` calls; an uncaught exception whose text is more work than that is printed without it;
* comparing or printing lists nested more than 300 deep is a RecursionError;
* the arguments of a method that does not exist are evaluated before the AttributeError is raised;
* the text of a function has no address; an exception raised while another is handled is printed without that other one;
* threads and locks are printed as `<Thread>` and `<lock>`; the traceback of a thread has only the guest's entries;
* an exception that CPython raises with two arguments (`1e308 ** 2`) has one here: their text.
"""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.guest.code import SMALL, FunctionConstant, Program, Unset


@dataclass(frozen=True)
class Function:
    """A guest function: `codes[number]` of its program.  Each `def` is executed once, so the number is its identity."""

    number: int
    name: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Ref:
    """An object in a heap.  kind: "list", "exception", "thread" or "lock".  number: identifies it in its heap until the next collection."""

    kind: str
    number: int


Value = int | float | str | Function | Ref | Unset | None
"""A `bool` is an `int`, as in Python.  In a compiled program UNSET never reaches an operator."""


def constant(program: Program, number: int) -> Value:
    """The value of `program.constants[number]`."""
    match program.constants[number]:
        case FunctionConstant(code):
            return Function(code, program.codes[code].name, program.codes[code].parameters)
        case value:
            return value


def small(number: int) -> Value:
    """The value that an operand of LOADK stands for: an int, None, False, True or UNSET."""
    return SMALL.get(number, number)


def is_list(value: Value) -> bool:
    """Whether the value is a list in some heap."""
    return isinstance(value, Ref) and value.kind == "list"


def is_exception(value: Value) -> bool:
    """Whether the value is an exception object in some heap."""
    return isinstance(value, Ref) and value.kind == "exception"


def same(left: Value, right: Value) -> bool:
    """`left is right`: the same type and value."""
    if isinstance(left, float) and isinstance(right, float):
        return repr(left) == repr(right)  # distinguishes the two zeros, but not nans
    return type(left) is type(right) and left == right
