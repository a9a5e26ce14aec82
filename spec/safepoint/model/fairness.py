"""Fair stops: how many stops in a row find a thread that wants to run guest code?

A thread *wants to run* from where it is asked to park, or comes back from native code, until it runs guest code.  What it says
of itself (`Thread.parked`, `Thread.state`) is not asked: a text in which it says so too late is what is looked for.
"""

from __future__ import annotations

from dataclasses import replace

from safepoint.model.activity import is_at
from safepoint.model.explore import Result
from safepoint.model.properties import Properties
from safepoint.protocol.activities import RETURNING, STOPPED

FAIR, BROKEN = "fairness", "runs-between-stops"
"""The feature that makes stops fair, and the property that a text without it breaks."""

IN_A_ROW = 2
"""Stops that are reached while a thread wants to run, at most.  The first has looked whether the thread is in guest code before it
came back, and still waits for another; the second has looked whether a stop holds it before it said so.  The thread that a
coordinator looks at last is found by one at most."""

NATIVE = -1
"""In place of a number of stops: the thread runs guest code, or native code, and wants nothing."""


def check_fairness(result: Result) -> Result:
    """The result of a search; in a scope with FAIR it is held to IN_A_ROW, unless something else is broken.

    Not on the machine of views: it does not say when a coordinator has seen what it looks at, so stops cannot be counted there.
    """
    model = result.model
    if (
        result.broken or FAIR not in model.scope.slices or model.is_weak
    ):  # a stale look is made earlier than it is taken
        return result
    for thread, mutator in enumerate(model.mutators):
        most = IN_A_ROW if thread + 1 < len(model.mutators) else 1
        if path := too_many(result, thread, most):
            detail = f"{mutator.name} wants to run guest code, and more stops than {most} are reached meanwhile"
            return replace(result, broken=BROKEN, detail=detail, path=path)
    return result


def too_many(result: Result, thread: int, most: int) -> tuple[int, ...]:
    """The shortest path on which a thread wants to run while more than `most` stops are reached; () if there is none."""
    model = result.model
    properties, mutator = Properties(model), model.mutators[thread]
    returning = {s.number for s in mutator.graph.steps if is_at(mutator.graph, s, RETURNING)}
    stopped = [(p.pc, {s.number for s in p.graph.steps if is_at(p.graph, s, STOPPED)}) for p in model.requesters]

    known: dict[int, tuple[bool, bool, int]] = {}

    def standing(state: int) -> tuple[bool, bool, int]:
        """Does the thread run guest code, or come back from native code; and which requesters have stopped the world, as bits."""
        if state not in known:
            stops = sum(1 << i for i, (pc, steps) in enumerate(stopped) if pc.get(state) in steps)
            known[state] = properties.in_guest(state, thread), mutator.pc.get(state) in returning, stops
        return known[state]

    first = (model.initial, NATIVE)
    parents, todo = {first: first}, [first]
    for at in todo:
        state, n = at
        _, _, before = standing(state)
        for new in model.following(state):
            runs, returns, stops = known.get(new) or standing(new)
            # how many stops have found it, that wants to run
            after = (new, NATIVE if runs or (returns and n == NATIVE) else max(n, 0) + (stops & ~before != 0))
            if after in parents:
                continue
            parents[after] = at
            if after[1] > most:
                return _path(parents, after)
            todo.append(after)
    return ()


def _path(parents: dict[tuple[int, int], tuple[int, int]], last: tuple[int, int]) -> tuple[int, ...]:
    path = [last]
    while parents[path[-1]] != path[-1]:
        path.append(parents[path[-1]])
    return tuple(state for state, _ in reversed(path))
