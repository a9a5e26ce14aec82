"""THE PROTOCOL: the check sites.  What a trigger calls when a frame push must look further; the check inside a long instruction."""

from __future__ import annotations

from safepoint.protocol.language import Trigger, mutant
from safepoint.protocol.owner import serve, slow_path
from safepoint.protocol.trigger import back_edge, restore, take
from safepoint.protocol.words import GO, RAISE_OVERFLOW, Me, real_limit


def push_failed(t: Me, end: int) -> int:
    """Serve what was asked, then decide the push by the real limit, so that a storm of posts cannot keep it from happening."""
    if mutant("spurious-is-overflow", breaks="SPURIOUS-IS-NOTHING"):
        return spurious_is_overflow(t, end)
    if mutant("overflow-wins", breaks="TAKEN-IS-SERVED"):
        return overflow_wins(t, end)
    outcome = slow_path(t)
    if outcome == GO:                                   # SPURIOUS-IS-NOTHING
        if mutant("push-not-retried", breaks="REAL-LIMIT-DECIDES"):
            return RAISE_OVERFLOW
        return decide_push(t, end)
    return outcome


def decide_push(t: Me, end: int) -> int:
    """Is the stack really full?"""
    if end > real_limit(t):                             # REAL-LIMIT-DECIDES
        return RAISE_OVERFLOW
    return GO


def poll(t: Me, word: Trigger) -> int:
    """An instruction has done as much work as it may between two checks, and can go on from here, or begin again."""
    if mutant("helper-never-polls", breaks="LONG-WORK-POLLS"):
        return GO
    return back_edge(t, word)                           # LONG-WORK-POLLS


# ---------------------------------------------------------------------------------------------- broken twins


def spurious_is_overflow(t: Me, end: int) -> int:
    """The check failed and nothing was asked: then it must have been an overflow."""
    restore(t)
    bits = take(t)
    if bits == 0:
        return RAISE_OVERFLOW
    outcome = serve(t, bits)
    if outcome == GO:
        return decide_push(t, end)
    return outcome


def overflow_wins(t: Me, end: int) -> int:
    """A real overflow is raised at once, and what was taken with it is dropped."""
    restore(t)
    bits = take(t)
    if end > real_limit(t):
        return RAISE_OVERFLOW
    return serve(t, bits)
