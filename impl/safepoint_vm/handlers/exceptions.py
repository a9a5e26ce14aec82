"""Exceptions: made, raised, caught and matched in machine code.  What nobody catches is the host's."""

from __future__ import annotations

from safepoint_vm.handlers.allocating import bump, no_room
from safepoint_vm.handlers.families import Handler, named
from safepoint_vm.handlers.leaving import fault, hosted
from safepoint_vm.machine import Count, Kind, Machine, Slot
from safepoint_vm.values import has_kind, truth_word
from safepoint_vm.vocabulary import Array, Bytecode, Exit, Value, Word, below, inline, opcode, routine
from safepoint_vm.words import (
    EXCEPTION_HEADER,
    EXCEPTION_KIND,
    EXCEPTION_WORDS,
    HEAD_WORDS,
    LANDING_WORDS,
    OBJECT,
    TRACE_HEADER,
    UNSET_WORD,
    Frame,
    Heading,
    Landing,
    Landings,
    Link,
    Raisable,
    Thread,
    Trace,
)

CAUGHT, UNCAUGHT, NO_ROOM = 0, 1, 2  # what becomes of an exception


@inline
def is_exception(x: Value) -> bool:
    return has_kind(x, Word(EXCEPTION_KIND))


@opcode
def EXCEPTION(vm: Machine, first: Slot, kind: Kind, count: Count) -> Exit:
    """first = kind(first, …)"""
    start = bump(vm.thread, Word(8 * EXCEPTION_WORDS))
    if start == 0:
        return no_room(vm)
    Heading(start).header = Word(EXCEPTION_HEADER | EXCEPTION_WORDS << 32)
    made = Raisable(start + OBJECT)
    made.kind = Value(kind << 1)
    made.trace = Value(UNSET_WORD)
    made.argument = Value(UNSET_WORD)
    if count != 0:
        made.argument = vm[first]
    vm[first] = Value(start + OBJECT)
    return vm.next()


# ---- raising


@inline
def landing(landings: Landings, pc: Bytecode) -> Landing:
    """Where an exception of this instruction goes: found by halving."""
    low, high = Word(0), landings.count
    while high - low > 1:
        middle = (low + high) >> 1
        if below(pc, Landing(landings.rows.at(middle * LANDING_WORDS)).start):
            high = middle
        else:
            low = middle
    return Landing(landings.rows.at(low * LANDING_WORDS))


@inline
def call_of(frame: Frame) -> Bytecode:
    """The instruction that pushed a frame."""
    return Link(frame).return_to + -1


@inline
def begin_trace(start: Word, length: Word, words: Word) -> Trace:
    """Its places are not there yet."""
    Heading(start).header = Word(TRACE_HEADER) | words << 32
    Array(start)[words - 1] = Value(0)
    made = Trace(start + OBJECT)
    made.length = Value(length << 1)
    return made


@inline
def extend_trace(thread: Thread, raised: Raisable, pc: Bytecode, frame: Frame, calls: Word, added: Word) -> bool:
    """In front of what the exception has: the innermost `added` of its place and the calls that it leaves, or all but
    its place.  False: there is no room.
    """
    old, before = raised.trace, Word(0)
    if old != UNSET_WORD:
        before = Trace(old).length >> 1
    words = (HEAD_WORDS + added + before + 1) & -2
    start = bump(thread, words << 3)
    if start == 0:
        return False
    made = begin_trace(start, added + before, words)
    i = Word(0)
    while i < before:
        made.places[added + i] = Trace(old).places[i]
        i += 1
    i = calls
    while i >= 0:
        if i < added:
            made.places[i] = Value(pc)
        pc = call_of(frame)
        frame = Link(frame).caller
        i -= 1
    raised.trace = Value(start + OBJECT)
    return True


@routine
def unwind(thread: Thread, pc: Bytecode, frame: Frame, raised: Raisable, again: Word) -> Word:
    """Cut the frames above the one that catches the exception: `thread.pc` and `thread.frame` are where it goes on.

    `again`: 1, its place is in its traceback already.  Nothing changes unless it is CAUGHT.  As long as the stack is deep,
    and the traceback long.
    """
    found, at, calls = landing(thread.landings, pc), frame, Word(0)
    while found.target == 0:
        if Link(at).caller == at:
            return Word(UNCAUGHT)
        found = landing(thread.landings, call_of(at))
        at = Link(at).caller
        calls += 1
    added = calls + 1 - again
    if added != 0:
        if not extend_trace(thread, raised, pc, frame, calls, added):
            return Word(NO_ROOM)
    at[found.slot] = Value(raised)
    thread.pc = Bytecode(found.target)
    thread.frame = at
    return Word(CAUGHT)


def raising(name: str, again: int) -> Handler:
    """raise src"""

    @opcode
    def fast(vm: Machine, src: Slot) -> Exit:
        x = vm[src]
        if is_exception(x):
            outcome = unwind(vm.thread, vm.pc, vm.frame, Raisable(x), Word(again))
            if outcome == CAUGHT:
                return vm.enter(vm.thread.pc, vm.thread.frame)
            if outcome == NO_ROOM:
                return no_room(vm)
        return fault(vm)

    return named(name, fast)


RAISE = raising("RAISE", 0)
RERAISE = raising("RERAISE", 1)


@opcode
def MATCHES(vm: Machine, dst: Slot, src: Slot, kind: Kind) -> Exit:
    """dst = src is an instance of kind"""
    x = vm[src]
    if is_exception(x):
        bases = vm.thread.ancestry[Raisable(x).kind >> 1]
        vm[dst] = truth_word((bases >> kind) & 1 != 0)
        return vm.next()
    return hosted(vm)
