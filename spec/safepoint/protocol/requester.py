"""THE PROTOCOL: the requester.  Post a request, stop the world and start it, ask for an operation."""

from __future__ import annotations

from safepoint.protocol.language import asked, mutant, pause, posted, ran, slice_on, wait
from safepoint.protocol.trigger import add, poison
from safepoint.protocol.variants import await_held, await_operations, fence_claim, fence_stop
from safepoint.protocol.words import ASKED, HANDSHAKE, INTERRUPT, MANAGED, NOTHING, RUNNING, STOP, Thread, threads, world


def post(t: Thread, kind: int) -> None:
    """Ask thread t for something: say why first, then make every check of t fail, then wake it in case it sleeps."""
    if mutant("post-waits-its-turn", breaks="POST-NEVER-WAITS"):
        if kind == INTERRUPT:
            wait(t.pending.load() & INTERRUPT == 0)
    if mutant("poison-before-post", breaks="POST-BEFORE-POISON"):
        poison(t)
        ask(t, kind)
    else:
        ask(t, kind)                                    # POST-BEFORE-POISON, POST-NEVER-WAITS
        poison(t)
    if mutant("post-does-not-wake", breaks="POST-WAKES"):
        return
    awaken(t)                                           # POST-WAKES


def awaken(t: Thread) -> None:
    """End t's sleep, if it sleeps. A host calls this when what t sleeps for is there."""
    if mutant("wake-release", breaks="POST-WAKES"):
        t.wake.store(1)
    else:
        t.wake.publish(1)                               # POST-WAKES: the last word on it, if t publishes that it will sleep


def ask(t: Thread, kind: int) -> None:
    add(t, kind)
    posted(t, kind)


def add_pending(t: Thread, kind: int) -> None:
    """`add` of triggers that have their pending bits in a word of their own."""
    if mutant("unlocked-post", breaks="POST-IS-LOCKED"):
        bits = t.pending.load()
        t.pending.store(bits | kind)
    else:
        t.pending.fetch_or(kind)                        # POST-IS-LOCKED


# ---------------------------------------------------------------------------------------------- stop the world


def stop_world() -> None:
    """When this returns, no thread runs guest code until `start_world`."""
    request_stop()
    if mutant("does-not-wait", breaks="STOP-AWAITS-ALL"):
        return
    if slice_on("membarrier"):
        fence_stop()
    for t in threads():
        wait(t.state.look() != MANAGED)                 # STOP-AWAITS-ALL
    if slice_on("exclusive"):
        await_operations()


def request_stop() -> None:
    """From here on every thread stops, sooner or later, and none begins to run guest code."""
    if mutant("no-lock", breaks="ONE-COORDINATOR"):
        pause()
    else:
        wait(world.lock.cas(0, 1))                      # ONE-COORDINATOR
    if slice_on("fairness"):
        await_held()
    if mutant("stop-published-late", breaks="STOP-BEFORE-POST"):
        for t in threads():
            post(t, STOP)
        world.stop.publish(1)
    else:
        world.stop.publish(1)                           # STOP-BEFORE-POST
        for t in threads():
            post(t, STOP)


def start_world() -> None:
    if mutant("stays-stopped", breaks="STOP-ENDS"):
        world.lock.store(0)
    elif mutant("unlock-before-start", breaks="START-BEFORE-UNLOCK"):
        world.lock.store(0)
        world.stop.store(0)
    else:
        world.stop.store(0)                             # START-BEFORE-UNLOCK, STOP-ENDS
        world.lock.store(0)


# ---------------------------------------------------------------------------------------------- one operation, exactly once


def handshake(t: Thread) -> None:
    """One operation on thread t, exactly once: by t at a check site, or by the requester while t is outside guest code."""
    wait(t.operation.cas(NOTHING, ASKED))               # one outstanding operation per target; other requesters wait on this CAS
    asked(t, HANDSHAKE)                                 # from here on it is owed: the bit that follows is a hint
    post(t, HANDSHAKE)
    return finish_handshake(t)


def finish_handshake(t: Thread) -> None:
    now = t.operation.load()
    if now == NOTHING:
        return None
    if now == ASKED:
        outside = t.state.load()
        if outside != MANAGED:
            claimed = t.operation.cas(ASKED, RUNNING)   # HANDSHAKE-ONCE
            if claimed:
                return run_for(t)
    return finish_handshake(t)


def run_for(t: Thread) -> None:
    """The requester has claimed the operation; t may have come back meanwhile: it reads `operation` after it has published MANAGED."""
    if mutant("handshake-unchecked", breaks="CLAIM-LOOKS-AGAIN"):
        operate(t)
        t.operation.store(NOTHING)
        return None
    if slice_on("membarrier"):
        fence_claim()
    if mutant("claim-acquire", breaks="CLAIM-LOOKS-AGAIN"):
        state = t.state.load()
    else:
        state = t.state.look()                          # CLAIM-LOOKS-AGAIN
    if state == MANAGED:
        return back_off(t)
    if slice_on("exclusive"):
        stopped = world.stop.look()
        if mutant("operates-while-stopped", breaks="STOP-IS-EXCLUSIVE"):
            stopped = 0
        if stopped == 1:                                # STOP-IS-EXCLUSIVE: `await_operations` has the other half
            return back_off(t)
    operate(t)
    t.operation.store(NOTHING)


def back_off(t: Thread) -> None:
    """Give the claim back, and try again."""
    t.operation.store(ASKED)
    if mutant("backs-off-silently", breaks="BACK-OFF-POSTS-AGAIN"):
        return finish_handshake(t)
    post(t, HANDSHAKE)                                  # BACK-OFF-POSTS-AGAIN: t may have found nothing meanwhile
    return finish_handshake(t)


def operate(t: Thread) -> None:
    """The operation itself: only the thread that claimed it runs it, and t runs no guest code meanwhile."""
    t.operation.load()                                  # stands for it: whatever the operation looks at
    ran(HANDSHAKE, t)
