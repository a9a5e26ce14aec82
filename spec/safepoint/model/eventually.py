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

from safepoint.model import custom_goals
from safepoint.model.activity import is_at
from safepoint.model.closed import closed_sets
from safepoint.model.explore import STUCK, Result, path_to, search
from safepoint.model.fields import Field
from safepoint.model.goal import FAIR, Assumption, Goal, Goals, Named, stands
from safepoint.model.process import Process
from safepoint.model.properties import Properties
from safepoint.model.scopes import COUNTS_ON_RETURN
from safepoint.model.system import Model
from safepoint.protocol.activities import END_OF_SECTION, POSTING, RETURNING, STOPPED

EVENTUALLY: dict[str, str] = {
    "request-is-seen": "Every request that is owed to a thread is served in the end, or the thread sleeps and cannot serve it.",
    "thread-runs": "Every thread runs guest code again in the end, or sleeps: no stop, park or handshake holds it for ever.",
    "request-is-posted": "Every requester posts its request in the end, again and again.",
    "world-stops": "A coordinator that wants the world stopped has it stopped in the end, also while native code goes on.",
    "world-starts": "A world that is stopped starts again in the end.",
    "handshake-returns": "A requester that waits for an operation returns in the end, also while native code goes on.",
    "thread-sleeps": "A thread that blocks sleeps in the end: it does not spin on a request that it must not serve yet.",
    "checks-pass": "A thread's checks pass again in the end, or it sleeps: no trigger word stays poisoned for ever.",
}

NEVER: dict[str, str] = {
    "request-is-seen": "{whom} always owes an answer",
    "thread-runs": "{whom} never runs guest code again",
    "request-is-posted": "{whom} never posts a request",
    "world-stops": "{whom} never gets the world stopped",
    "world-starts": "{whom} never starts again",
    "handshake-returns": "{whom} waits for ever",
    "thread-sleeps": "{whom} never sleeps, although there is nothing that it could serve",
    "checks-pass": "the checks of {whom} never all pass again",
}
"""For each of EVENTUALLY, what it means that it cannot happen any more."""


def _asks_no_more(model: Model, process: Process, state: int) -> bool:
    return process in model.requesters and process.pc.get(state) == process.pc.get(model.initial)


def _is_native(_model: Model, process: Process, state: int) -> bool:
    return is_at(process.graph, process.at(state), RETURNING)


QUIET = Assumption("if no further request is posted", _asks_no_more)
NATIVE = Assumption("if native code never ends", _is_native)
MASKED = Assumption("if the critical section never ends", _asks_no_more, END_OF_SECTION)


def _alone(thread: Process) -> Assumption:
    """What one thread leaves behind when it goes outside must not slow another down, where they check one word."""

    def stays(model: Model, process: Process, state: int) -> bool:
        return process is not thread and (_asks_no_more(model, process, state) or _is_native(model, process, state))

    return Assumption(
        f"if no further request is posted, and no thread but {thread.name} comes back from native code", stays
    )


@dataclass
class Kept:
    """The moves of a process that an assumption leaves: what a search needs of a `Process`.  Stores reach memory all the same."""

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
        process, without = self.process, self.assumption.without
        if self.assumption.stays(self.model, process, key):
            return (process.drain(key) ^ key,) if process.in_flight(key) and not process.is_handler else ()
        if leaves := self.assumption.leaves:
            return tuple(edge.delta for edge in process.edges(key) if not leaves(process, key, edge))
        row = process.row(key)
        return tuple(d for d in row if not self._is_left(process.chosen.get((key, d)))) if without else row

    def _is_left(self, chosen: tuple[str, ...] | None) -> bool:
        return chosen is not None and all(self.assumption.without in cases.split(", ") for cases in chosen)

    def row(self, state: int) -> tuple[int, ...]:
        key = state & self.process.footprint
        if key not in self.table:
            self.table[key] = self.moves(key)
        return self.table[key]


def kept(model: Model, assumption: Assumption) -> list[Kept]:
    return [Kept(model, process, assumption) for process in model.processes]


Rows = tuple[int, dict[int, tuple[int, ...]], Callable[[int], tuple[int, ...]]]
"""What is looked up of a process: its footprint, its rows as far as they are known, and how a row is worked out."""


def goals(model: Model) -> Iterator[Goals]:
    """All goals, by assumption; only assumptions under which there is one."""
    if model.text.is_custom:
        yield from custom_goals.goals(model)
        return
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

    def sleeps(thread: int, state: int) -> bool:
        return properties.is_asleep(state, thread) and not model.value(state, thread, "wake")

    posts, wanted, begun = _of_requesters(model)
    always: list[Named] = [
        ("world-starts", "the world", partial(clear, where))
        for cell, where in model.cells.items()
        if cell.word == "stop"
    ]
    passes: list[Named] = []
    for thread, mutator in enumerate(model.mutators):
        always.append(("request-is-seen", mutator.name, partial(seen, thread)))
        always.append(("thread-runs", mutator.name, partial(runs, thread)))
        passes.append(("checks-pass", mutator.name, partial(checks_pass, thread)))
        if "blocking" in model.scope.slices:
            passes.append(("thread-sleeps", mutator.name, partial(sleeps, thread)))
    if wanted:
        yield Goals(FAIR, tuple(wanted))
    yield Goals(QUIET, (*begun, *always, *passes))
    if model.checked_by_all and len(model.mutators) > 1:
        for thread, mutator in enumerate(model.mutators):
            yield Goals(_alone(mutator), (("checks-pass", mutator.name, partial(checks_pass, thread)),))
    if begun and not COUNTS_ON_RETURN & set(model.scope.slices):
        yield Goals(NATIVE, tuple(begun))
    if "masks" in model.scope.slices:
        yield Goals(MASKED, tuple(passes))
    if posts:  # last of all: what keeps a requester from it has a name of its own
        yield Goals(FAIR, tuple(posts))


def _of_requesters(model: Model) -> tuple[list[Named], list[Named], list[Named]]:
    """Two that a requester comes to that asks again and again: to post, and to a stop; and that of one that has begun."""
    posts: list[Named] = []
    stops: list[Named] = []
    begun: list[Named] = []
    for requester in model.requesters:
        begin = requester.pc.get(model.initial)
        posting, stopped = (
            frozenset(step.number for step in requester.graph.steps if is_at(requester.graph, step, activity))
            for activity in (POSTING, STOPPED)
        )
        if posting:
            posts.append(("request-is-posted", requester.name, partial(stands, requester, posting)))
        if stopped:
            stops.append(("world-stops", requester.name, partial(stands, requester, stopped)))
            begun.append(("world-stops", requester.name, partial(stands, requester, stopped | {begin})))
        if requester.waits_for is not None:
            begun.append(("handshake-returns", requester.name, partial(stands, requester, frozenset({begin}))))
    return posts, stops, begun


def check_liveness(result: Result) -> Result:
    """The result of a search that broke nothing, held to the eventual properties too.  Which engine searched does not matter:
    if there is a trap, `explore.search` comes by the same states, and its parents give the shortest way to it.
    """
    model, parents = result.model, result.reached
    if not isinstance(parents, dict):
        # numpy is optional
        from safepoint.model.fast.backward import Found, always_possible  # noqa: PLC0415
        from safepoint.model.fast.search import Reached  # noqa: PLC0415

        assert isinstance(parents, Reached)
        asked: dict[str, list[Goals]] = defaultdict(list)  # by assumption: each has a graph of its own
        for each in goals(model):
            asked[each.assumption.says].append(each)
        found = Found(model, parents)
        if all(
            always_possible(found, kept(model, same[0].assumption), [goal for g in same for _, _, goal in g.goals])
            for same in asked.values()
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
    closed: dict[str, list[list[int]]] = {}  # by assumption
    for each in goals(model):
        says = each.assumption.says
        after = partial(_after, [(p.footprint, p.table, p.row) for p in kept(model, each.assumption)])
        if says not in closed:
            closed[says] = list(closed_sets(states, after))
        for name, whom, goal in each.goals:
            if not all(any(map(goal, ends)) for ends in closed[says]):
                yield name, f"{whom}: {says}", _trap(states, after, goal)


def _after(rows: list[Rows], state: int) -> Iterator[int]:
    """The states that one move leads to."""
    for footprint, table, row in rows:
        deltas = table.get(state & footprint)
        for delta in row(state) if deltas is None else deltas:
            yield state ^ delta


def _trap(states: Collection[int], after: Callable[[int], Iterator[int]], goal: Goal) -> int:
    """The first of these states from which a goal cannot be reached: there is one."""
    before: dict[int, list[int]] = defaultdict(list)
    for state in states:
        for new in after(state):
            before[new].append(state)
    good = {state for state in states if goal(state)}
    todo = list(good)
    while todo:
        for state in before.get(todo.pop(), ()):
            if state not in good:
                good.add(state)
                todo.append(state)
    # in the order of the search: a nearest one
    return next(state for state in states if state not in good)


# ---------------------------------------------------------------------------------------------- a trap in words


def trapped(model: Model, broken: str, detail: str, state: int) -> str:
    """The words for a trap; of any other state the detail as it is."""
    if model.text.is_custom and (broken, detail) == STUCK:
        return custom_goals.stuck(model, detail, state)
    if not (model.text.is_custom or broken in EVENTUALLY):
        return detail
    whom, _, condition = detail.rpartition(": ")
    assumption = next((each.assumption for each in goals(model) if each.assumption.says == condition), None)
    if assumption is None:
        return detail
    beyond = following(model, state, assumption)
    custom = model.text.is_custom
    never = custom_goals.never(model, broken, whom, beyond, state) if custom else NEVER[broken].format(whom=whom)
    return f"from here on, {condition}, {never} (all {len(beyond):,} states that can follow were looked at)"


def following(model: Model, state: int, assumption: Assumption) -> set[int]:
    """The states that can be reached from this one under the assumption, it included."""
    left = kept(model, assumption)
    seen, todo = {state}, [state]
    while todo:
        state = todo.pop()
        for process in left:
            for delta in process.row(state):
                if state ^ delta not in seen:
                    seen.add(state ^ delta)
                    todo.append(state ^ delta)
    return seen
