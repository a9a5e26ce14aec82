# mypy: disable-error-code="empty-body"
"""The words a handler is written in: types and operations that `compiler` turns into machine code.

To mypy and to an editor these are ordinary typed classes and functions.  Nothing here runs: every body is `...`, but for
the decorators, which say what kind of function one is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Word:
    """64 bits; arithmetic wraps, comparison is signed (`below`, `divide_unsigned` are not), `//` rounds towards zero."""

    def __init__(self, bits: Word | Struct | int) -> None: ...
    def __add__(self, other: Word | int) -> Word: ...
    def __radd__(self, other: int) -> Word: ...
    def __sub__(self, other: Word | int) -> Word: ...
    def __rsub__(self, other: int) -> Word: ...
    def __mul__(self, other: Word | int) -> Word: ...
    def __floordiv__(self, other: Word | int) -> Word: ...
    def __and__(self, other: Word | int) -> Word: ...
    def __or__(self, other: Word | int) -> Word: ...
    def __xor__(self, other: Word | int) -> Word: ...
    def __invert__(self) -> Word: ...
    def __lshift__(self, other: Word | int) -> Word: ...
    def __rshift__(self, other: Word | int) -> Word: ...
    def __lt__(self, other: Word | int) -> bool: ...
    def __le__(self, other: Word | int) -> bool: ...
    def __gt__(self, other: Word | int) -> bool: ...
    def __ge__(self, other: Word | int) -> bool: ...
    def __eq__(self, other: Word | int) -> bool: ...  # type: ignore[override]
    def __ne__(self, other: Word | int) -> bool: ...  # type: ignore[override]


class Value(Word):
    """A tagged guest value."""


class Float:
    """An IEEE double.  Comparisons with a nan are false, but `!=`."""

    def __init__(self, number: float) -> None: ...
    def __add__(self, other: Float | float) -> Float: ...
    def __sub__(self, other: Float | float) -> Float: ...
    def __mul__(self, other: Float | float) -> Float: ...
    def __rmul__(self, other: float) -> Float: ...
    def __truediv__(self, other: Float) -> Float: ...
    def __lt__(self, other: Float | float) -> bool: ...
    def __le__(self, other: Float | float) -> bool: ...
    def __gt__(self, other: Float | float) -> bool: ...
    def __ge__(self, other: Float | float) -> bool: ...
    def __eq__(self, other: Float | float) -> bool: ...  # type: ignore[override]
    def __ne__(self, other: Float | float) -> bool: ...  # type: ignore[override]


class Struct:
    """A pointer to words in memory; annotated attributes are its fields, in order.

    `tag` is what a pointer to it carries in its low bits; it disappears into the displacement of each access.
    """

    tag: ClassVar[int] = 0

    def __init_subclass__(cls, tag: int = 0, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.tag = tag

    def __init__(self, address: Word | Struct) -> None: ...


class Array(Struct):
    """Consecutive guest values.  `shared`: every guest thread may write them.  `bits`: 32 for characters, which are no values."""

    shared: ClassVar[bool] = False
    bits: ClassVar[int] = 64

    def __init_subclass__(cls, shared: bool = False, bits: int = 64, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.shared, cls.bits = shared, bits

    def __getitem__(self, index: Word | int) -> Value: ...
    def __setitem__(self, index: Word | int, value: Value) -> None: ...
    def at(self, index: Word | int) -> Self: ...


class Bytecode(Struct):
    """A position in guest code; `pc + 1` is the next instruction."""

    def __add__(self, instructions: Word | int) -> Bytecode: ...


class Table(Struct):
    """A dispatch table: the address of a handler for each opcode."""


class Racing:
    """Marks a field that requesters write: it is accessed with an unordered atomic."""


class Shared:
    """Marks a field of an object, which every guest thread may write: the same, with or without a protocol."""


class Published:
    """Marks a shared field whose store comes after all that was written before it: what it points to is complete."""


class Line:
    """Marks a field that begins a cache line."""


@dataclass(frozen=True)
class Row:
    """Marks a field of `words` words in place: its value is its address."""

    words: int


class Exit:
    """How a handler ends: by jumping to another one.  Never a value at run time."""


def _role(role: str) -> Callable[[F], F]:
    def mark(function: F) -> F:
        vars(function)["role"] = role
        return function

    return mark


opcode = _role("opcode")
"""A handler.  Its parameters after the machine are the operands, in the order of their encoding."""

slow = _role("slow")
"""Where handlers go that cannot finish: cold, out of line.  Branches that lead here are laid out of the way."""

inline = _role("inline")
"""A helper in the same language, inlined wherever it is used."""

routine = _role("routine")
"""A function of the C calling convention: handlers and the host call it.  Its result is a word, or nothing."""

procedure = _role("procedure")
"""A procedure of the protocol's text (`protocol_code`), called by its name; only declared here."""


def add_overflows(x: Word, y: Word) -> tuple[Word, bool]: ...
def sub_overflows(x: Word, y: Word) -> tuple[Word, bool]: ...
def mul_overflows(x: Word, y: Word) -> tuple[Word, bool]: ...
def below(x: Word | Struct, y: Word | Struct) -> bool: ...
def divide_unsigned(x: Word, y: Word) -> Word: ...
def rotate_left(x: Word, by: int) -> Word: ...
def bits_of_float(x: Float) -> Word: ...
def float_from_bits(x: Word) -> Float: ...
def int_to_float(x: Word) -> Float: ...
def float_to_int(x: Float) -> Word:
    """Towards zero; only of what fits."""


def float_floor(x: Float) -> Float: ...
def float_remainder(x: Float, y: Float) -> Float:
    """C's fmod: exact, with the sign of x."""


def float_power(x: Float, y: Float) -> Float:
    """C's pow."""


def fetch_add(field: Word, amount: Word | int) -> Word:
    """A field is changed in one step; what it was before."""


def compare_and_swap(field: Word, old: Word | int, new: Word | int) -> bool:
    """In one step: a field that is `old` becomes `new`; was it?"""


def swap(field: Word, new: Word | int) -> Word:
    """A field is written in one step; what it was before."""
