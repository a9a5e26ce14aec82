"""Policy of a VM with an interpreter and compiled code, whose loops have no check at all: `safepoint explore -p patched.py:PATCHED`."""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

PATCHED = Policy(
    name="patched",
    title="frame push on the poisoned limit, back-edge on the dispatch table, or on a jump that is overwritten for all threads",
    trigger="patched_jumps",
    sites=("push", "back-edge", "compiled back-edge"),
    words=("limit", "entry", "code"),
    declared=Bound(frames=1, back_edges=1),
    slices=("masks", "unwinding", "handlers", "blocking", "collect", "limit", "births"),
    widths=(("entry", 1), ("code", 1)),
)
