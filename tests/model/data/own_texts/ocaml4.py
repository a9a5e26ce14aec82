"""OCaml 5: allocation compares young_ptr with young_limit; an interruptor; a stop of all domains by a leader; a backup thread."""

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, claim, mutant, pause, wait


N = 1


class Thread:
    young_limit: Trigger        # real: young_trigger, poison: UINTNAT_MAX
    interrupt_pending: Word     # interruptor
    domain_lock: Word           # 0: held (words begin as 0), 1: free
    leads: Word                 # only because the text cannot say `d is not t`
    heap: Word                  # what the guest changes


class Me(Thread):
    """A domain"""
    left: int                   # words left in the minor heap: its end is a real reason to fail the check


class Global:
    leader: Word
    barrier: Word               # 1: all are in
    still_running: Word
    done: Word


stw: Global


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    match choose():
        case "computes":
            t.heap.swap(1)
            t.heap.swap(0)
        case "allocates":
            if t.young_limit.load() == t.young_limit.poison:
                handle_gc_interrupt(t)
        case "loops":
            pause()
            wait(t.young_limit.load() == t.young_limit.poison)  # polls are allocations of nothing
            handle_gc_interrupt(t)
        case "stops the domains":
            run_on_all(t)
        case "blocks":
            enter_blocking(t)
            leave_blocking(t)
    return mutator(t)


def handle_gc_interrupt(t: Me) -> None:
    reset_young_limit(t)
    handle_incoming(t)


def reset_young_limit(t: Me) -> None:
    if mutant("reset-by-store", breaks="RESET-IS-AN-EXCHANGE"):
        t.young_limit.store(t.young_limit.real)
    else:
        t.young_limit.swap(t.young_limit.real)
    if t.interrupt_pending.load() == 1:
        t.young_limit.store(t.young_limit.poison)


def handle_incoming(t: Me) -> None:
    if t.interrupt_pending.load() == 1:
        t.interrupt_pending.store(0)
        stw_handler(t)


def stw_handler(t: Me) -> None:
    arrive()
    wait(stw.done.load() == 1)
    arrive()


def arrive() -> None:
    """atomic_fetch_add(&num_domains_still_running, -1): the language has none"""
    left = stw.still_running.load()
    done = stw.still_running.cas(left, left - 1 & 3)
    if done:
        return None
    return arrive()


def enter_blocking(t: Me) -> None:
    t.domain_lock.swap(1)


def leave_blocking(t: Me) -> None:
    wait(t.domain_lock.cas(1, 0))


def run_on_all(t: Me) -> None:
    got = stw.leader.cas(0, 1)
    if got == 0:
        return handle_incoming(t)
    t.leads.swap(1)
    stw.done.swap(0)
    stw.still_running.swap(N)
    for d in threads():
        if d.leads.load() == 0:
            d.interrupt_pending.swap(1)
            d.young_limit.store(d.young_limit.poison)
    wait(stw.still_running.load() == 0)
    for d in threads():
        first = d.heap.load()
        second = d.heap.load()
        claim("world-stands-still", first == second)
    stw.still_running.swap(N)
    stw.done.swap(1)
    wait(stw.still_running.load() == 0)     # all have left
    t.leads.swap(0)
    stw.leader.swap(0)


def backup() -> None:
    """The backup thread: answers for a domain that is in a blocking section."""
    d = choose(threads())
    if d.interrupt_pending.load() == 1:
        got = d.domain_lock.cas(1, 0)
        if got:
            d.interrupt_pending.store(0)
            arrive()
            wait(stw.done.load() == 1)
            arrive()
            d.domain_lock.swap(1)
    return backup()
