"""What the events so far leave open: some words and actors, and all that these may be together, apart from everything else.

Two doubts that have nothing to do with each other are not multiplied: a candidate takes one way of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import prod

from safepoint.trace.crowd import Crowd, Crowds, Footprint, Told

Stand = tuple[Crowd, bool]
"""Where an actor may stand, and whether its open event has happened."""
Way = tuple[Stand | int, ...]


@dataclass(eq=False)
class Doubt:
    """actors, words: their numbers.  ways: of each of the actors its Stand, then of each of the words its value.  mask: the words."""

    actors: tuple[int, ...]
    words: tuple[int, ...]
    ways: tuple[Way, ...]
    mask: int
    feet: dict[Told | int, Footprint] = field(default_factory=dict)

    def stands(self, actor: int) -> dict[Stand, None]:
        """Each place where the actor may stand, once."""
        at = self.actors.index(actor)
        return {stand: None for way in self.ways if isinstance(stand := way[at], tuple)}

    def footprint(self, rules: Crowds, told: Told | None, actor: int) -> Footprint:
        """As `Crowds.footprint`, in any way."""
        which = actor if told is None else told
        found = self.feet.get(which)
        if found is None:
            reads = writes = 0
            for crowd, done in self.stands(actor):
                read, written = rules.footprint(crowd, None if done else told, actor)
                reads, writes = reads | read, writes | written
            found = self.feet[which] = reads, writes
        return found


Columns = Sequence[int]


class Doubts:
    """Every doubt that has been met, each once."""

    def __init__(self) -> None:
        self._known: dict[object, Doubt] = {}

    def clear(self) -> None:
        self._known.clear()

    def factor(
        self, actors: Sequence[int], words: Sequence[int], ways: Sequence[Way]
    ) -> tuple[dict[int, Stand | int], list[Doubt]]:
        """What is the same in all the ways, by its column; and the rest, as doubts that are independent of each other."""
        certain: dict[int, Stand | int] = {}
        values: dict[int, int] = {}
        for column in range(len(actors) + len(words)):
            count = len({way[column] for way in ways})
            if count == 1:
                certain[column] = ways[0][column]
            else:
                values[column] = count
        doubts = [self._doubt(actors, words, ways, columns) for columns in _independent(ways, values)]
        return certain, doubts

    def _doubt(self, actors: Sequence[int], words: Sequence[int], ways: Sequence[Way], columns: Columns) -> Doubt:
        whose = tuple(actors[column] for column in columns if column < len(actors))
        which = tuple(words[column - len(actors)] for column in columns if column >= len(actors))
        kept = tuple(dict.fromkeys(_of(way, columns) for way in ways))
        doubt = self._known.get((whose, which, kept))
        if doubt is None:
            doubt = self._known[whose, which, kept] = Doubt(whose, which, kept, sum(1 << word for word in which))
        return doubt


def _independent(ways: Sequence[Way], values: dict[int, int]) -> Iterator[Columns]:
    """The columns, in groups: all the ways are one choice of each group.  values: how many different ones a column has."""
    groups = [[column] for column in values]
    for one, other in combinations(values, 2):
        mine = next(group for group in groups if one in group)
        others = next(group for group in groups if other in group)
        if mine is not others and len({(way[one], way[other]) for way in ways}) < values[one] * values[other]:
            groups.remove(others)
            mine += others
    groups = [sorted(group) for group in groups]
    if len(groups) > 1 and prod(len({_of(way, group) for way in ways}) for group in groups) != len({*ways}):
        groups = [[*values]]  # no two columns depend on each other, and yet not all choices are there
    yield from groups


def _of(way: Way, columns: Columns) -> Way:
    return tuple([way[column] for column in columns])
