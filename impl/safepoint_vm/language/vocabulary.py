# mypy: disable-error-code="empty-body"
"""What a handler is written in: types and operations that `generate.compiler` turns into machine code.

To mypy and to an editor these are ordinary typed classes and functions.  Only the decorators run, which mark what kind of
function one is; every other body is `...`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Word:
    """64 bits.  Arithmetic wraps; comparison is signed (unsigned: `below`, `divide_unsigned`); `//` rounds towards zero."""

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
    """An IEEE double.  A comparison with a nan is false, except `!=`."""

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

    `tag`: the low bits of a pointer to it; each access subtracts it in its displacement.
    """

    tag: ClassVar[int] = 0

    def __init_subclass__(cls, tag: int = 0, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.tag = tag

    def __init__(self, address: Word | Struct) -> None: ...


class Array(Struct):
    """Consecutive guest values.  `shared`: every guest thread may write them.  `bits`: 32 for characters, not values."""

    shared: ClassVar[bool] = False
    bits: ClassVar[int] = 64

    def __init_subclass__(cls, shared: bool = False, bits: int = 64, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.shared, cls.bits = shared, bits

    def __getitem__(self, index: Word | int) -> Value: ...
    def __setitem__(self, index: Word | int, value: Value) -> None: ...
    def at(self, index: Word | int) -> Self:
        """A pointer to element `index`."""


class Bytecode(Struct):
    """A position in guest code; `pc + 1` is the next instruction."""

    def __add__(self, instructions: Word | int) -> Bytecode: ...


class Table(Struct):
    """A dispatch table: the address of a handler for each opcode."""


class Racing:
    """Marks a field that requesters write: accessed with unordered atomics, unless the variant has no protocol."""


class Shared:
    """Marks a field that every guest thread may write: accessed with unordered atomics in every variant."""


class Published:
    """Marks a shared field that is stored with release order: the object it points to is complete."""


class Line:
    """Marks a field that starts a new cache line."""


@dataclass(frozen=True)
class Row:
    """Marks a field of `words` words inside the struct: the field's value is its address."""

    words: int


class Exit:
    """The type of a jump that ends a handler.  Never a value at run time."""


def _role(role: str) -> Callable[[F], F]:
    def mark(function: F) -> F:
        vars(function)["role"] = role
        return function

    return mark


opcode = _role("opcode")
"""A handler.  Its parameters after the machine are the operands, in the order of their encoding."""

slow = _role("slow")
"""A handler that others jump to when they cannot finish: cold, out of line; branches to it are unlikely."""

inline = _role("inline")
"""A helper in the same language, always inlined; it may not call itself."""

routine = _role("routine")
"""A function of the C calling convention, for handlers and the host.  Returns a Word, a Value, a Float or None."""

procedure = _role("procedure")
"""A procedure of the protocol's text, declared by name; `generate.protocol` compiles it."""


def add_overflows(x: Word, y: Word) -> tuple[Word, bool]:
    """Returns the wrapped sum, and whether the signed sum does not fit in 64 bits."""


def sub_overflows(x: Word, y: Word) -> tuple[Word, bool]:
    """As `add_overflows`, for x - y."""


def mul_overflows(x: Word, y: Word) -> tuple[Word, bool]:
    """As `add_overflows`, for x * y."""


def below(x: Word | Struct, y: Word | Struct) -> bool:
    """Unsigned x < y: also the order of addresses."""


def divide_unsigned(x: Word, y: Word) -> Word: ...
def rotate_left(x: Word, by: int) -> Word: ...
def bits_of_float(x: Float) -> Word: ...
def float_from_bits(x: Word) -> Float: ...
def int_to_float(x: Word) -> Float: ...
def float_to_int(x: Float) -> Word:
    """Rounds towards zero.  Undefined if x does not fit in 64 bits."""


def float_floor(x: Float) -> Float: ...
def float_remainder(x: Float, y: Float) -> Float:
    """C's fmod: exact, with the sign of x."""


def float_power(x: Float, y: Float) -> Float:
    """C's pow."""


def fetch_add(field: Word, amount: Word | int) -> Word:
    """Add to a field atomically (sequentially consistent).  Returns its old value."""


def compare_and_swap(field: Word, old: Word | int, new: Word | int) -> bool:
    """Store `new` in a field atomically if it is `old` (sequentially consistent).  Returns whether it was."""


def load_faults(address: Word, thread: Struct) -> bool:
    """Load from a page of that thread's; True: it is protected.  Later accesses come after the load."""


def swap(field: Word, new: Word | int) -> Word:
    """Store `new` in a field atomically (sequentially consistent).  Returns its old value."""
