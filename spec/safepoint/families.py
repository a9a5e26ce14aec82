"""THE PROTOCOL, continued: what the families of VMs do differently, and two broken twins that are too long for their place.

`folded`, the default, has a limit and a table beside its pending bits.  `cpython` tests the bits themselves; `dart` keeps them
inside the limit; `pypy` counts a ticker down.  `protocol` says what they share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepoint.model.language import policy, posted

if TYPE_CHECKING:
    from safepoint.protocol import (
        BITS,
        GO,
        HANDSHAKE,
        RAISE_OVERFLOW,
        Me,
        Thread,
        deliverable,
        real_limit,
        restore,
        serve,
        slow_path,
        take,
    )


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


def add_to_limit(t: Thread, kind: int) -> None:
    """dart: the limit is real, or it is the request bits; one word, so nothing to order."""
    limit = t.limit.load()
    bits = kind
    if limit < BITS:
        bits = limit | kind
    done = t.limit.cas(limit, bits)
    if done:
        if kind != HANDSHAKE:
            posted(t, kind)
        return None
    return add_to_limit(t, kind)


def take_from_limit(t: Me) -> int:
    """dart: one exchange restores and takes.  What is masked would be put into a word of the owner's; here nothing is."""
    bits = t.limit.swap(real_limit(t) + BITS)
    if bits < BITS:
        return bits
    return 0


# ---------------------------------------------------------------------------------------------- broken twins


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
