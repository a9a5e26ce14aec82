"""Policy `pypy`: a ticker that its owner counts down without a lock, at every check.

A poison that comes between the owner's load and its store is overwritten, and healed when the ticker expires: the bound is the
period.  Read in PyPy's action flag and its GIL-release ticker.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="pypy",
    title="a ticker, counted down without a lock by its owner: a poison may be overwritten, and is healed when it expires",
    trigger="ticker",
    words=("ticker",),
    declared=Bound(frames=2, back_edges=2),
    waives={
        "pending-is-poisoned": "the owner's store may overwrite the poison; the bound says for how long",
        "awaited-is-poisoned": "the same; the bound counts from where a coordinator waits, too",
    },
    slices=("masks", "unwinding", "handlers", "blocking", "collect", "births"),
    period=2,
)
