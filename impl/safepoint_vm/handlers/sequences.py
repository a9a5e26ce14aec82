"""Lists and strings.

The length of a list and its backing are read one after the other, while other threads may write both.  An index is checked
against the capacity of the backing that was loaded, so a race may lose updates, but never leaves the object.
"""

from __future__ import annotations

from safepoint_vm.handlers.control import pass_back_edge, slow_back_edge, uncount_back_edge
from safepoint_vm.handlers.exceptions import known
from safepoint_vm.handlers.shared.allocation import bump, bump_at_site, give_back, larger, no_room
from safepoint_vm.handlers.shared.checks import allocation_fails, back_edge_fails, fails
from safepoint_vm.handlers.shared.elsewhere import pass_elsewhere, slow_elsewhere
from safepoint_vm.handlers.shared.exits import fault, hosted
from safepoint_vm.handlers.shared.layout import (
    begin_list,
    begin_string,
    character,
    copy_characters,
    copy_elements,
    list_bytes,
    pad,
    smaller,
    string_words,
)
from safepoint_vm.handlers.shared.values import as_number, is_int, is_list, is_string
from safepoint_vm.handlers.shared.work import begin_work
from safepoint_vm.language.machine import (
    CHECKED,
    CHECKS_ELSEWHERE,
    TRACED,
    TRIGGER,
    UNCHECKED,
    Count,
    FarJump,
    Jump,
    Machine,
    Slot,
    log_check,
)
from safepoint_vm.language.vocabulary import Exit, Value, Word, below, inline, opcode, slow
from safepoint_vm.language.words import LIST, NONE_WORD, OBJECT, Characters, List, String

list_index, string_index, store_index = known("list_index"), known("string_index"), known("store_index")


@slow
def failed_allocation(vm: Machine) -> Exit:
    """The comparison of an allocation that is a check site has failed: a request, a full TLAB, both, or neither."""
    if fails(vm.thread, vm.pc):
        return slow_elsewhere(vm)
    if TRACED:
        log_check(vm.thread, Word(CHECKED), vm.pc, 0)
    return no_room(vm)


@opcode
def LIST_(vm: Machine, first: Slot, count: Count) -> Exit:
    """first = [first, first+1, …]"""
    if allocation_fails(vm.thread, vm.pc):
        return slow_elsewhere(vm)
    capacity = (count + 1) & -2
    start = bump_at_site(vm.thread, list_bytes(capacity))
    if start == 0:
        if CHECKS_ELSEWHERE == "allocation" and TRIGGER == "heap_limit" and not UNCHECKED:
            return failed_allocation(vm)
        return no_room(vm)
    if CHECKS_ELSEWHERE == "allocation":
        pass_elsewhere(vm.thread, vm.pc)
    backing = begin_list(start, count, capacity)
    i = Word(0)
    while i < count:
        backing.elements[i] = vm[first + i]
        i += 1
    pad(backing, count)
    vm[first] = Value(start + LIST)
    return vm.next()


LIST_.__name__ = "LIST"


# ---- elements


@inline
def position(index: Value, length: Value) -> Value:
    """A negative index, counted from the start."""
    if index < 0:
        return Value(index + length)
    return index


@slow
def slow_index(vm: Machine, dst: Slot, of: Slot, index: Slot) -> Exit:
    """INDEX with a negative index, in a string, or that raises."""
    x, i = vm[of], as_number(vm[index])
    if is_int(i):
        if is_list(x):
            backing = List(x).backing
            length = List(x).length
            at = position(i, length)
            if below(at, length) and below(at, backing.capacity):
                vm[dst] = backing.elements[at >> 1]
                return vm.next()
            if not below(at, length):
                return list_index(vm)
        elif is_string(x):
            at = position(i, String(x).length)
            if below(at, String(x).length):
                found = character(vm.thread, String(x).characters[at >> 1])
                if found == 0:
                    return no_room(vm)
                vm[dst] = found
                return vm.next()
            return string_index(vm)
    return hosted(vm)


@opcode
def INDEX(vm: Machine, dst: Slot, of: Slot, index: Slot) -> Exit:
    """dst = of[index]"""
    x, i = vm[of], vm[index]
    if is_list(x) and is_int(i):
        backing = List(x).backing
        if below(i, List(x).length) and below(i, backing.capacity):
            vm[dst] = backing.elements[i >> 1]
            return vm.next()
    return slow_index(vm, dst, of, index)


@slow
def slow_store_index(vm: Machine, of: Slot, index: Slot, src: Slot) -> Exit:
    """STORE_INDEX with a negative index, or that raises."""
    x, i = vm[of], as_number(vm[index])
    if is_list(x) and is_int(i):
        backing = List(x).backing
        length = List(x).length
        at = position(i, length)
        if below(at, length) and below(at, backing.capacity):
            backing.elements[at >> 1] = vm[src]
            return vm.next()
        if not below(at, length):
            return store_index(vm)
    return hosted(vm)


@opcode
def STORE_INDEX(vm: Machine, of: Slot, index: Slot, src: Slot) -> Exit:
    """of[index] = src"""
    x, i = vm[of], vm[index]
    if is_list(x) and is_int(i):
        backing = List(x).backing
        if below(i, List(x).length) and below(i, backing.capacity):
            backing.elements[i >> 1] = vm[src]
            return vm.next()
    return slow_store_index(vm, of, index, src)


# ---- slices


@inline
def is_bound(x: Value) -> bool:
    return is_int(x) or x == NONE_WORD


@inline
def bound(x: Value, length: Value, missing: Value) -> Value:
    """A bound of a slice, clamped to 0 … length; `missing` for None."""
    if x == NONE_WORD:
        return missing
    at = position(x, length)
    if at < 0:
        return Value(0)
    return smaller(at, length)


@slow
def slow_slice(vm: Machine, dst: Slot, of: Slot, bounds: Slot) -> Exit:
    """SLICE of a string."""
    x = vm[of]
    begin_work(vm.thread)
    if is_string(x) and is_bound(vm[bounds]) and is_bound(vm[bounds + 1]):
        length = String(x).length
        first = bound(vm[bounds], length, Value(0))
        end = larger(bound(vm[bounds + 1], length, length), first)
        count = (end - first) >> 1
        start = bump(vm.thread, string_words(count) << 3)
        if start == 0:
            return no_room(vm)
        new = begin_string(start, count)
        if copy_characters(vm.thread, Characters(String(x).characters.at(first >> 1)), new.characters, count):
            vm[dst] = Value(start + OBJECT)
            return vm.next()
        give_back(vm.thread, start)
    return hosted(vm)


@opcode
def SLICE(vm: Machine, dst: Slot, of: Slot, bounds: Slot) -> Exit:
    """dst = of[bounds:bounds+1]; None: from the start, to the end"""
    x = vm[of]
    begin_work(vm.thread)
    if is_list(x) and is_bound(vm[bounds]) and is_bound(vm[bounds + 1]):
        backing = List(x).backing
        length = smaller(List(x).length, backing.capacity)
        first = bound(vm[bounds], length, Value(0))
        end = larger(bound(vm[bounds + 1], length, length), first)
        count = (end - first) >> 1
        capacity = (count + 1) & -2
        start = bump(vm.thread, list_bytes(capacity))
        if start == 0:
            return no_room(vm)
        new = begin_list(start, count, capacity)
        if copy_elements(vm.thread, backing, first >> 1, new, Word(0), count):
            pad(new, count)
            vm[dst] = Value(start + LIST)
            return vm.next()
        give_back(vm.thread, start)
        return hosted(vm)
    return slow_slice(vm, dst, of, bounds)


@opcode
def LEN(vm: Machine, dst: Slot, src: Slot) -> Exit:
    """dst = len(src)"""
    x = vm[src]
    if is_list(x):
        vm[dst] = List(x).length
        return vm.next()
    if is_string(x):
        vm[dst] = String(x).length
        return vm.next()
    return hosted(vm)


# ---- for … in a list or string


@opcode
def EACH_PREPARE(vm: Machine, loop: Slot, offset: FarJump) -> Exit:
    """TypeError unless loop is a list or a str; loop+1 = 0; jump forward to its FOR_EACH"""
    x = vm[loop]
    if is_list(x) or is_string(x):
        vm[loop + 1] = Value(0)
        return vm.jump(offset)
    return fault(vm)


@slow
def slow_for_each(vm: Machine, dst: Slot, loop: Slot, offset: Jump) -> Exit:
    """FOR_EACH over a string.  The fast handler has counted this visit; without room it will count it again."""
    x, i = vm[loop], vm[loop + 1]
    if not below(i, String(x).length):
        return vm.next()
    found = character(vm.thread, String(x).characters[i >> 1])
    if found == 0:
        uncount_back_edge(vm.thread)
        return no_room(vm)
    vm[loop + 1] = Value(i + 2)
    vm[dst] = found
    return vm.jump(offset)


@opcode
def FOR_EACH(vm: Machine, dst: Slot, loop: Slot, offset: Jump) -> Exit:
    """if loop+1 < len(loop): dst = loop[loop+1], loop+1 += 1, jump backward"""
    if back_edge_fails(vm.thread, vm.pc):
        return slow_back_edge(vm)
    pass_back_edge(vm.thread, vm.pc)
    x, i = vm[loop], vm[loop + 1]
    if is_list(x):
        backing = List(x).backing
        if below(i, List(x).length) and below(i, backing.capacity):
            vm[loop + 1] = Value(i + 2)
            vm[dst] = backing.elements[i >> 1]
            return vm.jump(offset)
        return vm.next()
    return slow_for_each(vm, dst, loop, offset)
