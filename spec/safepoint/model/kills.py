"""All properties that a model breaks, where a search would stop at the first: which of them would a mistake not have got past?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from safepoint.model.bounds import BROKEN, bound_of
from safepoint.model.eventually import goals
from safepoint.model.explore import STUCK, NotExplored, Result
from safepoint.model.properties import Properties
from safepoint.model.system import Model

Before = Mapping[int, Sequence[int]]
"""State to those that lead to it."""


def broken(model: Model, most: int = 5_000_000) -> frozenset[str]:
    """The properties that are broken in some state, on some way or by the bound, also behind another violation.

    Raises NotExplored beyond `most` states, ProtocolError.
    """
    judge = Properties(model)
    parents, before = {model.initial: -1}, defaultdict[int, list[int]](list)
    todo, found = [model.initial], set[str]()
    for state in todo:
        found.update(violation.property for violation in judge.violations(state))
        for new, _, _ in model.successors(state):
            before[new].append(state)
            if new not in parents:
                parents[new] = state
                todo.append(new)
        if len(parents) > most:
            raise NotExplored(f"more than {most:,} states")
    led = {state for states in before.values() for state in states}
    found.update(() if led >= parents.keys() else (STUCK.property,))
    found.update(claim for mover in model.movers for key, delta in mover.broken for edge in mover.edges(key)
                 if edge.delta == delta for claim in edge.claims)  # fmt: skip
    found.update(name for name, _, goal in goals(model) if not _always_possible(parents, before, goal))
    if not bound_of(model, Result(model, len(parents), 0, 0, 0, reached=parents)).within(model.policy.declared):
        found.add(BROKEN)
    return frozenset(found - set(model.policy.waives))


def _always_possible(states: Mapping[int, int], before: Before, goal: Callable[[int], bool]) -> bool:
    """Can the goal be reached from every state?"""
    good = set(filter(goal, states))
    todo = list(good)
    while todo:
        for state in before.get(todo.pop(), ()):
            if state not in good:
                good.add(state)
                todo.append(state)
    return len(good) == len(states)
