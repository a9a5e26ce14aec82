"""A guest loop that spins on another thread's store, compiled without a poll (goccy/wasm2go PR 55; ruby PR 5699)."""

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, claim, mutant, pause, wait, when


class Thread:
    limit: Trigger
    state: Word
    at_barrier: Word


class Me(Thread):
    """Nothing of its own."""


class World:
    stop: Word


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    """The guest's own barrier: say that I am here, spin until all are."""
    check(t)
    t.at_barrier.store(1)
    for u in threads():
        spin(t, u)
    return works(t)


def works(t: Me) -> None:
    wait(t.limit.load() == t.limit.poison)
    stop(t)
    return works(t)


def spin(t: Me, u: Thread) -> None:
    if mutant("no-poll-in-spin", breaks="EVERY-LOOP-POLLS"):
        there = u.at_barrier.load()
        if there == 1:
            return
        return spin(t, u)
    match choose():
        case "through":
            wait(u.at_barrier.load() == 1)
            return
        case "polls":
            wait(t.limit.load() == t.limit.poison)
            stop(t)
    return spin(t, u)


def check(t: Me) -> None:
    if t.limit.load() == t.limit.poison:
        stop(t)


def stop(t: Me) -> None:
    t.limit.swap(t.limit.real)
    if world.stop.load() == 1:
        t.state.store(1)
        wait(world.stop.load() == 0)
        t.state.store(0)


def collector() -> None:
    world.stop.swap(1)
    for t in threads():
        t.limit.store(t.limit.poison)
    for t in threads():
        wait(t.state.load() == 1)
    world.stop.swap(0)
    for t in threads():
        wait(t.state.load() == 0)
    return collector()
