"""The guest's values: what they are, how they print, and what every operator gives or raises.

Exactly Python's meaning, with one difference: an `int` has 63 bits, and a result beyond them is an OverflowError.  Both
machines come here for whatever is no plain arithmetic on ints, so that there is one place for it.  Messages are CPython
3.11's, but that `x += y` says `+` where CPython says `+=`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

from safepoint.guest.code import INT_MAX, INT_MIN, SMALL, FunctionConstant, Program, Unset
from safepoint.guest.faults import Fault


@dataclass(frozen=True)
class Function:
    """A function of the guest: `codes[number]` of its program.  A `def` is executed once, so the number is its identity."""

    number: int
    name: str
    parameters: tuple[str, ...]


Value = int | Function | Unset | None
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


def text(value: Value) -> str:
    """What `print` prints of it.  A function has no address here; CPython prints one."""
    return f"<function {value.name}>" if isinstance(value, Function) else repr(value)


def truth(value: Value) -> bool:
    return bool(value)


def type_name(value: Value) -> str:
    match value:
        case None:
            return "NoneType"
        case Function():
            return "function"
        case _:
            return type(value).__name__


# ---------------------------------------------------------------------------------------------- arithmetic

SYMBOLS = {
    "ADD": "+", "SUB": "-", "MUL": "*", "FLOORDIV": "//", "MOD": "%", "AND": "&", "OR": "|", "XOR": "^", "SHL": "<<",
    "SHR": ">>", "NEG": "-", "POS": "+", "INVERT": "~", "NOT": "not", "LESS": "<", "LESS_EQUAL": "<=", "GREATER": ">",
    "GREATER_EQUAL": ">=", "EQUAL": "==", "NOT_EQUAL": "!=", "IS": "is", "IS_NOT": "is not",
}  # fmt: skip
"""Opcode -> the operator it executes."""

TOO_BIG = Fault("OverflowError", "integer result does not fit in 63 bits")


def shift_left(left: int, right: int) -> int:
    """As `<<`, but never larger than needed to see that it is out of range."""
    return left << min(right, 64)


BINARY: dict[str, Callable[[int, int], int]] = {
    "ADD": operator.add, "SUB": operator.sub, "MUL": operator.mul, "FLOORDIV": operator.floordiv, "MOD": operator.mod,
    "AND": operator.and_, "OR": operator.or_, "XOR": operator.xor, "SHL": shift_left, "SHR": operator.rshift,
}  # fmt: skip
UNARY: dict[str, Callable[[int], int]] = {"NEG": operator.neg, "POS": operator.pos, "INVERT": operator.inv}
ZERO_DIVISION = {
    "FLOORDIV": Fault("ZeroDivisionError", "integer division or modulo by zero"),
    "MOD": Fault("ZeroDivisionError", "integer modulo by zero"),
}


def fitting(result: int) -> int | Fault:
    """The result of an operator, if a guest's int can hold it."""
    return result if INT_MIN <= result <= INT_MAX else TOO_BIG


def binary(op: str, left: Value, right: Value) -> Value | Fault:
    """`op`: a name in BINARY, or ADDI.  ADDI with a negative number stands for a subtraction, and complains as one."""
    if op == "ADDI":
        op, right = ("SUB", -right) if isinstance(right, int) and right < 0 else ("ADD", right)
    if not isinstance(left, int) or not isinstance(right, int):
        kinds = f"'{type_name(left)}' and '{type_name(right)}'"
        return Fault("TypeError", f"unsupported operand type(s) for {SYMBOLS[op]}: {kinds}")
    if op in ZERO_DIVISION and right == 0:
        return ZERO_DIVISION[op]
    if op in ("SHL", "SHR") and right < 0:
        return Fault("ValueError", "negative shift count")
    return fitting(BINARY[op](left, right))


def unary(op: str, value: Value) -> Value | Fault:
    """`op`: NEG, POS, INVERT or NOT."""
    if op == "NOT":
        return not truth(value)
    if not isinstance(value, int):
        return Fault("TypeError", f"bad operand type for unary {SYMBOLS[op]}: '{type_name(value)}'")
    return fitting(UNARY[op](value))


# ---------------------------------------------------------------------------------------------- comparison

ORDER: dict[str, Callable[[int, int], bool]] = {
    "LESS": operator.lt, "LESS_EQUAL": operator.le, "GREATER": operator.gt, "GREATER_EQUAL": operator.ge,
}  # fmt: skip


def same(left: Value, right: Value) -> bool:
    """`is`.  Equal ints are one object here; in CPython only some are."""
    return type(left) is type(right) and left == right


def compare(op: str, left: Value, right: Value) -> bool | Fault:
    """`op`: LESS … NOT_EQUAL, IS, IS_NOT."""
    match op:
        case "EQUAL":
            return left == right
        case "NOT_EQUAL":
            return left != right
        case "IS":
            return same(left, right)
        case "IS_NOT":
            return not same(left, right)
    if not isinstance(left, int) or not isinstance(right, int):
        kinds = f"'{type_name(left)}' and '{type_name(right)}'"
        return Fault("TypeError", f"'{SYMBOLS[op]}' not supported between instances of {kinds}")
    return ORDER[op](left, right)


# ---------------------------------------------------------------------------------------------- calls and ranges


def call_fault(callee: Value, count: int) -> Fault | None:
    """Why `callee` cannot be called with `count` arguments; None: it can."""
    if not isinstance(callee, Function):
        return Fault("TypeError", f"'{type_name(callee)}' object is not callable")
    takes = len(callee.parameters)
    if count > takes:
        plural, verb = ("" if takes == 1 else "s"), ("was" if count == 1 else "were")
        return Fault("TypeError", f"{callee.name}() takes {takes} positional argument{plural} but {count} {verb} given")
    if count < takes:
        return Fault("TypeError", f"{callee.name}() missing {_missing(callee.parameters[count:])}")
    return None


def _missing(names: tuple[str, ...]) -> str:
    quoted = [f"'{n}'" for n in names]
    match quoted:
        case [one]:
            return f"1 required positional argument: {one}"
        case [one, two]:
            return f"2 required positional arguments: {one} and {two}"
        case _:
            return f"{len(quoted)} required positional arguments: {', '.join(quoted[:-1])}, and {quoted[-1]}"


def range_values(start: Value, end: Value, step: Value) -> tuple[int, int, int] | Fault:
    """What FOR_PREPARE makes of its three slots: first value, turns left, step.

    The number of turns may need 64 bits without a sign: `range(INT_MIN, INT_MAX)` has 2**63 - 1 of them.
    """
    if not isinstance(start, int) or not isinstance(end, int) or not isinstance(step, int):
        wrong = next(v for v in (start, end, step) if not isinstance(v, int))
        return Fault("TypeError", f"'{type_name(wrong)}' object cannot be interpreted as an integer")
    if step == 0:
        return Fault("ValueError", "range() arg 3 must not be zero")
    turns = max(0, -((start - end) // step))  # rounded up
    return int(start), turns, int(step)
