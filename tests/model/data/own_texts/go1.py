"""Go: the entry check compares with stackguard0; a request sets g.preempt, then poisons; a stop of the world waits for every P."""

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, claim, mutant, pause, wait

P_RUNNING, P_SYSCALL, P_GCSTOP = 0, 1, 2


class Thread:
    stackguard0: Trigger    # what each function's entry compares with
    preempt: Word           # g.preempt
    p: Word                 # status of the P that the goroutine has
    frame: Word             # what the guest changes


class Me(Thread):
    """The running goroutine."""


class Sched:
    lock: Word
    gcwaiting: Word
    stopwait: Word          # Ps that have not stopped yet


sched: Sched


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    match choose():
        case "computes":
            t.frame.swap(1)
            t.frame.swap(0)
        case "calls":
            if t.stackguard0.load() == t.stackguard0.poison:
                newstack(t)
        case "recurses for ever":
            pause()
            wait(t.stackguard0.load() == t.stackguard0.poison)
            newstack(t)
        case "loops for ever":
            if mutant("no-check-in-loops", breaks="LOOPS-ARE-CHECKED"):
                pause()
                wait(sched.lock.load() == 2)        # nothing ends it
        case "syscall":
            syscall(t)
    return mutator(t)


def newstack(t: Me) -> None:
    """runtime.newstack -> gopreempt_m -> schedule -> gcstopm -> execute"""
    if sched.gcwaiting.load() == 1:
        gcstopm(t)
    execute(t)


def execute(t: Me) -> None:
    if mutant("restore-after-take", breaks="RESTORE-FIRST"):
        t.preempt.store(0)
        t.stackguard0.store(t.stackguard0.real)
    else:
        t.stackguard0.store(t.stackguard0.real)
        t.preempt.store(0)


def gcstopm(t: Me) -> None:
    wait(sched.lock.cas(0, 1))
    if sched.gcwaiting.load() == 1:
        t.p.store(P_GCSTOP)
        left = sched.stopwait.load()
        sched.stopwait.store(left - 1 & 3)
        sched.lock.store(0)
        wait(t.p.load() == P_RUNNING)
    else:
        sched.lock.store(0)


def syscall(t: Me) -> None:
    t.p.store(P_SYSCALL)
    mine = t.p.cas(P_SYSCALL, P_RUNNING)
    if mine:
        return
    wait(t.p.load() == P_RUNNING)


def coordinator() -> None:
    wait(sched.lock.cas(0, 1))
    sched.stopwait.store(1)
    sched.gcwaiting.store(1)
    preemptall()
    for t in threads():
        taken = t.p.cas(P_SYSCALL, P_GCSTOP)
        if taken:
            left = sched.stopwait.load()
            sched.stopwait.store(left - 1 & 3)
    sched.lock.store(0)
    await_all()
    for t in threads():
        first = t.frame.load()
        second = t.frame.load()
        claim("frame-stands-still", first == second)
    sched.gcwaiting.store(0)
    for t in threads():
        t.p.store(P_RUNNING)
    return coordinator()


def preemptall() -> None:
    for t in threads():
        t.preempt.store(1)
        t.stackguard0.store(t.stackguard0.poison)


def await_all() -> None:
    """notetsleep(100 us), then preempt again"""
    left = sched.stopwait.load()
    if left == 0:
        return None
    preemptall()
    return await_all()
