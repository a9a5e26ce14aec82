"""The orders that C11 needs, as mutants of the text: the smallest scope that shows each, the property, the steps of the shortest path."""

from __future__ import annotations

ORDERS = [
    ("reenter-acquire", "stop-1", "world-stopped", 11),
    ("claim-acquire", "handshake-1", "handshake-alone", 13),
    ("wake-release", "blocking-1", "sleeper-is-woken", 7),
]
