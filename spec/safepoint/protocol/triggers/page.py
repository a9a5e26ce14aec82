"""THE PROTOCOL, trigger `page`: each check loads from the thread's page, and faults while a requester has protected it.

The word of the model is the page's protection: a check that passes is the load itself, and nothing is compared.  To protect a page, and
to make it readable again, is a system call: it is locked, and on Linux its caller's stores are visible when it returns.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, checks_at, mutant
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import decide_push, push_failed
from safepoint.protocol.words import GO, Me, Thread


def frame_push(t: Me, end: int) -> int:
    """Beside the comparison with the stack limit, of which no requester knows."""
    if checks_at("push"):
        if t.page.load() == t.page.poison:
            return push_failed(t, end)
    return decide_push(t, end)


def back_edge(t: Me, word: Trigger) -> int:
    if mutant("checks-at-calls-only", breaks="POISON-EVERY-WORD"):
        return GO
    if t.page.load() == t.page.poison:                  # POISON-EVERY-WORD: a site for each way to run for ever
        return slow_path(t)
    return GO


def elsewhere(t: Me) -> int:
    if mutant("checks-at-loops-only", breaks="POISON-EVERY-WORD"):
        return GO
    if t.page.load() == t.page.poison:                  # POISON-EVERY-WORD: a tree of calls runs for as long as a loop
        return slow_path(t)
    return GO


def add(t: Thread, kind: int) -> None:
    return add_pending(t, kind)


def poison(t: Thread) -> None:
    if mutant("word-forgotten", breaks="POISON-EVERY-WORD"):
        return
    t.page.swap(t.page.poison)                          # POISON-EVERY-WORD


def restore(t: Me) -> None:
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        return
    t.page.swap(t.page.real)                            # OWNER-RESTORES


def take(t: Me) -> int:
    return take_pending(t)


def look(t: Me) -> int:
    return look_pending(t)


def drop(t: Me) -> int:
    return drop_pending(t)
