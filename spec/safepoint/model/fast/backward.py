"""What must happen in the end, decided over numpy arrays: as `eventually`, whose goals these are, for states by the million.

The states of a search of `arrays` are numbered in the order in which they were found, and every move is an edge between two
numbers.  From the states where a goal holds the edges are walked backwards, a whole front at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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


def backwards(model: Model, reached: Reached, processes: Sequence[Moves] = ()) -> Backwards:
    """The moves of a whole search, or those of `processes`: `reached` must be all that it found, with nothing broken."""
    lanes = lanes_for(model.bits)
    states, known, table = join(reached.levels, lanes), Numbered(lanes), Table(processes or model.processes, lanes)
    known.add(states)
    sources, targets, at = [], [], 0
    for chunk in chunks(states):
        made = table.expand(chunk)
        numbers, new = known.number(made.states)
        assert not len(new), "a state was not found by the search"
        ends = made.ends[:, -1]
        sources.append(np.repeat(np.arange(at, at + len(ends), dtype=np.int32), np.diff(ends, prepend=0)))
        targets.append(numbers)
        at += len(ends)
    target = np.concatenate(targets)
    order = np.argsort(target, kind="stable")
    first = np.searchsorted(target[order], np.arange(at + 1))
    return Backwards(unpack(states), first, np.concatenate(sources)[order])


def always_possible(
    model: Model, reached: Reached, processes: Sequence[Moves], goals: Iterable[Callable[[int], bool]]
) -> bool:
    """Can every goal be reached from every state, by these processes' moves?"""
    graph = backwards(model, reached, processes)
    asked = (np.fromiter(map(goal, graph.states), np.bool_, len(graph.states)) for goal in goals)
    return all(graph.leading_to(good).all() for good in asked)
