"""What the loops on real cores share: random numbers, pauses, and what another core has counted.  In the handler language."""

from __future__ import annotations

from safepoint_vm.cores.primitives import clock, give_way, peek, relax
from safepoint_vm.cores.tally import CHECKS
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Word, inline

FRAMES, BACK_EDGES, ELSEWHERE = (fields(Thread)[name].offset for name in CHECKS)


@inline
def number_from(seed: Word) -> Word:
    return seed * 6364136223846793005 + 1442695040888963407


@inline
def linger(cycles: Word) -> None:
    began = clock()
    while clock() - began < cycles:
        relax()


@inline
def wait_a_turn(turns: Word, often: Word) -> None:
    """`often`: n - 1, n a power of two; in one of n turns the core is offered to others."""
    relax()
    if turns & often == often:
        give_way()


@inline
def frames_of(thread: Thread) -> Word:
    """Checks of frame pushes that it has executed: a word that only guest code changes."""
    return peek(Word(thread) + FRAMES)


@inline
def back_edges_of(thread: Thread) -> Word:
    """… and of back-edges."""
    return peek(Word(thread) + BACK_EDGES)


@inline
def elsewhere_of(thread: Thread) -> Word:
    """… and of returns or allocations, where its policy checks there."""
    return peek(Word(thread) + ELSEWHERE)


@inline
def checks_of(thread: Thread) -> Word:
    """Checks that it has executed."""
    return frames_of(thread) + back_edges_of(thread) + elsewhere_of(thread)
