"""What a profiled run has sampled: for each thread the stacks, and what the samples of each stack stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

MICROSECONDS, BYTES = "microseconds", "bytes"


class Frame(NamedTuple):
    """A call of a function.  `line`: where the function begins; 0: it is no function."""

    name: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.name} ({self.file}:{self.line})" if self.line else self.name


CUT = Frame("[cut]", "", 0)
"""Stands for the outermost calls of a stack that is deeper than what a sample has room for."""

Stack = tuple[Frame, ...]
"""The calls, outermost first."""


@dataclass(frozen=True)
class Every:
    """How often a thread is sampled: in microseconds of its own CPU time, or in bytes that it allocates; on average.

    `unit`: MICROSECONDS or BYTES.
    """

    amount: int
    unit: str


@dataclass
class Profile:
    """Filled by the machine that runs the program.  All weights are in `every.unit`.

    A sample's weight is what its thread has used since the sample before: CPU time, or memory.
    """

    every: Every
    threads: dict[str, Counter[Stack]] = field(default_factory=dict)  # name -> weight of each stack
    samples: int = 0
    cut: int = 0  # samples whose stack was deeper than a sample has room for
    dropped: int = 0  # samples for which a thread's ring had no room
    lost: int = 0  # … and their weight
    spent: float = 0.0  # seconds of CPU time that asking and draining has taken

    def add(self, thread: str, stacks: Iterable[tuple[Stack, int]]) -> None:
        """Count what a thread of this name has been sampled with: stacks, and the weight of each."""
        counted = self.threads.setdefault(thread, Counter())
        for stack, weight in stacks:
            counted[stack] += weight

    @property
    def weight(self) -> int:
        """Of all samples."""
        return sum(stacks.total() for stacks in self.threads.values())

    def merged(self) -> Counter[tuple[str, ...]]:
        """The weight of each stack, by the names of its calls, outermost first; the first name is the thread's."""
        found: Counter[tuple[str, ...]] = Counter()
        for thread, stacks in self.threads.items():
            for stack, weight in stacks.items():
                found[(thread, *map(str, stack))] += weight
        return found
