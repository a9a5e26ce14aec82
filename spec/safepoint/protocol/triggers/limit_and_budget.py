"""THE PROTOCOL, trigger `limit_and_budget`: a frame push compares with the poisoned stack limit; a back-edge spends a budget.

The budget is its owner's alone, and is there for another end (to find loops worth compiling).  When it is used up, the owner looks at
the limit too, so that the bound of back-edges is the budget; a back-edge that has some left reads nothing that others write.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, mutant
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import push_failed
from safepoint.protocol.words import GO, Me, Thread, real_limit


def frame_push(t: Me, end: int) -> int:
    """One comparison asks both: is there room, and is there a request?"""
    if end > t.limit.load():
        return push_failed(t, end)
    return GO


def back_edge(t: Me, word: Trigger) -> int:
    """The budget first: what it costs is a subtraction."""
    if t.left > 0:
        t.left = t.left - 1
        return GO
    t.left = t.budget.real - 1
    if mutant("budget-refilled", breaks="EXPIRED-IS-SEEN"):
        return GO
    if t.limit.load() == t.limit.poison:                # EXPIRED-IS-SEEN: it is refilled here alone, and then looks
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
