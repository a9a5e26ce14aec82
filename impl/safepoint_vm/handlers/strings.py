"""Strings and lists as operands of operators: `+`, `*`, the order of strings."""

from __future__ import annotations

from safepoint_vm.handlers.allocating import bump, no_room
from safepoint_vm.handlers.leaving import hosted
from safepoint_vm.machine import Machine, Slot
from safepoint_vm.values import is_int, is_list, is_string
from safepoint_vm.vocabulary import Array, Exit, Value, Word, below, inline, routine, slow
from safepoint_vm.words import (
    BACKING_HEADER,
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

MOST = 1 << 31  # elements of a string or list


@inline
def string_words(length: Word) -> Word:
    """Of a string of so many characters, two a word, rounded to even."""
    return HEAD_WORDS + ((length + 3) >> 2 << 1)


@inline
def begin_string(start: Word, length: Word) -> String:
    """Everything but its characters; the last words are zeros, so that equal strings are equal words."""
    words = string_words(length)
    Heading(start).header = Word(STRING_HEADER) | words << 32
    made = String(start + OBJECT)
    made.length = Value(length << 1)
    if length != 0:
        Array(start)[words - 1] = Value(0)
        Array(start)[words - 2] = Value(0)
    return made


@inline
def copy_characters(source: Characters, target: Characters, count: Word) -> None:
    i = Word(0)
    while i < count:
        target[i] = source[i]
        i += 1


@routine
def order_of_strings(x: String, y: String) -> Word:
    """Less than 0, 0, more than 0: as `x` comes before `y`, is equal, comes after it."""
    length = smaller(x.length, y.length) >> 1
    i = Word(0)
    while i < length:
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
def begin_backing(start: Word, capacity: Word) -> Backing:
    """Its elements are not values yet.  `capacity`: even."""
    Heading(start).header = Word(BACKING_HEADER) | (HEAD_WORDS + capacity) << 32
    made = Backing(start + OBJECT)
    made.capacity = Value(capacity << 1)
    return made


@inline
def begin_list(start: Word, length: Word, capacity: Word) -> Backing:
    """A list and, behind it, its backing."""
    backing = begin_backing(start + 8 * LIST_WORDS, capacity)
    Heading(start).header = Word(LIST_HEADER | LIST_WORDS << 32)
    made = List(start + LIST)
    made.padding = Word(0)
    made.length = Value(length << 1)
    made.backing = backing
    return backing


@inline
def list_bytes(capacity: Word) -> Word:
    return (LIST_WORDS + HEAD_WORDS + capacity) << 3


@inline
def clear(backing: Backing, first: Word, end: Word) -> None:
    """What is not used yet holds a value, too."""
    i = first
    while i < end:
        backing.elements[i] = Value(0)
        i += 1


@slow
def repeat(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """left * right, of a list and an int that is not negative"""
    x, times = vm[left], vm[right]
    if is_list(x) and is_int(times):
        source, count = List(x).backing, List(x).length >> 1
        if count <= source.capacity >> 1 and below(times, Word(2 * MOST)):
            length = count * (times >> 1)
            if length <= MOST:
                capacity = (length + 1) & -2
                start = bump(vm.thread, list_bytes(capacity))
                if start == 0:
                    return no_room(vm)
                made = begin_list(start, length, capacity)
                at = Word(0)
                while at < length:
                    i = Word(0)
                    while i < count:
                        made.elements[at + i] = source.elements[i]
                        i += 1
                    at += count
                clear(made, length, capacity)
                vm[dst] = Value(start + LIST)
                return vm.next()
    return hosted(vm)


@inline
def copy_elements(source: Backing, first: Word, target: Backing, at: Word, count: Word) -> None:
    i = Word(0)
    while i < count:
        target.elements[at + i] = source.elements[first + i]
        i += 1


@slow
def join(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """left + right, of two strings or two lists"""
    x, y = vm[left], vm[right]
    if is_string(x) and is_string(y):
        one, other = String(x), String(y)
        first, second = one.length >> 1, other.length >> 1
        length = first + second
        if length <= MOST:
            start = bump(vm.thread, string_words(length) << 3)
            if start == 0:
                return no_room(vm)
            made = begin_string(start, length)
            copy_characters(one.characters, made.characters, first)
            copy_characters(other.characters, Characters(made.characters.at(first)), second)
            vm[dst] = Value(start + OBJECT)
            return vm.next()
    elif is_list(x) and is_list(y):
        front, back = List(x).backing, List(y).backing
        first, second = smaller(List(x).length, front.capacity) >> 1, smaller(List(y).length, back.capacity) >> 1
        length = first + second
        capacity = (length + 1) & -2
        start = bump(vm.thread, list_bytes(capacity))
        if start == 0:
            return no_room(vm)
        both = begin_list(start, length, capacity)
        copy_elements(front, Word(0), both, Word(0), first)
        copy_elements(back, Word(0), both, first, second)
        clear(both, length, capacity)
        vm[dst] = Value(start + LIST)
        return vm.next()
    return hosted(vm)


@slow
def extend(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """left += right, of two lists: the left one grows.  Strings are joined."""
    x, y = vm[left], vm[right]
    if not (is_list(x) and is_list(y)):
        return join(vm, dst, left, right)
    backing, added = List(x).backing, List(y).backing
    first, second = smaller(List(x).length, backing.capacity) >> 1, smaller(List(y).length, added.capacity) >> 1
    length = first + second
    if backing.capacity >> 1 < length:
        capacity = length * 2
        start = bump(vm.thread, (HEAD_WORDS + capacity) << 3)
        if start == 0:
            return no_room(vm)
        larger = begin_backing(start, capacity)
        copy_elements(backing, Word(0), larger, Word(0), first)
        copy_elements(added, Word(0), larger, first, second)
        clear(larger, length, capacity)
        List(x).backing = larger
    else:
        copy_elements(added, Word(0), backing, first, second)
    List(x).length = Value(length << 1)
    vm[dst] = x
    return vm.next()
