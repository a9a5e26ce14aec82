"""Ask the threads of a world for samples, from an OS thread that does nothing else; never does it wait for one of them."""

# ruff: noqa: ARG001  -- as procedures of the protocol: nothing here waits, so `resume` is ignored

from __future__ import annotations

from safepoint.protocol.words import MANAGED, SAMPLE
from safepoint_vm.handlers.shared.allocation import larger
from safepoint_vm.handlers.shared.sampling import distance, next_seed, smaller
from safepoint_vm.language.machine import clock_now, post, sleep_until
from safepoint_vm.language.records import Thread, World
from safepoint_vm.language.samples import Samples, Ticker
from safepoint_vm.language.vocabulary import Word, inline, routine

MONOTONIC = 1
"""The number of that clock."""
SLICE = 20_000_000
"""Nanoseconds after which a sleeper looks whether it is to end, at most."""


@inline
def ask(ticker: Ticker, thread: Thread, samples: Samples) -> None:
    """Post SAMPLE, if the thread runs guest code and has used the CPU for long enough: else its sleep would be disturbed for nothing.

    If it goes to sleep just now it need not be woken either: the sample is taken when it is awake.
    """
    if thread.state == MANAGED:
        clock = samples.clock
        if clock != 0:
            used = clock_now(clock, 0)
            if used - samples.asked >= ticker.least:
                samples.asked = used  # before the post: the check that sees the post sees this
                post(thread, SAMPLE, 0)


@inline
def look_at(ticker: Ticker, thread: Thread, left: Word) -> Word:
    """Ask a thread, if it is sampled by time.  Returns the ticks that are left: the last one is this if its ring is half full."""
    kept = thread.samples
    if kept == 0:
        return left
    samples = Samples(kept)
    if ticker.least != 0:
        ask(ticker, thread, samples)
    if samples.written - samples.drained > samples.mask >> 1:
        return Word(1)
    return left


@routine
def tick(ticker: Ticker, resume: Word) -> Word:
    """Tick `ticks` times, and look at each thread at each tick.  Returns when the rings are to be drained, or it is to end."""
    left = ticker.ticks
    now = clock_now(Word(MONOTONIC), 0)
    while left > 0 and ticker.over == 0:
        ticker.seed = next_seed(ticker.seed)
        due = larger(now, ticker.due + distance(ticker.every, ticker.seed))
        ticker.due = due
        while now < due and ticker.over == 0:
            sleep_until(smaller(due, now + SLICE), 0)
            now = clock_now(Word(MONOTONIC), 0)
        world = World(ticker.world)
        number = Word(0)
        while number < world.population:
            left = look_at(ticker, Thread(Word(world.threads[number])), left)
            number = number + 1
        left = left - 1
    return Word(0)
