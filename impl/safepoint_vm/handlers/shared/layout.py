"""Build strings and lists: sizes, headers, copying; and the order of strings."""

from __future__ import annotations

from safepoint_vm.handlers.shared.allocation import bump
from safepoint_vm.handlers.shared.work import chunk_end, foreseen, spent
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Array, Value, Word, inline, routine
from safepoint_vm.language.words import (
    BACKING_HEADER,
    CHARACTERS,
    HEAD_WORDS,
    LIST,
    LIST_HEADER,
    LIST_WORDS,
    OBJECT,
    STRING_HEADER,
    Backing,
    Characters,
    Heading,
    List,
    String,
)

GIVEN_UP = 1 << 62
MOST = 1 << 31  # elements of a string or list, at most


@inline
def string_words(length: Word) -> Word:
    """The size of a string of `length` characters, two a word, in words, rounded up to even."""
    return HEAD_WORDS + ((length + 3) >> 2 << 1)


@inline
def begin_string(start: Word, length: Word) -> String:
    """A string at address `start`, without its characters.  Its last two words are zeros, for the padding."""
    words = string_words(length)
    Heading(start).header = Word(STRING_HEADER) | words << 32
    new = String(start + OBJECT)
    new.length = Value(length << 1)
    if length != 0:
        Array(start)[words - 1] = Value(0)
        Array(start)[words - 2] = Value(0)
    return new


@inline
def character(thread: Thread, code: Word) -> Value:
    """The string of one code point; 0: there is no room."""
    if code < CHARACTERS:
        return thread.characters[code]
    start = bump(thread, string_words(Word(1)) << 3)
    if start == 0:
        return Value(0)
    begin_string(start, Word(1)).characters[0] = Value(code)
    return Value(start + OBJECT)


@inline
def copy_characters(thread: Thread, source: Characters, target: Characters, count: Word) -> bool:
    """False: given up."""
    i = Word(0)
    while i < count:
        end = chunk_end(i, count)
        if spent(thread, end - i):
            return False
        while i < end:
            target[i] = source[i]
            i += 1
    return True


@inline
def copy_pairs(thread: Thread, source: Array, target: Array, count: Word) -> bool:
    """Copy characters by words of two, perhaps the one behind them too.  False: given up."""
    i = Word(0)
    while i < count:
        end = chunk_end(i, count)
        if spent(thread, end - i):
            return False
        while i < end:
            target[i >> 1] = source[i >> 1]
            i += 2
    return True


@inline
def copy_string(thread: Thread, source: String, target: Characters, at: Word) -> bool:
    """Copy all characters of `source` to those of `target` from number `at` on, and the zero that pads them.  What stands behind
    them is to be copied later.  False: given up.
    """
    if at & 1 == 0:
        return copy_pairs(thread, Array(source.characters), Array(target.at(at)), source.length >> 1)
    return copy_characters(thread, source.characters, Characters(target.at(at)), source.length >> 1)


@routine
def order_of_strings(thread: Thread, x: String, y: String) -> Word:
    """Returns less than 0, 0 or more than 0: x sorts before y, equals it, or sorts after it.  Or GIVEN_UP."""
    length = smaller(x.length, y.length) >> 1
    if foreseen(thread, length):
        return Word(GIVEN_UP)
    i = Word(0)
    while i < length:
        end = chunk_end(i, length)
        if spent(thread, end - i):
            return Word(GIVEN_UP)
        while i < end:
            difference = x.characters[i] - y.characters[i]
            if difference != 0:
                return difference
            i += 1
    return x.length - y.length


# ---- lists


@inline
def smaller(x: Value, y: Value) -> Value:
    if y < x:
        return y
    return x


@inline
def list_length(of: List, backing: Backing) -> Word:
    """The number of items; at most the capacity of `backing`, which other threads may be replacing."""
    return smaller(of.length, backing.capacity) >> 1


@inline
def begin_backing(start: Word, capacity: Word) -> Backing:
    """A backing at address `start`, whose elements the caller must write.  `capacity`: even."""
    Heading(start).header = Word(BACKING_HEADER) | (HEAD_WORDS + capacity) << 32
    new = Backing(start + OBJECT)
    new.capacity = Value(capacity << 1)
    return new


@inline
def begin_list(start: Word, length: Word, capacity: Word) -> Backing:
    """A list at address `start`, followed by its backing, which is returned; the caller must write its elements."""
    backing = begin_backing(start + 8 * LIST_WORDS, capacity)
    Heading(start).header = Word(LIST_HEADER | LIST_WORDS << 32)
    new = List(start + LIST)
    new.padding = Word(0)
    new.length = Value(length << 1)
    new.backing = backing
    return backing


@inline
def backing_bytes(capacity: Word) -> Word:
    return (HEAD_WORDS + capacity) << 3


@inline
def list_bytes(capacity: Word) -> Word:
    return (LIST_WORDS << 3) + backing_bytes(capacity)


@inline
def clear(thread: Thread, backing: Backing, first: Word, count: Word) -> bool:
    """Zero elements that are not in use, up to number `count`: the collector reads them.  False: given up."""
    i = first
    while i < count:
        end = chunk_end(i, count)
        if spent(thread, end - i):
            return False
        while i < end:
            backing.elements[i] = Value(0)
            i += 1
    return True


@inline
def pad(backing: Backing, length: Word) -> None:
    """Zero the element behind an odd number of them."""
    if length & 1 != 0:
        backing.elements[length] = Value(0)


@inline
def copy_elements(thread: Thread, source: Backing, first: Word, target: Backing, at: Word, count: Word) -> bool:
    """False: given up."""
    i = Word(0)
    while i < count:
        end = chunk_end(i, count)
        if spent(thread, end - i):
            return False
        while i < end:
            target.elements[at + i] = source.elements[first + i]
            i += 1
    return True
