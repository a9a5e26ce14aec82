"""Liveness under strong fairness, decided on the graph of reachable states.

Strong fairness: a move that is possible again and again is made again and again (running threads reach check sites, native
regions end, no thread is passed over for ever).  In a finite graph a goal is then reached from everywhere in every
fair run exactly if it *can* be reached from every reachable state.  A state from which it cannot is a trap: whatever happens
after it, for ever, is the loop of the lasso.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from safepoint.model.activity import is_at
from safepoint.model.explore import Result, path_to, search
from safepoint.model.process import Field
from safepoint.model.properties import Properties
from safepoint.model.system import Model
from safepoint.protocol.activities import STOPPED

EVENTUALLY: dict[str, str] = {
    "request-is-seen": "Every request that is owed to a thread is answered in the end.",
    "thread-runs": "Every thread runs guest code again in the end: no stop, park, sleep or handshake holds it for ever.",
    "world-stops": "A coordinator that wants the world stopped has it stopped in the end.",
    "world-starts": "A world that is stopped starts again in the end.",
    "checks-pass": "A thread's checks pass again in the end: no trigger word stays poisoned for ever.",
}

NEVER: dict[str, str] = {
    "request-is-seen": "{whom} always owes an answer",
    "thread-runs": "{whom} never runs guest code again",
    "world-stops": "{whom} never gets the world stopped",
    "world-starts": "{whom} never starts again",
    "checks-pass": "the checks of {whom} never all pass again",
}
"""For each of EVENTUALLY, what it means that it cannot happen any more."""

MOST_STATES = 1_000_000
"""Scopes of up to this many states are held to EVENTUALLY.  The graph is kept with its edges turned round: in Python's dictionaries
571,029 states (handshake-2) take 9 s and 157 MB beside the search, over numpy's arrays 1.3 s and 91 MB.
"""

Goal = Callable[[int], bool]


def goals(model: Model) -> Iterator[tuple[str, str, Goal]]:
    """(property, of whom, what must be reachable from everywhere)."""
    properties = Properties(model)

    def clear(where: Field, state: int) -> bool:
        return not where.get(state)

    def seen(thread: int, state: int) -> bool:
        return not (model.owed[thread].get(state) or model.held[thread].get(state))

    def checks_pass(thread: int, state: int) -> bool:
        return properties.in_guest(state, thread) and properties.is_at_ease(state, thread)

    def runs(thread: int, state: int) -> bool:
        return properties.in_guest(state, thread)

    def is_among(pc: Field, steps: frozenset[int], state: int) -> bool:
        return pc.get(state) in steps

    for requester in model.requesters:
        if steps := frozenset(step.number for step in requester.graph.steps if is_at(requester.graph, step, STOPPED)):
            yield "world-stops", requester.name, partial(is_among, requester.pc, steps)
    for cell, where in model.cells.items():
        if cell.word == "stop":
            yield "world-starts", "the world", partial(clear, where)
    for thread, mutator in enumerate(model.mutators):
        yield "request-is-seen", mutator.name, partial(seen, thread)
        yield "thread-runs", mutator.name, partial(runs, thread)
        yield "checks-pass", mutator.name, partial(checks_pass, thread)


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
        if always_possible(model, parents, (goal for _, _, goal in goals(model))):
            return result
        result = search(model, lambda _: None, result.states)
        parents = result.reached
        assert isinstance(parents, dict)
    before: dict[int, list[int]] = defaultdict(list)
    for state in parents:
        for new, _, _ in model.successors(state):
            before[new].append(state)
    for name, whom, goal in goals(model):
        good = {state for state in parents if goal(state)}
        todo = list(good)
        while todo:
            for state in before.get(todo.pop(), ()):
                if state not in good:
                    good.add(state)
                    todo.append(state)
        trap = next(
            (state for state in parents if state not in good), None
        )  # in the order of the search: a nearest one
        if trap is not None:
            detail = f"{whom}: from here on it can never happen, whatever is done"
            return replace(result, broken=name, detail=detail, path=path_to(parents, trap))
    return result


# ---------------------------------------------------------------------------------------------- a trap in words


def trapped(model: Model, broken: str, detail: str, state: int) -> str:
    """The words for a trap; of any other state the detail as it is."""
    if broken not in EVENTUALLY:
        return detail
    never = NEVER[broken].format(whom=detail.partition(":")[0])
    return f"from here on, whatever happens, {never} (all {following(model, state):,} states that can follow were looked at)"


def following(model: Model, state: int) -> int:
    """How many states can be reached from this one, it included."""
    seen, todo = {state}, [state]
    while todo:
        for new, _, _ in model.successors(todo.pop()):
            if new not in seen:
                seen.add(new)
                todo.append(new)
    return len(seen)
