"""Strings and lists as operands of + and *."""

from __future__ import annotations

from safepoint.guest.heap import WORK
from safepoint_vm.handlers.shared.allocation import bump, give_back, no_room
from safepoint_vm.handlers.shared.exits import hosted
from safepoint_vm.handlers.shared.layout import (
    MOST,
    backing_bytes,
    begin_backing,
    begin_list,
    begin_string,
    clear,
    copy_elements,
    copy_string,
    list_bytes,
    list_length,
    pad,
    string_words,
)
from safepoint_vm.handlers.shared.values import as_number, is_int, is_list, is_string
from safepoint_vm.handlers.shared.work import begin_work, chunk_end, spent
from safepoint_vm.language.machine import Machine, Slot
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Exit, Value, Word, inline, routine, slow
from safepoint_vm.language.words import LIST, OBJECT, UNSET_WORD, Backing, Characters, List, String

# ---- *


@inline
def repeated(count: Word, times: Value) -> Word:
    """The number of elements; MOST + 1 stands for any number beyond MOST."""
    if count == 0 or times <= 0:
        return Word(0)
    if times >> 1 > MOST:
        return Word(MOST + 1)
    return count * (times >> 1)


@inline
def repeat_elements(thread: Thread, source: Backing, count: Word, new: Backing, length: Word) -> bool:
    """Fill `new` with `length` elements by repeating the first `count` of `source`, which may be `new` itself.  False: given up."""
    i = Word(0)
    while i < length:
        end = chunk_end(i, length)
        if spent(thread, end - i):
            return False
        while i < end:
            if i < count:
                new.elements[i] = source.elements[i]
            else:
                new.elements[i] = new.elements[i - count]
            i += 1
    return True


@inline
def repeat_characters(thread: Thread, source: Characters, count: Word, new: Characters, length: Word) -> bool:
    """As `repeat_elements`."""
    i = Word(0)
    while i < length:
        end = chunk_end(i, length)
        if spent(thread, end - i):
            return False
        while i < end:
            if i < count:
                new[i] = source[i]
            else:
                new[i] = new[i - count]
            i += 1
    return True


@routine
def repeated_list(thread: Thread, of: List, times: Value) -> Value:
    """UNSET: too long, or given up; 0: there is no room."""
    source = of.backing
    count = list_length(of, source)
    length = repeated(count, times)
    if length > MOST:
        return Value(UNSET_WORD)
    capacity = (length + 1) & -2
    start = bump(thread, list_bytes(capacity))
    if start == 0:
        return Value(0)
    new = begin_list(start, length, capacity)
    if not repeat_elements(thread, source, count, new, length):
        give_back(thread, start)
        return Value(UNSET_WORD)
    pad(new, length)
    return Value(start + LIST)


@routine
def repeated_string(thread: Thread, of: String, times: Value) -> Value:
    """UNSET: too long, or given up; 0: there is no room."""
    length = repeated(of.length >> 1, times)
    if length > MOST:
        return Value(UNSET_WORD)
    start = bump(thread, string_words(length) << 3)
    if start == 0:
        return Value(0)
    if not repeat_characters(thread, of.characters, of.length >> 1, begin_string(start, length).characters, length):
        give_back(thread, start)
        return Value(UNSET_WORD)
    return Value(start + OBJECT)


@slow
def repeat(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """left * right, of a list or string and an int, in either order"""
    begin_work(vm.thread)
    x, times = vm[left], as_number(vm[right])
    if not is_int(times):
        x, times = vm[right], as_number(vm[left])
    if is_int(times) and (is_list(x) or is_string(x)):
        new = Value(0)
        if is_list(x):
            new = repeated_list(vm.thread, List(x), times)
        else:
            new = repeated_string(vm.thread, String(x), times)
        if new == 0:
            return no_room(vm)
        if new != UNSET_WORD:
            vm[dst] = new
            return vm.next()
    return hosted(vm)


@slow
def repeat_in_place(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """left *= right, of a list, which changes its length in place, and an int.  Strings go to `repeat`."""
    x, times = vm[left], as_number(vm[right])
    if not (is_list(x) and is_int(times)):
        return repeat(vm, dst, left, right)
    backing = List(x).backing
    count = list_length(List(x), backing)
    length = repeated(count, times)
    begin_work(vm.thread)
    if length > MOST or (length < count and count > WORK):  # to clear them all is more than WORK at once
        return hosted(vm)
    if backing.capacity >> 1 < length:
        capacity = (length + 1) & -2
        start = bump(vm.thread, backing_bytes(capacity))
        if start == 0:
            return no_room(vm)
        larger = begin_backing(start, capacity)
        if not repeat_elements(vm.thread, backing, count, larger, length):
            give_back(vm.thread, start)
            return hosted(vm)
        pad(larger, length)
        List(x).backing = larger
    elif not (repeat_elements(vm.thread, backing, count, backing, length) and clear(vm.thread, backing, length, count)):
        return hosted(vm)
    List(x).length = Value(length << 1)
    vm[dst] = x
    return vm.next()


# ---- +


@slow
def join(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """left + right, of two strings or two lists"""
    x, y = vm[left], vm[right]
    begin_work(vm.thread)
    if is_string(x) and is_string(y):
        one, other = String(x), String(y)
        first, second = one.length >> 1, other.length >> 1
        length = first + second
        if length <= MOST:
            start = bump(vm.thread, string_words(length) << 3)
            if start == 0:
                return no_room(vm)
            new = begin_string(start, length)
            if copy_string(vm.thread, one, new.characters, Word(0)):
                if copy_string(vm.thread, other, new.characters, first):
                    vm[dst] = Value(start + OBJECT)
                    return vm.next()
            give_back(vm.thread, start)
    elif is_list(x) and is_list(y):
        front, back = List(x).backing, List(y).backing
        first, second = list_length(List(x), front), list_length(List(y), back)
        length = first + second
        capacity = (length + 1) & -2
        start = bump(vm.thread, list_bytes(capacity))
        if start == 0:
            return no_room(vm)
        both = begin_list(start, length, capacity)
        if copy_elements(vm.thread, front, Word(0), both, Word(0), first):
            if copy_elements(vm.thread, back, Word(0), both, first, second):
                pad(both, length)
                vm[dst] = Value(start + LIST)
                return vm.next()
        give_back(vm.thread, start)
    return hosted(vm)


@slow
def extend(vm: Machine, dst: Slot, left: Slot, right: Slot) -> Exit:
    """left += right, of two lists: the left one grows.  Strings go to `join`."""
    x, y = vm[left], vm[right]
    if not (is_list(x) and is_list(y)):
        return join(vm, dst, left, right)
    backing, added = List(x).backing, List(y).backing
    first, second = list_length(List(x), backing), list_length(List(y), added)
    length = first + second
    begin_work(vm.thread)
    if backing.capacity >> 1 < length:
        capacity = length * 2
        start = bump(vm.thread, backing_bytes(capacity))
        if start == 0:
            return no_room(vm)
        larger = begin_backing(start, capacity)
        if not (
            copy_elements(vm.thread, backing, Word(0), larger, Word(0), first)
            and copy_elements(vm.thread, added, Word(0), larger, first, second)
            and clear(vm.thread, larger, length, capacity)
        ):
            give_back(vm.thread, start)
            return hosted(vm)
        List(x).backing = larger
    elif not copy_elements(vm.thread, added, Word(0), backing, first, second):
        return hosted(vm)
    List(x).length = Value(length << 1)
    vm[dst] = x
    return vm.next()
