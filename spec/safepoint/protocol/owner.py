"""THE PROTOCOL: the owner.  The slow path, what it serves, and the ways out of guest code and back."""

from __future__ import annotations

from safepoint.protocol.language import checks_at, given_back, mutant, served, slice_on, taken, wait
from safepoint.protocol.requester import operate
from safepoint.protocol.trigger import add, came_back, poison, restore, take
from safepoint.protocol.words import (
    ASKED, GO, HANDSHAKE, INTERRUPT, MANAGED, NATIVE, NOTHING, OWN, PARKED, RAISE_INTERRUPT, RAISE_TERMINATE, RUNNING,
    SAMPLE, STOP, TERMINATE, Me, deliverable, world,
)


def slow_path(t: Me) -> int:
    """A check of t failed: a request, a real overflow, both, or neither.  Restore every word, then take."""
    if mutant("take-before-restore", breaks="RESTORE-BEFORE-TAKE"):
        bits = take(t)
        restore(t)
    else:
        restore(t)                                      # RESTORE-BEFORE-TAKE: all of them, whichever failed
        bits = take(t)
    return serve(t, bits)


def take_pending(t: Me) -> int:
    """`take` of triggers that have their pending bits in a word of their own."""
    if mutant("test-before-take", breaks="TAKE-IS-A-BARRIER"):
        bits = t.pending.load()
        if bits & deliverable(t) == 0:
            return 0
    if mutant("unlocked-take", breaks="TAKE-IS-LOCKED"):
        bits = t.pending.load()
        t.pending.store(bits & ~deliverable(t))
    elif mutant("masked-taken", breaks="MASKED-STAYS"):
        bits = t.pending.swap(0)
    else:
        bits = t.pending.fetch_and(~deliverable(t))     # TAKE-IS-LOCKED, TAKE-IS-A-BARRIER
    bits = bits & deliverable(t)
    taken(bits, t)
    return bits


def look_pending(t: Me) -> int:
    """`look` of triggers that have their pending bits in a word of their own."""
    bits = t.pending.look()
    return bits & deliverable(t)


def drop_pending(t: Me) -> int:
    """`drop` of triggers that have their pending bits in a word of their own."""
    bits = t.pending.swap(0)                            # BIRTH-IS-CLEAN
    return bits


def serve(t: Me, bits: int) -> int:
    """Serve everything taken: first STOP, HANDSHAKE and SAMPLE, which do not raise; then at most one request that raises."""
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
    """What was taken and cannot be served now is pending again, and every check fails again."""
    if mutant("rest-dropped", breaks="TAKEN-IS-SERVED"):
        return
    add(t, bits)
    given_back(t, bits)
    if mutant("given-back-unpoisoned", breaks="GIVEN-BACK-IS-POISONED"):
        return
    poison(t)                                           # GIVEN-BACK-IS-POISONED


def own_handshake(t: Me) -> None:
    """The bit was a hint: the requester may have run the operation for t, or be about to."""
    if mutant("waits-for-itself", breaks="OWN-OPERATION-PASSES"):
        mine = t.operation.cas(ASKED, RUNNING)
    else:
        mine = t.operation.cas(ASKED, OWN)              # HANDSHAKE-ONCE, OWN-OPERATION-PASSES
    if mutant("handshake-unclaimed", breaks="HANDSHAKE-ONCE"):
        mine = True
    if mine:
        if slice_on("leaving"):
            leave(t)
            reenter(t)
        operate(t)
        t.operation.store(NOTHING)


# ---------------------------------------------------------------------------------------------- out of guest code, and back


def park(t: Me) -> None:
    """Park while the world is stopped. The STOP bit is only a hint; `world.stop` decides."""
    if slice_on("fairness"):
        t.parked.store(1)                               # HELD-RUNS-FIRST: it is about to park
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
    """Return to guest code, from native code, a park, a sleep or a birth: publish MANAGED first, then look."""
    if mutant("reenter-unfenced", breaks="REENTER-IS-A-BARRIER"):
        t.state.store(MANAGED)
    elif slice_on("membarrier"):
        t.state.store(MANAGED)                          # REQUESTER-IS-A-BARRIER: `fence_stop` and `fence_claim`
    else:
        t.state.swap(MANAGED)                           # REENTER-IS-A-BARRIER
    if mutant("no-recheck", breaks="REENTER-LOOKS-AGAIN"):
        return
    if mutant("reenter-acquire", breaks="REENTER-IS-A-BARRIER"):
        stopped = world.stop.load()
    else:
        stopped = world.stop.look()                     # REENTER-IS-A-BARRIER: nor may the look pass the publishing
    if stopped == 1:                                    # REENTER-LOOKS-AGAIN
        return park(t)
    if slice_on("fairness"):
        t.parked.store(0)                               # HELD-RUNS-FIRST: it goes on to guest code
    if mutant("handshake-not-awaited", breaks="HANDSHAKE-IS-ALONE"):
        return
    wait(t.operation.look() != RUNNING)                 # HANDSHAKE-IS-ALONE
    if checks_at("compiled back-edge"):
        came_back(t)                                    # meanwhile others may have restored what all threads check
