"""Trigger of a VM with compiled code: a requester overwrites the jumps of its loops, once for all threads. A loop has no instruction more.

The stack limit and the dispatch table are each thread's own, as under `limit_and_table`: calls compare with the one, interpreted loops
are dispatched through the other. The back-edge of a compiled loop is a direct jump, one aligned word of code that all threads execute:
real, it leads to the head of the loop; whatever else it holds, to the slow path. The others come there for nothing, which is allowed.

So not only its owner restores it. Who makes it real again must know that no other thread is asked for something, and a request may come
between the look and the store: therefore it claims the word first, with a value that only it writes, looks, and puts the jump back only
if its claim still stands. A requester poisons the limit first, which is what is looked at, and then overwrites whatever stands in the code.

What is not put back now, any thread puts back at its next visit: a word that is patched leads there.

A thread outside guest code is not looked at: it may stay there for long, with its poison not served, and all others would be slow as long.
When it comes back, it looks at its own limit, after it has published that it is back, and overwrites the code again if that is poisoned.

Rules, beside the protocol's own:
LIMIT-BEFORE-CODE: a requester poisons the target's limit before it overwrites the code.
CODE-IS-CLAIMED: who puts a jump back has claimed it with a value of its own, has looked after that, and does nothing if its claim is gone.
ALL-ARE-LOOKED-AT: a jump is put back only if no thread in guest code has a poisoned limit.
CLAIM-IS-NOT-KEPT: a claim that was left behind can be claimed by any thread.
OUTSIDE-IS-LET-GO: a thread outside guest code keeps no jump from being put back.
BACK-LOOKS-AT-LIMIT: a thread that comes back to guest code, and whose limit is poisoned, overwrites the code again.
"""

from __future__ import annotations

from safepoint.protocol.language import Trigger, mutant
from safepoint.protocol.owner import drop_pending, look_pending, slow_path, take_pending
from safepoint.protocol.requester import add_pending
from safepoint.protocol.sites import push_failed
from safepoint.protocol.words import GO, MANAGED, Me, Thread, real_limit, threads, world

CLAIM = 2                   # of the first thread; neither poison, which is 0, nor real, which is 1


def frame_push(t: Me, end: int) -> int:
    """One comparison asks both: is there room, and is there a request?"""
    if end > t.limit.load():
        return push_failed(t, end)
    return GO


def back_edge(t: Me, word: Trigger) -> int:
    """Interpreted: the dispatch itself. Compiled: the jump itself. Nothing is added to either."""
    if word.load() != word.real:
        return slow_path(t)
    return GO


def add(t: Thread, kind: int) -> None:
    return add_pending(t, kind)


def poison(t: Thread) -> None:
    """t's own words, of which the limit says that the code must stay overwritten; then the code."""
    if mutant("code-first", breaks="LIMIT-BEFORE-CODE"):
        overwrite()
        t.limit.publish(t.limit.poison)
        return overwrite_table(t)
    t.limit.publish(t.limit.poison)                     # LIMIT-BEFORE-CODE
    if mutant("table-forgotten", breaks="POISON-EVERY-WORD"):
        return overwrite()
    overwrite_table(t)                                  # POISON-EVERY-WORD
    if mutant("code-forgotten", breaks="POISON-EVERY-WORD"):
        return
    return overwrite()                                  # POISON-EVERY-WORD


def overwrite_table(t: Thread) -> None:
    for word in t.entry:
        word.store(word.poison)


def overwrite() -> None:
    """The jump of every compiled back-edge leads to the slow path, whichever thread may have claimed it."""
    for word in world.code:
        if mutant("claim-respected", breaks="CODE-IS-CLAIMED"):
            word.cas(word.real, word.poison)
        elif mutant("overwritten-by-a-store", breaks="CODE-IS-CLAIMED"):
            word.store(word.poison)
        else:
            word.swap(word.poison)                      # CODE-IS-CLAIMED: a claim that stands there is gone


def restore(t: Me) -> None:
    if mutant("never-restored", breaks="OWNER-RESTORES"):
        return
    t.limit.store(real_limit(t))                        # OWNER-RESTORES
    for word in t.entry:
        word.store(word.real)
    if mutant("code-stays-overwritten", breaks="OWNER-RESTORES"):
        return
    for word in world.code:
        put_back(t, word)


def put_back(t: Me, word: Trigger) -> None:
    """The jump leads to the head of its loop again, unless a thread in guest code has been asked for something."""
    now = word.load()
    if now == word.real:
        return
    if mutant("claimed-only-if-overwritten", breaks="CLAIM-IS-NOT-KEPT"):
        now = word.poison
    mine = claim_of(t)
    if mutant("one-claim-for-all", breaks="CODE-IS-CLAIMED"):
        mine = CLAIM
    if mutant("claims-with-what-stands-there", breaks="CODE-IS-CLAIMED"):
        mine = now
    claimed = word.cas(now, mine)                       # CODE-IS-CLAIMED, CLAIM-IS-NOT-KEPT: whatever stands there
    if claimed:
        if mutant("looks-at-none", breaks="ALL-ARE-LOOKED-AT"):
            word.cas(mine, word.real)
            return
        for each in threads():                          # ALL-ARE-LOOKED-AT: t itself, too
            limit = each.limit.load()
            if limit == each.limit.poison:
                if mutant("asks-those-outside", breaks="OUTSIDE-IS-LET-GO"):
                    return
                state = each.state.look()
                if state == MANAGED:                    # OUTSIDE-IS-LET-GO
                    return
        if mutant("put-back-by-a-store", breaks="CODE-IS-CLAIMED"):
            word.store(word.real)
        else:
            word.cas(mine, word.real)                   # CODE-IS-CLAIMED: only if no requester has come meanwhile


def claim_of(t: Me) -> int:
    """A value that only t writes: in a VM its number, in the bytes of the word behind the jump."""
    mine = CLAIM
    for each in threads():
        if each is t:
            return mine
        mine = mine + 1
    return mine


def came_back(t: Me) -> None:
    if mutant("comes-back-blindly", breaks="BACK-LOOKS-AT-LIMIT"):
        return
    limit = t.limit.look()
    if limit == t.limit.poison:                         # BACK-LOOKS-AT-LIMIT
        overwrite()


def take(t: Me) -> int:
    return take_pending(t)


def look(t: Me) -> int:
    return look_pending(t)


def drop(t: Me) -> int:
    return drop_pending(t)
