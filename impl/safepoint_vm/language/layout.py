"""The layout of structs, and memory for them.  Offsets and sizes are in bytes unless a name says words."""

from __future__ import annotations

import ctypes
import typing
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache

from safepoint_vm.language.vocabulary import Line, Published, Racing, Row, Shared, Struct

LINE_BYTES = 64  # size of a cache line


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field and its marks (see `vocabulary`).  `offset`: from the tagged pointer; `inplace`: it is a `Row`."""

    offset: int
    type: type
    racing: bool
    shared: bool
    inplace: bool
    published: bool


def fields(struct: type[Struct]) -> dict[str, Field]:
    """The fields of a struct, by name."""
    return _layout(struct)[0]


def size(struct: type[Struct]) -> int:
    """The size of a struct, rounded up to whole cache lines."""
    return -(-_layout(struct)[1] // LINE_BYTES) * LINE_BYTES


@cache
def _places(struct: type[Struct]) -> dict[str, int]:
    """The number of each field's first word."""
    return {name: field.offset // 8 for name, field in fields(struct).items()}


_layouts: dict[type[Struct], tuple[dict[str, Field], int]] = {}


def _layout(struct: type[Struct]) -> tuple[dict[str, Field], int]:
    """The fields of a struct, and the offset of its end; worked out once."""
    if struct in _layouts:
        return _layouts[struct]
    table: dict[str, Field] = {}
    at = 0
    hints = typing.get_type_hints(struct, include_extras=True)
    for name in struct.__annotations__:
        hint = hints[name]
        marks = getattr(hint, "__metadata__", ())
        if Line in marks:
            at = -(-at // LINE_BYTES) * LINE_BYTES
        rows = [mark.words for mark in marks if isinstance(mark, Row)]
        kind = typing.get_args(hint)[0] if marks else hint
        table[name] = Field(
            offset=at - struct.tag,
            type=kind,
            racing=Racing in marks,
            shared=Shared in marks,
            inplace=bool(rows),
            published=Published in marks,
        )
        at += 8 * sum(rows, 0 if rows else 1)
    _layouts[struct] = table, at
    return table, at


class Memory:
    """64-bit words at a cache line's boundary, as signed ints; zero, but for `contents`.  Freed with this object."""

    def __init__(self, words: int, contents: Iterable[int] = ()) -> None:
        self._block = ctypes.create_string_buffer(8 * words + LINE_BYTES)
        self.address = -(-ctypes.addressof(self._block) // LINE_BYTES) * LINE_BYTES
        self.words = words
        self._row = (ctypes.c_int64 * words).from_address(self.address)
        for index, word in enumerate(contents):
            self._row[index] = word

    def after(self, words: int) -> Memory:
        """The same memory without its first `words` words."""
        rest = copy(self)
        rest.address, rest.words = self.address + 8 * words, self.words - words
        rest._row = (ctypes.c_int64 * rest.words).from_address(rest.address)  # noqa: SLF001  -- its own class
        return rest

    def __getitem__(self, index: int) -> int:
        return self._row[index]

    def __setitem__(self, index: int, word: int) -> None:
        self._row[index] = word

    def write(self, words: Sequence[int]) -> None:
        """Overwrite the first words."""
        self._row[: len(words)] = list(words)


class Record(Memory):
    """A Thread or a World in memory, its fields by name.  A field outside a row has index 0."""

    def __init__(self, struct: type[Struct]) -> None:
        super().__init__(size(struct) // 8)
        self.page: object = None  # keeps the memory of a page that it names
        self._places = _places(struct)  # type: ignore[arg-type]  # mypy looks for the hash of a class among its instances

    def at(self, name: str, index: int = 0) -> int:
        """The address of a field, or of word `index` of a row."""
        return self.address + 8 * (self._places[name] + index)

    def fill(self, name: str, words: Sequence[int] | ctypes.Array[ctypes.c_int64], index: int = 0) -> None:
        """Overwrite words of a row, from word `index` on."""
        at = self._places[name] + index
        self._row[at : at + len(words)] = list(words)

    def get(self, name: str, index: int = 0) -> int:
        return self._row[self._places[name] + index]

    def set(self, name: str, word: int, index: int = 0) -> None:
        self._row[self._places[name] + index] = word
