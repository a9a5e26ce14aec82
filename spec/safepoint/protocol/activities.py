"""What a step of the text says of its thread: the one table by which properties, bounds, liveness and proofs know the text.

A step is recognised by what it does (its word, its guard, the ghost that follows), and by the procedure around it only where
the text's own division into procedures is what is meant.  A text in which an activity that a scope needs is not found is
refused: it would be judged by less.
"""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.protocol.words import MANAGED


@dataclass(frozen=True, kw_only=True)
class Activity:
    """says: what a thread at such a step is doing.  All that is given of the rest must match.

    op: kind of access, or "choose".  word: the shared word it accesses.  waits: it is a `wait`.  ghost: a ghost statement of
    this name belongs to it.  within: it stands in one of these procedures, at any depth.  stores: the constant that it writes.
    """

    says: str
    op: str = ""
    word: str = ""
    waits: bool = False
    ghost: str = ""
    within: tuple[str, ...] = ()
    stores: int | None = None


GUEST, POSTING, AWAITING, STOPPED, OPERATING, ASLEEP = "guest", "posting", "awaiting", "stopped", "operating", "asleep"
RETURNING = "returning"

ACTIVITIES: dict[str, Activity] = {
    GUEST: Activity(says="guest code runs, and chooses what to do next", op="choose", within=("mutator", "in_loops")),
    POSTING: Activity(says="a post to a thread is under way", within=("post", "give_back")),
    AWAITING: Activity(says="a coordinator waits for a thread to be outside guest code", word="state", waits=True),
    STOPPED: Activity(says="the world is stopped, for its coordinator to use", within=("critical",)),
    OPERATING: Activity(says="an operation is being run for a thread", ghost="ran"),
    ASLEEP: Activity(says="a thread sleeps until it is posted to", word="wake", waits=True),
    RETURNING: Activity(says="a thread is about to publish that it runs guest code", word="state", stores=MANAGED),
}

NEEDED: dict[str, tuple[str, ...]] = {
    "mutator": (GUEST, RETURNING),
    "coordinator": (POSTING, AWAITING, STOPPED),
    "interrupter": (POSTING,),
    "sampler": (POSTING,),
    "terminator": (POSTING,),
    "handshaker": (POSTING, OPERATING),
    "collect": (POSTING, AWAITING, STOPPED),
    "finder": (POSTING,),
    "signal_handler": (POSTING,),
    "impatient": (POSTING,),
    "blocking": (ASLEEP,),
    "waking": (ASLEEP,),
}
"""Role, or feature of a scope, to the activities that its text must have."""

CHECKS: dict[str, str] = {
    "push": "frames", "back-edge": "back_edges", "compiled back-edge": "back_edges", "work": "back_edges", "pop": "returns",
    "allocate": "allocations",
}  # fmt: skip
"""A case that a mutator chooses, to the kind of check that its first access is: what a bound counts."""

END_OF_SECTION = "unmask"
"""The case by which guest code leaves a critical section."""
