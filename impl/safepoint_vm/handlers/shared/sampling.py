"""Samples of a thread: its calls are copied into its ring, at a check that serves SAMPLE, or where it allocates.

By allocation: the limit of the TLAB is lowered to the place of the next sample, so what allocates finds it on the way that is
there anyway.  The distances vary around their mean, or a loop that allocates in step with them would always be met in one place.
"""

# ruff: noqa: ARG001  -- as procedures of the protocol: nothing here waits, so `resume` is ignored

from __future__ import annotations

from safepoint_vm.language.records import Thread
from safepoint_vm.language.samples import CUT, HEAD, Samples
from safepoint_vm.language.vocabulary import Value, Word, below, compare_and_swap, inline, routine
from safepoint_vm.language.words import Link

RANDOM_BITS = 16
"""Of a seed, that a distance is made of."""


@inline
def next_seed(x: Word) -> Word:
    """A xorshift generator (Marsaglia): never 0, unless it began with that."""
    x = x ^ (x << 13)
    x = x ^ ((x >> 7) & ((1 << 57) - 1))
    return x ^ (x << 17)


@inline
def distance(every: Word, seed: Word) -> Word:
    """Uniform from half of `every` up to once and a half of it."""
    return (every >> 1) + ((seed & ((1 << RANDOM_BITS) - 1)) * every >> RANDOM_BITS)


@inline
def smaller(x: Word, y: Word) -> Word:
    if x < y:
        return x
    return y


@inline
def take_sample(thread: Thread, samples: Samples, weight: Word) -> None:
    """Write a sample, or count that the ring has no room for it.  `pc` and `frame` of the thread say where it is."""
    written = samples.written
    most = smaller(samples.drained + samples.mask + 1 - written - HEAD, samples.depth)
    place = written + HEAD
    pc, frame = thread.pc, thread.frame
    count, above, cut = Word(0), Word(1), Word(0)
    while above != 0:
        if count >= most:
            above = Word(0)
            cut = Word(CUT)
        else:
            samples.ring[(place + count) & samples.mask] = Value(Word(pc))
            count = count + 1
            if Word(frame) == samples.first:
                above = Word(0)
            else:
                pc = Link(frame).return_to + -1  # the call
                frame = Link(frame).caller
    if cut != 0 and most < samples.depth:
        samples.dropped = samples.dropped + 1
        samples.lost = samples.lost + weight
    else:
        samples.ring[written & samples.mask] = Value(weight)
        samples.ring[(written + 1) & samples.mask] = Value(count | cut)
        samples.written = place + count


@routine
def serve_sample(thread: Thread, resume: Word) -> Word:
    """A check serves SAMPLE.  Nothing is owed: the request was made by another, or is what was asked of a thread before."""
    if thread.samples != 0:
        samples = Samples(thread.samples)
        asked = samples.asked
        owed = asked - samples.taken
        if owed > 0:
            samples.taken = asked
            take_sample(thread, samples, owed)
    return Word(0)


# ---- behind the limit of the TLAB


@inline
def move_limit(thread: Thread, limit: Word) -> None:
    """As `allocation.set_limit`, whatever the trigger is: LIMIT-KEEPS-POISON."""
    before = thread.heap_limit_real
    thread.heap_limit_real = limit
    compare_and_swap(thread.heap_limit, before, limit)


@inline
def lower_limit(thread: Thread, samples: Samples) -> None:
    """The thread allocates up to the next sample, or to the end of its TLAB."""
    move_limit(thread, thread.heap_top + smaller(samples.due, samples.end - thread.heap_top))


@inline
def count_bytes(thread: Thread, samples: Samples) -> None:
    """What the thread has allocated since is nearer to the next sample."""
    samples.due = samples.due - (thread.heap_top - samples.mark)
    samples.mark = thread.heap_top


@routine
def at_threshold(thread: Thread, resume: Word) -> Word:
    """Take the samples that lie in the next `wanted` bytes, and raise the limit.  Returns 1; 0: the TLAB has no room for them."""
    if thread.samples == 0:
        return Word(0)
    samples = Samples(thread.samples)
    if samples.every == 0 or below(samples.end - thread.heap_top, thread.wanted):
        return Word(0)
    count_bytes(thread, samples)
    weight = Word(0)
    while samples.due < thread.wanted:
        weight = weight + samples.gap
        samples.seed = next_seed(samples.seed)
        samples.gap = distance(samples.every, samples.seed)
        samples.due = samples.due + samples.gap
    if weight != 0:
        take_sample(thread, samples, weight)
    lower_limit(thread, samples)
    return Word(1)


@routine
def begin_tlab(thread: Thread, resume: Word) -> Word:
    """The limit is the end of a new TLAB: lower it to the next sample."""
    if thread.samples != 0:
        samples = Samples(thread.samples)
        if samples.every != 0:
            samples.end = thread.heap_limit_real
            samples.mark = thread.heap_top
            lower_limit(thread, samples)
    return Word(0)


@routine
def end_tlab(thread: Thread, resume: Word) -> Word:
    """The limit is the end of the TLAB again, which the thread gives up."""
    if thread.samples != 0:
        samples = Samples(thread.samples)
        if samples.every != 0:
            count_bytes(thread, samples)
            move_limit(thread, samples.end)
            samples.mark = Word(0)
            samples.end = Word(0)
    return Word(0)
