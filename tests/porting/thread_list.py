"""A list of threads that grows and shrinks while a coordinator walks it: when a record is in it, and when it may be freed."""

from collections.abc import Iterable

from safepoint.protocol.language import Word, begins, choose, claim, mutant, wait

MANAGED, NATIVE, ENDED = 0, 1, 2


class Thread:
    listed: Word  # 1: the list leads to its record
    freed: Word = begins(1)  # 1: its memory is another's
    state: Word = begins(ENDED)
    frame: Word  # stands for all that guest code changes while it runs


class Me(Thread):
    """The running thread; it has no word that is only its own."""


class World:
    stop: Word
    lock: Word  # of the list: a coordinator holds it as long as its stop lasts


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    """One thread after the other, in the same piece of memory."""
    t.state.swap(NATIVE)
    t.freed.swap(0)
    if mutant("listed-late", breaks="LISTED-BEFORE-IT-RUNS"):
        reenter(t)
        t.frame.swap(1)
        t.frame.swap(0)
        t.state.swap(NATIVE)
        t.listed.swap(1)
    else:
        t.listed.swap(1)                            # LISTED-BEFORE-IT-RUNS
    reenter(t)
    match choose():
        case "runs":
            t.frame.swap(1)
            t.frame.swap(0)
        case "leaves":
            t.state.swap(NATIVE)
            reenter(t)
    return end(t)


def reenter(t: Me) -> None:
    t.state.swap(MANAGED)
    if world.stop.load() == 1:
        t.state.swap(NATIVE)
        wait(world.stop.load() == 0)
        return reenter(t)


def end(t: Me) -> None:
    if mutant("waits-as-running", breaks="ENDED-BEFORE-IT-WAITS"):
        wait(world.lock.cas(0, 1))
        t.state.swap(ENDED)
    elif mutant("frees-without-the-lock", breaks="UNLISTED-UNDER-THE-LOCK"):
        t.state.swap(ENDED)
    else:
        t.state.swap(ENDED)                         # ENDED-BEFORE-IT-WAITS
        wait(world.lock.cas(0, 1))                  # UNLISTED-UNDER-THE-LOCK
    t.listed.swap(0)
    t.freed.swap(1)
    if not mutant("frees-without-the-lock", breaks="UNLISTED-UNDER-THE-LOCK"):
        world.lock.swap(0)
    return mutator(t)


def coordinator() -> None:
    wait(world.lock.cas(0, 1))
    world.stop.swap(1)
    for t in threads():
        if t.listed.load() == 1:
            freed = t.freed.load()
            claim("record-is-there", freed == 0)
            wait(t.state.load() != MANAGED)
    for t in threads():
        first = t.frame.load()
        second = t.frame.load()
        claim("frame-stands-still", first == second)
    world.stop.swap(0)
    world.lock.swap(0)
    return coordinator()
