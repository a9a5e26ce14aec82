"""Policy `pypy`: a ticker that its owner counts down without a lock, at every check.

A poison that comes between the owner's load and its store is overwritten, and healed when the ticker expires: the bound is the
period.  Read in PyPy's action flag and its GIL-release ticker. PyPy's
is one for all threads, of which the GIL lets one run; here each has its own.

Features: masks (a thread that is not the main one takes signals only inside `signals_enabled`), unwinding (an action raises), handlers (a
signal's handler runs at the check), blocking (a signal ends a system call), collect (the thread with the GIL collects), births (a
thread's execution context). No limit: the stack check is apart, and no request changes what it compares with.
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
