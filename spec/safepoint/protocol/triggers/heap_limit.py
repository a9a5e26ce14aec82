"""THE PROTOCOL, trigger `heap_limit`: the end of what the thread may allocate is poisoned; the pending bits stand beside it.

An allocation compares with it to find out whether there is room, and so has no instruction for it.  Where the policy checks at
back-edges too, a loop compares it with its poison.  What is really full is the allocator's: it decides after the check, by the real limit,
as REAL-LIMIT-DECIDES says of stacks, and running out of room leads to a collection, not to an error.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, checks_at, mutant
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import decide_push
from safepoint.protocol.words import GO, Me, Thread


def frame_push(t: Me, end: int) -> int:
    """The stack limit is another word, of which no requester knows."""
    return decide_push(t, end)


def back_edge(t: Me, word: Trigger) -> int:
    """Nothing is allocated here: is there a request?"""
    if checks_at("back-edge"):
        if mutant("checks-at-allocations-only", breaks="POISON-EVERY-WORD"):
            return GO
        if t.heap_limit.load() == t.heap_limit.poison:  # POISON-EVERY-WORD: a site for each way to run for ever
            return slow_path(t)
    return GO


def elsewhere(t: Me) -> int:
    """One comparison asks both: is there room, and is there a request?  An object of any size ends above the poison."""
    if mutant("compares-the-real-limit", breaks="POISON-EVERY-WORD"):
        return GO
    if t.heap_limit.load() == t.heap_limit.poison:      # POISON-EVERY-WORD: with the limit that is poisoned
        return slow_path(t)
    return GO


def add(t: Thread, kind: int) -> None:
    return add_pending(t, kind)


def poison(t: Thread) -> None:
    if mutant("word-forgotten", breaks="POISON-EVERY-WORD"):
        return
    t.heap_limit.store(t.heap_limit.poison)             # POISON-EVERY-WORD


def restore(t: Me) -> None:
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        return
    t.heap_limit.store(t.heap_limit.real)               # OWNER-RESTORES


def take(t: Me) -> int:
    return take_pending(t)


def look(t: Me) -> int:
    return look_pending(t)


def drop(t: Me) -> int:
    return drop_pending(t)
