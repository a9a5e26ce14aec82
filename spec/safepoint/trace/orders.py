"""The orders of accesses that overlap: the search for a linearisation (Wing and Gong 1993), just in time (Lowe 2017).

Accesses that have nothing to do with each other are not tried in both orders, so that there is normally one candidate.
"""

from __future__ import annotations

from collections.abc import Sequence

from safepoint.trace.candidate import Candidate, Happening

MOST_CANDIDATES = 4096


class Undecided(Exception):
    """Too many orders are possible: says what to do."""


def orders(candidate: Candidate, happening: Happening, opened: Sequence[tuple[int, int, Happening]]) -> list[Candidate]:
    """The candidates in which it has happened, next or after some of those that are open: none if it cannot have."""
    others = [h for _, _, h in opened if h not in candidate.done] if opened else []
    if others:
        touched = [_touched(candidate, h) for h in others]
        others = [] if _alone(candidate, happening, touched) else _near(candidate, happening, others, touched)
    if not others:
        return candidate.apply(happening)
    found: dict[object, Candidate] = {}
    seen: set[object] = set()
    todo = [candidate]
    while todo:
        now = todo.pop()
        key = now.key()
        if key in seen:
            continue
        seen.add(key)
        if len(seen) > MOST_CANDIDATES:
            raise Undecided(
                f"more than {MOST_CANDIDATES} orders of what overlaps are possible (take the stamps closer)"
            )
        for other in others:
            if other not in now.done and now.can(other):
                todo += now.copy().apply(other)
        for after in now.apply(happening):
            found[after.key()] = after
    return [*found.values()]


def _alone(candidate: Candidate, happening: Happening, touched: list[frozenset[int] | None]) -> bool:
    """Is it the same before and after each of the others?  A hidden step after it sees what was before them, and after."""
    crowd = candidate.crowds[happening.actor]
    if crowd.reads:
        return False
    cell, outcomes = candidate.outcomes(candidate.crowd_for(happening), happening)
    if not outcomes or None in touched:
        return False
    for actor in candidate.reading:
        if cell in candidate.rules.looks(candidate.crowds[actor], actor):
            return False
    return not any(cells and cell in cells for cells in touched)


def _near(
    candidate: Candidate, happening: Happening, others: list[Happening], touched: list[frozenset[int] | None]
) -> list[Happening]:
    """Those of the others that may matter: joined by words that two of them access, or that a hidden step may read."""
    mine = _touched(candidate, happening)
    if mine is None:
        return others
    groups = [candidate.rules.looks(candidate.crowds[actor], actor) for actor in candidate.reading]
    left = [*zip(others, touched, strict=True)]
    near: list[Happening] = []
    grown = True
    while grown:
        grown = False
        for group in groups:
            if not group <= mine and group & mine:
                mine |= group
                grown = True
        for pair in [*left]:
            if pair[1] is None or pair[1] & mine:
                near.append(pair[0])
                left.remove(pair)
                mine |= pair[1] or frozenset()
                grown = True
    return near


def _touched(candidate: Candidate, happening: Happening) -> frozenset[int] | None:
    """The words that it accesses, and the hidden steps before it and after it; None: it cannot happen yet."""
    crowd, actor = candidate.crowd_for(happening), happening.actor
    cell, outcomes = candidate.outcomes(crowd, happening)
    if not outcomes:
        return None
    touched = {cell}
    for each in (crowd, *(then for _, then in outcomes)):
        if each.reads:
            touched |= candidate.rules.looks(each, actor)
    return frozenset(touched)
