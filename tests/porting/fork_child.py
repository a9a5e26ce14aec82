"""fork: the child has one thread, a copy of all words, and none that would finish what the others were about to do.

The child is an excursion of the thread that forks: the others stand still wherever they are, until it has shown that it can stop its
world; then it ends, and the parent goes on from where it was.
"""

from collections.abc import Iterable

from safepoint.protocol.language import Suspension, Word, atomic, choose, claim, mutant, pause, rest, scope, wait, when

MANAGED, PARKED, ENDED = 0, 1, 2


class Thread:
    absent: Suspension  # 1: it is not in the child
    state: Word
    saved: Word  # its state in the parent
    half: Word  # 1: it has begun a change of the heap, and not finished it


class Me(Thread):
    forked: int


class World:
    stop: Word
    lock: Word


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def scopes() -> None:
    scope("fork", nobody, threads=2)


def nobody() -> None:
    """Only the threads do anything here."""
    rest()
    return nobody()


def mutator(t: Me) -> None:
    match choose():
        case "changes the heap":
            t.half.swap(1)
            t.half.swap(0)
        case "checks":
            if world.stop.load() == 1:
                reenter(t)
        case "collects":
            stop_world(t)
            start_world(t)
        case "forks":
            when(t.forked == 0)
            t.forked = 1
            fork(t)
    return mutator(t)


def stop_world(t: Me) -> None:
    t.state.swap(PARKED)
    wait(world.lock.cas(0, 1))
    world.stop.swap(1)
    for other in threads():
        wait(other.state.load() != MANAGED)


def start_world(t: Me) -> None:
    world.stop.swap(0)
    world.lock.swap(0)
    return reenter(t)


def reenter(t: Me) -> None:
    t.state.swap(MANAGED)
    if world.stop.load() == 1:
        t.state.swap(PARKED)
        wait(world.stop.load() == 0)
        return reenter(t)


def fork(t: Me) -> None:
    if mutant("forks-anywhere", breaks="FORK-IN-A-STOP"):
        pause()
    elif mutant("forks-under-the-lock", breaks="FORK-IN-A-STOP"):
        wait(world.lock.cas(0, 1))
    else:
        stop_world(t)                               # FORK-IN-A-STOP: no other thread is in the middle of anything
    with atomic():
        for other in threads():
            if other is not t:
                other.absent.store(1)
    settle(t)
    if mutant("keeps-the-stop", breaks="CHILD-STARTS"):
        t.state.swap(MANAGED)
    else:
        start_world(t)                              # CHILD-STARTS: it has inherited the stop, and no other requester ends it
    stop_world(t)                                   # so that is what the child can do
    with atomic():
        for other in threads():
            if other is not t:
                state = other.saved.load()
                other.state.store(state)
                other.absent.store(0)
    return start_world(t)


def settle(t: Me) -> None:
    """The child's first work."""
    for other in threads():
        half = other.half.load()
        claim("heap-is-whole", half == 0)
        if other is not t:
            state = other.state.load()
            other.saved.swap(state)
            if mutant("keeps-the-others", breaks="OTHERS-ENDED"):
                pause()
            else:
                other.state.swap(ENDED)             # OTHERS-ENDED: no stop waits for them, and no thread asks them
