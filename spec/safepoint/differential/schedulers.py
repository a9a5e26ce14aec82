"""Who goes on at each choice point: replayed, drawn, by random priorities, or every way up to a number of preemptions.

A *move* is the number of the actor that goes on; -1 - n: the oldest store of actor n reaches memory.  `default`: the one that
went on until now if it can, else the first that can.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Choices = tuple[tuple[int, int], ...]
"""Choice point and move, where it is not the default: a whole schedule."""


class Scheduler(Protocol):
    """Decides one run."""

    def choose(self, point: int, moves: Sequence[int], default: int, *, preempts: bool) -> int:
        """One of `moves`, at choice point number `point`.  preempts: another than the default would preempt it."""
        ...


@dataclass
class Replay:
    """These choices, and the default everywhere else.  missed: choice points whose choice could not be made -> the moves that could."""

    choices: Mapping[int, int]
    missed: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def choose(self, point: int, moves: Sequence[int], default: int, *, preempts: bool) -> int:
        move = self.choices.get(point, default)
        if move not in moves:
            self.missed[point] = tuple(moves)
            return default
        return move


@dataclass
class Drawn:
    """After n points that leave a choice, one of the others: what hypothesis draws, and shrinks.

    A pair is (points that are passed by, which of the others, counted round).
    """

    pairs: Sequence[tuple[int, int]]
    _left: int = -1
    _next: int = 0

    def choose(self, point: int, moves: Sequence[int], default: int, *, preempts: bool) -> int:
        if self._next >= len(self.pairs) or len(moves) < 2:
            return default
        wait, which = self.pairs[self._next]
        if self._left < 0:
            self._left = wait
        self._left -= 1
        if self._left >= 0:
            return default
        self._next += 1
        others = [move for move in moves if move != default]
        return others[which % len(others)]


class Pct:
    """Probabilistic concurrency testing: random priorities, lowered at `depth - 1` random points of `length`.

    Finds a mistake of that depth with probability of at least `bound`.  Burckhardt, Kothari, Musuvathi, Nagarakatte: A randomized
    scheduler with probabilistic guarantees of finding bugs, ASPLOS 2010.
    """

    def __init__(self, rng: random.Random, length: int, depth: int) -> None:
        self._rng = rng
        points = rng.sample(range(max(length, depth)), depth - 1)
        self._changes = {point: -1 - number for number, point in enumerate(points)}
        self._priorities: dict[int, float] = {}

    def choose(self, point: int, moves: Sequence[int], default: int, *, preempts: bool) -> int:
        priorities = self._priorities
        for move in moves:
            if move not in priorities:
                priorities[move] = self._rng.random()
        best = max(moves, key=priorities.__getitem__)
        if point in self._changes:
            priorities[best] = self._changes[point]
            best = max(moves, key=priorities.__getitem__)
        return best


def pct_bound(actors: int, length: int, depth: int) -> float:
    """The probability with which one run by `Pct` finds a mistake of that depth, at least."""
    return 1.0 / (actors * float(length) ** (depth - 1))


@dataclass
class _Point:
    """moves: in the order in which they are tried.  preempts: each but the first does.  before: preemptions up to here."""

    moves: list[int]
    preempts: bool
    before: int
    at: int = 0

    @property
    def cost(self) -> int:
        """Of the move that is being tried: none for the default; a store that reaches memory by choice counts, too."""
        return int(self.at > 0 and (self.preempts or self.moves[self.at] < 0))


@dataclass
class Exhaustive:
    """Every schedule with at most `preemptions` preemptions, one a run; iterate, and let each run use this scheduler.

    Musuvathi and Qadeer: Iterative context bounding for systematic testing of multithreaded programs, PLDI 2007.  A store that
    reaches memory by choice counts as a preemption.  finished: there is none left.  longest: choice points of the longest run.
    """

    preemptions: int
    most: int
    runs: int = 0
    finished: bool = False
    longest: int = 1
    _path: list[_Point] = field(default_factory=list)
    _reached: int = 0

    def __iter__(self) -> Iterator[Exhaustive]:
        while self.runs < self.most and not self.finished:
            self._reached = 0
            yield self
            self.runs += 1
            self._advance()

    def _advance(self) -> None:
        self.longest = max(self.longest, self._reached)
        del self._path[self._reached :]  # a run that repeats itself is no shorter
        while self._path:
            last = self._path[-1]
            last.at += 1
            while last.at < len(last.moves) and last.before + last.cost > self.preemptions:
                last.at += 1
            if last.at < len(last.moves):
                return
            self._path.pop()
        self.finished = True

    def choose(self, point: int, moves: Sequence[int], default: int, *, preempts: bool) -> int:
        if point == len(self._path):
            before = 0
            if self._path:
                last = self._path[-1]
                before = last.before + last.cost
            self._path.append(_Point([default, *(m for m in moves if m != default)], preempts, before))
        self._reached = point + 1
        known = self._path[point]
        return known.moves[known.at]
