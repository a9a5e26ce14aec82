"""THE PROTOCOL.  How one thread makes others stop or take notice, by failing checks that they make anyway.

Restricted Python with two readers: the model explores it, and the generator makes the interpreter's slow path from it
(`model.language` has the primitives).  A statement makes at most one access to shared memory; it is one atomic step, and what
follows it locally belongs to it.  `return f(t)` is a jump.  A helper of one `return` without a shared access is an expression.
`if mutant(…)` is a mistake that some VM made, beside the right line: left out unless asked for by name.  `if policy(…)` is what
one family of VMs does differently.  The capitals in comments are rules: `safepoint rules ID` explains one.  `handshakes` has the
requests that run exactly once, `features` what not every VM needs, `families` what others do differently.
"""

from __future__ import annotations

from collections.abc import Iterable

from safepoint.families import add_to_limit, flag_check, flag_push, overflow_wins, spurious_is_overflow, take_from_limit
from safepoint.handshakes import own_handshake
from safepoint.model.language import Trigger, Triggers, Word, mutant, pause, policy, posted, served, wait

STOP, HANDSHAKE, INTERRUPT, SAMPLE, TERMINATE = 1, 2, 4, 8, 16      # kinds of request: bits of Thread.pending
EVERYTHING = STOP | HANDSHAKE | INTERRUPT | SAMPLE | TERMINATE
MANAGED, NATIVE, PARKED, ENDED = 0, 1, 2, 3                         # values of Thread.state
NOTHING, ASKED, RUNNING = 0, 1, 2                                   # values of Thread.operation
GO, RAISE_INTERRUPT, RAISE_OVERFLOW, RAISE_TERMINATE = 0, 1, 2, 3   # what a check site tells the guest to do
BITS = 32                                                           # policy dart: a limit below this is request bits


class Thread:
    """What anybody may access."""

    limit: Trigger          # a frame push compares the new frame's end with it
    entry: Triggers         # a back-edge dispatches through it: one for each opcode that jumps backward
    ticker: Trigger         # policy pypy: every check counts it down
    pending: Word           # requests that nobody has taken yet (policy dart: bits of the limit instead)
    state: Word             # in guest code, native, parked, or ended
    operation: Word         # a handshake: nothing, asked for, being run
    wake: Word              # set by whoever posts, for a thread that blocks


class Me(Thread):
    """What only the owner may access."""

    end: int                # where the newest frame ends
    extra: int              # by how much the stack has grown since the thread began
    masked: int             # kinds that stay pending for now
    ending: int             # TERMINATE once it has been raised: a second one waits until the first has unwound


class World:
    stop: Word              # 1: the world is stopped, or about to be
    lock: Word              # one coordinator at a time


world: World


def threads() -> Iterable[Thread]:
    """Every thread of the world; a loop over them is unrolled by the model, and is a loop in the machine."""
    raise NotImplementedError


def deliverable(t: Me) -> int:
    return EVERYTHING & ~(t.masked | t.ending)          # MASKED-STAYS


def real_limit(t: Me) -> int:
    return t.limit.real + t.extra


# ---------------------------------------------------------------------------------------------- check sites

def frame_push(t: Me, end: int) -> int:
    """A call wants a frame that ends at `end`.  One comparison asks both: is there room, and does anybody want me?"""
    if policy("cpython", "pypy"):
        return flag_push(t, end)
    if policy("dart"):
        if end + BITS > t.limit.load():
            return push_failed(t, end)
        return GO
    if end > t.limit.load():
        return push_failed(t, end)
    return GO


def back_edge(t: Me, word: Trigger) -> int:
    """An instruction that may jump backward is dispatched through `word`: nothing is added to it."""
    if policy("cpython", "pypy"):
        return flag_check(t)
    if policy("dart"):
        if t.limit.load() < BITS:
            return slow_path(t)
        return GO
    if word.load() == word.poison:
        return slow_path(t)
    return GO


def push_failed(t: Me, end: int) -> int:
    """Serve what was asked, then decide the push by the real limit, so that a storm of posts cannot keep it from happening."""
    if mutant("spurious-is-overflow", breaks="SPURIOUS-IS-NOTHING"):
        return spurious_is_overflow(t, end)
    if mutant("overflow-wins", breaks="TAKEN-IS-SERVED"):
        return overflow_wins(t, end)
    outcome = slow_path(t)
    if outcome == GO:
        if mutant("push-not-retried", breaks="REAL-LIMIT-DECIDES"):
            return RAISE_OVERFLOW
        if end > real_limit(t):                         # REAL-LIMIT-DECIDES
            return RAISE_OVERFLOW
    return outcome                                      # SPURIOUS-IS-NOTHING


# ---------------------------------------------------------------------------------------------- anybody


def post(t: Thread, kind: int) -> None:
    """Ask thread t for something: say why first, then make every check of t fail, then wake it in case it sleeps."""
    if mutant("poison-before-post", breaks="POST-BEFORE-POISON"):
        poison(t)
        add(t, kind)
    else:
        add(t, kind)                                    # POST-BEFORE-POISON
        poison(t)
    if mutant("post-does-not-wake", breaks="POST-WAKES"):
        return
    t.wake.store(1)                                     # POST-WAKES


def add(t: Thread, kind: int) -> None:
    if policy("dart"):
        return add_to_limit(t, kind)
    if mutant("unlocked-post", breaks="POST-IS-LOCKED"):
        bits = t.pending.load()
        t.pending.store(bits | kind)
    else:
        t.pending.fetch_or(kind)                        # POST-IS-LOCKED
    if kind != HANDSHAKE:
        posted(t, kind)


def poison(t: Thread) -> None:
    """Make every check of t fail.  Anybody may, at any time, also with nothing to ask; only the owner restores."""
    if policy("cpython", "dart"):
        return                                          # the bits are the trigger
    if policy("pypy"):
        t.ticker.store(t.ticker.poison)
        return
    t.limit.store(t.limit.poison)
    if mutant("word-forgotten", breaks="POISON-EVERY-WORD"):
        return
    for word in t.entry:
        word.store(word.poison)                         # POISON-EVERY-WORD


def stop_world() -> None:
    """When this returns, no thread runs guest code until `start_world`."""
    if mutant("no-lock", breaks="ONE-COORDINATOR"):
        pause()
    else:
        wait(world.lock.cas(0, 1))                      # ONE-COORDINATOR
    if mutant("stop-published-late", breaks="STOP-BEFORE-POST"):
        for t in threads():
            post(t, STOP)
        world.stop.store(1)
    else:
        world.stop.store(1)                             # STOP-BEFORE-POST
        for t in threads():
            post(t, STOP)
    if mutant("does-not-wait", breaks="STOP-AWAITS-ALL"):
        return
    for t in threads():
        wait(t.state.load() != MANAGED)                 # STOP-AWAITS-ALL


def start_world() -> None:
    if mutant("stays-stopped", breaks="STOP-ENDS"):
        world.lock.store(0)
    elif mutant("unlock-before-start", breaks="START-BEFORE-UNLOCK"):
        world.lock.store(0)
        world.stop.store(0)
    else:
        world.stop.store(0)                             # START-BEFORE-UNLOCK, STOP-ENDS
        world.lock.store(0)


# ---------------------------------------------------------------------------------------------- the owner


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
