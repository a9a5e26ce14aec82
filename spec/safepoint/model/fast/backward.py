"""What must happen in the end, decided over numpy arrays: as `eventually`, whose goals these are, for states by the million.

The states of a search of `arrays` are numbered in the order in which they were found, and every move is an edge between two
numbers.  From the states where a goal holds the edges are walked backwards, a whole front at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safepoint.model.fast.search import Moves, Reached, Table, chunks
from safepoint.model.fast.table import Numbered, Positions, join, lanes_for, unpack
from safepoint.model.system import Model


@dataclass(frozen=True)
class Backwards:
    """The states of a search, and of each those that lead to it: `before[first[i] : first[i + 1]]` are those before state i."""

    states: list[int]
    first: Positions
    before: NDArray[np.int32]

    def leading_to(self, good: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Those from which one of the good ones can be reached, and these themselves."""
        good = good.copy()
        front = np.flatnonzero(good)
        while len(front):
            many = self.first[front + 1] - self.first[front]
            ends = np.cumsum(many)
            edges = np.repeat(self.first[front] - ends + many, many) + np.arange(ends[-1])
            before = self.before[edges]
            front = np.unique(before[~good[before]])
            good[front] = True
        return good


class Found:
    """All states of a search, numbered: `reached` must be all that it found, with nothing broken."""

    def __init__(self, model: Model, reached: Reached) -> None:
        self.lanes = lanes_for(model.bits)
        self.packed, self.known = join(reached.levels, self.lanes), Numbered(self.lanes)
        self.known.add(self.packed)
        self.states = unpack(self.packed)


def backwards(found: Found, processes: Sequence[Moves]) -> Backwards:
    """The moves of these processes."""
    table = Table(processes, found.lanes)
    sources, targets, at = [], [], 0
    for chunk in chunks(found.packed):
        made = table.expand(chunk)
        numbers, new = found.known.number(made.states)
        assert not len(new), "a state was not found by the search"
        ends = made.ends[:, -1]
        sources.append(np.repeat(np.arange(at, at + len(ends), dtype=np.int32), np.diff(ends, prepend=0)))
        targets.append(numbers)
        at += len(ends)
    target = np.concatenate(targets)
    order = np.argsort(target, kind="stable")
    first = np.searchsorted(target[order], np.arange(at + 1))
    return Backwards(found.states, first, np.concatenate(sources)[order])


def always_possible(found: Found, processes: Sequence[Moves], goals: Sequence[Callable[[int], bool]]) -> bool:
    """Can every goal be reached from every state, by these processes' moves?"""
    graph = backwards(found, processes)
    asked = (np.fromiter(map(goal, graph.states), np.bool_, len(graph.states)) for goal in goals)
    return all(graph.leading_to(good).all() for good in asked)
