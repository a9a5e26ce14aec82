"""THE PROTOCOL.  How one thread makes others stop or take notice, by failing checks that they make anyway.

Restricted Python with two readers: the model explores it, and the generator makes the interpreter's slow path from it.
`model.language` says what the primitives mean.  A statement makes at most one access to shared memory; such a statement
is one atomic step, and what follows it locally belongs to the same step.  `return f(t)` is a jump.  A helper of one
`return` without a shared access is an expression.  `if mutant(…)` is a mistake that some VM made, beside the right line:
it is left out unless it is asked for by name.  The capitals in comments are rules: `safepoint rules ID` explains one.
"""

from __future__ import annotations

from collections.abc import Iterable

from safepoint.model.language import Trigger, Triggers, Word, mutant, posted, served, wait

STOP, INTERRUPT = 1, 2                                  # kinds of request: bits of Thread.pending
EVERYTHING = STOP | INTERRUPT
MANAGED, NATIVE, PARKED = 0, 1, 2                       # values of Thread.state
GO, RAISE_INTERRUPT, RAISE_OVERFLOW = 0, 1, 2           # what a check site tells the guest to do


class Thread:
    """What anybody may access."""

    limit: Trigger          # a frame push compares the new frame's end with it
    entry: Triggers         # a back-edge dispatches through it: one for each opcode that jumps backward
    pending: Word           # requests that nobody has taken yet
    state: Word


class Me(Thread):
    """What only the owner may access."""

    end: int                # where the newest frame ends


class World:
    stop: Word              # 1: the world is stopped, or about to be
    lock: Word              # one coordinator at a time


world: World


def threads() -> Iterable[Thread]:
    """Every thread of the world; a loop over them is unrolled by the model, and is a loop in the machine."""
    raise NotImplementedError


def triggers(t: Thread) -> tuple[Trigger, ...]:
    return (t.limit, *t.entry)


# ---------------------------------------------------------------------------------------------- check sites


def frame_push(t: Me, end: int) -> int:
    """A call wants a frame that ends at `end`.  One comparison asks both: is there room, and does anybody want me?"""
    if end > t.limit.load():
        return push_failed(t, end)
    return GO


def back_edge(t: Me, word: Trigger) -> int:
    """An instruction that may jump backward is dispatched through `word`: nothing is added to it."""
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
        if end > t.limit.real:                          # REAL-LIMIT-DECIDES
            return RAISE_OVERFLOW
    return outcome                                      # SPURIOUS-IS-NOTHING


# ---------------------------------------------------------------------------------------------- anybody


def post(t: Thread, kind: int) -> None:
    """Ask thread t for something: say why first, then make every check of t fail."""
    if mutant("poison-before-post", breaks="POST-BEFORE-POISON"):
        poison(t)
        t.pending.fetch_or(kind)
        posted(t, kind)
    else:
        t.pending.fetch_or(kind)                        # POST-BEFORE-POISON
        posted(t, kind)
        poison(t)


def poison(t: Thread) -> None:
    """Make every check of t fail.  Anybody may, at any time, also with nothing to ask; only the owner restores."""
    t.limit.store(t.limit.poison)
    if mutant("word-forgotten", breaks="POISON-EVERY-WORD"):
        return
    for word in t.entry:
        word.store(word.poison)                         # POISON-EVERY-WORD


def stop_world() -> None:
    """When this returns, no thread runs guest code until `start_world`."""
    wait(world.lock.cas(0, 1))
    if mutant("stop-published-late", breaks="STOP-BEFORE-POST"):
        for t in threads():
            post(t, STOP)
        world.stop.store(1)
    else:
        world.stop.store(1)                             # STOP-BEFORE-POST
        for t in threads():
            post(t, STOP)
    for t in threads():
        wait(t.state.load() != MANAGED)


def start_world() -> None:
    world.stop.store(0)
    world.lock.store(0)


# ---------------------------------------------------------------------------------------------- the owner


def slow_path(t: Me) -> int:
    """A check of t failed: a request, a real overflow, both, or neither.  Restore every word, then take."""
    if mutant("take-before-restore", breaks="RESTORE-BEFORE-TAKE"):
        bits = take(t)
        restore(t)
    elif mutant("second-word-late", breaks="RESTORE-BEFORE-TAKE"):
        t.limit.store(t.limit.real)
        bits = take(t)
        for word in t.entry:
            word.store(word.real)
    else:
        restore(t)                                      # RESTORE-BEFORE-TAKE: all of them, whichever failed
        bits = take(t)
    return serve(t, bits)


def restore(t: Me) -> None:
    for word in triggers(t):
        word.store(word.real)


def take(t: Me) -> int:
    """Every request that is there, at once: none is ever in nobody's hands."""
    if mutant("unlocked-take", breaks="TAKE-IS-LOCKED"):
        bits = t.pending.load()
        t.pending.store(0)
        return bits
    return t.pending.swap(0)                            # TAKE-IS-LOCKED


def serve(t: Me, bits: int) -> int:
    """Answer all that was taken."""
    if bits & STOP:
        served(STOP)
        if mutant("stop-without-park", breaks="STOP-PARKS"):
            return GO
        park(t)                                         # STOP-PARKS
    if bits & INTERRUPT:                                # TAKEN-IS-SERVED: whatever else was taken with it
        served(INTERRUPT)
        return RAISE_INTERRUPT
    return GO


def park(t: Me) -> None:
    """Let the world be stopped.  The request was a hint: whether to wait is for the word to say."""
    t.state.store(PARKED)
    wait(world.stop.load() == 0)
    return reenter(t)


def leave(t: Me) -> None:
    """Leave guest code: from here on a stop does not wait for t."""
    t.state.store(NATIVE)


def reenter(t: Me) -> None:
    """Come back to guest code, from native code or from a park."""
    t.state.swap(MANAGED)
    if mutant("no-recheck", breaks="REENTER-LOOKS-AGAIN"):
        return
    if world.stop.load() == 1:                          # REENTER-LOOKS-AGAIN
        return park(t)


# ---------------------------------------------------------------------------------------------- broken twins too long for their place


def spurious_is_overflow(t: Me, end: int) -> int:
    """The check failed and nothing was asked: then it must have been an overflow."""
    restore(t)
    bits = take(t)
    if bits == 0:
        return RAISE_OVERFLOW
    outcome = serve(t, bits)
    if outcome == GO:
        if end > t.limit.real:
            return RAISE_OVERFLOW
    return outcome


def overflow_wins(t: Me, end: int) -> int:
    """A real overflow is raised at once, and what was taken with it is dropped."""
    restore(t)
    bits = take(t)
    if end > t.limit.real:
        return RAISE_OVERFLOW
    return serve(t, bits)
