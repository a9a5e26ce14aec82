"""THE PROTOCOL: variants of the core, which asks for each of them by name: a VM has one, or has not.

membarrier: leaving guest code and coming back must be cheap, so `reenter` is a plain store and a load, which may pass each other;
and a requester, who is rare, makes every thread's stores visible between what it publishes and what it looks at.
exclusive: no operation is run while the world is stopped.
fairness: a thread that a stop has held runs guest code before it is held again and again.
"""

from __future__ import annotations

from safepoint.protocol.language import fence_others, mutant, wait
from safepoint.protocol.words import RUNNING, threads


def fence_stop() -> None:
    """membarrier: between the stop word, with its posts, and the first look at a state."""
    if mutant("stop-without-fence", breaks="REQUESTER-IS-A-BARRIER"):
        return
    fence_others()                                      # REQUESTER-IS-A-BARRIER


def fence_claim() -> None:
    """membarrier: between the claim of an operation and the look at where its target is."""
    if mutant("claim-without-fence", breaks="REQUESTER-IS-A-BARRIER"):
        return
    fence_others()                                      # REQUESTER-IS-A-BARRIER


def await_operations() -> None:
    """exclusive: a requester that claimed an operation before it could see the stop runs it to its end."""
    if mutant("operations-not-awaited", breaks="STOP-IS-EXCLUSIVE"):
        return
    for t in threads():
        wait(t.operation.look() != RUNNING)             # STOP-IS-EXCLUSIVE


def await_held() -> None:
    """fairness: before a stop is published, each thread that the last one held has left it."""
    if mutant("stops-again-at-once", breaks="HELD-RUNS-FIRST"):
        return
    for t in threads():
        wait(t.parked.load() == 0)                      # HELD-RUNS-FIRST
