"""Guest objects as bytes, for the host: kept in static memory, or copied into the heap.

Arguments that are values are tagged words, as are `address` + tag results; sizes are in bytes, counts in elements.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from safepoint.guest.faults import KINDS, derives
from safepoint_vm.handlers.shared.faults import FAULTS
from safepoint_vm.language.layout import Memory
from safepoint_vm.language.words import (
    BACKING_HEADER,
    CHARACTERS,
    EXCEPTION_HEADER,
    EXCEPTION_WORDS,
    FLOAT_HEADER,
    FLOAT_WORDS,
    FREE,
    HEAD_WORDS,
    KNOWN_WORDS,
    LIST_HEADER,
    LIST_WORDS,
    LOCK_HEADER,
    LOCK_WORDS,
    OBJECT,
    STRING_HEADER,
    THREAD_HEADER,
    THREAD_WORDS,
    TRACE_HEADER,
    UNSET_WORD,
    bits,
    even,
    header,
    signed,
    word_of,
)

UTF32 = "utf-32-le"
SURROGATES = "surrogatepass"  # a lone surrogate is a character, as in Python


def packed(words: Sequence[int]) -> bytes:
    """Signed 64-bit words as bytes."""
    return struct.pack(f"<{len(words)}q", *words)


def string_bytes(length: int) -> int:
    """The size of a string of `length` characters, two a word."""
    return 8 * even(HEAD_WORDS + (length + 1) // 2)


def string_object(text: str) -> bytes:
    """A `String`."""
    size = string_bytes(len(text))
    head = packed([header(STRING_HEADER, size // 8), word_of(len(text))])
    return (head + text.encode(UTF32, SURROGATES)).ljust(size, b"\0")


def float_object(number: float) -> bytes:
    """A `BoxedFloat`."""
    return packed([header(FLOAT_HEADER, FLOAT_WORDS), signed(bits(number))])


def list_object(address: int, items: Sequence[int]) -> bytes:
    """A `List` for the untagged `address`, followed by its `Backing`."""
    backing = address + 8 * LIST_WORDS + OBJECT
    return packed([header(LIST_HEADER, LIST_WORDS), word_of(len(items)), backing, 0]) + backing_object(items)


def backing_object(items: Sequence[int]) -> bytes:
    """A `Backing` with the smallest capacity for these values."""
    capacity = even(len(items))
    unused = [0] * (capacity - len(items))
    return packed([header(BACKING_HEADER, HEAD_WORDS + capacity), word_of(capacity), *items, *unused])


def list_bytes(count: int) -> int:
    """The size of a list of `count` items, its backing included."""
    return 8 * (LIST_WORDS + HEAD_WORDS + even(count))


def exception_object(kind: int, argument: int = UNSET_WORD) -> bytes:
    """A `Raisable` without a trace.  `kind`: an untagged index of the guest's exception classes."""
    return packed([header(EXCEPTION_HEADER, EXCEPTION_WORDS), word_of(kind), argument, UNSET_WORD])


def thread_object(number: int, target: int, args: int) -> bytes:
    """A `Startable` that has not been started.  `number`: untagged; `args`: a list."""
    return packed([header(THREAD_HEADER, THREAD_WORDS), word_of(number), target, args, 0, 0])


def lock_object() -> bytes:
    """A free `Lock`."""
    return packed([header(LOCK_HEADER, LOCK_WORDS), FREE])


def trace_object(pcs: Sequence[int]) -> bytes:
    """A `Trace` of these addresses of instructions."""
    words = even(HEAD_WORDS + len(pcs))
    unused = [0] * (words - HEAD_WORDS - len(pcs))
    return packed([header(TRACE_HEADER, words), word_of(len(pcs)), *pcs, *unused])


def static(image: bytes) -> Memory:
    """Memory for an object outside every heap."""
    return Memory(len(image) // 8, struct.unpack(f"<{len(image) // 8}q", image))


@dataclass(frozen=True)
class Statics:
    """What every program shares outside its heap: some objects, and tables of the exception classes and of known faults."""

    zero: int  # tagged word of the box of 0.0
    characters: Memory  # tagged words of the one-character strings, by code point
    ancestry: Memory  # for each exception class: a bit for each class that it derives from
    known: Memory  # rows of `Known`
    memory: tuple[Memory, ...]  # keeps the objects alive


@functools.cache
def statics() -> Statics:
    """Make them, once."""
    zero = static(float_object(0.0))
    strings = [static(string_object(chr(code))) for code in range(CHARACTERS)]
    characters = Memory(CHARACTERS, [string.address + OBJECT for string in strings])
    ancestry = Memory(len(KINDS), [sum(derives(kind, base) << n for n, base in enumerate(KINDS)) for kind in KINDS])
    messages = [static(string_object(fault.message)) for fault in FAULTS.values()]
    rows = [
        (word_of(KINDS.index(fault.kind)), message.address + OBJECT)
        for fault, message in zip(FAULTS.values(), messages, strict=True)
    ]
    known = Memory(KNOWN_WORDS * len(rows), chain.from_iterable(rows))
    return Statics(zero.address + OBJECT, characters, ancestry, known, (zero, *strings, *messages))
