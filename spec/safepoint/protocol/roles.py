"""What the model puts around the protocol: threads that run guest code, and requesters.

Explored only, never compiled.  Each function is an endless role; `mutator` has one copy for each thread.  A scope switches
features on (`slice_on`): the product of all of them is too large, and `scopes` says what is combined.
"""

from __future__ import annotations

from safepoint.protocol.language import checks_at, choose, claim, finished, handler, pause, raises, slice_on, when
from safepoint.protocol.optional import (
    block, exit_thread, grow_stack, mask, start_thread, start_world_from, stop_world_from, unmask, unwound, woken,
)
from safepoint.protocol.owner import leave, reenter
from safepoint.protocol.requester import handshake, post, request_stop, start_world, stop_world
from safepoint.protocol.requests import (
    Coordinator, await_holders, give_up, handshake_from, hold_record, let_go_of_record, start_world_nested, stop_world_nested,
)
from safepoint.protocol.sites import poll
from safepoint.protocol.trigger import back_edge, elsewhere, frame_push, look
from safepoint.protocol.words import (
    GO, HANDSHAKE, INTERRUPT, MANAGED, RAISE_INTERRUPT, RAISE_OVERFLOW, RAISE_TERMINATE, SAMPLE, TERMINATE, Thread, threads, world,
)


class Guest(Coordinator):
    """What guest code knows by itself, so that the protocol is not judged by its own words."""

    sections: int           # critical sections that it is in
    unwinding: int          # 1: a TERMINATE is unwinding it
    lives: int              # threads that have begun in its record: odd or even
    grown: int              # by how much its stack has grown


def mutator(t: Guest) -> None:
    """Guest code: any sequence of calls, returns, back-edges and native regions.  A frame is one unit of stack."""
    if slice_on("loops"):
        return in_loops(t)
    match choose():
        case "push":
            outcome = frame_push(t, t.end + 1)
            tell(t, outcome)
            if outcome == GO:
                t.end = t.end + 1
                claim("no-missed-overflow", t.end <= t.limit.real + t.grown)
            else:
                if outcome == RAISE_OVERFLOW:
                    claim("no-fake-overflow", t.end == t.limit.real + t.grown)
                raised(t)
        case "pop":
            when(t.end > 0)
            if checks_at("return"):
                outcome = elsewhere(t)
                no_push(t, outcome)
                if outcome == GO:
                    t.end = t.end - 1
            else:
                t.end = t.end - 1
        case "allocate":
            when(checks_at("allocation"))
            outcome = elsewhere(t)
            no_push(t, outcome)
        case "back-edge":
            word = choose(t.entry)
            outcome = back_edge(t, word)
            no_push(t, outcome)
        case "compiled back-edge":
            when(checks_at("compiled back-edge"))
            word = choose(world.code)
            outcome = back_edge(t, word)
            no_push(t, outcome)
        case "work":
            when(slice_on("work"))
            word = choose(t.entry)
            outcome = poll(t, word)
            no_push(t, outcome)
        case "native":
            if slice_on("membarrier"):
                t.state.fetch_or(MANAGED)               # its stores are visible: or they would fill a buffer of any length
            leave(t)
            reenter(t)
        case "mask":
            when(slice_on("masks"))
            when(t.sections < 2)
            before = mask(t)
            claim("mask-holds", (before != 0) == (t.sections != 0))
            t.sections = t.sections + 1
        case "unmask":
            when(slice_on("masks"))
            when(t.sections > 0)
            t.sections = t.sections - 1
            if t.sections == 0:
                outcome = unmask(t)
                no_push(t, outcome)
        case "unwound":
            when(slice_on("unwinding"))
            when(t.unwinding == 1)
            t.unwinding = 0
            outcome = unwound(t)
            no_push(t, outcome)
        case "sleep":
            when(slice_on("blocking"))
            block(t)
        case "sleep until something is raised":
            when(slice_on("waking"))
            block(t)
            found = look(t)
            outcome = woken(t)
            claim("sleep-raises", (found & (INTERRUPT | TERMINATE) == 0) | (outcome != GO))
            no_push(t, outcome)
        case "grow the stack":
            when(slice_on("limit"))
            when(t.grown == 0)
            t.grown = 1
            grow_stack(t, 1)
        case "shrink the stack":
            when(slice_on("limit"))
            when(t.grown == 1)
            when(t.end == 0)
            t.grown = 0
            grow_stack(t, 0)
        case "collect":
            when(slice_on("collect"))
            stop_world_from(t)
            critical()
            start_world_from(t)
        case "ask":
            when(slice_on("asking"))
            target = choose(threads())
            handshake_from(t, target)
            finished(target, HANDSHAKE)
        case "collect in a collection":
            when(slice_on("nesting"))
            pause()                                     # so that the thread stands in `critical` even if nothing was stopped
            stop_world_nested(t)
            critical()
            stop_world_nested(t)
            critical()
            start_world_nested(t)
            critical()
            start_world_nested(t)
        case "exit":
            when(slice_on("births"))
            exit_thread(t)
            t.end = 0
            t.sections = 0
            t.unwinding = 0
            if slice_on("records"):
                await_holders(t)
                t.lives = 1 - t.lives
                t.life.store(t.lives)
            start_thread(t)
            claim("born-clean", t.masked | t.ending | t.deferred == 0)
    return mutator(t)


def in_loops(t: Guest) -> None:
    """Guest code of loops and native regions alone: so little that two and three threads are explored in seconds."""
    match choose():
        case "back-edge":
            word = choose(t.entry)
            outcome = back_edge(t, word)
            no_push(t, outcome)
        case "compiled back-edge":
            when(checks_at("compiled back-edge"))
            word = choose(world.code)
            outcome = back_edge(t, word)
            no_push(t, outcome)
        case "native":
            leave(t)
            reenter(t)
    return in_loops(t)


def no_push(t: Guest, outcome: int) -> None:
    """What a site that pushes no frame tells guest code."""
    tell(t, outcome)
    claim("no-fake-overflow", outcome != RAISE_OVERFLOW)
    if outcome != GO:
        raised(t)


def tell(t: Guest, outcome: int) -> None:
    """A site tells guest code to raise what is due there, and nothing else."""
    if outcome == RAISE_INTERRUPT:
        raises(INTERRUPT, t)
        claim("mask-holds", t.sections == 0)
    elif outcome == RAISE_TERMINATE:
        raises(TERMINATE, t)
        if slice_on("unwinding"):
            claim("terminate-once", t.unwinding == 0)
            t.unwinding = 1
    else:
        raises(0, t)


def raised(t: Guest) -> None:
    """Something is raised at a site: it unwinds to the first frame; or a handler runs right there, and is guest code too."""
    if slice_on("handlers"):
        match choose():
            case "unwinds":
                t.end = 0
            case "is handled here":
                t.end = t.end + 0
    else:
        t.end = 0


def coordinator() -> None:
    """Stops the world, and starts it again."""
    stop_world()
    critical()
    start_world()
    return coordinator()


def impatient() -> None:
    """Asks for a stop of the world, and gives up at some time before it is reached."""
    request_stop()
    give_up()
    return impatient()


def critical() -> None:
    """The world is stopped here."""
    pause()


def interrupter() -> None:
    """Control-C, at any time, to any thread."""
    t = choose(threads())
    post(t, INTERRUPT)
    return interrupter()


@handler
def signal_handler(t: Thread) -> None:
    """Control-C by a signal that the thread itself handles, between any two of its steps: until it returns, the thread stands still."""
    pause()
    post(t, INTERRUPT)
    return signal_handler(t)


def finder() -> None:
    """Control-C to a thread that it looks up, and that may end meanwhile."""
    t = choose(threads())
    alive = hold_record(t)
    if alive:
        life = t.life.load()
        post(t, INTERRUPT)
        now = t.life.load()
        claim("posts-reach-their-thread", life == now)
    let_go_of_record(t)
    return finder()


def sampler() -> None:
    """A profiler."""
    t = choose(threads())
    post(t, SAMPLE)
    return sampler()


def terminator() -> None:
    """Ends a thread by unwinding it."""
    t = choose(threads())
    post(t, TERMINATE)
    return terminator()


def handshaker() -> None:
    """Asks for one operation on a thread, and waits until it has been run."""
    t = choose(threads())
    handshake(t)
    finished(t, HANDSHAKE)
    return handshaker()
