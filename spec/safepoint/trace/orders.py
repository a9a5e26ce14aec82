"""The orders of accesses that overlap: the search for a linearisation (Wing and Gong 1993), just in time (Lowe 2017).

What another candidate can still become is not kept beside it: an access that nothing forces yet has not been made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from safepoint.trace.candidate import Candidate
from safepoint.trace.crowd import Told

MOST_CANDIDATES = 4096


class Undecided(Exception):
    """Too many orders are possible: says what to do."""


TOO_MANY = f"more than {MOST_CANDIDATES} orders of what overlaps are possible (take the stamps closer)"


def orders(candidate: Candidate, told: Told, others: Sequence[Told]) -> list[Candidate]:
    """The candidates in which it has happened, next or after some of the others, which are open: none if it cannot have.

    Raises Undecided.
    """
    if not others:
        return candidate.apply(told)
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
            raise Undecided(TOO_MANY)
        for other in others:
            if other not in now.done:
                todo += now.apply(other)
        for after in now.apply(told):
            found[after.key()] = after
    return [*found.values()]


def least(candidates: Iterable[Candidate], others: Sequence[Told]) -> list[Candidate]:
    """Without those that another one covers, or comes to cover when one of the others happens next.

    A candidate covers another if the words are the same, and its actors may stand wherever those of the other may.
    """
    found = {candidate.key(): candidate for candidate in candidates}
    if len(found) == 1:
        return [*found.values()]
    covering: dict[object, list[Candidate]] = {}
    for candidate in found.values():
        covering.setdefault(candidate.certain(), []).append(candidate)
        for other in others:
            if other not in candidate.done:
                for after in candidate.apply(other):
                    covering.setdefault(after.certain(), []).append(after)
    return [
        each
        for each in found.values()
        if not any(other is not each and other.covers(each) for other in covering[each.certain()])
    ]
