"""The checks that a mechanism makes by instructions of its own, as its file of `safepoint.protocol.triggers` says.

Policy `folded` has none: a back-edge is dispatched through the thread's table, and a frame push compares with the limit anyway.
"""

from __future__ import annotations

from safepoint.protocol.words import EVERYTHING
from safepoint_vm.language.machine import BASE, CHECKS_BACK_EDGES, CHECKS_ELSEWHERE, CHECKS_PUSHES, TRIGGER, UNCHECKED
from safepoint_vm.language.vocabulary import Word, below, inline, routine
from safepoint_vm.language.words import Thread

MECHANISMS = ("limit_and_table", "limit", "limit_and_budget", "heap_limit", "flag", "ticker", "bits_in_limit")
"""Those whose checks handlers make."""


@inline
def is_pending(thread: Thread) -> bool:
    """Trigger flag: is a request pending that the owner may take now?"""
    return thread.pending & ~(thread.masked | thread.ending) & EVERYTHING != 0


@inline
def has_expired(thread: Thread) -> bool:
    """Trigger ticker: count it down by a load and a store.  A poison that comes in between is lost, until it expires."""
    left = thread.ticker
    if left == thread.ticker_poison:
        return True
    thread.ticker = left - 1
    return False


@inline
def is_poisoned(thread: Thread) -> bool:
    """Trigger limit: is the limit poisoned?"""
    return Word(thread.limit) == thread.limit_poison


@inline
def is_poisoned_at_last(thread: Thread) -> bool:
    """Trigger limit_and_budget: count down what is left; look at the limit when there is nothing."""
    if thread.left > 0:
        thread.left = thread.left - 1
        return False
    thread.left = thread.budget_real - 1
    return is_poisoned(thread)


@inline
def back_edge_fails(thread: Thread) -> bool:
    """The check of a back-edge."""
    if UNCHECKED or not CHECKS_BACK_EDGES:
        return False
    return fails(thread)


@inline
def return_fails(thread: Thread) -> bool:
    """The check of a return, where the policy has one."""
    if UNCHECKED or CHECKS_ELSEWHERE != "return":
        return False
    return fails(thread)


@inline
def fails(thread: Thread) -> bool:
    """A check that asks for nothing but requests."""
    if TRIGGER == "flag":
        return is_pending(thread)
    if TRIGGER == "ticker":
        return has_expired(thread)
    if TRIGGER == "limit":
        return is_poisoned(thread)
    if TRIGGER == "limit_and_budget":
        return is_poisoned_at_last(thread)
    if TRIGGER == "heap_limit":
        return thread.heap_limit == thread.heap_limit_poison
    if TRIGGER == "bits_in_limit":
        return below(Word(thread.limit), Word(BASE))
    return False


@inline
def push_fails(thread: Thread) -> bool:
    """What a frame push checks beside the comparison with the limit."""
    if not CHECKS_PUSHES:
        return False
    if TRIGGER == "flag":
        return is_pending(thread)
    if TRIGGER == "ticker":
        return has_expired(thread)
    return False


@routine
def poll_fails(thread: Thread) -> Word:
    """The check of a POLL in the middle of a long instruction, for the host.  Not for limit_and_table: the host looks at its table."""
    if back_edge_fails(thread):
        return Word(1)
    return Word(0)
