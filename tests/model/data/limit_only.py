"""A smaller protocol in the same language: one trigger word, one kind of request.  Spin and TLC have explored it too.

The mutator's role is part of the text, as a frame's depth is part of the mutator's state.
"""

from __future__ import annotations

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, mutant, wait, when

MANAGED, NATIVE, PARKED = 0, 1, 2
DEPTH = 1


class Thread:
    limit: Trigger
    pending: Word
    state: Word


class Me(Thread):
    depth: int
    over: int


class World:
    stop: Word
    lock: Word


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    match choose():
        case "push":
            limit = t.limit.load()
            if t.depth == DEPTH:
                t.over = 1
                return slow(t)
            if limit == t.limit.poison:
                return slow(t)
            t.depth = t.depth + 1
        case "pop":
            when(t.depth > 0)
            t.depth = t.depth - 1
        case "back-edge":
            if t.limit.load() == t.limit.poison:
                return slow(t)
        case "native":
            t.state.store(NATIVE)
            return reenter(t)
    return mutator(t)


def slow(t: Me) -> None:
    t.limit.store(t.limit.real)
    bits = t.pending.swap(0)
    if mutant("overflow-wins", breaks="TAKEN-IS-SERVED"):
        if t.over == 1:
            t.depth = 0
            t.over = 0
            return mutator(t)
    if bits != 0:
        t.over = 0
        return park(t)
    if t.over == 1:
        t.depth = 0
    t.over = 0
    return mutator(t)


def park(t: Me) -> None:
    t.state.store(PARKED)
    wait(world.stop.load() == 0)
    return reenter(t)


def reenter(t: Me) -> None:
    t.state.swap(MANAGED)
    if world.stop.load() == 1:
        return park(t)
    return mutator(t)


def coordinator() -> None:
    wait(world.lock.cas(0, 1))
    world.stop.store(1)
    for t in threads():
        t.pending.fetch_or(1)
        t.limit.store(t.limit.poison)
    for t in threads():
        wait(t.state.load() != MANAGED)
    world.stop.store(0)
    world.lock.store(0)
    return coordinator()
