"""THE PROTOCOL, continued: one operation on one thread, exactly once.

By the target at a check site; or by whoever asks for it, while the target is outside guest code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safepoint.model.language import mutant, posted, ran, wait

if TYPE_CHECKING:
    from safepoint.protocol import ASKED, HANDSHAKE, MANAGED, NOTHING, RUNNING, Me, Thread, post


def handshake(t: Thread) -> None:
    """One operation on thread t, exactly once: by t at a check site, or by us while t is outside guest code."""
    wait(t.operation.cas(NOTHING, ASKED))               # one at a time: the queue is whoever waits here
    posted(t, HANDSHAKE)                                # from here on it is owed: the bit that follows is a hint
    post(t, HANDSHAKE)
    return finish_handshake(t)


def finish_handshake(t: Thread) -> None:
    now = t.operation.load()
    if now == NOTHING:
        return None
    if now == ASKED:
        outside = t.state.load()
        if outside != MANAGED:
            claimed = t.operation.cas(ASKED, RUNNING)   # HANDSHAKE-ONCE
            if claimed:
                return run_for(t)
    return finish_handshake(t)


def run_for(t: Thread) -> None:
    """It is ours to run, but t may have come back meanwhile: it looks at `operation` after it has published its state."""
    if mutant("handshake-unchecked", breaks="CLAIM-LOOKS-AGAIN"):
        operate(t)
        t.operation.store(NOTHING)
        return None
    state = t.state.load()                              # CLAIM-LOOKS-AGAIN
    if state == MANAGED:
        t.operation.store(ASKED)
        if mutant("backs-off-silently", breaks="BACK-OFF-POSTS-AGAIN"):
            return finish_handshake(t)
        post(t, HANDSHAKE)                              # BACK-OFF-POSTS-AGAIN: t may have found nothing meanwhile
        return finish_handshake(t)
    operate(t)
    t.operation.store(NOTHING)


def operate(t: Thread) -> None:
    """The operation itself: nobody else runs it, and t runs no guest code meanwhile."""
    t.operation.load()                                  # stands for it: whatever the operation looks at
    ran(HANDSHAKE, t)


def own_handshake(t: Me) -> None:
    """The bit was a hint: whoever asked may have run the operation for us, or be about to."""
    mine = t.operation.cas(ASKED, RUNNING)              # HANDSHAKE-ONCE
    if mutant("handshake-unclaimed", breaks="HANDSHAKE-ONCE"):
        mine = True
    if mine:
        operate(t)
        t.operation.store(NOTHING)
