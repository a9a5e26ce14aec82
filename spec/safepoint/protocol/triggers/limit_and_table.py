"""THE PROTOCOL, trigger `limit_and_table`: the checks that are there anyway, and no instruction more.

A frame push compares with the stack limit to find an overflow; every instruction is dispatched through the thread's own table,
so a back-edge is stopped by overwriting its entry.  The pending bits stand beside them: the words say *that*, the bits say *why*.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, mutant, taken
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import push_failed
from safepoint.protocol.words import GO, Me, Thread, deliverable, real_limit


def frame_push(t: Me, end: int) -> int:
    """One comparison asks both: is there room, and is there a request?"""
    if end > t.limit.load():
        return push_failed(t, end)
    return GO


def back_edge(t: Me, word: Trigger) -> int:
    """The dispatch itself: nothing is added to it."""
    if word.load() == word.poison:
        return slow_path(t)
    return GO


def add(t: Thread, kind: int) -> None:
    return add_pending(t, kind)


def poison(t: Thread) -> None:
    t.limit.store(t.limit.poison)
    if mutant("word-forgotten", breaks="POISON-EVERY-WORD"):
        return
    for word in t.entry:
        word.store(word.poison)                         # POISON-EVERY-WORD


def restore(t: Me) -> None:
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        return
    t.limit.store(real_limit(t))
    if mutant("second-word-late", breaks="RESTORE-BEFORE-TAKE"):
        return
    for word in t.entry:
        word.store(word.real)                           # OWNER-RESTORES


def take(t: Me) -> int:
    if mutant("second-word-late", breaks="RESTORE-BEFORE-TAKE"):
        bits = t.pending.fetch_and(~deliverable(t)) & deliverable(t)
        taken(bits, t)
        for word in t.entry:
            word.store(word.real)
        return bits
    return take_pending(t)


def look(t: Me) -> int:
    return look_pending(t)


def drop(t: Me) -> int:
    return drop_pending(t)
