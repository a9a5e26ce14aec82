"""THE PROTOCOL, trigger `bits_in_limit`: the limit is a real limit, or it is the request bits: one word, so nothing to order.

A value below BITS is bits; every stack address is above it, so a push fails, and a loop header compares with BITS.
What is masked when it is taken is deferred: put into a word of the owner's, so that the checks pass meanwhile.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, mutant, taken
from safepoint.protocol.owner import slow_path
from safepoint.protocol.sites import push_failed
from safepoint.protocol.words import BITS, GO, Me, Thread, deliverable, real_limit


def frame_push(t: Me, end: int) -> int:
    if end + BITS > t.limit.load():
        return push_failed(t, end)
    return GO


def back_edge(t: Me, word: Trigger) -> int:
    if mutant("checks-at-calls-only", breaks="POISON-EVERY-WORD"):
        return GO
    if t.limit.load() < BITS:                           # POISON-EVERY-WORD: a site for each way to run for ever
        return slow_path(t)
    return GO


def add(t: Thread, kind: int) -> None:
    limit = t.limit.load()
    bits = kind
    if limit < BITS:
        bits = limit | kind
    if mutant("unlocked-post", breaks="POST-IS-LOCKED"):
        t.limit.store(bits)
        return None
    done = t.limit.cas(limit, bits)                     # POST-IS-LOCKED
    if done:
        return None
    return add(t, kind)


def poison(t: Thread) -> None:
    return


def restore(t: Me) -> None:
    return


def take(t: Me) -> int:
    """One exchange restores and takes."""
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        bits = t.limit.load()
    elif mutant("unlocked-take", breaks="TAKE-IS-LOCKED"):
        bits = t.limit.load()
        t.limit.store(real_limit(t) + BITS)
    else:
        bits = t.limit.swap(real_limit(t) + BITS)       # OWNER-RESTORES, TAKE-IS-LOCKED
    if bits >= BITS:
        bits = 0
    bits = bits | t.deferred
    if mutant("masked-taken", breaks="MASKED-STAYS"):
        t.deferred = 0
    else:
        t.deferred = bits & ~deliverable(t)             # MASKED-STAYS
    bits = bits & deliverable(t)
    taken(bits, t)
    return bits


def look(t: Me) -> int:
    bits = t.limit.look()
    if bits >= BITS:
        bits = 0
    return (bits | t.deferred) & deliverable(t)


def drop(t: Me) -> int:
    """One exchange restores and takes, here too; nothing is deferred, since the thread before it has ended."""
    bits = t.limit.swap(real_limit(t) + BITS)           # BIRTH-IS-CLEAN
    if bits >= BITS:
        bits = 0
    return bits
