"""What the model puts around the protocol: threads that run guest code, and requesters.

Explored only, never compiled.  Each function is an endless role; `mutator` has one copy for each thread.  A scope switches
features on (`slice_on`): the product of all of them is too large, and `scopes` says what is combined.
"""

from __future__ import annotations

from safepoint.protocol.language import choose, claim, pause, slice_on, when
from safepoint.protocol.optional import block, exit_thread, grow_stack, mask, start_thread, stop_world_from, unmask
from safepoint.protocol.owner import leave, reenter
from safepoint.protocol.requester import handshake, post, start_world, stop_world
from safepoint.protocol.trigger import back_edge, frame_push
from safepoint.protocol.words import (
    GO, INTERRUPT, RAISE_OVERFLOW, RAISE_TERMINATE, SAMPLE, TERMINATE, Me, real_limit, threads,
)


def mutator(t: Me) -> None:
    """Guest code: any sequence of calls, returns, back-edges and native regions.  A frame is one unit of stack."""
    match choose():
        case "push":
            outcome = frame_push(t, t.end + 1)
            if outcome == GO:
                t.end = t.end + 1
                claim("no-missed-overflow", t.end <= real_limit(t))
            else:
                if outcome == RAISE_OVERFLOW:
                    claim("no-fake-overflow", t.end == real_limit(t))
                raised(t, outcome)
        case "pop":
            when(t.end > 0)
            t.end = t.end - 1
        case "back-edge":
            word = choose(t.entry)
            outcome = back_edge(t, word)
            if outcome != GO:
                raised(t, outcome)
        case "native":
            leave(t)
            reenter(t)
        case "mask":
            when(slice_on("masks"))
            mask(t)
        case "unmask":
            when(slice_on("masks"))
            when(t.masked | t.ending != 0)
            outcome = unmask(t)
            if outcome != GO:
                raised(t, outcome)
        case "sleep":
            when(slice_on("blocking"))
            block(t)
        case "grow the stack":
            when(slice_on("limit"))
            when(t.extra == 0)
            grow_stack(t, 1)
        case "shrink the stack":
            when(slice_on("limit"))
            when(t.extra == 1)
            when(t.end == 0)
            grow_stack(t, 0)
        case "collect":
            when(slice_on("collect"))
            stop_world_from(t)
            critical()
            start_world()
            reenter(t)
        case "exit":
            when(slice_on("births"))
            exit_thread(t)
            t.end = 0
            start_thread(t)
    return mutator(t)


def raised(t: Me, outcome: int) -> None:
    """Something is raised at a site: it unwinds to the first frame; or a handler runs right there, and is guest code too."""
    if outcome == RAISE_TERMINATE:
        claim("terminate-once", t.ending == TERMINATE)
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


def critical() -> None:
    """The world is stopped here."""
    pause()


def interrupter() -> None:
    """Control-C, at any time, to any thread."""
    t = choose(threads())
    post(t, INTERRUPT)
    return interrupter()


def sampler() -> None:
    """A profiler."""
    t = choose(threads())
    post(t, SAMPLE)
    return sampler()


def terminator() -> None:
    """A debugger that loses patience."""
    t = choose(threads())
    post(t, TERMINATE)
    return terminator()


def handshaker() -> None:
    """Wants one operation run on a thread at a time."""
    t = choose(threads())
    handshake(t)
    return handshaker()
