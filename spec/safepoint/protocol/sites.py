"""THE PROTOCOL: the check sites.  What a frame push and a back-edge ask, and what a failed push does."""

from __future__ import annotations

from safepoint.protocol.language import Trigger, mutant, policy
from safepoint.protocol.owner import restore, serve, slow_path, take
from safepoint.protocol.words import BITS, GO, RAISE_OVERFLOW, Me, deliverable, real_limit


def frame_push(t: Me, end: int) -> int:
    """A call wants a frame that ends at `end`.  One comparison asks both: is there room, and does anybody want me?"""
    if policy("cpython", "pypy"):
        return flag_push(t, end)
    if policy("dart"):
        if end + BITS > t.limit.load():
            return push_failed(t, end)
        return GO
    if end > t.limit.load():
        return push_failed(t, end)
    return GO


def back_edge(t: Me, word: Trigger) -> int:
    """An instruction that may jump backward is dispatched through `word`: nothing is added to it."""
    if policy("cpython", "pypy"):
        return flag_check(t)
    if policy("dart"):
        if t.limit.load() < BITS:
            return slow_path(t)
        return GO
    if word.load() == word.poison:
        return slow_path(t)
    return GO


def flag_push(t: Me, end: int) -> int:
    outcome = flag_check(t)
    if outcome == GO:
        if end > real_limit(t):
            return RAISE_OVERFLOW
    return outcome


def flag_check(t: Me) -> int:
    """cpython: test the bits.  pypy: count down, by a plain load and store; a poison that comes between them is overwritten."""
    if policy("cpython"):
        if t.pending.load() & deliverable(t):
            return slow_path(t)
        return GO
    left = t.ticker.load()
    if left == t.ticker.poison:
        return slow_path(t)
    t.ticker.store(left - 1)
    return GO


def push_failed(t: Me, end: int) -> int:
    """Serve what was asked, then decide the push by the real limit, so that a storm of posts cannot keep it from happening."""
    if mutant("spurious-is-overflow", breaks="SPURIOUS-IS-NOTHING"):
        return spurious_is_overflow(t, end)
    if mutant("overflow-wins", breaks="TAKEN-IS-SERVED"):
        return overflow_wins(t, end)
    outcome = slow_path(t)
    if outcome == GO:
        if mutant("push-not-retried", breaks="REAL-LIMIT-DECIDES"):
            return RAISE_OVERFLOW
        if end > real_limit(t):                         # REAL-LIMIT-DECIDES
            return RAISE_OVERFLOW
    return outcome                                      # SPURIOUS-IS-NOTHING


def spurious_is_overflow(t: Me, end: int) -> int:
    """The check failed and nothing was asked: then it must have been an overflow."""
    restore(t)
    bits = take(t)
    if bits == 0:
        return RAISE_OVERFLOW
    outcome = serve(t, bits)
    if outcome == GO:
        if end > real_limit(t):
            return RAISE_OVERFLOW
    return outcome


def overflow_wins(t: Me, end: int) -> int:
    """A real overflow is raised at once, and what was taken with it is dropped."""
    restore(t)
    bits = take(t)
    if end > real_limit(t):
        return RAISE_OVERFLOW
    return serve(t, bits)
