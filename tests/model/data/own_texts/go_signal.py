"""A preemption signal lands on a thread that holds a spin lock of its atomics (golang/go #71591; cf. #20146)."""

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, claim, mutant, pause, wait, when


class Thread:
    signal: Trigger


class Me(Thread):
    """Nothing of its own."""


class World:
    spin: Word          # the lock behind the 64-bit atomics
    token: Word         # 1: the one processor is taken
    ready: Word


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    """A goroutine: it gets the processor, adds to a counter, and may be preempted between any two steps."""
    wait(world.token.cas(0, 1))
    return runs(t)


def runs(t: Me) -> None:
    match choose():
        case "adds":
            wait(world.spin.cas(0, 1))
            if mutant("preempts-in-atomics", breaks="RUNTIME-IS-NOT-PREEMPTED"):
                preempted(t)
            world.spin.store(0)
        case "computes":
            pause()
    preempted(t)
    return runs(t)


def preempted(t: Me) -> None:
    """The signal's handler gives the processor away, and wants it back later."""
    if t.signal.load() == t.signal.poison:
        t.signal.swap(t.signal.real)
        world.token.store(0)
        wait(world.token.cas(0, 1))


def monitor() -> None:
    t = choose(threads())
    t.signal.store(t.signal.poison)
    return monitor()


def scheduler() -> None:
    """Looks at a timer, with the same atomics, on the processor."""
    wait(world.token.cas(0, 1))
    wait(world.spin.cas(0, 1))
    world.spin.store(0)
    world.token.store(0)
    return scheduler()
