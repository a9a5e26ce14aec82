"""All properties that a model breaks, where a search would stop at the first: which of them would a mistake not have got past?"""

from __future__ import annotations

from safepoint.model.bounds import BROKEN, bound_of
from safepoint.model.eventually import traps
from safepoint.model.explore import STUCK, NotExplored, Result
from safepoint.model.fairness import check_fairness
from safepoint.model.properties import Properties
from safepoint.model.system import Model


def broken(model: Model, most: int = 5_000_000) -> frozenset[str]:
    """The properties that are broken in some state, on some way or by the bound, also behind another violation.

    Raises NotExplored beyond `most` states, ProtocolError.
    """
    judge = Properties(model)
    parents, todo, found = {model.initial: -1}, [model.initial], set[str]()
    for state in todo:
        found.update(violation.property for violation in judge.violations(state))
        is_stuck = True
        for new, _, _ in model.successors(state):
            is_stuck = False
            if new not in parents:
                parents[new] = state
                todo.append(new)
        if is_stuck:
            found.add(STUCK.property)
        if len(parents) > most:
            raise NotExplored(f"more than {most:,} states")
    found.update(claim for process in model.processes for key, delta in process.broken for edge in process.edges(key)
                 if edge.delta == delta for claim in edge.claims)  # fmt: skip
    found.update(name for name, _, _ in traps(model, parents))
    result = Result(model, len(parents), 0, 0, 0, reached=parents)
    if not bound_of(model, result).within(model.policy.declared):
        found.add(BROKEN)
    if fair := check_fairness(result).broken:
        found.add(fair)
    return frozenset(found - set(model.policy.waives))
