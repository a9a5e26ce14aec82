"""Litmus tests: two procedures of the text race on two cores, and each outcome is declared, with a sentence.

*Allowed* may be seen.  *Interesting* is allowed, too, and must be seen, or the test has not shown that it can see: of the text as
it is, or of a mutant that leaves a fence out.  *Forbidden* is never seen; of a mutant, that it is seen is the proof that the test
can see it.  After jcstress.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ALLOWED, INTERESTING, FORBIDDEN = "allowed", "interesting", "forbidden"


@dataclass(frozen=True)
class Outcome:
    """One of a test's outcomes, by its number in the loops.  `kind`: of the text as it is."""

    kind: str
    name: str
    sentence: str


@dataclass(frozen=True)
class Litmus:
    """`loops`: the name of its two loops.  `mutants`: with each of which a forbidden outcome is seen."""

    name: str
    loops: str
    question: str
    outcomes: tuple[Outcome, ...]
    mutants: tuple[str, ...] = ()
    settings: Mapping[str, int] = field(default_factory=dict)


LITMUS = (
    Litmus(
        "store buffering, without a fence", "buffering",
        "Each side stores a word, and loads the other's: the machine itself, by the text's plain accesses.",
        (
            Outcome(ALLOWED, "both saw", "Each load came after the other side's store."),
            Outcome(ALLOWED, "only the right side saw", "The left load came first."),
            Outcome(ALLOWED, "only the left side saw", "The right load came first."),
            Outcome(INTERESTING, "neither saw", "Both stores were still in their store buffers: what REENTER-IS-A-BARRIER is there for."),
        ),
    ),
    Litmus(
        "store buffering, with locked stores", "buffering",
        "The same, and each store is a swap.",
        (
            Outcome(ALLOWED, "both saw", "Each load came after the other side's swap."),
            Outcome(ALLOWED, "only the right side saw", "The left load came first."),
            Outcome(ALLOWED, "only the left side saw", "The right load came first."),
            Outcome(FORBIDDEN, "neither saw", "A locked access empties the store buffer."),
        ),
        settings={"fenced": 1},
    ),
    Litmus(
        "restore against post", "restore",
        "The owner's slow path restores and takes, while a requester posts.",
        (
            Outcome(ALLOWED, "taken, all words real", "The whole post came before the restore."),
            Outcome(INTERESTING, "taken, a word poisoned", "The bit came before the take, and the poison after a restore: the next check finds nothing."),
            Outcome(ALLOWED, "pending, all words poisoned", "The bit came after the take: the next check takes it."),
            Outcome(FORBIDDEN, "pending, a word real", "Lost: a check passes, and the request is not seen."),
            Outcome(FORBIDDEN, "gone", "Lost: the bit was cleared, and not taken."),
            Outcome(FORBIDDEN, "taken and pending", "Served, and to be served again."),
        ),
        mutants=("take-before-restore", "second-word-late", "poison-before-post", "unlocked-take"),
    ),
    Litmus(
        "native exit against stop", "native",
        "A thread returns from a native region, while a coordinator stops the world.",
        (
            Outcome(ALLOWED, "entered, the stop waits", "The coordinator saw it return."),
            Outcome(ALLOWED, "parked, stopped", "It saw the stop, and the coordinator saw it outside."),
            Outcome(INTERESTING, "parked, the stop waits", "Each saw the other: the coordinator looks again, and finds it parked."),
            Outcome(FORBIDDEN, "entered, stopped", "Guest code runs in a stopped world."),
        ),
        mutants=("no-recheck", "reenter-unfenced"),
    ),
    Litmus(
        "claim against return", "claim",
        "A thread returns from a native region, while a requester claims the operation that it asked for.",
        (
            Outcome(ALLOWED, "entered, and owes it", "The requester saw it return, and waits for it to run the operation."),
            Outcome(ALLOWED, "run, then entered", "The requester had finished when it looked."),
            Outcome(INTERESTING, "run, the return waited", "It came back in the middle of the operation, and waited for its end."),
            Outcome(FORBIDDEN, "run in guest code", "The operation saw a step of the guest that ought to be outside."),
            Outcome(ALLOWED, "given back", "The requester gave its claim back, and the return had waited for it."),
        ),
        mutants=("handshake-unchecked", "handshake-not-awaited"),
    ),
    Litmus(
        "block against wake", "block",
        "A thread is about to sleep, while a requester posts.",
        (
            Outcome(ALLOWED, "found it", "It looked again, or was woken at once."),
            Outcome(ALLOWED, "slept, and was woken", "The post came when it slept."),
            Outcome(FORBIDDEN, "sleeps for ever", "A request is pending, and no post wakes it."),
        ),
        mutants=("looks-too-early", "block-unfenced", "post-does-not-wake"),
    ),
    Litmus(
        "exit against count", "end",
        "A thread makes its last step and ends, while a coordinator counts those in guest code.",
        (
            Outcome(ALLOWED, "stopped, last step seen", "It had ended when the coordinator looked."),
            Outcome(ALLOWED, "the stop waits", "The coordinator looked first."),
            Outcome(FORBIDDEN, "stopped, last step not seen", "Guest code ran, or was still to be seen, in a stopped world."),
        ),
        mutants=("does-not-wait",),
    ),
    Litmus(
        "ticker decrement against post", "ticker",
        "Trigger `ticker`: a check counts the ticker down by a load and a store, while a requester poisons it.",
        (
            Outcome(ALLOWED, "seen by this check or the next", "The poison came before the load, or after the store."),
            Outcome(INTERESTING, "overwritten, seen in time", "The store overwrote the poison: seen when the ticker expired, within its period."),
            Outcome(FORBIDDEN, "not within the period", "Lost: the ticker goes on without end."),
        ),
        mutants=("ticker-refilled",),
    ),
)  # fmt: skip
"""The word-level races, each with all that can come of it."""
