"""Litmus tests as machine code: two loops on two cores, which meet at a barrier, race once, meet again, and tally the outcome.

What races is the protocol's compiled procedures, one on each side: their accesses and memory orders are the text's, and cannot
drift from it.  The right side puts all words back before each round, so that the left side's first stores miss its cache, and
stay in its store buffer for long.  Each round begins with both cores at the barrier: so rounds count, not time, and a busy machine
makes a test slow, not blind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safepoint.guest.code import BACK_EDGES
from safepoint.protocol.words import MANAGED, NATIVE, NOTHING, SAMPLE
from safepoint_vm.cores.litmus.meet import Meet, sides
from safepoint_vm.cores.primitives import (
    block,
    exit_thread,
    handshake,
    peek,
    poison,
    post,
    reenter,
    slow_path,
    stop_world,
    ticker_back_edge,
    ticker_post,
)
from safepoint_vm.generate.triggers import NUMBERS
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import SERVED, Thread, World
from safepoint_vm.language.vocabulary import Word, inline, swap

PERIOD = 3
"""Of the ticker: the greatest that the model explores is 4."""
ARRIVED, GUEST, DURING, FIRST, SECOND = (
    fields(Meet)[name].offset for name in ("arrived", "guest", "during", "first", "second")
)
PENDING, LIMIT, TABLE, SERVED_ROW = (fields(Thread)[name].offset for name in ("pending", "limit", "table", "served"))
FIRST_ENTRY, LAST_ENTRY = (8 * NUMBERS[name] + TABLE for name in (BACK_EDGES[0], BACK_EDGES[-1]))
SAMPLES = SERVED_ROW + 8 * SERVED[SAMPLE]


@inline
def samples(thread: Thread) -> Word:
    return peek(Word(thread) + SAMPLES)


@inline
def truth(x: bool) -> Word:
    if x:
        return Word(1)
    return Word(0)


@inline
def poisoned_words(thread: Thread) -> Word:
    """2: the limit and the entries of the first and the last back-edge are poisoned; 0: none of these is; 1: some."""
    limit, first, last = (
        truth(peek(Word(thread) + LIMIT) == thread.limit_poison),
        truth(peek(Word(thread) + FIRST_ENTRY) == thread.entry_poison),
        truth(peek(Word(thread) + LAST_ENTRY) == thread.entry_poison),
    )
    total = limit + first + last
    if total == 3:
        return Word(2)
    if total == 0:
        return Word(0)
    return Word(1)


@inline
def outside(meet: Meet) -> None:
    """The thread is in a native region, the world runs, and nothing is asked for."""
    thread, world = meet.thread, World(meet.world)
    thread.pending = Word(0)
    thread.operation = Word(NOTHING)
    thread.state = Word(NATIVE)
    world.stop = Word(0)
    world.lock = Word(0)
    meet.guest = Word(0)
    meet.during = Word(0)


@inline
def inside(meet: Meet) -> None:
    outside(meet)
    meet.thread.state = Word(MANAGED)


# ---- store buffering: what the machine does with the text's plain accesses


@inline
def buffering_reset(meet: Meet) -> None:
    meet.first = Word(0)
    meet.second = Word(0)


@inline
def buffering_left(meet: Meet) -> Word:
    if meet.fenced != 0:
        swap(meet.first, 1)
    else:
        meet.first = Word(1)
    return peek(Word(meet) + SECOND)


@inline
def buffering_right(meet: Meet) -> Word:
    if meet.fenced != 0:
        swap(meet.second, 1)
    else:
        meet.second = Word(1)
    return peek(Word(meet) + FIRST)


@inline
def buffering_outcome(meet: Meet) -> Word:
    """0: both saw; 1, 2: one of them; 3: neither."""
    return 3 - (meet.left + meet.right * 2)


# ---- restore against post


@inline
def restore_reset(meet: Meet) -> None:
    """Poisoned without a request: the slow path restores, and takes what is there by then."""
    inside(meet)
    poison(meet.thread, 0)


@inline
def restore_left(meet: Meet) -> Word:
    before = samples(meet.thread)
    slow_path(meet.thread, 0)
    return samples(meet.thread) - before


@inline
def restore_right(meet: Meet) -> Word:
    post(meet.thread, SAMPLE, 0)
    return Word(0)


@inline
def restore_outcome(meet: Meet) -> Word:
    thread = meet.thread
    pending, poisoned = peek(Word(thread) + PENDING) & SAMPLE, poisoned_words(thread)
    if meet.left != 0 and pending == 0:
        return truth(poisoned != 0)
    if meet.left == 0 and pending != 0:
        if poisoned == 2:
            return Word(2)
        return Word(3)
    if meet.left == 0:
        return Word(4)
    return Word(5)


# ---- native exit against stop


@inline
def exit_left(meet: Meet) -> Word:
    return truth(reenter(meet.thread, 0) == 0)


@inline
def exit_right(meet: Meet) -> Word:
    return truth(stop_world(World(meet.world), 0) == 0)


@inline
def exit_outcome(meet: Meet) -> Word:
    """0: entered, and the stop waits; 1: parked and stopped; 2: parked, and the stop waits; 3: entered and stopped."""
    if meet.left != 0:
        return truth(meet.right != 0) * 3
    return 2 - meet.right


# ---- claim against return


@inline
def claim_left(meet: Meet) -> Word:
    entered = truth(reenter(meet.thread, 0) == 0)
    if entered != 0:
        meet.guest = Word(1)
    return entered


@inline
def claim_right(meet: Meet) -> Word:
    return truth(handshake(meet.thread, 0) == 0)


@inline
def claim_outcome(meet: Meet) -> Word:
    """0: entered, and owes the operation; 1: run, then entered; 2: run, and the return waited; 3: run while in guest code.

    4: neither has gone on: the requester has given its claim back, and the return waited meanwhile.
    """
    if peek(Word(meet) + DURING) != 0:
        return Word(3)
    if meet.right != 0:
        return 2 - meet.left
    if meet.left != 0:
        return Word(0)
    return Word(4)


# ---- block against wake


@inline
def block_left(meet: Meet) -> Word:
    """The status with which it sleeps; 0: it has found the request, or was woken at once."""
    return block(meet.thread, 0)


@inline
def block_outcome(meet: Meet) -> Word:
    """0: found it, and did not sleep; 1: slept, and was woken; 2: sleeps with a request pending."""
    if meet.left == 0:
        return Word(0)
    return 1 + truth(block(meet.thread, meet.left) != 0)


# ---- exit against count


@inline
def end_left(meet: Meet) -> Word:
    meet.guest = Word(1)
    exit_thread(meet.thread, 0)
    return Word(0)


@inline
def end_right(meet: Meet) -> Word:
    """1: the stop waits; else stopped: 0 with the guest's last step seen, 2 without."""
    if stop_world(World(meet.world), 0) != 0:
        return Word(1)
    return 2 - peek(Word(meet) + GUEST) * 2


@inline
def end_outcome(meet: Meet) -> Word:
    return meet.right


# ---- ticker decrement against post


@inline
def ticker_reset(meet: Meet) -> None:
    inside(meet)
    meet.thread.ticker = 1 + (peek(Word(meet) + ARRIVED) >> 2 & 1)


@inline
def ticker_left(meet: Meet) -> Word:
    before = samples(meet.thread)
    ticker_back_edge(meet.thread, 0)
    return samples(meet.thread) - before


@inline
def ticker_right(meet: Meet) -> Word:
    ticker_post(meet.thread, SAMPLE, 0)
    return Word(0)


@inline
def ticker_outcome(meet: Meet) -> Word:
    """0: seen by this check or the next; 1: the poison was overwritten, and seen within the period; 2: not within it."""
    if meet.left != 0:
        return Word(0)
    before, checks = samples(meet.thread), Word(0)
    while samples(meet.thread) == before and checks <= PERIOD:
        ticker_back_edge(meet.thread, 0)
        checks = checks + 1
    if checks <= 1:
        return Word(0)
    return 1 + truth(samples(meet.thread) == before)


LITMUS_LOOPS: tuple[Callable[..., Any], ...] = (
    *sides("buffering", buffering_reset, buffering_left, buffering_right, buffering_outcome),
    *sides("restore", restore_reset, restore_left, restore_right, restore_outcome),
    *sides("native", outside, exit_left, exit_right, exit_outcome),
    *sides("claim", outside, claim_left, claim_right, claim_outcome),
    *sides("block", inside, block_left, restore_right, block_outcome),
    *sides("end", inside, end_left, end_right, end_outcome),
    *sides("ticker", ticker_reset, ticker_left, ticker_right, ticker_outcome),
)
