"""Base."""
from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, claim, pause, wait, when

A, B = 1, 2


class Thread:
    limit: Trigger
    state: Word
    count: Word


class Me(Thread):
    mine: int


class World:
    lock: Word


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    match choose():
        case "up":
            t.mine = t.mine + 1 & 7
        case "down":
            t.mine = 0
    t.state.store(0)
    return mutator(t)


def debugger() -> None:
    t = choose(threads())
    t.count.load()
    return debugger()
