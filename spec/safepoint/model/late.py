"""Why a finite bound is greater than the declared one: a shortest path on which a thread executes one check too many.

`bounds` works with the sets S(n) of states from which n checks can still follow, the last one the check that sees.  The path goes
from the initial state to the nearest of S(declared + 1), and from there each time through one check into the next smaller set.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from safepoint.model.bounds import (
    BROKEN,
    Region,
    bound_of,
    checks,
    kinds_of,
    moves_of,
    nearest_first,
    owing_at_end,
    regions,
    through_check,
    undeclared_lasso,
)
from safepoint.model.explore import Result, path_to
from safepoint.model.moves import Move
from safepoint.model.system import Model
from safepoint.protocol.policy import Bound


def check_bound(result: Result) -> Result:
    """The result of a search that broke nothing, held to the bound that the model's policy declares."""
    return late(result, bound_of(result.model, result))


def late(result: Result, bound: Bound) -> Result:
    """The same, with its bound.  A request that is seen later than declared, or never, has a path that shows it."""
    if bound.within(result.model.policy.declared):
        return result
    found = undeclared_lasso(result, bound) or late_path(result, bound)
    assert found, "a bound that is not within the declared one has a path"
    return found


def late_path(result: Result, bound: Bound) -> Result | None:
    """The result, with such a path, for the first kind of check whose number is greater than declared; None: there is none.

    `bound`: what the result's scope has.
    """
    model, declared = result.model, result.model.policy.declared.of_kinds()
    for kind, n in bound.of_kinds().items():
        most = declared[kind]
        if isinstance(n, int) and isinstance(most, int) and n > most:
            parents, order = nearest_first(model)
            ways = [way for region in regions(model, result) if (way := _through(model, region, kind, most + 1, order))]
            way = min(ways, key=lambda way: (order[way[0]], len(way)))
            return replace(result, broken=BROKEN, detail=FINITE, path=path_to(parents, way[0]) + way[1:])
    return None


FINITE = "seen late"
"""The detail of a result whose path is no loop."""


def _through(model: Model, region: Region, kind: str, checked: int, order: dict[int, int]) -> tuple[int, ...]:
    """The states of a way through `checked` checks, the last of which may lead out of the region; () if there is none."""
    sets = [region.states | {-1}]
    for _ in range(checked):
        sets.append(through_check(region, kind, sets[-1]))
    if not sets[-1]:
        return ()
    way = [min(sets[-1], key=order.__getitem__)]
    for into in reversed(sets[:-1]):
        way += _to_check(model, region, kind, way[-1], into)
    return tuple(way)


def _to_check(model: Model, region: Region, kind: str, start: int, into: frozenset[int]) -> list[int]:
    """The states after `start` of a shortest way through a check into that set, where -1 stands for all outside the region."""
    before = {start: start}
    todo = deque([start])
    while todo:
        state = todo.popleft()
        for new, check in moves_of(model, region.thread, state):
            if kind in check and (new if new in region.states else -1) in into:
                way = [new]
                while state != start:
                    way.append(state)
                    state = before[state]
                return way[::-1]
            if new in region.states and new not in before:
                before[new] = state
                todo.append(new)
    raise AssertionError("the set that a state is in says that there is such a way")


def seen_late(model: Model, states: Sequence[int], moves: Sequence[tuple[int | str, Move]]) -> str:
    """What is seen later than declared at the end of a path of these states and moves (whose, and which); "" if nothing is."""
    declared = model.policy.declared.of_kinds()
    for kind in kinds_of(model):
        most, name = declared[kind], kind.replace("_", "-").removesuffix("s")
        for thread, request, times in owing_at_end(model, states[:-1]):
            made = sum(who == thread and kind in checks(move) for who, move in moves[len(moves) - times :])
            if isinstance(most, int) and made > most:
                return f"T{thread} checks {made} time{'s' * (made > 1)} ({name}) before it has seen {request}; declared is {most}"
    return ""
