"""THE PROTOCOL: who asks, further: a coordinator that gives up or nests, a guest thread, a requester that looks a thread up."""

from __future__ import annotations

from safepoint.protocol.language import mutant, wait
from safepoint.protocol.optional import start_world_from, stop_world_from
from safepoint.protocol.owner import leave, reenter
from safepoint.protocol.requester import handshake, start_world
from safepoint.protocol.words import ENDED, STOP, Me, Thread, threads, world


class Coordinator(Me):
    """A guest thread that stops the world."""

    stops: int              # stops that it holds, one inside the other


def give_up() -> None:
    """After `request_stop`: the threads took too long.  Those that have parked go on, and a STOP that is pending stops nothing."""
    if mutant("gives-up-half", breaks="GIVING-UP-STARTS"):
        world.lock.store(0)
    elif mutant("takes-posts-back", breaks="GIVING-UP-STARTS"):
        for t in threads():
            t.pending.fetch_and(~STOP)
        start_world()
    else:
        start_world()                                   # GIVING-UP-STARTS


def stop_world_nested(t: Coordinator) -> None:
    """Stop the world, or find it stopped by t itself."""
    outermost = t.stops == 0                            # STOPS-ARE-COUNTED
    if mutant("stops-twice", breaks="STOPS-ARE-COUNTED"):
        outermost = True
    if outermost:
        stop_world_from(t)
    t.stops = t.stops + 1


def start_world_nested(t: Coordinator) -> None:
    """The outermost one starts it."""
    t.stops = t.stops - 1
    outermost = t.stops == 0                            # STOPS-ARE-COUNTED
    if mutant("inner-starts", breaks="STOPS-ARE-COUNTED"):
        outermost = True
    if outermost:
        start_world_from(t)


def handshake_from(t: Me, target: Thread) -> None:
    """A guest thread asks for an operation on another, or on itself: meanwhile it is as good as stopped, and answers too."""
    if mutant("asker-stays", breaks="ASKER-IS-OUTSIDE"):
        return handshake(target)
    leave(t)                                            # ASKER-IS-OUTSIDE
    handshake(target)
    return reenter(t)


# ---------------------------------------------------------------------------------------------- a thread that may end


def hold_record(t: Thread) -> bool:
    """From here on t's record is t's, if t is alive; one bit stands for a count of requesters, or for a hazard pointer of each."""
    if mutant("held-too-late", breaks="RECORD-IS-HELD"):
        state = t.state.load()
        t.holders.fetch_or(1)
    else:
        t.holders.fetch_or(1)                           # RECORD-IS-HELD: then it looks
        state = t.state.load()
    return state != ENDED


def let_go_of_record(t: Thread) -> None:
    t.holders.fetch_and(0)


def await_holders(t: Thread) -> None:
    """The record of a thread that has ended may be used again when no requester that saw it alive is still busy with it."""
    if mutant("reused-at-once", breaks="RECORD-IS-HELD"):
        return
    if mutant("reused-unfenced", breaks="END-IS-A-BARRIER"):
        wait(t.holders.load() == 0)
    else:
        wait(t.holders.cas(0, 0))                       # RECORD-IS-HELD, END-IS-A-BARRIER: locked, so ENDED is visible
