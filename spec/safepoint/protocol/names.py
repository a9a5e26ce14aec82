"""The names of the protocol's values, for people: requests, thread states, operations, outcomes.  The one place that spells them."""

from __future__ import annotations

from safepoint.protocol import words

REQUESTS: dict[int, str] = {
    words.STOP: "STOP",
    words.HANDSHAKE: "HANDSHAKE",
    words.INTERRUPT: "INTERRUPT",
    words.SAMPLE: "SAMPLE",
    words.TERMINATE: "TERMINATE",
}
"""Kind of request, a bit of `Thread.pending`, to its name."""

STATES: dict[int, str] = {
    words.MANAGED: "MANAGED",
    words.NATIVE: "NATIVE",
    words.PARKED: "PARKED",
    words.ENDED: "ENDED",
}
"""Value of `Thread.state` to its name."""

OPERATIONS: dict[int, str] = {
    words.NOTHING: "NOTHING",
    words.ASKED: "ASKED",
    words.RUNNING: "RUNNING",
    words.OWN: "OWN",
}
"""Value of `Thread.operation` to its name."""

OUTCOMES: dict[int, str] = {
    words.GO: "GO",
    words.RAISE_INTERRUPT: "RAISE_INTERRUPT",
    words.RAISE_OVERFLOW: "RAISE_OVERFLOW",
    words.RAISE_TERMINATE: "RAISE_TERMINATE",
}
"""What a check site tells the guest, to its name."""
