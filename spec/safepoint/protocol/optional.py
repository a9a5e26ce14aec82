"""THE PROTOCOL: what not every VM needs.

Critical sections, sleeping, stacks that grow, guest threads that stop the world themselves, threads that end and begin.
"""

from __future__ import annotations

from safepoint.protocol.language import dropped, mutant, pause, slice_on, wait
from safepoint.protocol.owner import leave, own_handshake, reenter, slow_path
from safepoint.protocol.requester import start_world, stop_world
from safepoint.protocol.trigger import drop, look, restore
from safepoint.protocol.words import (
    ENDED, EVERYTHING, GO, HANDSHAKE, INTERRUPT, MANAGED, Me, real_limit,
)


def mask(t: Me) -> int:
    """Begin a critical section. Returns the previous mask: non-zero if the section is nested."""
    before = t.masked
    t.masked = INTERRUPT
    return before


def unmask(t: Me) -> int:
    """The end of a critical section, the outermost one: what came meanwhile has lost its poison, so look."""
    t.masked = 0
    if mutant("unmask-unwinds", breaks="TERMINATE-ONCE"):
        t.ending = 0
    if mutant("unmask-forgets", breaks="UNMASK-LOOKS"):
        return GO
    return look_again(t)                                # UNMASK-LOOKS


def unwound(t: Me) -> int:
    """The end of an unwinding by TERMINATE: the next one may be delivered.  It is a check site, as the end of a mask is."""
    t.ending = 0
    if mutant("unwound-forgets", breaks="UNMASK-LOOKS"):
        return GO
    return look_again(t)                                # UNMASK-LOOKS


def look_again(t: Me) -> int:
    bits = look(t)
    if bits != 0:
        return slow_path(t)
    return GO


def block(t: Me) -> None:
    """Sleep until a request is posted: publish that t is about to, look again, and only then sleep."""
    if mutant("looks-too-early", breaks="BLOCK-LOOKS-AGAIN"):
        bits = look(t)
        t.wake.publish(0)
        leave(t)
    elif mutant("block-unfenced", breaks="BLOCK-IS-A-BARRIER"):
        t.wake.store(0)
        leave(t)
        bits = look(t)
    else:
        t.wake.publish(0)                               # BLOCK-IS-A-BARRIER
        leave(t)
        bits = look(t)                                  # BLOCK-LOOKS-AGAIN
    if bits == 0:
        wait(t.wake.load() == 1)
    return reenter(t)


def woken(t: Me) -> int:
    """After a sleep that guest code asked for.  It is a check site: what ended the sleep is raised here, not at the next check."""
    if mutant("wakes-without-a-look", breaks="WAKE-IS-A-SITE"):
        return GO
    return look_again(t)                                # WAKE-IS-A-SITE


def grow_stack(t: Me, extra: int) -> None:
    """The real limit changes; the visible one follows only if it is not poisoned."""
    before = real_limit(t)
    t.extra = extra
    if mutant("limit-blindly", breaks="LIMIT-KEEPS-POISON"):
        t.limit.store(real_limit(t))
    else:
        t.limit.cas(before, real_limit(t))              # LIMIT-KEEPS-POISON


def stop_world_from(t: Me) -> None:
    """A guest thread is the coordinator: it counts as stopped itself, also while it waits for its turn."""
    if mutant("coordinator-stays", breaks="COORDINATOR-IS-OUTSIDE"):
        pause()
    else:
        leave(t)                                        # COORDINATOR-IS-OUTSIDE
    stop_world()


def start_world_from(t: Me) -> None:
    """The end of a stop from a guest thread, which comes back as any other does: another may have stopped the world again."""
    start_world()
    return reenter(t)


def exit_thread(t: Me) -> None:
    """Leave for good: no coordinator waits for t any more, and what is pending is dropped by the next birth."""
    t.masked = 0
    t.ending = 0
    t.deferred = 0
    t.state.store(ENDED)


def start_thread(t: Me) -> None:
    """A thread begins, perhaps in the record of one that has ended: it inherits no request, and enters guest code by `reenter`.

    But a requester may still wait for a handshake on this record. It will not post again, so a HANDSHAKE bit dropped here must
    be served here.
    """
    restore(t)
    if mutant("birth-keeps-bits", breaks="BIRTH-IS-CLEAN"):
        pause()
    else:
        bits = drop(t)                                  # BIRTH-IS-CLEAN
        dropped(t, EVERYTHING & ~HANDSHAKE)
        if mutant("birth-drops-handshake", breaks="BIRTH-OWES-HANDSHAKE"):
            pause()
        elif slice_on("exclusive"):
            reenter(t)                                  # BIRTH-REENTERS, STOP-IS-EXCLUSIVE: what is owed comes after
            if bits & HANDSHAKE:
                own_handshake(t)                        # BIRTH-OWES-HANDSHAKE
            return None
        elif bits & HANDSHAKE:
            own_handshake(t)                            # BIRTH-OWES-HANDSHAKE
    if mutant("born-running", breaks="BIRTH-REENTERS"):
        t.state.swap(MANAGED)
        return None
    return reenter(t)                                   # BIRTH-REENTERS
