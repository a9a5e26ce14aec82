"""Policy `cpython`: flag bits (the eval breaker), tested at entry and at back-edges, beside the stack check.

The bits are the trigger, so no word is poisoned or restored.  Read in CPython's ceval and in its pending calls.  Bound 1 and 1.

Features: masks (a pending call that is being made keeps the others waiting), unwinding (`PyThreadState_SetAsyncExc`; a second one does
not wait there until the first has unwound, here it does), handlers (a signal's handler runs Python code at the check), blocking (a
signal ends a system call), collect (without the GIL a collection stops the other threads), births (a thread's state is made and
deleted while others run). No limit: the recursion limit may be changed, and no request poisons it.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="cpython",
    title="flag bits tested at entry and back-edge, beside the stack check",
    trigger="flag",
    declared=Bound(frames=1, back_edges=1),
    slices=("masks", "unwinding", "handlers", "blocking", "collect", "births"),
)
