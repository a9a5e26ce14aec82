"""Policy `cpython`: flag bits (the eval breaker), tested at entry and at back-edges, beside the stack check.

The bits are the trigger, so no word is poisoned or restored.  Read in CPython's ceval and in its pending calls.  Bound 1 and 1.
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
