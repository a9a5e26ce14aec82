"""THE PROTOCOL, trigger `ticker`: every check counts the ticker down by a plain load and store, and enters the slow path at 0.

A poison that comes between the owner's load and its store is overwritten; it is healed when the ticker expires, so the bound is
the period of the ticker, not 1.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, mutant
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import decide_push, push_failed
from safepoint.protocol.words import GO, Me, Thread


def frame_push(t: Me, end: int) -> int:
    left = t.ticker.load()
    if left == t.ticker.poison:
        return push_failed(t, end)
    if mutant("ticker-refilled", breaks="EXPIRED-IS-SEEN"):
        if left == 1:
            t.ticker.store(t.ticker.real)
            return decide_push(t, end)
    t.ticker.store(left - 1)
    return decide_push(t, end)


def back_edge(t: Me, word: Trigger) -> int:
    left = t.ticker.load()
    if left == t.ticker.poison:                         # EXPIRED-IS-SEEN
        return slow_path(t)
    if mutant("ticker-refilled", breaks="EXPIRED-IS-SEEN"):
        if left == 1:
            t.ticker.store(t.ticker.real)
            return GO
    t.ticker.store(left - 1)
    return GO


def add(t: Thread, kind: int) -> None:
    return add_pending(t, kind)


def poison(t: Thread) -> None:
    if mutant("word-forgotten", breaks="POISON-EVERY-WORD"):
        return
    t.ticker.store(t.ticker.poison)                     # POISON-EVERY-WORD


def restore(t: Me) -> None:
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        return
    t.ticker.store(t.ticker.real)                       # OWNER-RESTORES


def take(t: Me) -> int:
    return take_pending(t)


def look(t: Me) -> int:
    return look_pending(t)


def drop(t: Me) -> int:
    return drop_pending(t)
