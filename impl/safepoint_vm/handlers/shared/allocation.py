"""Allocation: a thread bumps a pointer in its TLAB; if that is full it takes another TLAB, or leaves for the host.

An instruction allocates with one `bump`, before it has any effect: without room it restarts.
"""

from __future__ import annotations

from safepoint_vm.handlers.shared.checks import heap_limit
from safepoint_vm.handlers.shared.values import is_float, pack_unscaled
from safepoint_vm.language.machine import (
    CHECKS_ELSEWHERE,
    PROFILED,
    TRIGGER,
    UNCHECKED,
    Exited,
    Machine,
    at_threshold,
    begin_tlab,
    end_tlab,
)
from safepoint_vm.language.records import Thread, World
from safepoint_vm.language.vocabulary import (
    Exit,
    Float,
    Value,
    Word,
    below,
    bits_of_float,
    compare_and_swap,
    fetch_add,
    inline,
    routine,
    slow,
)
from safepoint_vm.language.words import FILLER_HEADER, FLOAT_HEADER, FLOAT_WORDS, OBJECT, BoxedFloat, Heading


@inline
def bump(thread: Thread, size: Word) -> Word:
    """Allocate `size` bytes.  Returns their address; 0: there is no room, go to `no_room`.

    No check site: a limit that is poisoned stays so.
    """
    return bump_to(thread, size, thread.heap_limit_real)


@inline
def bump_at_site(thread: Thread, size: Word) -> Word:
    """The same of an instruction whose comparison is the check where the policy checks at allocations; 0: go to `failed_allocation`."""
    if CHECKS_ELSEWHERE == "allocation" and TRIGGER == "heap_limit" and not UNCHECKED:
        return bump_to(thread, size, heap_limit(thread))
    return bump_to(thread, size, thread.heap_limit_real)


@inline
def bump_to(thread: Thread, size: Word, limit: Word) -> Word:
    start = thread.heap_top
    end = start + size
    if below(limit, end):
        thread.wanted = size
        return Word(0)
    thread.heap_top = end
    return start


@inline
def set_limit(thread: Thread, limit: Word) -> None:
    """The TLAB ends there now.  A limit that is poisoned stays so: LIMIT-KEEPS-POISON."""
    before = thread.heap_limit_real
    thread.heap_limit_real = limit
    if TRIGGER == "heap_limit":
        compare_and_swap(thread.heap_limit, before, limit)


@inline
def give_back(thread: Thread, start: Word) -> None:
    """Undo the last `bump`: the instruction is given up."""
    thread.heap_top = start


@inline
def fill_up(start: Word, end: Word) -> None:
    """Cover unused memory with a filler object, so that a space can be walked from object to object."""
    if below(start, end):
        Heading(start).header = Word(FILLER_HEADER) | ((end - start) >> 3) << 32


@routine
def retire(thread: Thread) -> None:
    """Give up the thread's TLAB."""
    if PROFILED:
        end_tlab(thread, 0)
    fill_up(thread.heap_top, thread.heap_limit_real)
    thread.heap_top = Word(0)
    set_limit(thread, Word(0))


@inline
def larger(x: Word, y: Word) -> Word:
    if x < y:
        return y
    return x


@routine
def use_tlab(thread: Thread, start: Word, end: Word) -> None:
    """Allocate from `start` to `end` from now on."""
    thread.heap_top = start
    set_limit(thread, end)


@routine
def refill(thread: Thread) -> Word:
    """Take a TLAB with room for `wanted` bytes.  Returns 1; 0: there is no room."""
    if PROFILED:
        if at_threshold(thread, 0) != 0:
            return Word(1)
    world = World(thread.world)
    if world.tlab_bytes == 0:
        return Word(0)
    size = larger(thread.wanted, world.tlab_bytes)
    start = fetch_add(world.heap_next, size)
    if below(world.heap_end, start + size):
        if thread.wanted < size and not below(world.heap_end, start + thread.wanted):
            size = world.heap_end - start  # the last TLAB may be small
        else:
            fill_up(start, world.heap_end)
            return Word(0)
    retire(thread)
    thread.heap_top = start
    set_limit(thread, start + size)
    if PROFILED:
        begin_tlab(thread, 0)
        at_threshold(thread, 0)
    return Word(1)


@slow
def no_room(vm: Machine) -> Exit:
    """Take another TLAB and restart the instruction, through the base table, which is never poisoned: its check is done."""
    if PROFILED:
        vm.thread.pc = vm.pc
        vm.thread.frame = vm.frame
    if refill(vm.thread) != 0:
        return vm.execute(vm.thread.base)
    return vm.leave(Exited.NEEDS_ROOM)


@inline
def float_value(thread: Thread, x: Float) -> Value:
    """The value of a float, boxed if it is out of range; 0: there is no room."""
    packed = pack_unscaled(x)
    if is_float(packed):
        return packed
    bits = bits_of_float(x)
    if bits == 0:
        return thread.zero
    start = bump(thread, Word(8 * FLOAT_WORDS))
    if start == 0:
        return Value(0)
    Heading(start).header = Word(FLOAT_HEADER | FLOAT_WORDS << 32)
    BoxedFloat(start + OBJECT).bits = bits
    return Value(start + OBJECT)
