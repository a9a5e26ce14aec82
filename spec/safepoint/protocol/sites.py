"""THE PROTOCOL: a check site has failed.  What its trigger calls when a frame push must look further."""

from __future__ import annotations

from safepoint.protocol.language import mutant
from safepoint.protocol.owner import serve, slow_path
from safepoint.protocol.trigger import restore, take
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
