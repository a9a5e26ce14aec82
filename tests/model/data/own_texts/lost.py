"""The oldest bug (take, then restore), as an own text; the poster does not wait for an answer."""

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, mutant, pause, posted, served, wait

INTERRUPT = 1


class Thread:
    limit: Trigger
    pending: Word


class Me(Thread):
    """Nothing of its own."""


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    match choose():
        case "computes":
            pause()
        case "loops":
            pause()
            wait(t.limit.load() == t.limit.poison)
    if t.limit.load() == t.limit.poison:
        if mutant("take-first", breaks="RESTORE-FIRST"):
            bits = t.pending.swap(0)
            t.limit.store(t.limit.real)
        else:
            t.limit.store(t.limit.real)
            bits = t.pending.swap(0)
        if bits == 1:
            served(INTERRUPT, t)
    return mutator(t)


def poster() -> None:
    t = choose(threads())
    t.pending.fetch_or(INTERRUPT)
    posted(t, INTERRUPT)
    t.limit.store(t.limit.poison)
    return poster()
