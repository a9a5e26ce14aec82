"""Exceptions: made, raised, caught and matched in machine code.  The host reports uncaught ones."""

from __future__ import annotations

from safepoint.guest.heap import WORK
from safepoint_vm.handlers.shared.allocation import bump, no_room
from safepoint_vm.handlers.shared.exits import fault, hosted
from safepoint_vm.handlers.shared.families import HandlerFunction, named
from safepoint_vm.handlers.shared.faults import NUMBERS
from safepoint_vm.handlers.shared.values import has_kind, is_int, truth_word
from safepoint_vm.language.machine import Count, Kind, Machine, Slot
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Array, Bytecode, Exit, Value, Word, below, inline, opcode, routine, slow
from safepoint_vm.language.words import (
    EXCEPTION_HEADER,
    EXCEPTION_KIND,
    EXCEPTION_WORDS,
    HEAD_WORDS,
    KNOWN_WORDS,
    LANDING_WORDS,
    OBJECT,
    TRACE_HEADER,
    UNSET_WORD,
    Frame,
    Heading,
    Known,
    Landing,
    Landings,
    Link,
    Raisable,
    Trace,
)

CAUGHT, UNCAUGHT, NO_ROOM = 0, 1, 2  # results of `unwind`


@inline
def is_exception(x: Value) -> bool:
    return has_kind(x, Word(EXCEPTION_KIND))


@inline
def begin_exception(start: Word, kind: Word, argument: Value) -> Raisable:
    Heading(start).header = Word(EXCEPTION_HEADER | EXCEPTION_WORDS << 32)
    new = Raisable(start + OBJECT)
    new.kind = Value(kind << 1)
    new.argument = argument
    new.trace = Value(UNSET_WORD)
    return new


@opcode
def EXCEPTION(vm: Machine, first: Slot, kind: Kind, count: Count) -> Exit:
    """first = kind(first, …)"""
    start = bump(vm.thread, Word(8 * EXCEPTION_WORDS))
    if start == 0:
        return no_room(vm)
    argument = Value(UNSET_WORD)
    if count != 0:
        argument = vm[first]
    vm[first] = Value(Word(begin_exception(start, kind, argument)))
    return vm.next()


# ---- raising


@inline
def landing(landings: Landings, pc: Bytecode) -> Landing:
    """The landing of an instruction, by binary search."""
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
    """A trace in `words` words at `start`, for `length` addresses that the caller must write."""
    Heading(start).header = Word(TRACE_HEADER) | words << 32
    Array(start)[words - 1] = Value(0)
    new = Trace(start + OBJECT)
    new.length = Value(length << 1)
    return new


@inline
def trace_length(trace: Value) -> Word:
    """The number of addresses in a trace; UNSET has none."""
    if trace == UNSET_WORD:
        return Word(0)
    return Trace(trace).length >> 1


@inline
def write_pcs(trace: Trace, count: Word, pc: Bytecode, frame: Frame, calls: Word) -> None:
    """Write the outermost `count` of these: `calls` calls, and the instruction at `pc` that they led to."""
    i = calls
    while i >= 0:
        if i < count:
            trace.pcs[i] = Value(Word(pc))
        pc = call_of(frame)
        frame = Link(frame).caller
        i -= 1


@routine
def unwind(thread: Thread, pc: Bytecode, frame: Frame, raised: Value, again: Word) -> Word:
    """Unwind to the frame that catches the exception: `thread.pc` and `thread.frame` are its handler.

    `raised`: an exception, or the number of a known fault.  `again`: 1 if its trace has this instruction already.  Returns
    CAUGHT, UNCAUGHT or NO_ROOM; nothing changes unless CAUGHT.  Time is linear in the depth of the stack and the trace.
    """
    found, at, calls = landing(thread.landings, pc), frame, Word(0)
    while found.target == 0:
        if Link(at).caller == at:
            return Word(UNCAUGHT)
        found = landing(thread.landings, call_of(at))
        at = Link(at).caller
        calls += 1
    old, size = Value(UNSET_WORD), Word(8 * EXCEPTION_WORDS)
    if not is_int(raised):
        old, size = Raisable(raised).trace, Word(0)
    added, before = calls + 1 - again, trace_length(old)
    if added + before > WORK:
        return Word(UNCAUGHT)  # left to the host, which keeps the innermost
    if added != 0:
        words = (HEAD_WORDS + added + before + 1) & -2
        start = bump(thread, size + (words << 3))
        if start == 0:
            return Word(NO_ROOM)
        trace = begin_trace(start + size, added + before, words)
        write_pcs(trace, added, pc, frame, calls)
        i = Word(0)
        while i < before:
            trace.pcs[added + i] = Trace(old).pcs[i]
            i += 1
        if is_int(raised):
            known = Known(thread.known.at((raised >> 1) * KNOWN_WORDS))
            raised = Value(Word(begin_exception(start, known.kind >> 1, known.argument)))
        Raisable(raised).trace = Value(Word(trace))
    at[found.slot] = raised
    dead = found.slot + 1
    while dead < found.slots:  # intermediate values: dead, and no longer roots
        at[dead] = Value(0)
        dead += 1
    thread.pc = Bytecode(found.target)
    thread.frame = at
    return Word(CAUGHT)


def raising(name: str, again: int) -> HandlerFunction:
    """raise src"""

    @opcode
    def fast(vm: Machine, src: Slot) -> Exit:
        x = vm[src]
        if is_exception(x):
            outcome = unwind(vm.thread, vm.pc, vm.frame, x, Word(again))
            if outcome == CAUGHT:
                return vm.enter(vm.thread.pc, vm.thread.frame)
            if outcome == NO_ROOM:
                return no_room(vm)
        return fault(vm)

    return named(name, fast)


RAISE = raising("RAISE", 0)
RERAISE = raising("RERAISE", 1)


@opcode
def UNWINDS(vm: Machine, src: Slot) -> Exit:  # noqa: ARG001  -- the signature is the encoding
    """if src is the exception of a TERMINATE: raise src again"""
    return hosted(vm)


def known(name: str) -> HandlerFunction:
    """A handler that raises a known fault.  Uncaught, the host executes the instruction again, and may find no fault."""
    number = NUMBERS[name]

    @slow
    def raises(vm: Machine) -> Exit:
        outcome = unwind(vm.thread, vm.pc, vm.frame, Value(number << 1), Word(0))
        if outcome == CAUGHT:
            return vm.enter(vm.thread.pc, vm.thread.frame)
        if outcome == NO_ROOM:
            return no_room(vm)
        return hosted(vm)

    return named(f"raise_{name}", raises)


@opcode
def MATCHES(vm: Machine, dst: Slot, src: Slot, kind: Kind) -> Exit:
    """dst = src is an instance of kind"""
    x = vm[src]
    if is_exception(x):
        bases = vm.thread.ancestry[Raisable(x).kind >> 1]
        vm[dst] = truth_word((bases >> kind) & 1 != 0)
        return vm.next()
    return hosted(vm)
