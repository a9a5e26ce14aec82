"""Tagged values and memory layouts: the only place with tags and offsets.

...xxx0  int        63 bits, shifted left by one: + - < and == work on the tagged word
...0111  constant   None, False, True, UNSET
...1111  function
(kept free: ...xx01 float, ...0011 object, ...1011 list)
"""

from __future__ import annotations

import ctypes
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from safepoint.guest.code import INT_MAX, INT_MIN, UNSET, Unset
from safepoint_vm.vocabulary import Array, Bytecode, Line, Racing, Row, Struct, Table, Value, Word, inline

CONSTANT, FUNCTION = 0b0111, 0b1111
TAG_MASK = 0b1111
NONE_WORD, FALSE_WORD, TRUE_WORD, UNSET_WORD = 0x07, 0x17, 0x27, 0x37
CONSTANTS: dict[int, object] = {NONE_WORD: None, FALSE_WORD: False, TRUE_WORD: True, UNSET_WORD: UNSET}

TABLE_WORDS = 64  # entries of a dispatch table
SPILL_WORDS = 16  # locals of the protocol's text that are alive while a procedure waits
THREADS = 64  # how many guest threads a world has room for
LINE_BYTES = 64  # of a cache line


class Frame(Array):
    """A position in a thread's stack of guest values."""


class Globals(Array, racing=True):
    """The variables of the module, which every thread reads and writes."""


class Code(Struct):
    """What the machine knows of a function."""

    slots: Word  # how many its frame has, parameters included
    parameters: Word
    start: Bytecode


class Function(Struct, tag=FUNCTION):
    header: Word
    code: Code


class Link(Struct, tag=16):
    """The two words below a frame's first slot."""

    return_to: Bytecode
    caller: Frame


class Sight(Struct):
    """The last request of one kind that a thread served, and how many there were."""

    count: Word
    pc: Bytecode
    frames: Word
    back_edges: Word


class Thread(Struct):
    """One guest thread's words.  What others write stands in cache lines of its own."""

    limit: Annotated[Frame, Racing, Line]  # a frame may end here; poisoned by whoever wants attention
    flag: Annotated[Word, Racing]  # read by the CHECKS_FLAG variant only
    pending: Annotated[Word, Racing, Line]
    state: Annotated[Word, Racing, Line]
    operation: Annotated[Word, Racing]
    wake: Annotated[Word, Racing]
    limit_real: Annotated[Word, Line]
    limit_poison: Word
    extra: Word  # the owner's words of the protocol's text
    masked: Word
    ending: Word
    entry_poison: Word  # the handler of every poisoned back-edge; what is real, `base` says
    world: Word
    hook: Word  # HOOKED: called before each shared access of the protocol's code
    result: Word  # what a procedure of the protocol's text returned
    suspended: Word  # the status of the procedure that waits
    status: Word  # why machine code was left: an `Exited`
    pc: Bytecode
    frame: Frame
    constants: Array
    globals: Globals
    slow_entries: Word  # checks that failed
    frames: Word  # COUNTING: checks executed, of each kind
    back_edges: Word
    budget: Word  # stepping: instructions left
    interrupt: Annotated[Sight, Row(4)]
    stop: Annotated[Sight, Row(4)]
    handshake: Annotated[Sight, Row(4)]
    sample: Annotated[Sight, Row(4)]
    terminate: Annotated[Sight, Row(4)]
    spill: Annotated[Array, Row(SPILL_WORDS)]
    table: Annotated[Table, Racing, Line, Row(TABLE_WORDS)]  # the live one: requesters poison its back-edges
    base: Annotated[Table, Row(TABLE_WORDS)]  # the one that nobody poisons


class World(Struct):
    """What the threads of one world share."""

    stop: Annotated[Word, Racing, Line]
    lock: Annotated[Word, Racing, Line]
    hook: Annotated[Word, Line]
    result: Word
    population: Word
    spill: Annotated[Array, Row(SPILL_WORDS)]
    threads: Annotated[Array, Row(THREADS)]


@dataclass(frozen=True)
class Field:
    """`offset`: in bytes, from the tagged pointer.  `inplace`: the field is a row, and its value its address."""

    offset: int
    type: type
    racing: bool
    inplace: bool


_layouts: dict[type[Struct], tuple[dict[str, Field], int]] = {}


def fields(struct: type[Struct]) -> dict[str, Field]:
    """Where each field of a struct is."""
    return _layout_once(struct)[0]


def size(struct: type[Struct]) -> int:
    """In bytes, whole cache lines."""
    return -(-_layout_once(struct)[1] // LINE_BYTES) * LINE_BYTES


def _layout_once(struct: type[Struct]) -> tuple[dict[str, Field], int]:
    if struct not in _layouts:
        _layouts[struct] = _layout(struct)
    return _layouts[struct]


def _layout(struct: type[Struct]) -> tuple[dict[str, Field], int]:
    table: dict[str, Field] = {}
    at = 0
    for name in struct.__annotations__:
        hint = typing.get_type_hints(struct, include_extras=True)[name]
        marks = getattr(hint, "__metadata__", ())
        if Line in marks:
            at = -(-at // LINE_BYTES) * LINE_BYTES
        rows = [mark.words for mark in marks if isinstance(mark, Row)]
        kind = typing.get_args(hint)[0] if marks else hint
        table[name] = Field(at - struct.tag, kind, Racing in marks, bool(rows))
        at += 8 * sum(rows, 0 if rows else 1)
    return table, at


class Memory:
    """Zeroed words at a cache line's boundary, kept as long as this object is."""

    def __init__(self, words: int, contents: Iterable[int] = ()) -> None:
        self._block = ctypes.create_string_buffer(8 * words + LINE_BYTES)
        self.address = -(-ctypes.addressof(self._block) // LINE_BYTES) * LINE_BYTES
        self.words = words
        for index, word in enumerate(contents):
            self[index] = word

    def __getitem__(self, index: int) -> int:
        return ctypes.c_int64.from_address(self.address + 8 * index).value

    def __setitem__(self, index: int, word: int) -> None:
        ctypes.c_int64.from_address(self.address + 8 * index).value = word


class Record(Memory):
    """A Thread or a World in memory; its fields by name."""

    def __init__(self, struct: type[Struct]) -> None:
        super().__init__(size(struct) // 8)
        self._addresses = {name: self.address + field.offset for name, field in fields(struct).items()}

    def at(self, name: str, index: int = 0) -> int:
        """The address of a field, or of a word of a row."""
        return self._addresses[name] + 8 * index

    def fill(self, name: str, row: ctypes.Array[ctypes.c_int64]) -> None:
        """A whole row at once."""
        ctypes.memmove(self._addresses[name], row, ctypes.sizeof(row))

    def get(self, name: str, index: int = 0) -> int:
        return ctypes.c_int64.from_address(self.at(name, index)).value

    def set(self, name: str, word: int, index: int = 0) -> None:
        ctypes.c_int64.from_address(self.at(name, index)).value = word


def word_of(value: object) -> int:
    """The tagged word of an int, None, a bool or UNSET.  OverflowError: an int beyond 63 bits."""
    match value:
        case bool() | None | Unset():
            return next(word for word, constant in CONSTANTS.items() if constant is value)
        case int() if INT_MIN <= value <= INT_MAX:
            return value << 1
        case int():
            raise OverflowError(f"{value} does not fit in 63 bits")
    raise TypeError(f"{value!r} is no constant of the guest's")


@inline
def both_ints(x: Value, y: Value) -> bool:
    return (x | y) & 1 == 0


@inline
def is_int(x: Value) -> bool:
    return x & 1 == 0


@inline
def is_bool(x: Value) -> bool:
    return x == FALSE_WORD or x == TRUE_WORD


@inline
def is_function(x: Value) -> bool:
    return (x - FUNCTION) & TAG_MASK == 0


@inline
def as_number(x: Value) -> Value:
    """A bool is the int 0 or 1; everything else is itself."""
    if is_bool(x):
        return Value(((x >> 4) - 1) << 1)
    return x


@inline
def truth_word(x: bool) -> Value:
    if x:
        return Value(TRUE_WORD)
    return Value(FALSE_WORD)


@inline
def is_true(x: Value) -> bool:
    return not (x == FALSE_WORD or x == 0 or x == NONE_WORD)
