"""THE PROTOCOL, trigger `flag`: each check tests the pending bits by themselves, beside the comparison with the stack limit.

The bits are the trigger: there is no word to poison, and taking the bits restores.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, checks_at, mutant, taken
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import decide_push, push_failed
from safepoint.protocol.words import GO, Me, Thread, deliverable


def frame_push(t: Me, end: int) -> int:
    if checks_at("push"):
        if t.pending.load() & deliverable(t):
            return push_failed(t, end)
    return decide_push(t, end)


def back_edge(t: Me, word: Trigger) -> int:
    if mutant("checks-at-calls-only", breaks="POISON-EVERY-WORD"):
        return GO
    if t.pending.load() & deliverable(t):               # POISON-EVERY-WORD: a site for each way to run for ever
        return slow_path(t)
    return GO


def elsewhere(t: Me) -> int:
    if mutant("checks-at-loops-only", breaks="POISON-EVERY-WORD"):
        return GO
    if t.pending.load() & deliverable(t):               # POISON-EVERY-WORD: a tree of calls runs for as long as a loop
        return slow_path(t)
    return GO


def add(t: Thread, kind: int) -> None:
    return add_pending(t, kind)


def poison(t: Thread) -> None:
    return


def restore(t: Me) -> None:
    return


def take(t: Me) -> int:
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        bits = t.pending.load() & deliverable(t)
        taken(bits, t)
        return bits
    return take_pending(t)                              # OWNER-RESTORES


def look(t: Me) -> int:
    return look_pending(t)


def drop(t: Me) -> int:
    return drop_pending(t)
