"""Policy `folded`, ours: the checks are there anyway.

The frame push compares with the stack limit to find an overflow, and every instruction is dispatched through a table, so
neither the frame push nor the back-edge has an instruction for it.  A push and a back-edge each see a complete post at once:
bound 1 and 1.

Features: all, and the variants.
"""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

POLICY = Policy(
    name="folded",
    title="frame push on the poisoned limit, back-edge on the dispatch table: no instruction for either",
    trigger="limit_and_table",
    words=("limit", "entry"),
    declared=Bound(frames=1, back_edges=1),
    slices=(
        *("masks", "unwinding", "handlers", "blocking", "collect", "limit", "births"),
        *("membarrier", "leaving", "asking", "nesting", "exclusive", "fairness", "waking", "records", "work"),
    ),
)
