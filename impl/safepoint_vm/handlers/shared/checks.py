"""The checks that a mechanism makes by instructions of its own, as its file of `safepoint.protocol.triggers` says.

Policy `folded` has none: a back-edge is dispatched through the thread's table, and a frame push compares with the limit anyway.
"""

from __future__ import annotations

from safepoint.protocol.words import EVERYTHING
from safepoint_vm.language.machine import (
    BASE,
    CHECK_MUTANT,
    CHECKS_BACK_EDGES,
    CHECKS_ELSEWHERE,
    CHECKS_PUSHES,
    HOOKED,
    LOOPED,
    PUSHED,
    STORED,
    TRACED,
    TRIGGER,
    UNCHECKED,
    count_hook,
    log_check,
    slow_path,
)
from safepoint_vm.language.records import Thread, World
from safepoint_vm.language.vocabulary import Bytecode, Word, below, inline, load_faults, routine
from safepoint_vm.language.words import Frame

DISPATCHED = ("limit_and_table", "patched_jumps")
"""Those in which the dispatch of a back-edge is its check."""
MECHANISMS = (
    *DISPATCHED,
    "limit",
    "limit_and_budget",
    "heap_limit",
    "flag",
    "ticker",
    "bits_in_limit",
    "epoch",
    "page",
)
"""Those whose checks handlers make."""
COUNTED = ("ticker",)
"""Those whose checks store, too, into a word that requesters write."""
CHECK_MUTANTS = (
    "checks-at-calls-only",
    "checks-at-loops-only",
    "checks-at-allocations-only",
    "compares-the-real-limit",
    "ticker-refilled",
    "budget-refilled",
)
"""Mutants of the text that are in the checks themselves: a switch of the handlers compiles them in."""


@inline
def is_pending(thread: Thread) -> bool:
    """Trigger flag: is a request pending that the owner may take now?"""
    return thread.pending & ~(thread.masked | thread.ending) & EVERYTHING != 0


@inline
def has_expired(thread: Thread, what: Word, pc: Bytecode) -> bool:
    """Trigger ticker: count it down by a load and a store.  A poison that comes in between is lost, until it expires.

    what, pc: LOOPED or PUSHED, and where, for a trace: there the load is one event, and the store the next.
    """
    left = thread.ticker
    if left == thread.ticker_poison:
        return True
    if TRACED:
        log_check(thread, what, pc, 0)
    if HOOKED:
        count_hook(thread, left - 1, 0)
    if CHECK_MUTANT == "ticker-refilled":
        if left == 1:
            thread.ticker = thread.ticker_real
            return False
    thread.ticker = left - 1
    if TRACED:
        log_check(thread, Word(STORED), pc, 0)
    return False


@inline
def has_passed(thread: Thread) -> bool:
    """Trigger epoch: has the counter of all reached the thread's deadline?"""
    return World(thread.world).epoch >= thread.deadline


@inline
def is_protected(thread: Thread) -> bool:
    """Trigger page: does a load from the thread's page fault?"""
    return load_faults(thread.page, thread)


@inline
def is_poisoned(thread: Thread) -> bool:
    """Trigger limit: is the limit poisoned?"""
    return Word(thread.limit) == thread.limit_poison


@inline
def is_poisoned_at_last(thread: Thread, pc: Bytecode) -> bool:
    """Trigger limit_and_budget: count down what is left; look at the limit when there is nothing, which alone is an event of a trace."""
    if thread.left > 0:
        thread.left = thread.left - 1
        return False
    thread.left = thread.budget_real - 1
    if CHECK_MUTANT == "budget-refilled":
        return False
    if is_poisoned(thread):
        return True
    if TRACED:
        log_check(thread, Word(LOOPED), pc, 0)
    return False


@inline
def back_edge_fails(thread: Thread, pc: Bytecode) -> bool:
    """The check of a back-edge."""
    if UNCHECKED or not CHECKS_BACK_EDGES or CHECK_MUTANT == "checks-at-calls-only":
        return False
    if CHECK_MUTANT == "checks-at-allocations-only":
        return False
    return fails(thread, pc)


@inline
def return_fails(thread: Thread, pc: Bytecode) -> bool:
    """The check of a return, where the policy has one."""
    if UNCHECKED or CHECKS_ELSEWHERE != "return" or CHECK_MUTANT == "checks-at-loops-only":
        return False
    return fails(thread, pc)


@inline
def allocation_fails(thread: Thread, pc: Bytecode) -> bool:
    """The check of an allocation, where the policy has one; trigger heap_limit makes it by the comparison that is there anyway."""
    if (
        UNCHECKED
        or CHECKS_ELSEWHERE != "allocation"
        or TRIGGER == "heap_limit"
        or CHECK_MUTANT == "checks-at-loops-only"
    ):
        return False
    return fails(thread, pc)


@inline
def heap_limit(thread: Thread) -> Word:
    """What an allocation compares with that is a check site, under trigger heap_limit."""
    if CHECK_MUTANT == "compares-the-real-limit":
        return thread.heap_limit_real
    return thread.heap_limit


@inline
def fails(thread: Thread, pc: Bytecode) -> bool:
    """A check that asks for nothing but requests."""
    if TRIGGER == "limit":
        return is_poisoned(thread)
    if TRIGGER == "limit_and_budget":
        return is_poisoned_at_last(thread, pc)
    if TRIGGER == "heap_limit":
        return thread.heap_limit == thread.heap_limit_poison
    if TRIGGER == "bits_in_limit":
        return below(Word(thread.limit), Word(BASE))
    return own_word_fails(thread, Word(LOOPED), pc)


@inline
def own_word_fails(thread: Thread, what: Word, pc: Bytecode) -> bool:
    """The check of a word that serves for nothing else, the same at every site.  what, pc: as those of `has_expired`."""
    if TRIGGER == "flag":
        return is_pending(thread)
    if TRIGGER == "ticker":
        return has_expired(thread, what, pc)
    if TRIGGER == "epoch":
        return has_passed(thread)
    if TRIGGER == "page":
        return is_protected(thread)
    return False


@inline
def push_fails(thread: Thread, pc: Bytecode) -> bool:
    """What a frame push checks beside the comparison with the limit."""
    if not CHECKS_PUSHES or CHECK_MUTANT == "checks-at-loops-only":
        return False
    return own_word_fails(thread, Word(PUSHED), pc)


@inline
def stack_limit(thread: Thread) -> Frame:
    """What a frame push compares with."""
    if CHECK_MUTANT == "compares-the-real-limit":
        return Frame(thread.limit_real)
    return thread.limit


@inline
def keep_place(thread: Thread, pc: Bytecode, frame: Frame) -> None:
    """Store where the thread is, before it calls a procedure: it may wait there, and its stack be walked."""
    thread.pc = pc
    thread.frame = frame


@inline
def suspends(thread: Thread, status: Word) -> bool:
    """Does a procedure that was called wait?  status: what it has returned, with which the host resumes it."""
    if status != 0:
        thread.suspended = status
        return True
    return False


@inline
def waits(thread: Thread, what: Word, pc: Bytecode, frame: Frame) -> bool:
    """A check has failed: run `slow_path`.  True: it waits, and the host resumes it.  what: as `log_check` logs it."""
    if TRACED:
        log_check(thread, what, pc, 0)
    thread.slow_entries = thread.slow_entries + 1
    keep_place(thread, pc, frame)
    return suspends(thread, slow_path(thread, 0))


@routine
def poll_fails(thread: Thread) -> Word:
    """The check of a POLL in the middle of a long instruction, for the host.  Not for limit_and_table: the host looks at its table."""
    if back_edge_fails(thread, thread.pc):
        return Word(1)
    return Word(0)
