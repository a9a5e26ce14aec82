"""One mutation of the text: explored where it changes a graph, the smallest scopes first, until a property is broken."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from weakref import WeakKeyDictionary

from safepoint.graph.ir import Graph, Step
from safepoint.graph.lower import compile_helper
from safepoint.graph.normal import digest
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.activity import doing, is_at
from safepoint.model.engines import engine
from safepoint.model.explore import NotExplored
from safepoint.model.kills import broken
from safepoint.model.mutation import Change, Mutation, mutations, right
from safepoint.model.process import Process
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.model.widths import fitting
from safepoint.protocol import CORE
from safepoint.protocol.activities import ACTIVITIES
from safepoint.protocol.equivalents.entry import Key
from safepoint.protocol.policy import Policy, option
from safepoint.verify.explore import decide

TIMES, FREE = 4, 20_000
"""A mutation may have TIMES the states of the right text in a scope, and FREE more; beyond, there is no verdict."""

MOST = 200_000
"""States that are looked at for all properties that a mutation breaks."""

SAME, REFUSED, KILLED, SURVIVED = "same graph", "refused", "killed", "survived"


@dataclass(frozen=True)
class Place:
    """A scope under a memory model, and how many states of a mutation are explored there before there is no verdict."""

    memory: str
    scope: str
    most: int

    def __str__(self) -> str:
        return f"{self.memory} {self.scope}"


@dataclass(frozen=True, kw_only=True)
class MutationRow:
    """One mutation, and what became of it.

    `verdict`: SAME: it changes no graph of any scope; REFUSED: it leaves the language, and `detail` says how; KILLED:
    `property` is broken in `scope` under `memory`, after `steps`; SURVIVED: it is not in the scopes `explored`, and of those of
    `cut_off` there is no verdict.  `reason`: why it does what the right text does; "" if no reason is given: `mutate` looks it up.  `broken`: of one that
    is killed, all properties that it breaks in that scope, if that was asked.
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
    broken: tuple[str, ...] = ()
    detail: str = ""
    explored: tuple[str, ...] = ()
    cut_off: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0


@cache
def subject(policy: Policy) -> tuple[Text, tuple[Mutation, ...]]:
    """The right text of a policy, and its mutations."""
    text = right(policy)
    return text, tuple(mutations(text))


def model_of(text: Text, policy: Policy, memory: str, scope: str) -> Model:
    """Raises ProtocolError."""
    return Model(text, SCOPES[scope], policy=policy, memory=memory)


def allow(job: tuple[Policy, str, str]) -> Place:
    """How many states a mutation may have where the right text of a policy is explored first.  Raises NotExplored, ProtocolError."""
    policy, memory, scope = job
    found = decide(model_of(subject(policy)[0], policy, memory, scope), policy, engine())
    if found.refuted:
        raise NotExplored(
            f"{policy.name} {memory} {scope}: the text itself is refuted, so its mutations cannot be judged"
            f" (safepoint explore {option(policy.name)}--memory {memory} --scope {scope})"
        )
    return Place(memory, scope, TIMES * found.result.states + FREE)


@dataclass(frozen=True)
class Job:
    """A mutation, by its number among those of its policy; where to explore it; and where further, if that finds nothing.

    `skips`: the verdicts with which it need not be explored further: SAME, or SURVIVED.
    """

    policy: Policy
    number: int
    places: tuple[Place, ...]
    further: tuple[Place, ...] = ()
    skips: tuple[str, ...] = ()


def hunt(job: Job) -> MutationRow:
    """Explore a mutation in one place after the other, until it is refused or killed."""
    began = time.perf_counter()
    text, found = subject(job.policy)
    row = _explored(job.policy, _row(job.policy, found[job.number]), found[job.number].made_in(text), job.places)
    if row.verdict in (SAME, SURVIVED) and row.verdict not in job.skips:
        row = _explored(job.policy, row, found[job.number].made_in(text), job.further)
    return replace(row, seconds=round(time.perf_counter() - began, 3))


def _explored(policy: Policy, row: MutationRow, changed: Text, places: Iterable[Place]) -> MutationRow:
    for place in places:
        try:
            model = model_of(changed, policy, place.memory, place.scope)
            if digest_of(model) == _right_digest(policy, place.scope):
                continue
            work = partial(decide, policy=policy, search=engine(), most=place.most)
            if model.scope.threads > 2:  # whose claims are numbers above 3
                decision = fitting(partial(Model, changed, model.scope, "", policy, place.memory), work)
            else:
                decision = work(model)
        except ProtocolError as error:
            return replace(row, verdict=REFUSED, scope=place.scope, detail=str(error).splitlines()[0])
        except NotExplored:
            row = replace(row, verdict=SURVIVED, cut_off=(*row.cut_off, str(place)))
            continue
        if decision.refuted:
            result = decision.result
            return replace(row, verdict=KILLED, property=result.broken or "declared-bound", memory=place.memory,
                           scope=place.scope, steps=max(0, len(result.path) - 1))  # fmt: skip
        row = replace(row, verdict=SURVIVED, explored=(*row.explored, str(place)))
    return row


def all_broken(job: tuple[Policy, int, str, str]) -> tuple[str, ...]:
    """All properties that a mutation breaks, under a memory model, in a scope; () if there are too many states."""
    policy, number, memory, scope = job
    text, found = subject(policy)
    try:
        return tuple(sorted(broken(model_of(found[number].made_in(text), policy, memory, scope), MOST)))
    except (ProtocolError, NotExplored):
        return ()  # what comes behind the violation has no verdict


def _row(policy: Policy, mutation: Mutation) -> MutationRow:
    change = mutation.change
    return MutationRow(policy=policy.name, file=change.file, line=mutation.line, procedure=change.procedure,
                       operator=change.operator, before=change.before, after=change.after, verdict=SAME)  # fmt: skip


def key_of(row: MutationRow | Change) -> Key:
    """As the table of equivalents has it."""
    return row.file, row.procedure, row.operator, f"{row.before} -> {row.after}"


# ---------------------------------------------------------------------------------------------- is it another text at all?


@cache
def _right_digest(policy: Policy, scope: str) -> tuple[object, ...]:
    return digest_of(model_of(subject(policy)[0], policy, "sc", scope))


def digest_of(model: Model) -> tuple[object, ...]:
    """Equal for models of the same scope that do the same, and of which properties know the same.  Raises ProtocolError."""
    words = CORE[0].name  # what properties ask a text for stands there: what may be delivered
    asked = [name for name, p in model.text.functions.items() if p.file == words and len(p.node.args.args) == 1]
    return (*map(_of_process, model.processes), *(compile_helper(model.text, name) for name in asked))


def _of_process(process: Process) -> bytes:
    """Found once of a graph and the thread that it belongs to: a finished graph does not change."""
    known = _DIGESTS.setdefault(process.graph, {})
    if process.me not in known:
        known[process.me] = digest(process.graph, partial(_says, process))
    return known[process.me]


_DIGESTS: WeakKeyDictionary[Graph, dict[int | str, bytes]] = WeakKeyDictionary()


def _says(process: Process, step: Step) -> tuple[object, ...]:
    """What properties know of a step."""
    return (*(name for name in ACTIVITIES if is_at(process.graph, step, name)), doing(process, step))
