"""The explorer: every state that a world of threads can reach, breadth first, so that a path to a bad one is a shortest one.

The search is a loop over the tables that `system` fills: it does not depend on how the protocol is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from safepoint.model.process import BUFFER
from safepoint.model.system import Model


class Violation(NamedTuple):
    """A property that does not hold: its name, and what is wrong here."""

    property: str
    detail: str = ""


STUCK = Violation("no-deadlock", "no thread can move")


class NotExplored(Exception):
    """The search was cut off: no verdict."""


@dataclass
class Result:
    """What a search found.  `broken`: the property that fails, or "".  `path`: states from the initial one to the bad one."""

    model: Model
    states: int
    transitions: int
    depth: int
    seconds: float
    broken: str = ""
    detail: str = ""
    path: tuple[int, ...] = ()
    reached: Collection[int] = field(default=(), repr=False)


Judge = Callable[[int], Violation | None]
"""What is wrong with a state, if anything."""


def search(
    model: Model, judge: Judge, most: int = 5_000_000, progress: Callable[[int, int], None] | None = None
) -> Result:
    """Breadth first from the initial state until a property is broken or nothing is new.

    `progress(states, frontier)` is called after each level.  Raises NotExplored beyond `most` states.
    """
    began = time.perf_counter()
    parent: dict[int, int] = {model.initial: -1}
    level, transitions, depth = [model.initial], 0, 0
    tables = [(m.footprint, m.table, m.moves, m.broken) for m in model.processes]

    def result(bad: Violation | None = None, at: int = -1, before: int = -1) -> Result:
        path = (*path_to(parent, before), at) if bad else ()
        name, detail = bad or ("", "")
        return Result(model, len(parent), transitions, depth, time.perf_counter() - began, name, detail, path, parent)

    if bad := judge(model.initial):
        return result(bad, model.initial)
    while level:
        fresh: list[int] = []
        for state in level:
            stuck = True
            for mask, table, moves, broken in tables:
                key = state & mask
                deltas = table.get(key)
                if deltas is None:
                    deltas = table[key] = moves(key)
                if deltas:
                    stuck = False
                    transitions += len(deltas)
                    for delta in deltas:
                        new = state ^ delta
                        if broken and (key, delta) in broken:
                            depth += 1
                            return result(Violation(broken[key, delta]), new, state)
                        if new not in parent:
                            parent[new] = state
                            fresh.append(new)
                            if bad := judge(new):
                                depth += 1
                                return result(bad, new, state)
            if stuck and not model.is_quiet(state):
                return result(STUCK, state, parent[state])
        level, depth = fresh, depth + bool(fresh)
        if len(parent) > most:
            raise NotExplored(f"more than {most:,} states (found {len(parent):,}, {len(level):,} of them not expanded)")
        if progress:
            progress(len(parent), len(level))
    if model.buffer_was_full:
        raise NotExplored(full(model))
    return result()


def full(model: Model) -> str:
    """The complaint that a store buffer was full."""
    return (
        f"a store buffer was full, with {BUFFER} stores: {model.buffer_was_full}; with a longer one there may be more states"
        " (write instead: a locked access or fence() before it, where a thread may store again and again)"
    )


def path_to(parent: dict[int, int], state: int) -> tuple[int, ...]:
    path: list[int] = []
    while state >= 0:
        path.append(state)
        state = parent[state]
    return tuple(reversed(path))
