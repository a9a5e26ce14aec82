"""All the ways in which the events so far may have happened: what is certain of words and actors, and the doubts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from safepoint.trace.candidate import Candidate
from safepoint.trace.crowd import Crowd, Crowds, Told
from safepoint.trace.doubt import Doubt, Way
from safepoint.trace.steps import Moved, Step, Steps, Value


class Ways:
    """memory, stands: by number; of what is in doubt, the Doubt.  opened: the open event of each actor, if it may still happen.

    done: actors whose open event has happened for certain.  active: actors with an open event or a footprint.  stale: of these events,
    those whose footprint has not been needed yet.  doubtful: the words that are in doubt, as bits.
    """

    def __init__(self, rules: Crowds, steps: Steps, beginning: Candidate) -> None:
        """beginning: all the words and actors."""
        self.rules, self.steps = rules, steps
        self.memory: list[Value] = [*beginning.memory.values()]
        self.stands: list[Crowd | Doubt] = []
        self.opened: list[Told | None] = []
        self.done: set[int] = set()
        self.reads: list[int] = []
        self.writes: list[int] = []
        self.active: set[int] = set()
        self.stale: list[int] = []
        self.doubts: list[Doubt] = []
        self.doubtful = 0
        for crowd in beginning.crowds.values():
            self.add(crowd)

    def add(self, crowd: Crowd) -> None:
        """One more actor."""
        self.stands.append(crowd)
        self.opened.append(None)
        self.reads.append(0)
        self.writes.append(0)
        self.foot(len(self.stands) - 1)

    @property
    def ways(self) -> int:
        """How many candidates there are."""
        return prod([len(doubt.ways) for doubt in self.doubts])

    def candidate(self) -> Candidate:
        """One of them, with all words and actors."""
        return next(self.candidates(range(len(self.stands)), range(len(self.memory)), self.doubts))

    def candidates(self, actors: Sequence[int], words: Sequence[int], doubts: Sequence[Doubt]) -> Iterator[Candidate]:
        """Each candidate, with these actors and words: what is certain of them, and one way of each doubt."""
        memory = {word: value for word in words if isinstance(value := self.memory[word], int)}
        crowds = {actor: stand for actor in actors if isinstance(stand := self.stands[actor], Crowd)}
        for chosen in product(*[doubt.ways for doubt in doubts]):
            held, stood, done = dict(memory), dict(crowds), set[Told]()
            for doubt, way in zip(doubts, chosen, strict=True):
                for number, each in zip((*doubt.actors, *doubt.words), way, strict=True):
                    if isinstance(each, int):
                        held[number] = each
                    else:
                        stood[number] = each[0]
                        told = self.opened[number]
                        if each[1] and told is not None:
                            done.add(told)
            yield Candidate(
                self.rules, {word: held[word] for word in words}, {actor: stood[actor] for actor in actors}, done
            )

    def foot(self, actor: int) -> None:
        told = self.opened[actor]
        self.reads[actor], self.writes[actor] = self.footprint(actor, self.stands[actor], told)
        if told is not None or self.reads[actor]:
            self.active.add(actor)
        else:
            self.active.discard(actor)

    def footprint(self, actor: int, stand: Crowd | Doubt, told: Told | None) -> tuple[int, int]:
        found = stand.feet.get(actor if told is None else told)
        if found is not None:
            return found
        if isinstance(stand, Doubt):
            return stand.footprint(self.rules, told, actor)
        return self.rules.footprint(stand, told, actor)

    def stand_at(self, actor: int, crowd: Crowd) -> bool:
        """An actor that has nothing open stands there for certain.  False: a doubt decides what its hidden steps read."""
        rules, memory = self.rules, self.memory
        while crowd.reads:
            held = [memory[rules.layout.resolve(cell, actor)] for cell in crowd.reads]
            values = tuple([value for value in held if isinstance(value, int)])
            if len(values) < len(held):
                return False
            after = rules.advance(crowd, values)
            if after is crowd:
                break
            crowd = after
        self.stands[actor] = crowd
        self.foot(actor)
        return True

    def step(self, actors: Sequence[int], words: Sequence[int], ways: Sequence[Way]) -> Step:
        certain, doubts = self.steps.doubts.factor(actors, words, ways)
        of_actor = {actor: doubt for doubt in doubts for actor in doubt.actors}
        of_word = {word: doubt for doubt in doubts for word in doubt.words}
        moved: list[Moved] = []
        values: list[tuple[int, Value]] = []
        for number, actor in enumerate(actors):
            stand: Crowd | Doubt
            found, told, done = certain.get(number), self.opened[actor], False
            if isinstance(found, tuple):
                stand, done = found
                told = None if done else told
            else:
                stand = of_actor[actor]
            moved.append(Moved(actor, stand, told, done, *self.footprint(actor, stand, told)))
        for number, word in enumerate(words, len(actors)):
            held = certain.get(number)
            value: Value = held if isinstance(held, int) else of_word[word]
            if value != self.memory[word]:
                values.append((word, value))
        return Step(tuple(moved), tuple(values), tuple(doubts))

    def take(self, step: Step, joined: Sequence[Doubt]) -> None:
        for doubt in joined:
            self.doubts.remove(doubt)
        self.doubts += step.doubts
        self.doubtful = 0
        for doubt in self.doubts:
            self.doubtful |= doubt.mask
        for word, value in step.values:
            self.memory[word] = value
        for actor, stand, told, done, reads, writes in step.moved:
            self.stands[actor], self.opened[actor] = stand, told
            self.reads[actor], self.writes[actor] = reads, writes
            if done:
                self.done.add(actor)
            if told is not None or reads:
                self.active.add(actor)
            else:
                self.active.discard(actor)

    def forget(self) -> None:
        """What was worked out is void."""
        self.steps.clear()
        for doubt in self.doubts:
            doubt.feet.clear()
        for actor in range(len(self.stands)):
            self.foot(actor)
