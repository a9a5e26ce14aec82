from collections.abc import Iterable
from safepoint.protocol.language import Trigger, Word, choose, claim, mutant, pause, wait, when
class Thread:
    x: Word
class Me(Thread):
    n: int
def threads() -> Iterable[Thread]:
    raise NotImplementedError
def mutator(t: Me) -> None:
    match choose():
        case "up":
            when(t.n < 6)
            t.n = t.n + 1
            t.x.store(t.n)
        case "reset":
            when(t.n == 6)
            t.n = 0
            t.x.store(0)
    return mutator(t)
def poster() -> None:
    t = choose(threads())
    v = t.x.load()
    claim("below-four", v < 4)
    return poster()
