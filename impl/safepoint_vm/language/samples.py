"""What a profiled thread keeps, and how a sample lies in memory.

A sample is words of a ring: its weight; how many calls there are, CUT if there were more; and of each call the address of its
current instruction, innermost first.  The instruction names the function.
"""

from __future__ import annotations

from typing import Annotated

from safepoint_vm.language.vocabulary import Array, Line, Published, Shared, Struct, Word

HEAD = 2
"""Words of a sample before its calls."""
CUT = 1 << 32


class Samples(Struct):
    """The ring of a thread: its owner writes, the host drains.  Positions count words for good; `mask` makes an index of one."""

    ring: Array
    mask: Word  # words of the ring less one: they are a power of two
    depth: Word  # calls of a sample, at most
    first: Word  # the frame of the outermost call
    written: Annotated[Word, Shared, Published]  # position up to which the owner has written
    dropped: Annotated[Word, Shared]  # samples for which there was no room
    lost: Annotated[Word, Shared]  # … and their weight
    taken: Word  # of `asked`, what samples stand for
    every: Word  # bytes from sample to sample, on average; 0: allocation is not sampled
    due: Word  # bytes from `mark` to the next sample
    mark: Word  # where the bytes begin that `due` does not know of
    end: Word  # where the TLAB ends; its limit may be that of a sample
    gap: Word  # bytes between the last sample and the next
    seed: Word  # of the distances between samples
    drained: Annotated[Word, Shared, Line]  # position up to which the host has drained
    asked: Annotated[Word, Shared]  # nanoseconds of CPU time for which samples were asked; the ticker's
    clock: Annotated[Word, Shared]  # of the CPU time of its OS thread, for the system; 0: it has none yet, or has ended


class Ticker(Struct):
    """Asks the threads of a world for samples.  Times in nanoseconds."""

    world: Word
    every: Word  # from tick to tick, on average
    least: Word  # CPU time that a thread must have used since it was asked; 0: no thread is asked
    ticks: Word  # … before the rings are to be drained
    due: Word  # when the last tick was to be, on the system's monotonic clock
    seed: Word  # of the distances between ticks
    over: Annotated[Word, Shared, Line]  # 1: the ticker is to end
