"""A fifth state."""
from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, claim, pause, wait

MANAGED, NATIVE, PARKED, ENDED, SUSPENDED = 0, 1, 2, 3, 4


class Thread:
    limit: Trigger
    state: Word


class Me(Thread):
    """Nothing of its own."""


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    t.state.store(SUSPENDED)
    t.state.store(MANAGED)
    return mutator(t)


def debugger() -> None:
    t = choose(threads())
    state = t.state.load()
    claim("never-suspended", state != SUSPENDED)
    return debugger()
