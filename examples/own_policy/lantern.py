"""Policies of VMs that are made up: `safepoint explore -p lantern.py:LANTERN`."""

from __future__ import annotations

from safepoint.protocol.policy import Bound, Policy

LANTERN = Policy(
    name="lantern",
    title="a byte, tested at entry and at every second back-edge",
    trigger="armed_byte.py",
    words=("armed",),
    declared=Bound(frames=1, back_edges=2),
    slices=("masks", "unwinding", "handlers"),
)
"""Its trigger is a text of its own, beside this file."""

SLOW_TICKER = Policy(
    name="slow_ticker",
    title="a ticker of three checks",
    trigger="ticker",
    words=("ticker",),
    declared=Bound(frames=3, back_edges=3),
    waives={
        "pending-is-poisoned": "the owner's store may overwrite the poison; the bound says for how long",
        "awaited-is-poisoned": "the same",
    },
    slices=("masks", "unwinding"),
    period=3,
)
"""Its trigger is one of the project's, so it has machine code."""
