"""What one scope comes to, for `verify` and `explore` alike; and `safepoint explore`: one scope after the other, until one is refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from safepoint.graph.text import Text
from safepoint.model.bounds import bound_of, lasso_of
from safepoint.model.counterexample import counterexample
from safepoint.model.custom import is_own, judge_of
from safepoint.model.engines import Search
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import NotExplored, Result
from safepoint.model.mutants import not_compiled
from safepoint.model.path import TRAPS, Path, path_of
from safepoint.model.scopes import Scope
from safepoint.model.system import MEMORIES, Model
from safepoint.protocol.policy import Bound, Policy

ARRAYS = 1_000_000
"""States up to which what must happen in the end is decided over arrays; in Python's own dictionaries, TRAPS."""


@dataclass(frozen=True)
class Decision:
    """`refuted`: what to print, or "".  `bound`: None where a property is broken, or where the text is somebody's own."""

    result: Result
    policy: Policy
    bound: Bound | None
    refuted: str
    eventually: bool = False  # whether what must happen in the end was decided too

    def row(self) -> dict[str, Any]:
        """As `--json` shows it."""
        result, model = self.result, self.result.model
        return {"policy": None if is_own(model.text) else self.policy.name, "memory": model.memory, "threads": model.scope.threads,
                "scope": model.scope.name, "states": result.states, "transitions": result.transitions, "depth": result.depth,
                "seconds": round(result.seconds, 2), "verdict": "refuted" if self.refuted else "holds", "eventually": self.eventually,
                "bound": self.bound.as_json() if self.bound else None}  # fmt: skip


def decide(
    model: Model,
    policy: Policy,
    search: Search,
    most: int = 5_000_000,
    tell: Callable[[int, int], None] | None = None,
) -> Decision:
    """Explore it; then what must happen in the end; then the bound.  Raises NotExplored, ProtocolError.

    A bound is a policy's: of somebody's own text we know no sites.
    """
    result = search(model, judge_of(model), most, tell)
    if result.broken:
        return Decision(result, policy, None, counterexample(result, model.text))
    if is_own(model.text):
        return Decision(result, policy, None, "")
    if lively := result.states <= (TRAPS if isinstance(result.reached, dict) else ARRAYS):
        result = check_liveness(result)
        if result.broken:
            return Decision(result, policy, None, counterexample(result, model.text), True)
    bound = bound_of(model, result)
    beyond = f"{model.scope.name}: declared-bound: {policy.name} declares {policy.declared}, and has {bound}"
    if bound.within(policy.declared):
        return Decision(result, policy, bound, "", lively)
    declared = policy.declared.as_json()
    endless = [kind for kind, n in bound.as_json().items() if n is None and declared[kind] is not None]
    for lasso in filter(None, (lasso_of(model, result, kind) for kind in endless)):
        return Decision(lasso, policy, bound, f"{beyond}\n\n{counterexample(lasso, model.text)}", lively)
    return Decision(result, policy, bound, beyond, lively)


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
    search: Search,
    most: int,
    tell: Callable[[int, int], None],
) -> Explored:
    """Without `memory`: sequential consistency, and for a mutant that survives it, TSO.  Raises NotExplored, ProtocolError."""
    explored, cut_off, everywhere, reached = Explored(), "", set[str](), set[str]()
    for each in (memory,) if memory else MEMORIES if mutant else MEMORIES[:1]:
        for scope in scopes:
            model = Model(text, scope, mutant, policy, each)
            if mutant and not model.mutated:
                continue
            try:
                found = decide(model, policy, search, most, tell)
            except (NotExplored, MemoryError) as error:
                cut_off = f"{scope.name}: not explored: {str(error) or 'out of memory'}"
                if not mutant:
                    raise NotExplored(cut_off) from None
                continue  # another scope may catch it
            explored.rows.append(found.row())
            if found.refuted:
                explored.refuted, explored.path = found.refuted, path_of(found.result) if found.result.broken else None
                return explored
            places, missing = model.places()
            everywhere, reached = everywhere | places, reached | places - missing
    if cut_off:
        raise NotExplored(cut_off)
    if mutant and not explored.rows:
        raise not_compiled(text.with_trigger(policy.trigger), mutant, policy)
    explored.vacuous = everywhere - reached if is_own(text) else set()
    return explored
