"""What the events so far leave open: some words and actors, and all that these may be together, apart from everything else.

Two doubts that have nothing to do with each other are not multiplied: a candidate takes one way of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import prod

from safepoint.trace.candidate import Candidate
from safepoint.trace.crowd import Crowd, Crowds, Footprint, Told

Stand = tuple[Crowd, bool]
"""Where an actor may stand, and whether its open event has happened."""
Way = tuple[Stand | int, ...]


@dataclass(eq=False)
class Doubt:
    """actors, words: their numbers.  ways: of each of the actors its Stand, then of each of the words its value.

    group, mask: the actors, the words, as bits.
    """

    actors: tuple[int, ...]
    words: tuple[int, ...]
    ways: tuple[Way, ...]
    group: int
    mask: int
    feet: dict[Told | int, Footprint] = field(default_factory=dict)

    def stands(self, actor: int) -> dict[Stand, None]:
        """Each place where the actor may stand, once."""
        at = self.actors.index(actor)
        return {stand: None for way in self.ways if isinstance(stand := way[at], tuple)}

    def candidates(self) -> Iterator[Candidate]:
        """The ways, as candidates of its actors and words."""
        for way in self.ways:
            stands = [each for each in way if isinstance(each, tuple)]
            done = sum(happened << number for number, (_, happened) in enumerate(stands))
            yield tuple([crowd for crowd, _ in stands]), tuple([each for each in way if isinstance(each, int)]), done

    def footprint(self, rules: Crowds, told: Told | None, actor: int) -> Footprint:
        """As `Crowds.footprint`, in any way."""
        which = actor if told is None else told
        found = self.feet.get(which)
        if found is None:
            touched = felt = 0
            for crowd, done in self.stands(actor):
                foot = rules.footprint(crowd, None if done else told, actor)
                touched, felt = touched | foot[0], felt | foot[1]
            found = self.feet[which] = touched, felt
        return found


class Doubts:
    """Every doubt that has been met, each once."""

    def __init__(self) -> None:
        self._known: dict[object, Doubt] = {}

    def clear(self) -> None:
        self._known.clear()

    def factor(
        self, actors: Sequence[int], words: Sequence[int], candidates: Sequence[Candidate]
    ) -> tuple[list[Stand | Doubt], list[int | Doubt], list[Doubt]]:
        """What each actor and each word is in all of these, or the doubt about it; and these doubts, which are independent."""
        crowds, values, done = candidates[0]
        stands: list[Stand | Doubt] = [(crowd, done >> number & 1 == 1) for number, crowd in enumerate(crowds)]
        held: list[int | Doubt] = [*values]
        doubts: list[Doubt] = []
        if len(candidates) > 1:
            varying = {number: column for number, column in enumerate(_columns(candidates)) if len({*column}) > 1}
            numbers, ways = [*varying], [*zip(*varying.values(), strict=True)]
            for group in _independent(ways, [len({*column}) for column in varying.values()]):
                columns = [numbers[each] for each in group]
                which = [number - len(actors) for number in columns if number >= len(actors)]
                whose = [number for number in columns if number < len(actors)]
                kept = tuple(dict.fromkeys(_of(way, group) for way in ways))
                doubt = self._doubt(tuple([actors[n] for n in whose]), tuple([words[n] for n in which]), kept)
                doubts.append(doubt)
                for number in whose:
                    stands[number] = doubt
                for number in which:
                    held[number] = doubt
        return stands, held, doubts

    def _doubt(self, actors: tuple[int, ...], words: tuple[int, ...], ways: tuple[Way, ...]) -> Doubt:
        doubt = self._known.get((actors, words, ways))
        if doubt is None:
            group, mask = sum(1 << actor for actor in actors), sum(1 << word for word in words)
            doubt = self._known[actors, words, ways] = Doubt(actors, words, ways, group, mask)
        return doubt


def _columns(candidates: Sequence[Candidate]) -> Iterator[Sequence[Stand | int]]:
    """What each actor, then each word, is in each of these."""
    happened = [done for _, _, done in candidates]
    for number, crowds in enumerate(zip(*[crowds for crowds, _, _ in candidates], strict=True)):
        yield [*zip(crowds, [done >> number & 1 == 1 for done in happened], strict=True)]
    yield from zip(*[values for _, values, _ in candidates], strict=True)


def _independent(ways: Sequence[Way], counts: Sequence[int]) -> list[list[int]]:
    """The columns, in groups: all the ways are one choice of each group.  counts: how many different values a column has."""
    groups = [[column] for column in range(len(counts))]
    for one, other in combinations(range(len(counts)), 2):
        mine = next(group for group in groups if one in group)
        others = next(group for group in groups if other in group)
        if mine is not others and len({(way[one], way[other]) for way in ways}) < counts[one] * counts[other]:
            groups.remove(others)
            mine += others
    groups = [sorted(group) for group in groups]
    if len(groups) > 1 and prod(len({_of(way, group) for way in ways}) for group in groups) != len({*ways}):
        return [[*range(len(counts))]]  # no two columns depend on each other, and yet not all choices are there
    return groups


def _of(way: Way, columns: Sequence[int]) -> Way:
    return tuple([way[column] for column in columns])
