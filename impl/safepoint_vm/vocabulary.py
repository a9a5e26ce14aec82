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

    def __init__(self, bits: Word | int) -> None: ...
    def __add__(self, other: Word | int) -> Word: ...
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
    """Consecutive guest values.  `racing`: other threads write them too."""

    racing: ClassVar[bool] = False

    def __init_subclass__(cls, racing: bool = False, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.racing = racing

    def __getitem__(self, index: Word | int) -> Value: ...
    def __setitem__(self, index: Word | int, value: Value) -> None: ...
    def at(self, index: Word | int) -> Self: ...


class Bytecode(Struct):
    """A position in guest code; `pc + 1` is the next instruction."""

    def __add__(self, instructions: Word | int) -> Bytecode: ...


class Table(Struct):
    """A dispatch table: the address of a handler for each opcode."""


class Racing:
    """Marks a field that other threads write: it is accessed with an unordered atomic."""


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

procedure = _role("procedure")
"""A procedure of the protocol's text (`protocol_code`), called by its name; only declared here."""


def add_overflows(x: Word, y: Word) -> tuple[Word, bool]: ...
def sub_overflows(x: Word, y: Word) -> tuple[Word, bool]: ...
def mul_overflows(x: Word, y: Word) -> tuple[Word, bool]: ...
def below(x: Word | Struct, y: Word | Struct) -> bool: ...
def divide_unsigned(x: Word, y: Word) -> Word: ...
