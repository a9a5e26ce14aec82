"""Guest objects as words, where the host makes them: in static memory, or copied into the heap."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from safepoint.guest.faults import EXCEPTIONS, derives
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
HALVES = "surrogatepass"  # half a surrogate pair is a character, as in Python


def packed(words: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(words)}q", *words)


def string_bytes(length: int) -> int:
    """Of a string of so many characters, two a word."""
    return 8 * even(HEAD_WORDS + (length + 1) // 2)


def string_object(text: str) -> bytes:
    size = string_bytes(len(text))
    head = packed([header(STRING_HEADER, size // 8), word_of(len(text))])
    return (head + text.encode(UTF32, HALVES)).ljust(size, b"\0")


def float_object(number: float) -> bytes:
    return packed([header(FLOAT_HEADER, FLOAT_WORDS), signed(bits(number))])


def list_object(address: int, items: Sequence[int]) -> bytes:
    """A list at `address` and, behind it, its backing."""
    behind = address + 8 * LIST_WORDS + OBJECT
    return packed([header(LIST_HEADER, LIST_WORDS), word_of(len(items)), behind, 0]) + backing_object(items)


def backing_object(items: Sequence[int]) -> bytes:
    capacity = even(len(items))
    unused = [0] * (capacity - len(items))
    return packed([header(BACKING_HEADER, HEAD_WORDS + capacity), word_of(capacity), *items, *unused])


def list_bytes(count: int) -> int:
    return 8 * (LIST_WORDS + HEAD_WORDS + even(count))


def exception_object(kind: int, argument: int = UNSET_WORD) -> bytes:
    return packed([header(EXCEPTION_HEADER, EXCEPTION_WORDS), word_of(kind), argument, UNSET_WORD])


def thread_object(number: int, target: int, args: int) -> bytes:
    return packed([header(THREAD_HEADER, THREAD_WORDS), word_of(number), target, args, 0, 0])


def lock_object() -> bytes:
    return packed([header(LOCK_HEADER, LOCK_WORDS), FREE])


def trace_object(places: Sequence[int]) -> bytes:
    words = even(HEAD_WORDS + len(places))
    unused = [0] * (words - HEAD_WORDS - len(places))
    return packed([header(TRACE_HEADER, words), word_of(len(places)), *places, *unused])


def static(image: bytes) -> Memory:
    """An object outside every heap."""
    return Memory(len(image) // 8, struct.unpack(f"<{len(image) // 8}q", image))


@dataclass(frozen=True)
class Statics:
    """Objects that every program shares: the box of 0.0, the one-character strings, the exception classes, some faults."""

    zero: int  # tagged
    characters: Memory  # tagged, by code point
    ancestry: Memory  # of each exception class: a bit for each that it derives from
    known: Memory  # as rows of `Known`
    memory: tuple[Memory, ...]


@functools.cache
def statics() -> Statics:
    zero = static(float_object(0.0))
    strings = [static(string_object(chr(code))) for code in range(CHARACTERS)]
    characters = Memory(CHARACTERS, [string.address + OBJECT for string in strings])
    ancestry = Memory(
        len(EXCEPTIONS), [sum(derives(kind, base) << n for n, base in enumerate(EXCEPTIONS)) for kind in EXCEPTIONS]
    )
    messages = [static(string_object(fault.message)) for fault in FAULTS.values()]
    rows = [
        (word_of(EXCEPTIONS.index(fault.kind)), message.address + OBJECT)
        for fault, message in zip(FAULTS.values(), messages, strict=True)
    ]
    known = Memory(KNOWN_WORDS * len(rows), chain.from_iterable(rows))
    return Statics(zero.address + OBJECT, characters, ancestry, known, (zero, *strings, *messages))
