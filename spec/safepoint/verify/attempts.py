"""One attempt at weaker orders: a mutant of orders is explored in some scopes, until one refutes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from safepoint.graph.accesses import Access
from safepoint.graph.gather import text_of
from safepoint.model.engines import engine
from safepoint.model.explore import NotExplored
from safepoint.model.memory.names import MOST
from safepoint.model.path import path_of
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.model.widths import fitting
from safepoint.protocol.policy import Policy
from safepoint.verify.explore import Decision, decide


@dataclass(frozen=True)
class Attempt:
    """Explore a mutant of orders in these places, of at most `most` states each, until one refutes it.  "": the text itself.

    `places`: scopes, each with the memory model under which it is explored.
    """

    policy: Policy
    mutant: str
    places: tuple[tuple[str, str], ...]
    most: int = MOST
    enough: int = 0  # scopes in which it is compiled; 0: all


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What became of it.  `states`: of each scope where it was explored to the end, and holds.  `cut_off`: those where it was not, and why."""

    mutant: str
    broken: str = ""
    scope: str = ""
    steps: int = 0
    replay: str = ""
    memory: str = ""
    states: Mapping[str, int] = field(default_factory=dict)
    cut_off: Mapping[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not (self.broken or self.cut_off)

    @property
    def order(self) -> str:
        """The order that a mutant of one access takes."""
        return self.mutant.rpartition(".")[2]


def attempt(job: Attempt) -> Tried:
    """In a worker."""
    tried = Tried(mutant=job.mutant)
    for scope, memory in job.places:
        try:
            decision = _decided(job, scope, memory)
        except NotExplored as error:
            tried = replace(tried, cut_off={**tried.cut_off, scope: str(error)})
            continue
        if decision is None:
            continue
        if decision.refuted:
            path = path_of(decision.result)
            return replace(
                tried,
                broken=path.broken,
                scope=scope,
                steps=len(path.steps),
                replay=path.replay,
                memory=memory,
            )
        tried = replace(tried, states={**tried.states, scope: decision.result.states})
        if len(tried.states) == job.enough:
            break
    return tried


def _decided(job: Attempt, scope: str, memory: str) -> Decision | None:
    """None: the mutant is not in the scope.  Raises NotExplored."""
    return fitting(
        partial(Model, text_of(job.policy), SCOPES[scope], job.mutant, job.policy, memory),
        lambda model: None if job.mutant and not model.mutated else decide(model, job.policy, engine(), job.most),
    )


def climb(job: tuple[Access, Attempt]) -> list[Tried]:
    """In a worker: make one access weaker, the weakest order first, until one holds in as many places as are enough."""
    access, where = job
    found: list[Tried] = []
    for order in access.orders[:-1]:
        found.append(attempt(replace(where, mutant=access.with_order(order))))
        if found[-1].holds:
            break
    return found
