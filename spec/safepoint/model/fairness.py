"""Fair stops: how many stops in a row find a thread that wants to run guest code?

A thread *wants to run* from where it is asked to park, or comes back from native code, until it runs guest code.  What it says
of itself (`Thread.parked`) is not asked: a text in which it says so too late is what is looked for.
"""

from __future__ import annotations

from dataclasses import replace

from safepoint.model.activity import is_at
from safepoint.model.explore import Result
from safepoint.model.properties import Properties
from safepoint.protocol.activities import STOPPED
from safepoint.protocol.words import MANAGED, PARKED

FAIR, BROKEN = "fairness", "runs-between-stops"
"""The feature that makes stops fair, and the property that a text without it breaks."""

IN_A_ROW = 2
"""Stops that are reached while a thread wants to run, at most.  The first has looked whether the thread is in guest code before it
came back, and still waits for another; the second has looked whether a stop holds it before it said so.  The thread that a
coordinator looks at last is found by one at most."""


def check_fairness(result: Result) -> Result:
    """The result of a search; in a scope with FAIR it is held to IN_A_ROW, unless something else is broken."""
    model = result.model
    if result.broken or FAIR not in model.scope.slices:
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
    properties = Properties(model)
    stopped = [(p.pc, {s.number for s in p.graph.steps if is_at(p.graph, s, STOPPED)}) for p in model.requesters]

    def wants(state: int) -> bool:
        return model.value(state, thread, "state") in (MANAGED, PARKED) and not properties.in_guest(state, thread)

    def reaches(state: int, new: int) -> bool:
        return any(pc.get(new) in steps and pc.get(state) not in steps for pc, steps in stopped)

    first = (model.initial, 0)
    parents, todo = {first: first}, [first]
    for at in todo:
        state, n = at
        for new, _, _ in model.successors(state):
            after = (new, n + reaches(state, new) if wants(new) else 0)
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
