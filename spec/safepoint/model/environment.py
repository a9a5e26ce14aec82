"""What the model puts around the protocol: threads that run guest code, and those who want something from them.

Explored only, never compiled.  Each function is an endless role; `mutator` has one copy for each thread.
"""

from __future__ import annotations

from safepoint.model.language import choose, claim, pause, when
from safepoint.protocol import (
    GO,
    INTERRUPT,
    RAISE_OVERFLOW,
    Me,
    back_edge,
    frame_push,
    leave,
    post,
    reenter,
    start_world,
    stop_world,
    threads,
)


def mutator(t: Me) -> None:
    """Guest code: any sequence of calls, returns, back-edges and native regions.  A frame is one unit of stack."""
    match choose():
        case "push":
            outcome = frame_push(t, t.end + 1)
            if outcome == GO:
                t.end = t.end + 1
                claim("no-missed-overflow", t.end <= t.limit.real)
            else:
                if outcome == RAISE_OVERFLOW:
                    claim("no-fake-overflow", t.end == t.limit.real)
                t.end = 0                               # nobody catches: unwound to the thread's first frame
        case "pop":
            when(t.end > 0)
            t.end = t.end - 1
        case "back-edge":
            word = choose(t.entry)
            outcome = back_edge(t, word)
            if outcome != GO:
                t.end = 0
        case "native":
            leave(t)
            reenter(t)
    return mutator(t)


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
