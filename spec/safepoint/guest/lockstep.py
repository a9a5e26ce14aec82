"""The scheduler of a world in lockstep: one guest thread at a time, in a fixed order, in virtual time.

Both machines use it, so their schedules cannot differ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

THREADS = 64
"""Most guest threads at once, the first included."""

MAIN = 0
"""The record number of the first thread; the numbers in names such as `Thread-1` are counted apart."""

QUANTUM = 1000
"""Instructions that a thread executes before the next thread's turn."""


@dataclass
class Turns:
    """Round robin: a thread runs until it blocks, ends, or has executed `quantum` instructions; then the next by number."""

    quantum: int = QUANTUM
    current: int = MAIN
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.quantum

    def order(self, count: int) -> Iterator[tuple[int, int]]:
        """Yield (number, most instructions) for `count` threads, in the order in which they may run next."""
        first = self.current if self.left else self.current + 1
        yield first % count, self.left or self.quantum
        for i in range(1, count):
            yield (first + i) % count, self.quantum

    def executed(self, number: int, instructions: int = 1) -> None:
        """Record that a thread has executed this many instructions."""
        if number != self.current or not self.left:
            self.current, self.left = number, self.quantum
        self.left -= instructions


class Lockstep(ABC):
    """Runs the threads of a world, one at a time and always in the same order.

    Time is virtual: an instruction takes a microsecond; when every thread sleeps or waits, the clock jumps to the end of the
    first sleep.
    """

    def __init__(self, quantum: int = QUANTUM) -> None:
        self.turns = Turns(quantum)
        self.clock: float = 0  # microseconds

    @property
    @abstractmethod
    def population(self) -> int:
        """The number of threads, ended ones included."""

    @abstractmethod
    def advance(self, number: int, most: int) -> int:
        """Execute up to `most` instructions of a thread.  Returns how many; 0: it has ended, or is blocked."""

    @property
    @abstractmethod
    def moves(self) -> int:
        """Grows whenever a thread makes progress without executing an instruction: another may be waiting for that."""

    @abstractmethod
    def alarms(self) -> Iterable[float]:
        """The times at which sleeping threads wake, in microseconds."""

    def step(self, most: int = 1) -> int:
        """Execute up to `most` instructions of the thread whose turn it is.  Returns how many; 0: no thread can run."""
        while True:
            moves = self.moves
            for number, left in self.turns.order(self.population):
                if done := self.advance(number, min(most, left)):
                    self.turns.executed(number, done)
                    self.clock += done
                    return done
            if self.moves != moves:
                continue
            later = [until for until in self.alarms() if until > self.clock]
            if not later:
                return 0
            self.clock = min(later)
