"""The orders of accesses that overlap: the search for a linearisation (Wing and Gong 1993), just in time (Lowe 2017).

What another candidate can still become is not kept beside it: an access that nothing forces yet has not been made.
"""

from __future__ import annotations

from collections.abc import Sequence

from safepoint.trace.candidate import Candidate, Made, Near, covers

MOST_CANDIDATES = 4096


class Undecided(Exception):
    """Too many orders are possible: says what to do."""


TOO_MANY = f"more than {MOST_CANDIDATES} orders of what overlaps are possible (take the stamps closer)"


def orders(near: Near, candidate: Candidate, made: Made, others: Sequence[Made]) -> list[Candidate]:
    """The candidates in which it has happened, next or after some of the others, which are open: none if it cannot have.

    Raises Undecided.
    """
    if not others:
        return near.apply(candidate, made)
    found: dict[Candidate, None] = {}
    seen: set[Candidate] = set()
    todo = [candidate]
    while todo:
        now = todo.pop()
        known = len(seen)
        seen.add(now)
        if len(seen) == known:
            continue
        if known >= MOST_CANDIDATES:
            raise Undecided(TOO_MANY)
        for other in others:
            if not now[2] & other[2]:
                todo += near.apply(now, other)
        for after in near.apply(now, made):
            found[after] = None
    return [*found]


def least(near: Near, candidates: Sequence[Candidate], others: Sequence[Made]) -> Sequence[Candidate]:
    """Without those that another one covers, or comes to cover when one of the others happens next.

    A candidate covers another if the words are the same, and its actors may stand wherever those of the other may.
    """
    if len(candidates) <= 1:
        return candidates
    found = dict.fromkeys(candidates)
    covering: dict[object, list[Candidate]] = {
        each[1:]: [] for each in found
    }  # the same but where the actors may stand
    for candidate in found:
        covering[candidate[1:]].append(candidate)
        for other in others:
            if not candidate[2] & other[2]:
                for after in near.apply(candidate, other):
                    if (same := covering.get(after[1:])) is not None:
                        same.append(after)
    return [
        each for each in found if not any(other is not each and covers(other, each) for other in covering[each[1:]])
    ]
