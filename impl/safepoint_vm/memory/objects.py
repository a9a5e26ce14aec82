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
from safepoint_vm.language import words
from safepoint_vm.language.layout import Memory
from safepoint_vm.language.tagged import bits, even, header, signed, word_of

UTF32 = "utf-32-le"
SURROGATES = "surrogatepass"  # a lone surrogate is a character, as in Python


def packed(row: Sequence[int]) -> bytes:
    """Signed 64-bit words as bytes."""
    return struct.pack(f"<{len(row)}q", *row)


def string_bytes(length: int) -> int:
    """The size of a string of `length` characters, two a word."""
    return 8 * even(words.HEAD_WORDS + (length + 1) // 2)


def string_head(length: int) -> bytes:
    """A `String` up to its characters."""
    return packed([header(words.STRING_HEADER, string_bytes(length) // 8), word_of(length)])


def string_object(text: str) -> bytes:
    """A `String`."""
    return (string_head(len(text)) + text.encode(UTF32, SURROGATES)).ljust(string_bytes(len(text)), b"\0")


def float_object(number: float) -> bytes:
    """A `BoxedFloat`."""
    return packed([header(words.FLOAT_HEADER, words.FLOAT_WORDS), signed(bits(number))])


def list_head(address: int, length: int, capacity: int) -> bytes:
    """A `List` for the untagged `address`, followed by its `Backing` up to the elements, of which there is room for an even number."""
    backing, room = address + 8 * words.LIST_WORDS + words.OBJECT, even(capacity)
    heads = header(words.LIST_HEADER, words.LIST_WORDS), header(words.BACKING_HEADER, words.HEAD_WORDS + room)
    return packed([heads[0], word_of(length), backing, 0, heads[1], word_of(room)])


def list_object(address: int, items: Sequence[int]) -> bytes:
    """A `List` for the untagged `address`, followed by its `Backing` with the smallest capacity for these values."""
    unused = [0] * (even(len(items)) - len(items))
    return list_head(address, len(items), len(items)) + packed([*items, *unused])


def list_bytes(count: int) -> int:
    """The size of a list of `count` items, its backing included."""
    return 8 * (words.LIST_WORDS + words.HEAD_WORDS + even(count))


def exception_object(kind: int, argument: int = words.UNSET_WORD) -> bytes:
    """A `Raisable` without a trace.  `kind`: an untagged index of the guest's exception classes."""
    return packed([header(words.EXCEPTION_HEADER, words.EXCEPTION_WORDS), word_of(kind), argument, words.UNSET_WORD])


def thread_object(number: int, target: int, args: int) -> bytes:
    """A `Startable` that has not been started.  `number`: untagged; `args`: a list."""
    return packed([header(words.THREAD_HEADER, words.THREAD_WORDS), word_of(number), target, args, 0, 0])


def lock_object() -> bytes:
    """A free `Lock`."""
    return packed([header(words.LOCK_HEADER, words.LOCK_WORDS), words.FREE])


def trace_object(pcs: Sequence[int]) -> bytes:
    """A `Trace` of these addresses of instructions."""
    size = even(words.HEAD_WORDS + len(pcs))
    unused = [0] * (size - words.HEAD_WORDS - len(pcs))
    return packed([header(words.TRACE_HEADER, size), word_of(len(pcs)), *pcs, *unused])


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
    strings = [static(string_object(chr(code))) for code in range(words.CHARACTERS)]
    characters = Memory(words.CHARACTERS, [string.address + words.OBJECT for string in strings])
    ancestry = Memory(len(KINDS), [sum(derives(kind, base) << n for n, base in enumerate(KINDS)) for kind in KINDS])
    messages = [static(string_object(fault.message)) for fault in FAULTS.values()]
    rows = [
        (word_of(KINDS.index(fault.kind)), message.address + words.OBJECT)
        for fault, message in zip(FAULTS.values(), messages, strict=True)
    ]
    known = Memory(words.KNOWN_WORDS * len(rows), chain.from_iterable(rows))
    return Statics(zero.address + words.OBJECT, characters, ancestry, known, (zero, *strings, *messages))
