"""Lists that grow and shrink."""

from __future__ import annotations

from safepoint.guest.heap import WORK
from safepoint_vm.handlers.exceptions import known
from safepoint_vm.handlers.sequences import position
from safepoint_vm.handlers.shared.allocation import bump, give_back, no_room
from safepoint_vm.handlers.shared.exits import fault, hosted
from safepoint_vm.handlers.shared.layout import (
    backing_bytes,
    begin_backing,
    clear,
    copy_elements,
    list_length,
    pad,
    smaller,
)
from safepoint_vm.handlers.shared.values import as_number, is_int, is_list
from safepoint_vm.handlers.shared.work import begin_work, foreseen
from safepoint_vm.language.machine import Machine, Slot
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Exit, Value, Word, below, inline, opcode, routine, slow
from safepoint_vm.language.words import Backing, List

UNDONE, DONE, NO_ROOM = 0, 1, 2
empty_pop = known("empty_pop")


@slow
def slow_append(vm: Machine, of: Slot, src: Slot) -> Exit:
    """Append to a larger backing, published when it is complete."""
    x = vm[of]
    if not is_list(x):
        return fault(vm)
    old = List(x).backing
    length = list_length(List(x), old)
    capacity = length * 2 + 4
    start = bump(vm.thread, backing_bytes(capacity))
    if start == 0:
        return no_room(vm)
    new = begin_backing(start, capacity)
    begin_work(vm.thread)
    if not (
        copy_elements(vm.thread, old, Word(0), new, Word(0), length) and clear(vm.thread, new, length + 1, capacity)
    ):
        give_back(vm.thread, start)
        return hosted(vm)
    new.elements[length] = vm[src]
    List(x).backing = new
    List(x).length = Value((length + 1) << 1)
    return vm.next()


@opcode
def APPEND(vm: Machine, of: Slot, src: Slot) -> Exit:
    """of.append(src)"""
    x = vm[of]
    if is_list(x):
        backing = List(x).backing
        length = List(x).length
        if below(length, backing.capacity):
            backing.elements[length >> 1] = vm[src]
            List(x).length = Value(length + 2)
            return vm.next()
    return slow_append(vm, of, src)


@opcode
def POP(vm: Machine, dst: Slot, of: Slot) -> Exit:
    """dst = of.pop()"""
    x = vm[of]
    if is_list(x):
        backing = List(x).backing
        last = Value(List(x).length - 2)
        if below(last, backing.capacity):
            vm[dst] = backing.elements[last >> 1]
            backing.elements[last >> 1] = Value(0)  # no longer reachable from the list
            List(x).length = last
            return vm.next()
        if last < 0:
            return empty_pop(vm)
    return hosted(vm)


@opcode
def POP_AT(vm: Machine, dst: Slot, of: Slot, index: Slot) -> Exit:
    """dst = of.pop(index)"""
    x, i = vm[of], as_number(vm[index])
    if is_list(x) and is_int(i):
        backing = List(x).backing
        length = smaller(List(x).length, backing.capacity)
        at = position(i, length)
        if below(at, length):
            found = backing.elements[at >> 1]
            done = remove(vm.thread, List(x), backing, at >> 1, length >> 1)
            if done == NO_ROOM:
                return no_room(vm)
            if done == DONE:
                vm[dst] = found
                return vm.next()
    return hosted(vm)


# ---- shrinking anywhere


@opcode
def DELETE_INDEX(vm: Machine, of: Slot, index: Slot) -> Exit:
    """del of[index]"""
    x, i = vm[of], as_number(vm[index])
    if is_list(x) and is_int(i):
        backing = List(x).backing
        length = smaller(List(x).length, backing.capacity)
        at = position(i, length)
        if below(at, length):
            done = remove(vm.thread, List(x), backing, at >> 1, length >> 1)
            if done == NO_ROOM:
                return no_room(vm)
            if done == DONE:
                return vm.next()
    return hosted(vm)


@inline
def remove(thread: Thread, of: List, backing: Backing, at: Word, length: Word) -> Word:
    """Remove the element `at`.  DONE, NO_ROOM, or UNDONE: given up."""
    if length - at <= WORK:
        close_gap(of, backing, at, length)
        return Word(DONE)
    return copy_without(thread, of, backing, at, length)


@routine
def copy_without(thread: Thread, of: List, backing: Backing, at: Word, length: Word) -> Word:
    """As `remove`, where more than WORK elements would move: into a new backing.  Until it is complete the list is as it was."""
    begin_work(thread)
    if foreseen(thread, length - at):
        return Word(UNDONE)
    start = bump(thread, backing_bytes(length & -2))
    if start == 0:
        return Word(NO_ROOM)
    new = begin_backing(start, length & -2)
    if not (
        copy_elements(thread, backing, Word(0), new, Word(0), at)
        and copy_elements(thread, backing, at + 1, new, at, length - at - 1)
    ):
        give_back(thread, start)
        return Word(UNDONE)
    pad(new, length - 1)
    of.backing = new
    of.length = Value((length - 1) << 1)
    return Word(DONE)


@inline
def close_gap(of: List, backing: Backing, at: Word, length: Word) -> None:
    """Move the elements after `at` down by one."""
    i = at + 1
    while i < length:
        backing.elements[i - 1] = backing.elements[i]
        i += 1
    backing.elements[length - 1] = Value(0)  # no longer reachable from the list
    of.length = Value((length - 1) << 1)
