"""Whose turn it is: the threads of a world one at a time, always in the same order, in virtual time.

Both machines use it, so that they cannot differ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

THREADS = 64
"""How many guest threads there may be at once, the first included."""

MAIN = 0
"""The number of the first thread; `Thread-1` and its like have their own."""

QUANTUM = 1000
"""Instructions that a thread executes before the next one's turn."""


@dataclass
class Turns:
    """Round robin: a thread runs until it blocks, ends, or has executed `quantum` instructions; then the next by number."""

    quantum: int = QUANTUM
    current: int = MAIN
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.quantum

    def order(self, count: int) -> Iterator[tuple[int, int]]:
        """Who is asked whether it can execute an instruction, of `count` threads, by number from 0; and up to how many."""
        first = self.current if self.left else self.current + 1
        yield first % count, self.left or self.quantum
        for i in range(1, count):
            yield (first + i) % count, self.quantum

    def went(self, number: int, instructions: int = 1) -> None:
        """It has executed so many."""
        if number != self.current or not self.left:
            self.current, self.left = number, self.quantum
        self.left -= instructions


class Lockstep(ABC):
    """The threads of a world, one at a time, and always in the same order.

    Time is virtual: an instruction takes a microsecond, and when everybody sleeps or waits, the clock is put forward to the
    end of the first sleep.
    """

    def __init__(self, quantum: int = QUANTUM) -> None:
        self.turns = Turns(quantum)
        self.clock: float = 0  # microseconds

    @property
    @abstractmethod
    def population(self) -> int:
        """How many threads there are, the ended ones included."""

    @abstractmethod
    def advance(self, number: int, most: int) -> int:
        """Execute up to so many instructions of a thread; how many it was.  0: it has ended, or it waits."""

    @property
    @abstractmethod
    def moves(self) -> int:
        """Grows whenever a thread gets further without executing an instruction: another one may wait for just that."""

    @abstractmethod
    def alarms(self) -> Iterable[float]:
        """When the sleeps end of those who sleep."""

    def step(self, most: int = 1) -> int:
        """Execute up to so many instructions of whose turn it is.  0: nobody can; all have ended, or wait for each other."""
        while True:
            moves = self.moves
            for number, left in self.turns.order(self.population):
                if done := self.advance(number, min(most, left)):
                    self.turns.went(number, done)
                    self.clock += done
                    return done
            if self.moves != moves:
                continue
            later = [until for until in self.alarms() if until > self.clock]
            if not later:
                return 0
            self.clock = min(later)
