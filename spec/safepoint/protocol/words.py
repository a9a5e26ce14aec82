"""THE PROTOCOL: its words: what threads share, what only the owner touches, and the values."""

from __future__ import annotations

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Triggers, Word

STOP, HANDSHAKE, INTERRUPT, SAMPLE, TERMINATE = 1, 2, 4, 8, 16      # kinds of request: bits of Thread.pending
EVERYTHING = STOP | HANDSHAKE | INTERRUPT | SAMPLE | TERMINATE
MANAGED, NATIVE, PARKED, ENDED = 0, 1, 2, 3                         # values of Thread.state
NOTHING, ASKED, RUNNING, OWN = 0, 1, 2, 3                           # values of Thread.operation
GO, RAISE_INTERRUPT, RAISE_OVERFLOW, RAISE_TERMINATE = 0, 1, 2, 3   # outcomes: what a check site tells the guest to do
BITS = 32                                                           # trigger bits_in_limit: a limit below this is request bits


class Thread:
    """What any thread may access."""

    limit: Trigger          # a frame push compares the new frame's end with it
    entry: Triggers         # a back-edge is dispatched through it: one for each opcode that jumps backward
    ticker: Trigger         # trigger ticker: every check counts it down
    epoch: Trigger          # trigger epoch: poison: the counter of all has reached this thread's deadline
    page: Trigger           # trigger page: a page that every check loads from; poison: it is protected
    heap_limit: Trigger     # trigger heap_limit: an allocation compares the end of the new object with it
    pending: Word           # requests that the owner has not taken yet (trigger bits_in_limit: bits of the limit instead)
    state: Word             # in guest code, native, parked, or ended
    operation: Word         # a handshake: nothing, asked for, being run by a requester, or by the owner
    holders: Word           # 1: a requester is about to post to it, and its record is not used again (where records are)
    life: Word              # a thread that begins in it changes this (for a model to see)
    parked: Word            # 1: a stop holds it, and the next one waits until it has run (where stops are fair)
    wake: Word              # set by a post, for a thread that blocks


class Me(Thread):
    """What only the owner may access."""

    end: int                # where the newest frame ends
    extra: int              # by how much the stack has grown since the thread began
    masked: int             # kinds that stay pending for now
    ending: int             # TERMINATE once it has been raised: a second one waits until the first has unwound
    budget: Trigger         # trigger limit_and_budget: its real value alone: how much of the budget there is when it is full
    left: int               # trigger limit_and_budget: how many back-edges go on before one looks
    deferred: int           # trigger bits_in_limit: requests that were masked when they were taken


class World:
    stop: Word              # 1: the world is stopped, or about to be
    lock: Word              # one coordinator at a time
    code: Triggers          # compiled code: the jump of each back-edge, which all threads execute; poison: it is overwritten


world: World


def threads() -> Iterable[Thread]:
    """Every thread of the world; a loop over them is unrolled by the model, and is a loop in the machine."""
    raise NotImplementedError


def deliverable(t: Me) -> int:
    return EVERYTHING & ~(t.masked | t.ending)          # MASKED-STAYS


def real_limit(t: Me) -> int:
    return t.limit.real + t.extra
