"""The search of `explore` as a loop over numpy arrays: the same states in the same order, several times as fast.

`explore.search` is the reference: short, and what this one is tested against.  Here a level of the breadth-first search is
one array.  A thread's moves are still worked out by running the text, once for each value of the bits that it can touch;
what is looked up, applied and compared a million times is looked up, applied and compared by numpy.  The successors of a
level are laid out in the order in which `explore` would come by them, so that the first bad one is the same one, and the
counts up to it are the same counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from safepoint.model.explore import STUCK, Judge, NotExplored, Result, Violation, full
from safepoint.model.fast.table import Lanes, Numbered, Positions, join, lanes_for, pack, split, take, unpack
from safepoint.model.system import Model

CHUNK = 1 << 15
"""States that are expanded at a time: arrays of that length stay in a processor's cache, and memory stays bounded."""

Counts = NDArray[np.int64]


class Moves(Protocol):
    """What a search needs of a process: `Process` has it, and what an assumption leaves of one."""

    @property
    def footprint(self) -> int: ...
    @property
    def table(self) -> dict[int, tuple[int, ...]]: ...
    @property
    def broken(self) -> dict[tuple[int, int], str]: ...
    def moves(self, key: int) -> tuple[int, ...]: ...


class Rows:
    """The table of one process: for each value of its footprint how many moves there are, and where their deltas stand."""

    def __init__(self, process: Moves, lanes: int) -> None:
        self.process, self.lanes = process, lanes
        self.mask = split(process.footprint, lanes)
        self.known = Numbered(lanes)
        self.moves = np.empty(0, np.int64)  # all of them, for the count of transitions
        self.kept = np.empty(0, np.int64)  # those that lead elsewhere, or break a claim
        self.first = np.empty(0, np.int64)

    def of(self, states: Lanes, deltas: Deltas) -> NDArray[np.int32]:
        """The row of each state; new ones are worked out."""
        keys = tuple(lane & mask for lane, mask in zip(states, self.mask, strict=True))
        rows, new = self.known.number(keys)
        if len(new):
            self._work_out(unpack(take(keys, new)), deltas)
        return rows

    def _work_out(self, keys: list[int], deltas: Deltas) -> None:
        moves, kept, first, broken = [], [], [], self.process.broken
        for key in keys:
            row = self.process.table.get(key)
            if row is None:
                row = self.process.table[key] = self.process.moves(key)
            moves.append(len(row))
            # a move that changes nothing leads to a state that is known: it is counted, and not made
            row = tuple(d for d in row if d or (key, d) in broken)
            kept.append(len(row))
            first.append(deltas.append(row, [broken.get((key, d), "") for d in row]))
        self.moves = np.append(self.moves, moves)
        self.kept = np.append(self.kept, kept)
        self.first = np.append(self.first, first)


class Deltas:
    """The deltas of all processes, one row after the other, and the claims of the text that they break."""

    def __init__(self, lanes: int) -> None:
        self.lanes, self.all = lanes, pack([], lanes)
        self.claims: dict[int, str] = {}
        self._fresh: list[int] = []

    def append(self, row: tuple[int, ...], claims: list[str]) -> int:
        first = len(self.all[0]) + len(self._fresh)
        self._fresh += row
        self.claims |= {first + i: claim for i, claim in enumerate(claims) if claim}
        return first

    def settle(self) -> None:
        """Once for a chunk: to append to an array is to copy it."""
        if self._fresh:
            self.all = join([self.all, pack(self._fresh, self.lanes)], self.lanes)
            self._fresh = []


@dataclass(frozen=True)
class Successors:
    """Of a chunk's states, in the order in which `explore` makes the moves: by state, by process, by move."""

    states: Lanes
    deltas: Positions  # by which delta each was reached
    ends: Counts  # [state, process]: how many successors come up to there
    moves: Counts  # [state, process]: how many moves there are

    def state(self, successor: int) -> tuple[int, int]:
        """Which state of the chunk it is a successor of, and by which process."""
        flat, processes = int(np.searchsorted(self.ends.ravel(), successor, side="right")), self.ends.shape[1]
        return flat // processes, flat % processes


class Table:
    """The transition relation of these processes."""

    def __init__(self, processes: Sequence[Moves], lanes: int) -> None:
        self.deltas = Deltas(lanes)
        self.rows = [Rows(process, lanes) for process in processes]

    def expand(self, states: Lanes) -> Successors:
        shape = len(states[0]), len(self.rows)
        moves, kept, first = (np.empty(shape, np.int64) for _ in range(3))
        for i, table in enumerate(self.rows):
            rows = table.of(states, self.deltas)
            moves[:, i], kept[:, i], first[:, i] = table.moves[rows], table.kept[rows], table.first[rows]
        self.deltas.settle()
        many = kept.ravel()
        ends = np.cumsum(many)
        deltas = np.repeat(first.ravel() - ends + many, many) + np.arange(ends[-1])
        each = kept.sum(axis=1)
        new = tuple(np.repeat(s, each) ^ d[deltas] for s, d in zip(states, self.deltas.all, strict=True))
        return Successors(new, deltas, ends.reshape(shape), moves)


class Reached(Collection[int]):
    """The states that were found, in the order in which they were."""

    def __init__(self, levels: list[Lanes]) -> None:
        self.levels = levels

    def __len__(self) -> int:
        return sum(len(level[0]) for level in self.levels)

    def __iter__(self) -> Iterator[int]:
        for level in self.levels:
            yield from unpack(level)

    def __contains__(self, state: object) -> bool:
        return isinstance(state, int) and any(len(_places(level, state)) for level in self.levels)


def _places(states: Lanes, state: int) -> Positions:
    """Where among `states` this one stands."""
    same = np.ones(len(states[0]), np.bool_)
    for lane, value in zip(states, split(state, len(states)), strict=True):
        same &= lane == value
    return np.flatnonzero(same)


@dataclass(frozen=True)
class Bad:
    """What is wrong with a chunk: at which of its successors, and how `explore` counts up to there."""

    at: float
    what: Violation
    depth: int  # how many levels after that of the chunk's states
    state: int  # the bad one
    before: int  # the one it was reached from; -1: look for it
    fresh: int
    transitions: int


class Search:
    """One search: what has been found so far."""

    def __init__(self, model: Model, judge: Judge) -> None:
        self.model, self.lanes, self.began = model, lanes_for(model.bits), time.perf_counter()
        self.table = Table(model.processes, self.lanes)
        self.visited = Numbered(self.lanes, bits=16)
        self.judge = judge
        self.levels = [pack([model.initial], self.lanes)]
        self.visited.add(self.levels[0])
        self.transitions = 0

    def run(self, most: int, progress: Callable[[int, int], None] | None) -> Result:
        if wrong := self.judge(self.model.initial):
            return self._result(0, self.levels, wrong, (self.model.initial,))
        while len(self.levels[-1][0]):
            fresh: list[Lanes] = []
            for chunk in chunks(self.levels[-1]):
                made = self.table.expand(chunk)
                new = self.visited.add(made.states)
                states = take(made.states, new)
                if bad := self._bad(chunk, made, new, states):
                    return self._refuted(bad, [*fresh, tuple(lane[: bad.fresh] for lane in states)])
                self.transitions += int(made.moves.sum())
                fresh.append(states)
            self.levels.append(join(fresh, self.lanes))
            found, left = self.visited.count, len(self.levels[-1][0])
            if found > most:
                raise NotExplored(f"more than {most:,} states (found {found:,}, {left:,} of them not expanded)")
            if progress:
                progress(found, left)
        if self.model.buffer_was_full:
            raise NotExplored(full(self.model))
        return self._result(len(self.levels) - 2, self.levels)

    def _bad(self, chunk: Lanes, made: Successors, new: Positions, states: Lanes) -> Bad | None:
        """The first thing that is wrong."""
        found = []
        stuck = map(int, np.flatnonzero(made.moves.sum(axis=1) == 0))
        i = next((i for i in stuck if not self.model.is_quiet(_one(chunk, i))), -1)
        if i >= 0:
            at = int(made.ends[i, -1])  # it has no successor of its own: before the next state's first
            found.append(Bad(at - 0.5, STUCK, 0, _one(chunk, i), -1,
                             int(np.searchsorted(new, at)), int(made.moves[:i].sum())))  # fmt: skip
        if self.table.deltas.claims:
            broken = np.flatnonzero(np.isin(made.deltas, list(self.table.deltas.claims)))
            if len(broken):
                claim = self.table.deltas.claims[int(made.deltas[broken[0]])]
                found.append(
                    self._move(chunk, made, int(broken[0]), Violation(claim), int(np.searchsorted(new, broken[0])))
                )
        for number, state in enumerate(unpack(states)):
            if wrong := self.judge(state):
                found.append(self._move(chunk, made, int(new[number]), wrong, number + 1))
                break
        return min(found, key=lambda bad: bad.at, default=None)

    def _move(self, chunk: Lanes, made: Successors, at: int, what: Violation, fresh: int) -> Bad:
        i, process = made.state(at)
        transitions = int(made.moves[:i].sum() + made.moves[i, : process + 1].sum())
        return Bad(at, what, 1, _one(made.states, at), _one(chunk, i), fresh, transitions)

    def _refuted(self, bad: Bad, fresh: list[Lanes]) -> Result:
        depth = len(self.levels) - 1
        path = [bad.state] if bad.before < 0 else [bad.state, bad.before]
        for level in reversed(self.levels[:-1]):
            path.append(self._parent(level, path[-1]))
        self.transitions += bad.transitions
        return self._result(depth + bad.depth, [*self.levels, *fresh], bad.what, tuple(reversed(path)))

    def _parent(self, level: Lanes, state: int) -> int:
        """The first state of the level that leads to this one.  Worked out again: to keep it would double the memory."""
        for chunk in chunks(level):
            made = self.table.expand(chunk)
            found = _places(made.states, state)
            if len(found):
                return _one(chunk, made.state(int(found[0]))[0])
        raise AssertionError("a state was reached from nowhere")

    def _result(
        self, depth: int, levels: list[Lanes], bad: Violation | None = None, path: tuple[int, ...] = ()
    ) -> Result:
        name, detail = bad or ("", "")
        reached, seconds = Reached(levels), time.perf_counter() - self.began
        return Result(self.model, len(reached), self.transitions, depth, seconds, name, detail, path, reached)


def search(
    model: Model, judge: Judge, most: int = 5_000_000, progress: Callable[[int, int], None] | None = None
) -> Result:
    """As `explore.search`.  Raises NotExplored beyond `most` states, and out of memory."""
    try:
        return Search(model, judge).run(most, progress)
    except MemoryError as error:
        raise NotExplored(f"out of memory ({error})" if str(error) else "out of memory") from None


def _one(states: Lanes, position: int) -> int:
    return unpack(tuple(lane[position : position + 1] for lane in states))[0]


def chunks(states: Lanes) -> Iterator[Lanes]:
    for at in range(0, len(states[0]), CHUNK):
        yield tuple(lane[at : at + CHUNK] for lane in states)
