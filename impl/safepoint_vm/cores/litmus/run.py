"""Run a litmus test: both sides on cores of their own, until what must be seen has been seen, or long enough."""

from __future__ import annotations

import ctypes
import functools
import os
import random
import threading
from collections.abc import Callable

from safepoint.differential.cores import LitmusRow
from safepoint_vm.cores.campaign import on_cores
from safepoint_vm.cores.litmus.declared import FORBIDDEN, INTERESTING, Litmus
from safepoint_vm.cores.litmus.meet import OUTCOMES, Meet
from safepoint_vm.cores.litmus.text import LitmusLoops, LitmusText
from safepoint_vm.cores.primitives import Primitives
from safepoint_vm.generate.object_code import load, object_file
from safepoint_vm.generate.triggers import ENTRIES, LIMIT
from safepoint_vm.language.layout import Record
from safepoint_vm.language.records import Thread, World

STAGGER = 127
"""The longest pause of a side after a barrier, in cycles: about as long as a procedure takes."""
GIVE_UP = 1 << 32
"""Turns of waiting at a barrier: minutes."""
BATCH = 20_000
"""Rounds between two looks whether what must be seen has been seen."""
LOOP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


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
