"""`safepoint explore`: one scope after the other, until one is refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from safepoint.model.bounds import bound_of
from safepoint.model.eventually import in_the_end
from safepoint.model.explore import NotExplored, Result, search
from safepoint.model.own import is_own, judge_of
from safepoint.model.path import TRAPS, Path, path_of
from safepoint.model.scopes import Scope
from safepoint.model.system import MEMORIES, Model
from safepoint.model.text import Text
from safepoint.policy import Policy
from safepoint.show.text import counterexample


@dataclass
class Explored:
    """`rows`: a scope each, as `--json` shows them.  `refuted`: what to print, or "".  `path`: to the bad state, if there is one.

    `vacuous`: places of somebody's own text that no scope came by, so that nothing was checked there.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    refuted: str = ""
    path: Path | None = None
    vacuous: set[str] = field(default_factory=set)


def explore(
    text: Text,
    scopes: list[Scope],
    policy: Policy,
    memory: str | None,
    mutant: str,
    most: int,
    tell: Callable[[int, int], None],
) -> Explored:
    """Without `memory`: sequential consistency, and for a mutant that survives it, TSO.  Raises NotExplored, ProtocolError."""
    explored, cut_off, everywhere, reached = Explored(), "", set[str](), set[str]()
    for each in (memory,) if memory else MEMORIES if mutant else MEMORIES[:1]:
        for scope in scopes:
            model = Model(text, scope, mutant, policy, each)
            try:
                result = search(model, judge_of(model), most, tell)
            except (NotExplored, MemoryError) as error:
                cut_off = f"{scope.name}: not explored: {str(error) or 'out of memory'}"
                if not mutant:
                    raise NotExplored(cut_off) from None
                continue  # another scope may catch it
            if not result.broken and not is_own(text) and result.states <= TRAPS:
                result = in_the_end(result)
            _judge(explored, result, policy)
            if explored.refuted:
                return explored
            places, missing = model.places()
            everywhere, reached = everywhere | places, reached | places - missing
    if cut_off:
        raise NotExplored(cut_off)
    explored.vacuous = everywhere - reached if is_own(text) else set()
    return explored


def _judge(explored: Explored, result: Result, policy: Policy) -> None:
    """A bound is a policy's: of somebody's own text we know no sites."""
    model, scope = result.model, result.model.scope
    bound = None if result.broken or is_own(model.text) else bound_of(model, result, policy)
    if result.broken:
        explored.refuted, explored.path = counterexample(result, model.text), path_of(result)
    elif bound is not None and not bound.within(policy.declared):
        explored.refuted = f"declared-bound: {policy.name} declares {policy.declared}, and has {bound}"
    explored.rows.append({"policy": None if is_own(model.text) else policy.name, "memory": model.memory, "threads": scope.threads,
                          "scope": scope.name, "states": result.states, "transitions": result.transitions, "depth": result.depth,
                          "seconds": round(result.seconds, 2), "verdict": "refuted" if explored.refuted else "holds",
                          "bound": bound.as_json() if bound else None})  # fmt: skip
