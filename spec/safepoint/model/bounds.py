"""The exact bound: how many checks of a kind a thread can execute until it has seen a request.

Counting begins when every trigger word is visible to the target, and the check that sees is counted, so the best is 1.  Let
the *region* be the states in which a request is owed and its post is complete, or those in which a coordinator waits for the thread.  S(1) is every state of the region from which
a path within it leads through a check; S(n+1) is every one from which a path leads through a check into S(n).  The bound is
the last n for which S(n) is not empty; if S(n+1) = S(n), checks can go on for ever, and there is a lasso to show: a way from
the initial state to a loop in that set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import takewhile

from safepoint.model import custom_bounds
from safepoint.model.activity import doing
from safepoint.model.explore import Result, path_to, search
from safepoint.model.moves import Move
from safepoint.model.process import Process
from safepoint.model.properties import Properties
from safepoint.model.system import Model
from safepoint.protocol.activities import CHECKS
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.policy import FURTHER, SITE_OF, Bound
from safepoint.protocol.words import ASKED, HANDSHAKE

BROKEN = "declared-bound"
"""The property that a policy breaks whose requests are seen late, or never."""

AWAITED = 0
"""In place of a kind of request: a coordinator waits for the thread, whether or not it has told it so."""

KINDS = tuple(dict.fromkeys(CHECKS.values()))
"""The kinds of check, as `Bound` names them."""


def kinds_of(model: Model) -> tuple[str, ...]:
    """Those that are counted in a model: a return, or an allocation, where its policy checks there."""
    sites = () if model.text.is_custom else model.policy.sites
    return tuple(kind for kind in KINDS if FURTHER.get(kind) in (None, *sites))


Kinds = frozenset[str]
NONE: Kinds = frozenset()


@dataclass(frozen=True)
class Region:
    """The sub-graph in which a thread owes an answer: for each state those that lead to it, and through a check of which kinds.

    -1 stands for all that a check leads out to.  checks: of each kind the moves that are one, each from where to where.
    """

    thread: int
    states: frozenset[int]
    before: dict[int, list[tuple[int, Kinds]]]
    checks: dict[str, list[tuple[int, int]]]


def bound_of(model: Model, result: Result) -> Bound:
    """The largest number over all threads and kinds of request, for each kind of check."""
    kinds = kinds_of(model)
    found: dict[str, int | None] = dict.fromkeys(kinds, 0)
    for region in regions(model, result):
        for kind in kinds:
            (n, endless), worst = _longest(region, kind), found[kind]
            found[kind] = None if endless or worst is None else max(worst, n)
    return Bound(**found)


def undeclared_lasso(result: Result, bound: Bound) -> Result | None:
    """The lasso of the first kind of check that has no bound, although the policy declares one; None: each has a number."""
    declared = result.model.policy.declared.of_kinds()
    endless = (kind for kind, n in bound.of_kinds().items() if n is None and declared[kind] is not None)
    return next(filter(None, (lasso_of(result.model, result, kind) for kind in endless)), None)


def lasso_of(model: Model, result: Result, kind: str) -> Result | None:
    """Why the bound on checks of that kind is null: the result, with a path whose last state is where its loop begins.

    None: there is a bound.  The loop goes through a check of the kind, and a request is owed and unseen all along it.  The
    way to it is a shortest one to any such loop, and the loop a shortest one from there.
    """
    parents, order = nearest_first(model)
    found: list[tuple[int, int, tuple[int, ...]]] = []
    for region in regions(model, result):
        _, endless = _longest(region, kind)
        after = _turned(region, endless, kind)
        for state in sorted(endless, key=order.__getitem__):
            if loop := _round(after, state):
                found.append((order[state], len(loop), loop))
                break
    if not found:
        return None
    _, _, loop = min(found)
    return replace(result, broken=BROKEN, detail="", path=path_to(parents, loop[0]) + loop[1:])


def nearest_first(model: Model) -> tuple[dict[int, int], dict[int, int]]:
    """All states in the order of their distance, whichever engine found them before: each with its parent, and with its number."""
    parents = search(model, lambda _: None).reached
    assert isinstance(parents, dict)
    return parents, {state: number for number, state in enumerate(parents)}


def never_seen(model: Model, states: Sequence[int], moves: Sequence[tuple[int | str, Move]]) -> str:
    """What is never seen in a loop of these states and moves (whose, and which), and by which checks; "" if nothing is."""
    for thread, request in owing(model, states):
        made = {kind: sum(who == thread and kind in checks(move) for who, move in moves) for kind in kinds_of(model)}
        if any(made.values()):
            return f"T{thread} {_made(model, made)}, and never sees {request}"
    return ""


def looks(model: Model, kind: str) -> bool:
    """Does that kind of check look at anything: is there a site of the policy?  A custom text says it where it names the case."""
    return model.text.is_custom or SITE_OF[kind] in model.policy.sites


def _made(model: Model, made: Mapping[str, int]) -> str:
    """How often a thread checks in a round, and where it comes by that is no check: kind to how often."""
    names = {kind: kind.replace("_", "-").removesuffix("s") for kind, times in made.items() if times}
    looked = {kind: name for kind, name in names.items() if looks(model, kind)}
    idle = [name for kind, name in names.items() if kind not in looked]
    if not looked:
        return f"goes round by {' and '.join(idle)}, where it checks nothing"
    n, more = sum(made[kind] for kind in looked), "".join(f"; {name}: no check" for name in idle)
    return f"checks {n} time{'s' * (n > 1)} a round ({', '.join(looked.values())}{more})"


def owing_at_end(model: Model, states: Sequence[int]) -> Iterator[tuple[int, str, int]]:
    """The threads that owe an answer in the last of these states, to what, and in how many of the last ones."""
    for thread in range(len(model.mutators)):
        for request, name in _requests(model, thread).items():
            inside = _inside(model, thread, request)
            if times := sum(1 for _ in takewhile(inside, reversed(states))):
                yield thread, name, times


def owing(model: Model, states: Sequence[int]) -> list[tuple[int, str]]:
    """The threads that owe an answer in all of these states, and to what."""
    return [(thread, name) for thread, name, times in owing_at_end(model, states) if times == len(states)]


def regions(model: Model, result: Result) -> Iterator[Region]:
    """One for each thread and each kind of request that is posted."""
    sent = 0
    for state in result.reached:
        for field in model.owed.values():
            sent |= field.get(state)
    for thread in range(len(model.mutators)):
        for request in (kind for kind in _requests(model, thread) if sent & kind or kind == AWAITED):
            yield _region(model, result, thread, request)


def _requests(model: Model, thread: int) -> dict[int, str]:
    if model.text.is_custom:
        return custom_bounds.requests(model, thread)
    return REQUESTS | {AWAITED: "the stop that a coordinator waits with"} if _awaiting(model, thread) else REQUESTS


def _awaiting(model: Model, thread: int) -> list[tuple[Process, frozenset[int]]]:
    """The processes that wait for the thread to be outside guest code, and at which steps."""
    waits = [(m, frozenset(s.number for s in m.graph.steps if doing(m, s).awaiting == thread)) for m in model.processes]
    return [(process, steps) for process, steps in waits if steps]


def _inside(model: Model, thread: int, request: int) -> Callable[[int], bool]:
    """Is the request owed in a state, its post complete, and is it for the thread to see?"""
    if model.text.is_custom:
        return custom_bounds.inside(model, thread, request)
    fills = [m.fill for m in model.requesters if m.fill]
    if request == AWAITED:
        awaiting = _awaiting(model, thread)
        return lambda state: (
            any(process.pc.get(state) in steps for process, steps in awaiting) and not any(f.get(state) for f in fills)
        )
    properties = Properties(model)
    owed = model.owed[thread]

    def inside(state: int) -> bool:
        if (
            not owed.get(state) & request
            or any(f.get(state) for f in fills)
            or not properties.kinds(state, thread) & request
        ):
            return False
        if request == HANDSHAKE and model.value(state, thread, "operation") != ASKED:
            return False  # its requester has claimed it: it is not the thread's to see
        return not properties.under_way(properties.doings(state), thread) & request

    return inside


def _region(model: Model, result: Result, thread: int, request: int) -> Region:
    states = frozenset(filter(_inside(model, thread, request), result.reached))
    before: dict[int, list[tuple[int, Kinds]]] = defaultdict(list)
    checked: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for state in states:
        for new, check in moves_of(model, thread, state):
            to = new if new in states else -1  # out of the region only the check leads that sees
            if check or to != -1:
                before[to].append((state, check))
            for kind in check:
                checked[kind].append((state, to))
    return Region(thread, states, before, checked)


def moves_of(model: Model, thread: int, state: int) -> Iterator[tuple[int, Kinds]]:
    """Where each move leads, and through which kinds of check of the thread."""
    me = model.mutators[thread]
    for new, process, delta in model.successors(state):
        chosen = me.chosen.get((state & me.footprint, delta)) if process is me else None
        yield new, _checks(chosen) if chosen else NONE


def checks(move: Move) -> Kinds:
    """The kinds of check that the move is: the first access after guest code chose to push or to jump back, whatever it looks at.

    A site that looks at nothing is executed all the same, so that its checks can go on for ever.
    """
    return _checks((move.cases,))


@cache
def _checks(chosen: tuple[str, ...]) -> Kinds:
    return frozenset(CHECKS[case] for cases in chosen for case in cases.split(", ") if case in CHECKS)


def _longest(region: Region, kind: str) -> tuple[int, frozenset[int]]:
    """The n at which S(n + 1) is empty, or is S(n) again; and S(n + 1)."""
    n, current = 0, region.states | {-1}
    while True:
        closed = through_check(region, kind, current)
        if not closed or closed == current:
            return n, closed
        n, current = n + 1, closed


def through_check(region: Region, kind: str, into: frozenset[int]) -> frozenset[int]:
    """Every state of the region from which a path within it leads through a check into that set."""
    closed = {state for state, new in region.checks.get(kind, ()) if new in into}
    todo = list(closed)
    while todo:
        for state, _ in region.before.get(todo.pop(), ()):
            if state not in closed:
                closed.add(state)
                todo.append(state)
    return frozenset(closed)


def _turned(region: Region, states: frozenset[int], kind: str) -> dict[int, list[tuple[int, bool]]]:
    """For each of these states of the region whom among them it leads to, and whether through a check of the kind."""
    after: dict[int, list[tuple[int, bool]]] = {state: [] for state in states}
    for new in states:
        for state, check in region.before.get(new, ()):
            if state in after:
                after[state].append((new, kind in check))
    return after


def _round(after: dict[int, list[tuple[int, bool]]], start: int) -> tuple[int, ...]:
    """The shortest way from a state back to it, through a check; () if there is none."""
    first, last = (start, False), (start, True)
    before: dict[tuple[int, bool], tuple[int, bool]] = {}
    level = [first]
    while level and last not in before:
        fresh: list[tuple[int, bool]] = []
        for at in level:
            for new, check in after[at[0]]:
                to = (new, at[1] or check)
                if to != first and to not in before:
                    before[to] = at
                    fresh.append(to)
        level = fresh
    if last not in before:
        return ()
    way = [last]
    while way[-1] != first:
        way.append(before[way[-1]])
    return tuple(state for state, _ in reversed(way))
