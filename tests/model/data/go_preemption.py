"""Go since 1.14: a goroutine that comes by no check is preempted by a signal (golang/go#10958, #24543)."""

from collections.abc import Iterable

from safepoint.protocol.language import Word, choose, claim, handler, mutant, pause, wait

RUNNING, PREEMPTED = 0, 1


class Thread:
    signal: Word        # 1: SIGURG is pending
    preempt: Word       # g.preempt: sysmon wants the goroutine to stop
    status: Word        # of the goroutine
    frame: Word         # stands for all that it changes while it runs
    news: Word          # what it spins on: only another goroutine, on the same processor, sets it


class Me(Thread):
    locks: int          # m.locks: it is in the runtime, and holds a lock


class Sched:
    lock: Word          # a lock of the runtime: the allocator's, say


sched: Sched


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    """A goroutine.  It calls nothing, so it comes by no check."""
    match choose():
        case "computes":
            t.frame.swap(1)
            t.frame.swap(0)
        case "spins":
            t.news.swap(0)
            wait(t.news.load() == 1)
        case "allocates":
            t.locks += 1
            pause()
            wait(sched.lock.cas(0, 1))
            sched.lock.swap(0)
            t.locks -= 1
    return mutator(t)


@handler
def sigurg(t: Me) -> None:
    """The kernel delivers the signal between any two instructions of the thread."""
    wait(t.signal.cas(1, 0))
    safe = t.locks == 0 or mutant("preempts-in-runtime", breaks="NOT-IN-THE-RUNTIME")
    if t.preempt.load() == 1 and safe:
        t.status.swap(PREEMPTED)
        wait(t.preempt.load() == 0)
        t.status.swap(RUNNING)
    return sigurg(t)


def sysmon() -> None:
    """Takes the processor from a goroutine, lets another run on it, and gives it back."""
    t = choose(threads())
    t.preempt.store(1)
    t.signal.swap(1)
    if mutant("signals-once", breaks="SIGNAL-AGAIN"):
        wait(t.status.load() == PREEMPTED)
    while t.status.load() != PREEMPTED:
        t.signal.swap(1)                                # SIGNAL-AGAIN: the last one came in the runtime
    first = t.frame.load()
    second = t.frame.load()
    claim("stands-still", first == second)
    wait(sched.lock.cas(0, 1))                          # the other goroutine allocates
    sched.lock.swap(0)
    t.news.store(1)
    t.preempt.store(0)
    wait(t.status.load() == RUNNING)
    return sysmon()
