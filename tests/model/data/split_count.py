"""A protocol that passes with one thread and fails with two: the world counts who runs guest code, and nothing else is asked.

A thread adds itself to a shared count and takes itself off.  Done with a compare-and-swap it is right.  Done with a load and
a store (the mutant) it is right as long as one thread counts: two that count at once are counted as one.
"""

from __future__ import annotations

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, mutant, pause, wait

STOP = 1
COUNT = 3  # the count has two bits


class Thread:
    limit: Trigger
    pending: Word


class Me(Thread):
    pass


class World:
    stop: Word
    lock: Word
    active: Word  # how many threads run guest code


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    """A thread begins outside guest code."""
    enter(t)
    return guest(t)


def guest(t: Me) -> None:
    match choose():
        case "back-edge":
            if t.limit.load() == t.limit.poison:
                t.limit.store(t.limit.real)
                t.pending.swap(0)
                count(t, COUNT)
                enter(t)
        case "native":
            count(t, COUNT)
            enter(t)
    return guest(t)


def enter(t: Me) -> None:
    count(t, 1)
    if world.stop.load() == 1:
        count(t, COUNT)
        wait(world.stop.load() == 0)
        return enter(t)


def count(t: Me, change: int) -> None:
    """Add to the count, modulo four: adding three takes one off."""
    now = world.active.load()
    if mutant("split-count", breaks="COUNT-IS-LOCKED"):
        world.active.store(now + change & COUNT)
        return
    done = world.active.cas(now, now + change & COUNT)
    if done == 0:
        return count(t, change)


def coordinator() -> None:
    stop_world()
    critical()
    world.stop.store(0)
    world.lock.store(0)
    return coordinator()


def stop_world() -> None:
    wait(world.lock.cas(0, 1))
    world.stop.store(1)
    for t in threads():
        post(t)
    wait(world.active.load() == 0)


def post(t: Thread) -> None:
    t.pending.fetch_or(STOP)
    t.limit.store(t.limit.poison)


def critical() -> None:
    pause()
