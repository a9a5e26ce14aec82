"""`safepoint orders`: the weakest order of each access with which the text holds, alone, and all of them together.

An execution that stronger orders allow is one that weaker orders allow, too.  So what holds with all accesses made weak at once holds
with each of them made so alone.  The search begins with each access alone, in few scopes; then makes all of them as weak as that
allows, in every scope; and where that is refuted, takes back what is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from typing import Any

from safepoint.graph.accesses import Access, Place, accesses
from safepoint.graph.gather import text_of
from safepoint.graph.lower import compile_graph
from safepoint.graph.orders import is_weaker
from safepoint.model.memory.names import MOST, fewest
from safepoint.model.scopes import SCOPES, chosen, instance_of
from safepoint.protocol import ROLES
from safepoint.protocol.policy import Policy
from safepoint.verify.attempts import Attempt, Tried, attempt, climb
from safepoint.verify.report import Progress, Quiet

FEW = 8
"""Scopes, the smallest in which it is compiled, where each access is made weaker alone; every scope decides for all together."""

LINE = 60
"""Characters of a mutant that are shown beside the progress."""

BATCH = 2
"""Scopes that are explored at once: if one of them is refuted, less of what comes behind it is in vain."""

Orders = Mapping[str, str]
"""Name of an access, to its order."""


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """One access.

    `order`: as the text has it.  `alone`: the weakest with which the text holds while all else is as in the text.  `together`: its own in
    the weakest text that was found.  `below`: the mutant one step below `alone`; what it breaks, and where; "": there is none.
    `unexplored`: scopes that have it too, and were left out.
    """

    access: str
    file: str
    line: int
    statement: str
    order: str
    alone: str
    together: str
    below: str = ""
    broken: str = ""
    memory: str = ""
    scope: str = ""
    steps: int = 0
    replay: str = ""
    unexplored: tuple[str, ...] = ()


@dataclass
class Least:
    """What was found for a policy under a memory model.  `scopes`: where all together hold, and under which memory model: one of more than
    `most` states is explored with one stale store of a word.  `left_out`: what -> why.
    """

    policy: str
    memory: str
    rows: list[OrderRow] = field(default_factory=list)
    scopes: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    refuted: Tried | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def least(policy: Policy, memory: str, pool: Executor, progress: Progress | None = None, most: int = MOST) -> Least:
    """The least orders of a policy's text under a memory model, by the workers of `pool`, in the tiny scopes of at most `most` states."""
    return _Search(policy, Least(policy.name, memory), pool, progress or Quiet(), most).run()


@dataclass
class _Search:
    policy: Policy
    found: Least
    pool: Executor
    progress: Progress
    most: int
    scopes: dict[str, str] = field(default_factory=dict)
    left: dict[str, set[Place]] = field(default_factory=dict)  # scopes that are left out, with their accesses
    alone: dict[str, list[Tried]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.text = text_of(self.policy)
        self.accesses = {n: a for n, a in accesses(self.text).items() if a.file != ROLES}

    def run(self) -> Least:
        began = time.perf_counter()
        self._right()
        if self.found.refuted is None:
            self._alone()
            orders = self._together({name: self._guess(name) for name in self.alone})
            self._tell(orders)
        self.found.seconds = time.perf_counter() - began
        return self.found

    def _job(self, mutant: str, scopes: Iterable[str], enough: int = 0) -> Attempt:
        return Attempt(self.policy, mutant, tuple((scope, self.scopes[scope]) for scope in scopes), enough=enough)

    def _all(self, what: str, jobs: Sequence[Attempt]) -> list[Tried]:
        with self.progress.section(f"{self.found.policy} {self.found.memory}: {what}", len(jobs)) as done:
            asked = [self.pool.submit(attempt, job) for job in jobs]
            for each, job in zip(asked, jobs, strict=True):
                each.result()
                done(" ".join((job.places[0][0], *([job.mutant] if len(job.mutant) < LINE else []))))
            return [each.result() for each in asked]

    def _right(self) -> None:
        """The scopes where the text itself is explored to its end, those with the fewest states first."""
        left = [each.name for each in chosen("tiny", slices=self.policy.slices)]
        found: dict[str, tuple[int, str]] = {}
        for memory in dict.fromkeys((self.found.memory, fewest(self.found.memory))):
            tried = self._all("the text", [Attempt(self.policy, "", ((s, memory),), self.most) for s in left])
            self.found.refuted = self.found.refuted or next((t for t in tried if t.broken), None)
            found |= {scope: (n, memory) for t in tried for scope, n in t.states.items()}
            left = [scope for t in tried for scope in t.cut_off]
            if not left:
                break
        if left:
            said = f"more than {self.most:,} states, with one stale store of a word too: the table does not have what only they show"
            self.found.left_out["scopes"] = f"{', '.join(left)}: {said}"
        self.left = {scope: self._places(scope) for scope in left}
        self.scopes = {scope: memory for scope, (_, memory) in sorted(found.items(), key=lambda item: item[1][0])}

    def _alone(self) -> None:
        """Each access as weak as the smallest scopes allow."""
        with self.progress.section(f"{self.found.policy} {self.found.memory}: alone", len(self.accesses)) as done:
            asked = {
                name: self.pool.submit(climb, (access, self._job("", self.scopes, FEW)))
                for name, access in self.accesses.items()
            }
            for name, each in asked.items():
                tried = each.result()
                done(name)
                if any(t.broken or t.states for t in tried):
                    self.alone[name] = tried
        missing = [name for name in self.accesses if name not in self.alone]
        for what, why, names in (
            ("accesses", "only scopes that were left out have them", [n for n in missing if self._unexplored(n)]),
            ("accesses of the text", "no tiny scope has them", [n for n in missing if not self._unexplored(n)]),
        ):
            if names:
                self.found.left_out[what] = f"{', '.join(names)}: {why}"

    def _unexplored(self, name: str) -> tuple[str, ...]:
        return tuple(scope for scope, there in self.left.items() if self.accesses[name].place in there)

    def _guess(self, name: str) -> str:
        """The weakest order that nothing has refuted yet."""
        access, last = self.accesses[name], self.alone[name][-1]
        return last.order if last.holds else access.order

    def _mutant(self, orders: Orders) -> str:
        changed = {n: o for n, o in orders.items() if o != self.accesses[n].order}
        return "+".join(self.accesses[n].with_order(o) for n, o in sorted(changed.items()))

    def _together(self, orders: dict[str, str]) -> dict[str, str]:
        """All at once, in every scope; with what has to be stronger made so.  What holds in a scope holds there with stronger orders, too."""
        forced: dict[str, str] = {}  # access to the scope that needs it stronger
        left = list(self.scopes)
        while left:
            now = left[:BATCH]
            tried = self._all("together", [self._job(self._mutant(orders), [scope]) for scope in now])
            left = left[BATCH:]
            for scope, t in zip(now, tried, strict=True):
                # an access that was raised for the scope before may be enough
                if not t.holds and not self._holds(orders, scope):
                    for name, order in self._needed(orders, scope).items():
                        orders[name], forced[name] = order, scope
        self.found.scopes = self.scopes
        for name, scope in forced.items():
            orders[name] = self._lowered(orders, name, scope)
            self._again(name, orders[name], scope)
        return orders

    def _holds(self, orders: Orders, scope: str) -> bool:
        return self.pool.submit(attempt, self._job(self._mutant(orders), [scope])).result().holds

    def _needed(self, orders: Orders, scope: str) -> dict[str, str]:
        """The accesses that a scope needs stronger, none without need, each no stronger than it must be."""
        there = self._places(scope)
        weak = [n for n, o in orders.items() if o != self.accesses[n].order and self.accesses[n].place in there]

        def holds(raised: Iterable[str]) -> bool:
            return self._holds({**orders, **{n: self.accesses[n].order for n in raised}}, scope)

        found = {n: self.accesses[n].order for n in smallest(weak, holds)}
        for name in found:
            for order in _above(self.accesses[name], orders[name])[:-1]:
                if self._holds({**orders, **found, name: order}, scope):
                    found[name] = order
                    break
        return found

    def _places(self, scope: str) -> set[Place]:
        """The accesses that a scope has."""
        of = SCOPES[scope]
        instance = instance_of(of, self.policy)
        graphs = [compile_graph(self.text, role, instance) for role in ("mutator", *of.roles)]
        return {(step.file, step.line) for graph in graphs for step in graph.steps if step.cell}

    def _lowered(self, orders: Orders, name: str, scope: str) -> str:
        """What one scope has needed may be more than is needed now that others have made more accesses stronger."""
        for order in self._open(name, orders[name]):
            lower = {**orders, name: order}
            if all(self._holds(lower, each) for each in dict.fromkeys((scope, *self.scopes))):
                return order
        return orders[name]

    def _open(self, name: str, order: str) -> tuple[str, ...]:
        """The weaker orders of an access that are neither refuted alone, nor without a verdict."""
        access = self.accesses[name]
        closed = {t.order for t in self.alone[name] if not t.holds}
        return tuple(o for o in access.orders[: access.orders.index(order)] if o not in closed)

    def _again(self, name: str, together: str, first: str) -> None:
        """An access that had to be stronger among weak ones: is it so alone, too?  `first`: the scope that needed it."""
        access = self.accesses[name]
        for order in self._open(name, together):
            mutant = access.with_order(order)
            tried = self._all("alone", [self._job(mutant, [first])])
            if tried[0].holds:
                tried += self._all("alone", [self._job(mutant, [scope]) for scope in self.scopes if scope != first])
            wrong = next((t for t in tried if t.broken), None) or next((t for t in tried if t.cut_off), None)
            self.alone[name] = [t for t in self.alone[name] if t.order != order]
            self.alone[name].append(wrong or Tried(mutant=mutant))
            if wrong is None:
                return

    def _tell(self, orders: Orders) -> None:
        if unknown := [t.mutant for tried in self.alone.values() for t in tried if t.cut_off and not t.broken]:
            self.found.left_out["weaker orders"] = f"{', '.join(unknown)}: too many states, so no verdict"
        for name, access in self.accesses.items():
            if name not in orders:
                continue
            alone = next(iter(self._open(name, orders[name])), orders[name])
            refuted = [t for t in self.alone[name] if t.broken and is_weaker(t.order, alone)]
            below = refuted[-1] if refuted else Tried(mutant="")
            self.found.rows.append(
                OrderRow(
                    access=name,
                    file=access.file,
                    line=access.line,
                    statement=self.text.source(access.file, access.line).partition("#")[0].strip(),
                    order=access.order,
                    alone=alone,
                    together=orders[name],
                    below=below.mutant,
                    broken=below.broken,
                    memory=below.memory,
                    scope=below.scope,
                    steps=below.steps,
                    replay=below.replay,
                    unexplored=self._unexplored(name),
                )
            )


def smallest(candidates: Sequence[str], is_enough: Callable[[Sequence[str]], bool]) -> list[str]:
    """A set of candidates that is enough, and no smaller part of it is; all of them must be.

    `is_enough` must say of a larger set what it says of a smaller one that is enough.  The method is QuickXplain (Junker, AAAI 2004).
    """

    def search(given: list[str], among: list[str], *, is_new: bool) -> list[str]:
        if is_new and is_enough(given):
            return []
        if len(among) == 1:
            return among
        first, second = among[: len(among) // 2], among[len(among) // 2 :]
        of_second = search([*given, *first], second, is_new=True)
        of_first = search([*given, *of_second], first, is_new=bool(of_second))
        return [*of_first, *of_second]

    return search([], list(candidates), is_new=True) if candidates else []


def _above(access: Access, order: str) -> tuple[str, ...]:
    """The orders that are stronger, the weakest first."""
    return access.orders[access.orders.index(order) + 1 :]
