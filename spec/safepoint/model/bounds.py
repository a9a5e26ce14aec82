"""The exact bound: how many checks of a kind a thread can execute until it has seen a request.

Counting begins when every trigger word is visible to the target, and the check that sees is counted, so the best is 1.  Let
the *region* be the states in which a request is owed and its post is complete.  S(1) is every state of the region from which
a path within it leads through a check; S(n+1) is every one from which a path leads through a check into S(n).  The bound is
the last n for which S(n) is not empty; if S(n+1) = S(n), checks can go on for ever, and there is a lasso to show.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from safepoint.model.explore import Result
from safepoint.model.mover import Move
from safepoint.model.properties import ASKED, HANDSHAKE, Properties
from safepoint.model.system import Model
from safepoint.policy import Bound, Policy


@dataclass(frozen=True)
class Region:
    """The sub-graph in which thread `thread` owes an answer: for each state who leads to it, and whether through a check."""

    states: frozenset[int]
    before: dict[int, list[tuple[int, bool]]]


KINDS = (1, 2, 4, 8, 16)


def bound_of(model: Model, result: Result, policy: Policy) -> Bound:
    """The largest number over all threads and kinds of request, for each kind of check of the policy."""
    found: dict[str, int | None] = {}
    sent = 0
    for state in result.reached:
        for field in model.owed.values():
            sent |= field.get(state)
    for kind, procedure in policy.sites.items():
        worst: int | None = 0
        for thread in range(len(model.mutators)):
            for request in (k for k in KINDS if sent & k):
                n = _longest(_region(model, result, thread, request, procedure))
                worst = None if n is None or worst is None else max(worst, n)
        found[kind] = worst
    return Bound(frames=found["frames"], back_edges=found["back_edges"])


def _region(model: Model, result: Result, thread: int, request: int, site: str) -> Region:
    properties = Properties(model)
    owed, me = model.owed[thread], model.mutators[thread]
    fills = [m.fill for m in model.requesters if m.fill]
    kept = [me.privates[word] for word in ("masked", "ending") if word in me.privates]

    def inside(state: int) -> bool:
        if (
            not owed.get(state) & request
            or any(f.get(state) for f in fills)
            or any(f.get(state) & request for f in kept)
        ):
            return False
        if request == HANDSHAKE and model.value(state, thread, "operation") != ASKED:
            return False  # whoever asked has claimed it: it is not the thread's to see
        return all(p.posting != thread for p in properties.places(state))

    states = frozenset(filter(inside, result.reached))
    before: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    checks: dict[tuple[int, int], bool] = {}
    for state in states:
        for new, mover, delta in model.successors(state):
            check = False
            if mover is me:
                key = (state & me.footprint, delta)
                if key not in checks:
                    checks[key] = any(e.delta == delta and is_check(e.move, site) for e in me.edges(key[0]))
                check = checks[key]
            if new in states:
                before[new].append((state, check))
            elif check:
                before[-1].append((state, True))  # the check that sees: it leads out of the region
    return Region(states, before)


def is_check(move: Move, site: str) -> bool:
    """Is it the first access of the site's procedure?  (Policies that test flags share `flag_check` between their sites.)"""
    where, _, what = move.name.partition(":")
    places = where.split("/")
    return what.startswith("load ") and places[1:2] == [site] and set(places[2:]) <= {"flag_check"}


def _longest(region: Region) -> int | None:
    """The largest n with S(n) not empty; None: there is no largest."""
    n, current = 0, region.states | {-1}
    while True:
        # every state from which a check leads into `current`, and all from which those can be reached
        start = {state for new in current for state, check in region.before.get(new, ()) if check}
        closed, todo = set(start), list(start)
        while todo:
            for state, _ in region.before.get(todo.pop(), ()):
                if state not in closed:
                    closed.add(state)
                    todo.append(state)
        if not closed:
            return n
        if closed == current:
            return None
        n, current = n + 1, frozenset(closed)
