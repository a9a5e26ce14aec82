"""Litmus tests: two procedures of the text race on two cores, and each outcome is declared, with a sentence.

*Allowed* may be seen.  *Interesting* is allowed, too, and must be seen, or the test has not shown that it can see: of the text as
it is, or of a mutant that leaves a fence out.  *Forbidden* is never seen; of a mutant, that it is seen is the proof that the test
can see it.  After jcstress.
"""

from __future__ import annotations

import ctypes
import functools
import os
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from safepoint.differential.cores import LitmusRow
from safepoint_vm.cores.campaign import on_cores
from safepoint_vm.cores.litmus_loops import OUTCOMES, Meet
from safepoint_vm.cores.litmus_text import LitmusLoops, LitmusText
from safepoint_vm.cores.primitives import Primitives
from safepoint_vm.generate.object_code import load, object_file
from safepoint_vm.generate.triggers import ENTRIES, LIMIT
from safepoint_vm.language.layout import Record
from safepoint_vm.language.words import Thread, World

ALLOWED, INTERESTING, FORBIDDEN = "allowed", "interesting", "forbidden"
STAGGER = 127
"""The longest pause of a side after a barrier, in cycles: about as long as a procedure takes."""
GIVE_UP = 1 << 32
"""Turns of waiting at a barrier: minutes."""
BATCH = 20_000
"""Rounds between two looks whether what must be seen has been seen."""


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


LOOP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
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
            Outcome(FORBIDDEN, "sleeps for ever", "A request is pending, and nobody wakes it."),
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


@functools.cache
def loops(mutant: str) -> tuple[object, dict[str, int]]:
    """The machine code of the tests with a mutant compiled in, and the addresses of its functions."""
    parts = (Primitives(), LitmusText(mutant), LitmusLoops())
    return load([object_file(part) for part in parts])


def run_litmus(test: Litmus, rounds: int, most: int, seed: int, mutant: str = "") -> LitmusRow:
    """Race `rounds` times, and on, up to `most` times, until each interesting outcome has been seen; of a mutant, until a
    forbidden one has.  ProtocolError: no such mutant.

    Each round begins with both sides at a barrier, each on its own core, so a busy machine makes this slow and changes little else:
    an outcome that comes in one of 10,000 rounds is missed in 2,000,000 with a probability of e**-200, one that comes in one
    of 100,000 with e**-20.
    """
    counts, done = [0] * OUTCOMES, 0
    found = row(test, mutant, done, counts)
    while done < rounds or (done < most and not (found.forbidden if mutant else found.shown is not False)):
        made, seen = batch(test, BATCH, seed + done, mutant)
        if not made:
            break
        counts, done = [a + b for a, b in zip(counts, seen, strict=True)], done + made
        found = row(test, mutant, done, counts)
    return found


def batch(test: Litmus, rounds: int, seed: int, mutant: str) -> tuple[int, list[int]]:
    """Race `rounds` times.  Returns how often they met, and how often each outcome was seen."""
    _, addresses = loops(mutant)
    rng = random.Random(seed)
    thread, world, meet = Record(Thread), Record(World), Record(Meet)
    prepare(thread, world, meet)
    settings = {"rounds": rounds, "stagger": STAGGER, "give_up": GIVE_UP, **test.settings}
    settings |= {"left_seed": rng.getrandbits(60), "right_seed": rng.getrandbits(60)}
    for name, value in settings.items():
        meet.set(name, value)
    cores = sorted(os.sched_getaffinity(0))
    sides = []
    for side, core in (("left", cores[0]), ("right", cores[-1])):
        loop = functools.partial(function(addresses[f"{side}_{test.loops}"]), meet.address)
        with on_cores({core}):
            sides.append(threading.Thread(target=loop, name=side, daemon=True))
            sides[-1].start()
    try:
        for each in sides:
            each.join()
    finally:
        meet.set("broken", 1)  # Control-C: both sides end at the next barrier
        for each in sides:
            each.join()
    counts = [meet.get("outcomes", number) for number in range(OUTCOMES)]
    return meet.get("done"), counts


def row(test: Litmus, mutant: str, rounds: int, counts: list[int]) -> LitmusRow:
    """What was seen, by the declared outcomes."""
    found = dict(zip((outcome.name for outcome in test.outcomes), counts, strict=False))
    forbidden = sum(found[outcome.name] for outcome in test.outcomes if outcome.kind == FORBIDDEN)
    forbidden += sum(counts[len(test.outcomes) :])
    interesting = [found[outcome.name] for outcome in test.outcomes if outcome.kind == INTERESTING]
    shown = all(interesting) if interesting else None
    return LitmusRow(name=test.name, mutant=mutant, rounds=rounds, outcomes=found, forbidden=forbidden, shown=shown)


def prepare(thread: Record, world: Record, meet: Record) -> None:
    """A world of one thread, whose words have values that no guest code needs: nothing is dispatched through them."""
    world.set("threads", thread.address)
    world.set("population", 1)
    for name, word in {"world": world.address, "hook": meet.address, "limit_real": 1, "entry_poison": 1}.items():
        thread.set(name, word)
    for entry in ENTRIES:
        thread[entry.real // 8] = 2
    assert thread[LIMIT.poison // 8] == 0
    meet.set("thread", thread.address)
    meet.set("world", world.address)


def function(address: int) -> Callable[[int], int]:
    """A loop: takes the address of a `Meet`.  Releases the GIL."""
    return LOOP(address)
