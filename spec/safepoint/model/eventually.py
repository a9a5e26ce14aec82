"""Liveness under strong fairness, decided on the graph of reachable states.

Strong fairness: a move that is possible again and again is made again and again (running threads reach check sites, no thread
is passed over for ever).  In a finite graph a goal is then reached from everywhere in every fair run exactly if it *can* be
reached from every reachable state.  A state from which it cannot is a trap: whatever happens after it, for ever, is the loop of
the lasso.  What need not happen is not counted on: a goal must be reachable although no further request is posted, although
native code never ends, and although a critical section never ends (ASSUMPTIONS).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from safepoint.model.activity import is_at
from safepoint.model.explore import Result, path_to, search
from safepoint.model.process import Field, Process, Transition
from safepoint.model.properties import Properties
from safepoint.model.scopes import COUNTS_ON_RETURN
from safepoint.model.system import Model
from safepoint.protocol.activities import END_OF_SECTION, RETURNING, STOPPED

EVENTUALLY: dict[str, str] = {
    "request-is-seen": "Every request that is owed to a thread is served in the end, or the thread sleeps and cannot serve it.",
    "thread-runs": "Every thread runs guest code again in the end, or sleeps: no stop, park or handshake holds it for ever.",
    "world-stops": "A coordinator that wants the world stopped has it stopped in the end, also while native code goes on.",
    "world-starts": "A world that is stopped starts again in the end.",
    "handshake-returns": "A requester that waits for an operation returns in the end, also while native code goes on.",
    "thread-sleeps": "A thread that blocks sleeps in the end: it does not spin on a request that it must not serve yet.",
    "checks-pass": "A thread's checks pass again in the end, or it sleeps: no trigger word stays poisoned for ever.",
}

NEVER: dict[str, str] = {
    "request-is-seen": "{whom} always owes an answer",
    "thread-runs": "{whom} never runs guest code again",
    "world-stops": "{whom} never gets the world stopped",
    "world-starts": "{whom} never starts again",
    "handshake-returns": "{whom} waits for ever",
    "thread-sleeps": "{whom} never sleeps, although there is nothing that it could serve",
    "checks-pass": "the checks of {whom} never all pass again",
}
"""For each of EVENTUALLY, what it means that it cannot happen any more."""

MOST_STATES = 1_000_000
"""Scopes of up to this many states are held to EVENTUALLY.  The graph is kept with its edges turned round: in Python's dictionaries
571,029 states (handshake-2) take 9 s and 157 MB beside the search, over numpy's arrays 1.3 s and 91 MB.
"""

Goal = Callable[[int], bool]


@dataclass(frozen=True)
class Assumption:
    """What is not counted on.  `says`: the condition, for people.  `is_left(model, process, state, edge)`: need the move not happen?"""

    says: str
    is_left: Callable[[Model, Process, int, Transition], bool]


def _no_request(model: Model, process: Process, state: int, _edge: Transition) -> bool:
    return process in model.requesters and process.pc.get(state) == process.pc.get(model.initial)


def _no_return(_model: Model, process: Process, state: int, _edge: Transition) -> bool:
    return is_at(process.graph, process.at(state), RETURNING)


def _no_end_of_section(model: Model, process: Process, state: int, edge: Transition) -> bool:
    return END_OF_SECTION in edge.move.cases.split(", ") or _no_request(model, process, state, edge)


def _nothing(_model: Model, _process: Process, _state: int, _edge: Transition) -> bool:
    return False


FAIR = Assumption("whatever happens", _nothing)
QUIET = Assumption("if no further request is posted", _no_request)
NATIVE = Assumption("if native code never ends", _no_return)
MASKED = Assumption("if the critical section never ends", _no_end_of_section)
ASSUMPTIONS = {a.says: a for a in (FAIR, QUIET, NATIVE, MASKED)}


@dataclass
class Kept:
    """The moves of a process that an assumption leaves: what a search needs of a `Process`."""

    model: Model
    process: Process
    assumption: Assumption
    broken: dict[tuple[int, int], str] = field(default_factory=dict)
    table: dict[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def footprint(self) -> int:
        return self.process.footprint

    def moves(self, key: int) -> tuple[int, ...]:
        """One row of the table."""
        return tuple(
            edge.delta
            for edge in self.process.edges(key)
            if edge.is_drain or not self.assumption.is_left(self.model, self.process, key, edge)
        )

    def row(self, state: int) -> tuple[int, ...]:
        key = state & self.process.footprint
        if key not in self.table:
            self.table[key] = self.moves(key)
        return self.table[key]


def kept(model: Model, assumption: Assumption) -> list[Kept]:
    return [Kept(model, process, assumption) for process in model.processes]


@dataclass(frozen=True)
class Goals:
    """(property, of whom, what must be reachable from everywhere), under an assumption."""

    assumption: Assumption
    goals: tuple[tuple[str, str, Goal], ...]


def goals(model: Model) -> Iterator[Goals]:
    """All goals, by assumption; only assumptions under which there is one."""
    properties = Properties(model)

    def clear(where: Field, state: int) -> bool:
        return not where.get(state)

    def seen(thread: int, state: int) -> bool:
        owes = model.owed[thread].get(state) or model.held[thread].get(state)
        return not owes or properties.is_asleep(state, thread)

    def checks_pass(thread: int, state: int) -> bool:
        if properties.is_asleep(state, thread):
            return True
        return properties.in_guest(state, thread) and properties.is_at_ease(state, thread)

    def runs(thread: int, state: int) -> bool:
        return properties.in_guest(state, thread) or properties.is_asleep(state, thread)

    def is_among(pc: Field, steps: frozenset[int], state: int) -> bool:
        return pc.get(state) in steps

    def sleeps(thread: int, state: int) -> bool:
        return properties.is_asleep(state, thread) and not model.value(state, thread, "wake")

    wanted: list[tuple[str, str, Goal]] = []  # by a requester that asks again and again
    stops: list[tuple[str, str, Goal]] = []  # or by one that has begun, and may never ask again
    for requester in model.requesters:
        begin = requester.pc.get(model.initial)
        if steps := frozenset(step.number for step in requester.graph.steps if is_at(requester.graph, step, STOPPED)):
            wanted.append(("world-stops", requester.name, partial(is_among, requester.pc, steps)))
            stops.append(("world-stops", requester.name, partial(is_among, requester.pc, steps | {begin})))
        if requester.waits_for is not None:
            stops.append(("handshake-returns", requester.name, partial(is_among, requester.pc, frozenset({begin}))))
    always: list[tuple[str, str, Goal]] = [
        ("world-starts", "the world", partial(clear, where))
        for cell, where in model.cells.items()
        if cell.word == "stop"
    ]
    passes: list[tuple[str, str, Goal]] = []
    for thread, mutator in enumerate(model.mutators):
        always.append(("request-is-seen", mutator.name, partial(seen, thread)))
        always.append(("thread-runs", mutator.name, partial(runs, thread)))
        passes.append(("checks-pass", mutator.name, partial(checks_pass, thread)))
        if "blocking" in model.scope.slices:
            passes.append(("thread-sleeps", mutator.name, partial(sleeps, thread)))
    if wanted:
        yield Goals(FAIR, tuple(wanted))
    yield Goals(QUIET, (*stops, *always, *passes))
    if stops and not COUNTS_ON_RETURN & set(model.scope.slices):
        yield Goals(NATIVE, tuple(stops))
    if "masks" in model.scope.slices:
        yield Goals(MASKED, tuple(passes))


def check_liveness(result: Result) -> Result:
    """The result of a search that broke nothing, held to the eventual properties too.  Which engine searched does not matter:
    if there is a trap, `explore.search` comes by the same states, and its parents give the shortest way to it.
    """
    model, parents = result.model, result.reached
    if not isinstance(parents, dict):
        # numpy is optional
        from safepoint.model.fast.backward import always_possible  # noqa: PLC0415
        from safepoint.model.fast.search import Reached  # noqa: PLC0415

        assert isinstance(parents, Reached)
        if all(
            always_possible(model, parents, kept(model, each.assumption), (goal for _, _, goal in each.goals))
            for each in goals(model)
        ):
            return result
        result = search(model, lambda _: None, result.states)
        parents = result.reached
        assert isinstance(parents, dict)
    for name, detail, trap in traps(model, parents):
        return replace(result, broken=name, detail=detail, path=path_to(parents, trap))
    return result


def traps(model: Model, states: Collection[int]) -> Iterator[tuple[str, str, int]]:
    """(property, of whom and under which assumption, the first of these states from which it cannot happen)."""
    for each in goals(model):
        before: dict[int, list[int]] = defaultdict(list)
        left = kept(model, each.assumption)
        for state in states:
            for process in left:
                for delta in process.row(state):
                    before[state ^ delta].append(state)
        for name, whom, goal in each.goals:
            good = {state for state in states if goal(state)}
            todo = list(good)
            while todo:
                for state in before.get(todo.pop(), ()):
                    if state not in good:
                        good.add(state)
                        todo.append(state)
            # in the order of the search: a nearest one
            trap = next((state for state in states if state not in good), None)
            if trap is not None:
                yield name, f"{whom}: {each.assumption.says}", trap


# ---------------------------------------------------------------------------------------------- a trap in words


def trapped(model: Model, broken: str, detail: str, state: int) -> str:
    """The words for a trap; of any other state the detail as it is."""
    whom, _, condition = detail.partition(": ")
    if broken not in EVENTUALLY or condition not in ASSUMPTIONS:
        return detail
    never = NEVER[broken].format(whom=whom)
    after = following(model, state, ASSUMPTIONS[condition])
    return f"from here on, {condition}, {never} (all {after:,} states that can follow were looked at)"


def following(model: Model, state: int, assumption: Assumption) -> int:
    """How many states can be reached from this one under the assumption, it included."""
    left = kept(model, assumption)
    seen, todo = {state}, [state]
    while todo:
        state = todo.pop()
        for process in left:
            for delta in process.row(state):
                if state ^ delta not in seen:
                    seen.add(state ^ delta)
                    todo.append(state ^ delta)
    return len(seen)
