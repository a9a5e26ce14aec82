"""The collector: Cheney's, for a stopped world.

The host passes the root ranges; everything reachable from them is copied to to-space.  Values that do not point into
from-space (ints, constants, functions, static objects) are left alone.
"""

from __future__ import annotations

from safepoint_vm.handlers.shared.values import is_constant
from safepoint_vm.language.machine import COLLECTOR_MUTANT
from safepoint_vm.language.records import World
from safepoint_vm.language.vocabulary import Array, Value, Word, below, inline, routine
from safepoint_vm.language.words import (
    CONSTANT,
    EXCEPTION_KIND,
    HEAD_WORDS,
    LAST_KIND,
    LIST,
    LIST_KIND,
    MAGIC,
    RAW,
    STRING_KIND,
    TAG_MASK,
    TRACE_KIND,
    Heading,
    String,
)

POINTER_BITS, POINTER = 0b0111, 0b0011  # tags of objects and lists, which may be in a space
MAGIC_BITS = 0xFFFF << 16


@inline
def in_from_space(world: World, x: Value) -> bool:
    """Does x point into from-space?"""
    if COLLECTOR_MUTANT == "forgets-lists":
        if x & TAG_MASK == LIST:
            return False
    if x & POINTER_BITS != POINTER:
        return False
    return below(x - world.from_start, world.from_bytes)


@inline
def copy(world: World, old: Word, words: Word) -> Word:
    """Copy an object to to-space.  Returns its new address."""
    new = world.copied
    world.copied = new + (words << 3)
    source, target = Array(old), Array(new)
    i = Word(0)
    while i < words:
        target[i] = source[i]
        target[i + 1] = source[i + 1]
        i += 2
    return new


@inline
def forwarded(world: World, x: Value) -> Value:
    """The value that replaces x: a pointer to the copy in to-space, made now unless the object is forwarded already."""
    if not in_from_space(world, x):
        return x
    old = x & ~TAG_MASK
    head = Heading(old).header
    if head & 1 == 0:
        return Value(head | x & TAG_MASK)
    words = head >> 32
    new = copy(world, old, words)
    if COLLECTOR_MUTANT == "copies-a-word-less":
        Array(new)[words - 1] = Value(0)
    if COLLECTOR_MUTANT == "copies-exceptions-twice":
        if head & 0xFF != EXCEPTION_KIND:
            Heading(old).header = new
    else:
        Heading(old).header = new
    return Value(new | x & TAG_MASK)


@inline
def forward_all(world: World, first: Word, end: Word) -> None:
    """Forward the values from address `first` up to `end`, in place."""
    at = first
    while below(at, end):
        Array(at)[0] = forwarded(world, Array(at)[0])
        at += 8


@routine
def forward(world: World, first: Word, end: Word) -> None:
    """Forward a root range."""
    forward_all(world, first, end)


@routine
def scan(world: World, first: Word) -> None:
    """Forward the values in the copies, from address `first` on, until there are no more copies."""
    at = first
    while below(at, world.copied):
        head = Heading(at).header
        end = at + ((head >> 32) << 3)
        if head & RAW == 0:
            if COLLECTOR_MUTANT == "skips-the-last-word":
                forward_all(world, at + 8, end - 8)
            else:
                forward_all(world, at + 8, end)
        at = end


# ---- invariants of a heap


@inline
def is_header(head: Word) -> bool:
    """Is this a header: odd, with the magic, a kind that exists, and an even number of words?"""
    if head & (1 | MAGIC_BITS) != 1 | MAGIC:
        return False
    return head & 0xFF <= LAST_KIND and head >> 32 >= 2 and (head >> 32) & 1 == 0


@inline
def fits(at: Word, head: Word) -> bool:
    """Does the length of a string or trace fit in its object?"""
    kind = head & 0xFF
    if kind == STRING_KIND:
        return _length(at) >= 0 and (_length(at) + 1) >> 1 <= (head >> 32) - HEAD_WORDS
    if kind == TRACE_KIND:
        return _length(at) >= 0 and _length(at) <= (head >> 32) - HEAD_WORDS
    return True


@inline
def _length(at: Word) -> Word:
    """The length of a string or trace, untagged."""
    return String(at | 3).length >> 1


@inline
def is_sound(idle: Word, idle_bytes: Word, x: Value) -> bool:
    """Is x a known constant, not a pointer, or a pointer to an object of its kind outside the idle space?"""
    if x & TAG_MASK == CONSTANT:
        return is_constant(x)
    if x & POINTER_BITS != POINTER:
        return True
    if below(x - idle, idle_bytes):
        return False
    head = Heading(x & ~TAG_MASK).header
    if not is_header(head):
        return False
    return (x & TAG_MASK == LIST) == (head & 0xFF == LIST_KIND)


@routine
def unsound_value(first: Word, end: Word, idle: Word, idle_bytes: Word) -> Word:
    """The address of the first unsound value from `first` up to `end`; 0: none.  `idle`: the space without objects."""
    at = first
    while below(at, end):
        if not is_sound(idle, idle_bytes, Array(at)[0]):
            return at
        at += 8
    return Word(0)


@routine
def unsound_object(start: Word, end: Word, idle: Word, idle_bytes: Word) -> Word:
    """The address of the first unsound word in a space with objects from `start` up to `end`; 0: it is sound."""
    at = start
    while below(at, end):
        head = Heading(at).header
        if not is_header(head):
            return at
        after = at + ((head >> 32) << 3)
        if below(end, after) or not fits(at, head):
            return at
        if head & RAW == 0:
            bad = unsound_value(at + 8, after, idle, idle_bytes)
            if bad != 0:
                return bad
        at = after
    return Word(0)


@routine
def fill(first: Word, end: Word, pattern: Word) -> None:
    """Overwrite memory with a word."""
    at = first
    while below(at, end):
        Array(at)[0] = Value(pattern)
        at += 8
