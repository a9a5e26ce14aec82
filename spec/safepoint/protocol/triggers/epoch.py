"""THE PROTOCOL, trigger `epoch`: a requester advances a counter that all threads check, each against a deadline of its own.

The counter never runs out, and a model is finite: so the word is one bit for each thread: has the counter reached its deadline?  An
advance sets it for every thread, for each at another moment, as threads see a store at different moments.  The owner's change is one
locked step here, and in a VM a load of the counter and a store of the next deadline: an advance that comes between the two leaves the
counter at that deadline or beyond it, so that it is not lost.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, mutant
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import decide_push, push_failed
from safepoint.protocol.words import GO, Me, Thread, threads


def frame_push(t: Me, end: int) -> int:
    """Beside the comparison with the stack limit, of which no requester knows."""
    if mutant("checks-at-loops-only", breaks="POISON-EVERY-WORD"):
        return decide_push(t, end)
    if t.epoch.load() == t.epoch.poison:                # POISON-EVERY-WORD: a tree of calls runs for as long as a loop
        return push_failed(t, end)
    return decide_push(t, end)


def back_edge(t: Me, word: Trigger) -> int:
    if mutant("checks-at-calls-only", breaks="POISON-EVERY-WORD"):
        return GO
    if t.epoch.load() == t.epoch.poison:                # POISON-EVERY-WORD: a site for each way to run for ever
        return slow_path(t)
    return GO


def add(t: Thread, kind: int) -> None:
    return add_pending(t, kind)


def poison(t: Thread) -> None:
    """The counter knows no target. First the thread for which a request is pending; then all, which find nothing, whenever they see it."""
    if mutant("word-forgotten", breaks="POISON-EVERY-WORD"):
        return
    t.epoch.swap(t.epoch.poison)                        # t sees the advance at once, or with the others below: either is enough
    for each in threads():
        each.epoch.swap(each.epoch.poison)


def restore(t: Me) -> None:
    """The next deadline."""
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        return
    t.epoch.swap(t.epoch.real)                          # OWNER-RESTORES


def take(t: Me) -> int:
    return take_pending(t)


def look(t: Me) -> int:
    return look_pending(t)


def drop(t: Me) -> int:
    return drop_pending(t)
