"""THE PROTOCOL: the owner.  The slow path, what it serves, and the ways out of guest code and back."""

from __future__ import annotations

from safepoint.protocol.language import mutant, policy, served, wait
from safepoint.protocol.requester import add_to_limit, operate, poison
from safepoint.protocol.words import (
    ASKED,
    BITS,
    GO,
    HANDSHAKE,
    INTERRUPT,
    MANAGED,
    NATIVE,
    NOTHING,
    PARKED,
    RAISE_INTERRUPT,
    RAISE_TERMINATE,
    RUNNING,
    SAMPLE,
    STOP,
    TERMINATE,
    Me,
    deliverable,
    real_limit,
    world,
)


def slow_path(t: Me) -> int:
    """A check of t failed: a request, a real overflow, both, or neither.  Restore every word, then take."""
    if mutant("take-before-restore", breaks="RESTORE-BEFORE-TAKE"):
        bits = take(t)
        restore(t)
    elif mutant("second-word-late", breaks="RESTORE-BEFORE-TAKE"):
        t.limit.store(real_limit(t))
        bits = take(t)
        for word in t.entry:
            word.store(word.real)
    else:
        restore(t)                                      # RESTORE-BEFORE-TAKE: all of them, whichever failed
        bits = take(t)
    return serve(t, bits)


def restore(t: Me) -> None:
    if policy("cpython", "dart"):
        return                                          # taking the bits restores
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        return
    if policy("pypy"):
        t.ticker.store(t.ticker.real)
        return
    t.limit.store(real_limit(t))
    for word in t.entry:
        word.store(word.real)                           # OWNER-RESTORES


def take(t: Me) -> int:
    """Every request that may be delivered, at once: none is ever in nobody's hands."""
    if policy("dart"):
        return take_from_limit(t)
    if mutant("unlocked-take", breaks="TAKE-IS-LOCKED"):
        bits = t.pending.load()
        t.pending.store(bits & ~deliverable(t))
        return bits & deliverable(t)
    if mutant("test-before-take", breaks="TAKE-IS-A-BARRIER"):
        bits = t.pending.load()
        if bits & deliverable(t) == 0:
            return 0
    if mutant("masked-taken", breaks="MASKED-STAYS"):
        return t.pending.swap(0) & deliverable(t)
    return t.pending.fetch_and(~deliverable(t)) & deliverable(t)    # TAKE-IS-LOCKED, TAKE-IS-A-BARRIER


def take_from_limit(t: Me) -> int:
    """dart: one exchange restores and takes.  What is masked would be put into a word of the owner's; here nothing is."""
    bits = t.limit.swap(real_limit(t) + BITS)
    if bits < BITS:
        return bits
    return 0


def serve(t: Me, bits: int) -> int:
    """Answer all that was taken: what stops or looks first, then what raises, and of that only one."""
    if bits & STOP:
        served(STOP, t)
        if mutant("stop-without-park", breaks="STOP-PARKS"):
            return GO
        park(t)                                         # STOP-PARKS
    if bits & HANDSHAKE:
        own_handshake(t)
    if bits & SAMPLE:
        served(SAMPLE, t)
    if bits & TERMINATE:
        served(TERMINATE, t)
        if mutant("terminate-again", breaks="TERMINATE-ONCE"):
            t.ending = 0
        else:
            t.ending = TERMINATE                        # TERMINATE-ONCE
        if bits & INTERRUPT:
            give_back(t, INTERRUPT)                     # TAKEN-IS-SERVED: or it is pending again, and poisoned
        return RAISE_TERMINATE
    if bits & INTERRUPT:                                # TAKEN-IS-SERVED: whatever else was taken with it
        served(INTERRUPT, t)
        return RAISE_INTERRUPT
    return GO


def give_back(t: Me, bits: int) -> None:
    """What was taken and cannot be answered now is pending again, and every check fails again."""
    if mutant("rest-dropped", breaks="TAKEN-IS-SERVED"):
        return
    if policy("dart"):
        return add_to_limit(t, bits)
    t.pending.fetch_or(bits)
    if mutant("given-back-unpoisoned", breaks="GIVEN-BACK-IS-POISONED"):
        return
    poison(t)                                           # GIVEN-BACK-IS-POISONED


def own_handshake(t: Me) -> None:
    """The bit was a hint: whoever asked may have run the operation for us, or be about to."""
    mine = t.operation.cas(ASKED, RUNNING)              # HANDSHAKE-ONCE
    if mutant("handshake-unclaimed", breaks="HANDSHAKE-ONCE"):
        mine = True
    if mine:
        operate(t)
        t.operation.store(NOTHING)


def park(t: Me) -> None:
    """Let the world be stopped.  The request was a hint: whether to wait is for the word to say."""
    t.state.store(PARKED)
    wait(world.stop.load() == 0)
    if mutant("park-exit-unchecked", breaks="REENTER-LOOKS-AGAIN"):
        t.state.swap(MANAGED)
        return
    return reenter(t)


def leave(t: Me) -> None:
    """Leave guest code: from here on a stop does not wait for t, and a handshake may be run for it."""
    t.state.store(NATIVE)


def reenter(t: Me) -> None:
    """Come back to guest code, from native code, a park, a sleep or a birth: say so first, then look."""
    if mutant("reenter-unfenced", breaks="REENTER-IS-A-BARRIER"):
        t.state.store(MANAGED)
    else:
        t.state.swap(MANAGED)                           # REENTER-IS-A-BARRIER
    if mutant("no-recheck", breaks="REENTER-LOOKS-AGAIN"):
        return
    stopped = world.stop.load()
    if stopped == 1:                                    # REENTER-LOOKS-AGAIN
        return park(t)
    if mutant("handshake-not-awaited", breaks="HANDSHAKE-IS-ALONE"):
        return
    wait(t.operation.load() != RUNNING)                 # HANDSHAKE-IS-ALONE
