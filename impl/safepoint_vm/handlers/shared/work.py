"""The work of an instruction, counted; and a look for a request after each WORK units of it.

Machine code that finds a request gives the instruction up, before it has had any effect.  The request is served, and the
instruction starts again; if that happens too often, the host does it by the guest's definitions (`threads.life`).
"""

from __future__ import annotations

from safepoint.guest.heap import WORK
from safepoint_vm.handlers.shared.checks import back_edge_fails, is_poisoned
from safepoint_vm.language.machine import COUNTING, TRIGGER
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Word, inline, routine


@routine
def asked(thread: Thread) -> Word:
    """Does the check of a POLL fail?  Where checks are counted it is left to the host, which counts them."""
    if COUNTING:
        return Word(1)
    if TRIGGER == "limit_and_table":
        fails = is_poisoned(thread)
    else:
        fails = back_edge_fails(thread, thread.pc)
    if fails:
        thread.given_up = Word(1)
        return Word(1)
    return Word(0)


@inline
def begin_work(thread: Thread) -> None:
    thread.work_left = Word(WORK)


@inline
def spent(thread: Thread, units: Word) -> bool:
    """Count at most WORK units that are to be done next.  True: give up."""
    left = thread.work_left - units
    thread.work_left = left
    if left >= 0:
        return False
    thread.work_left = WORK - units
    return asked(thread) != 0


@inline
def foreseen(thread: Thread, units: Word) -> bool:
    """Where checks are counted: would that be too much?  A loop may end early that the guest's definitions count as a whole."""
    if COUNTING:
        return spent(thread, units)
    return False


@inline
def chunk_end(first: Word, count: Word) -> Word:
    """Where the elements from `first` on end that are one piece of work."""
    if first + WORK < count:
        return first + WORK
    return count
