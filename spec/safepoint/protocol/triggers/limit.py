"""THE PROTOCOL, trigger `limit`: the stack limit is poisoned, and no other word; the pending bits stand beside it.

A frame push compares with it to find an overflow, and so has no instruction for it.  Where the policy checks at back-edges too, a
loop compares it with its poison; where it does not, nothing asks a loop that pushes no frame.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, checks_at, mutant
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import decide_push, push_failed
from safepoint.protocol.words import GO, Me, Thread, real_limit


def frame_push(t: Me, end: int) -> int:
    """One comparison asks both: is there room, and is there a request?"""
    if mutant("compares-the-real-limit", breaks="POISON-EVERY-WORD"):
        return decide_push(t, end)
    if end > t.limit.load():                            # POISON-EVERY-WORD: with the limit that is poisoned
        return push_failed(t, end)
    return GO


def back_edge(t: Me, word: Trigger) -> int:
    """There is room, a push has seen to that: is there a request?"""
    if checks_at("back-edge"):
        if mutant("checks-at-calls-only", breaks="POISON-EVERY-WORD"):
            return GO
        if t.limit.load() == t.limit.poison:            # POISON-EVERY-WORD: a site for each way to run for ever
            return slow_path(t)
    return GO


def add(t: Thread, kind: int) -> None:
    return add_pending(t, kind)


def poison(t: Thread) -> None:
    if mutant("word-forgotten", breaks="POISON-EVERY-WORD"):
        return
    t.limit.store(t.limit.poison)                       # POISON-EVERY-WORD


def restore(t: Me) -> None:
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        return
    t.limit.store(real_limit(t))                        # OWNER-RESTORES


def take(t: Me) -> int:
    return take_pending(t)


def look(t: Me) -> int:
    return look_pending(t)


def drop(t: Me) -> int:
    return drop_pending(t)
