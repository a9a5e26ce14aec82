"""`safepoint mutate`: how many of all simple mistakes of the protocol's text do its properties catch?

A mistake is explored only in scopes in which it changes a graph, the smallest first.  One that no scope catches survives: it
does the same as the right text, and `equivalents` says why; or the properties are too weak.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from safepoint.graph.ir import Step
from safepoint.graph.lower import compile_helper
from safepoint.graph.normal import digest
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.activity import doing, is_at
from safepoint.model.engines import engine
from safepoint.model.explore import NotExplored
from safepoint.model.mutation import Mutation, mutations, right
from safepoint.model.process import Mover
from safepoint.model.scopes import SCOPES, chosen
from safepoint.model.system import Model
from safepoint.protocol import CORE
from safepoint.protocol.activities import ACTIVITIES
from safepoint.protocol.equivalents import EQUIVALENTS
from safepoint.protocol.policies import POLICIES
from safepoint.verify.explore import decide
from safepoint.verify.report import Progress, Quiet

TIMES = 4
"""A mistake may have so many times the states of the right text in a scope; beyond, the scope has no verdict on it."""
FREE = 20_000
"""And so many states more, where it has few."""
SAMPLE = 20
"""`--quick` takes one mutation of so many."""
REORDERS = ("plain", "swap", "delete", "wait", "word")
"""The operators whose mistakes store buffers might show, if nothing else does: what orders accesses has changed."""

SAME, REFUSED, KILLED, SURVIVED = "same", "refused", "killed", "survived"


@dataclass(frozen=True)
class Place:
    """A scope under a memory model, and how many states the right text has there."""

    memory: str
    scope: str
    states: int


@dataclass(frozen=True, kw_only=True)
class MutationRow:
    """One mutation, and what became of it.

    `verdict`: same (its graphs are those of the right text), refused (it leaves the language), killed, survived.  `property`,
    `memory`, `scope`, `steps`: what kills it, where, after how many steps.  `explored`: the scopes that do not kill it, and
    `cut_off` those in which it has too many states for a verdict.  `reason`: why it does the same as the right text.
    """

    policy: str
    file: str
    line: int
    procedure: str
    operator: str
    before: str
    after: str
    verdict: str
    property: str = ""
    memory: str = ""
    scope: str = ""
    steps: int = 0
    explored: tuple[str, ...] = ()
    cut_off: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0


@dataclass
class Campaign:
    """`rows`: one a mutation.  `stale`: reasons that fit no survivor.  `left_out`: what was not decided -> why."""

    rows: list[MutationRow] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cpu: float = 0.0

    @property
    def unexplained(self) -> list[MutationRow]:
        return [row for row in self.rows if row.verdict == SURVIVED and not row.reason]


def run(policies: Sequence[str], *, quick: bool = False, progress: Progress | None = None) -> Campaign:
    """Every simple mistake of these policies' texts; `quick`: a fixed sample.  Raises ProtocolError, NotExplored."""
    campaign, progress = Campaign(), progress or Quiet()
    began = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for policy in policies:
            _policy(campaign, policy, pool, quick, progress)
    campaign.seconds = time.perf_counter() - began
    return campaign


def _policy(campaign: Campaign, policy: str, pool: Executor, quick: bool, progress: Progress) -> None:
    tiny = _places(policy, pool, "sc", "tiny", progress)
    numbers = range(len(_subject(policy)[1]))
    if quick:
        numbers = [n for n in numbers if _is_sampled(_subject(policy)[1][n])]
    rows = _hunt(policy, list(numbers), tiny, pool, progress, f"{policy}: sc")
    late = [n for n, row in rows.items() if row.verdict == SURVIVED and row.operator in REORDERS]
    if late:
        places = _places(policy, pool, "tso", "tiny", progress)
        rows |= _merged(rows, _hunt(policy, late, places, pool, progress, f"{policy}: tso"))
    open_ = [n for n, row in rows.items() if row.verdict == SURVIVED and not row.reason]
    if open_ and not quick:
        places = [p for p in _places(policy, pool, "sc", "small", progress) if p not in tiny]
        rows |= _merged(rows, _hunt(policy, open_, places, pool, progress, f"{policy}: small"))
    campaign.rows += rows.values()


def _merged(before: dict[int, MutationRow], now: dict[int, MutationRow]) -> dict[int, MutationRow]:
    """What a further search adds."""
    return {
        n: row
        if row.verdict == KILLED
        else replace(
            before[n],
            explored=before[n].explored + row.explored,
            cut_off=before[n].cut_off + row.cut_off,
            seconds=before[n].seconds + row.seconds,
        )
        for n, row in now.items()
    }


def _is_sampled(mutation: Mutation) -> bool:
    return zlib.crc32(str(mutation.change).encode()) % SAMPLE == 0


def _hunt(
    policy: str, numbers: list[int], places: list[Place], pool: Executor, progress: Progress, name: str
) -> dict[int, MutationRow]:
    rows: dict[int, MutationRow] = {}
    jobs = [(policy, n, tuple(places)) for n in numbers]
    with progress.section(name, len(jobs)) as done:
        for number, row in zip(numbers, pool.map(hunt, jobs), strict=True):
            rows[number] = row
            done(f"{row.file}:{row.line} {row.operator}")
    return rows


def _places(policy: str, pool: Executor, memory: str, group: str, progress: Progress) -> list[Place]:
    """The scopes of a group, those first in which the right text has the fewest states."""
    scopes = [scope.name for scope in chosen(group, slices=POLICIES[policy].slices)]
    places: list[Place] = []
    with progress.section(f"{policy}: the right text", len(scopes)) as done:
        for place in pool.map(count, [(policy, memory, scope) for scope in scopes]):
            places.append(place)
            done(place.scope)
    return sorted(places, key=lambda p: p.states)


# ---------------------------------------------------------------------------------------------- in a process of the pool


@lru_cache
def _subject(policy: str) -> tuple[Text, list[Mutation]]:
    text = right(POLICIES[policy])
    return text, list(mutations(text))


def count(job: tuple[str, str, str]) -> Place:
    """How many states the right text has in a scope.  Raises NotExplored if it is refuted: then nothing can be measured."""
    policy, memory, scope = job
    model = Model(_subject(policy)[0], SCOPES[scope], policy=POLICIES[policy], memory=memory)
    found = decide(model, POLICIES[policy], engine())
    if found.refuted:
        raise NotExplored(f"{policy} {memory} {scope}: the right text is refuted: {found.result.broken}")
    return Place(memory, scope, found.result.states)


@lru_cache(maxsize=None)
def _right_digest(policy: str, scope: str) -> tuple[object, ...]:
    return _digest(Model(_subject(policy)[0], SCOPES[scope], policy=POLICIES[policy]))


def _digest(model: Model) -> tuple[object, ...]:
    """Equal for models of the same scope that do the same.  Raises ProtocolError."""
    words = CORE[0].name  # what properties ask a text for stands there: what may be delivered
    asked = [name for name, p in model.text.functions.items() if p.file == words and len(p.node.args.args) == 1]
    movers = (digest(mover.graph, partial(_says, mover)) for mover in model.movers)
    return (*movers, *(compile_helper(model.text, name) for name in asked))


def _says(mover: Mover, step: Step) -> tuple[object, ...]:
    """What properties know of a step."""
    return (*(name for name in ACTIVITIES if is_at(mover.graph, step, name)), doing(mover, step))


def hunt(job: tuple[str, int, tuple[Place, ...]]) -> MutationRow:
    """Explore a mutation in one place after the other, until a property is broken."""
    began = time.perf_counter()
    policy, number, places = job
    text, found = _subject(policy)
    mutation = found[number]
    row = _row(policy, mutation)
    changed = mutation.made_in(text)
    explored: list[str] = []
    cut_off: list[str] = []
    for place in places:
        name = f"{place.memory} {place.scope}"
        try:
            model = Model(changed, SCOPES[place.scope], policy=POLICIES[policy], memory=place.memory)
            if _digest(model) == _right_digest(policy, place.scope):
                continue
            decision = decide(model, POLICIES[policy], engine(), TIMES * place.states + FREE)
        except (ProtocolError, OverflowError, RecursionError, ValueError, KeyError) as error:
            row = replace(row, verdict=REFUSED, scope=place.scope, property=f"{type(error).__name__}: {error}".splitlines()[0])
            break
        except NotExplored:
            cut_off.append(name)
            continue
        if decision.refuted:
            broken = decision.result.broken or "declared-bound"
            row = replace(row, verdict=KILLED, property=broken, memory=place.memory, scope=place.scope,
                          steps=max(0, len(decision.result.path) - 1))  # fmt: skip
            break
        explored.append(name)
    if row.verdict == SAME and explored + cut_off:
        row = replace(row, verdict=SURVIVED)
    return replace(
        row, explored=tuple(explored), cut_off=tuple(cut_off), seconds=round(time.perf_counter() - began, 3)
    )


def _row(policy: str, mutation: Mutation) -> MutationRow:
    c = mutation.change
    reason = EQUIVALENTS.get((c.file, c.procedure, c.operator, f"{c.before} -> {c.after}"), "")
    return MutationRow(policy=policy, file=c.file, line=mutation.line, procedure=c.procedure, operator=c.operator,
                       before=c.before, after=c.after, verdict=SAME, reason=reason)  # fmt: skip
