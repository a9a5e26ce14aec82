"""All the ways in which the events so far may have happened: what is certain of words and actors, and the doubts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from safepoint.trace.candidate import Candidate, Near, Whole
from safepoint.trace.crowd import Crowd, Crowds, Told
from safepoint.trace.doubt import Doubt
from safepoint.trace.steps import Moved, Step, Steps, Value


class Ways:
    """memory, stands: by number; of what is in doubt, the Doubt.  opened: the open event of each actor, if it may still happen.

    touched, felt: the Footprint of each actor.  done: actors whose open event has happened for certain.  active: actors with an open
    event or a footprint.  stale: actors with an open event whose footprint has not been needed yet.  doubtful: the words that are in
    doubt, as bits.  most: candidates that there were at once.
    """

    def __init__(self, rules: Crowds, steps: Steps, beginning: Candidate) -> None:
        """beginning: all the words and actors."""
        self.rules, self.steps = rules, steps
        crowds, values, _ = beginning
        self.memory: list[Value] = [*values]
        self.stands: list[Crowd | Doubt] = []
        self.opened: list[Told | None] = []
        self.done: set[int] = set()
        self.touched: list[int] = []
        self.felt: list[int] = []
        self.active: set[int] = set()
        self.stale: list[int] = []
        self.doubts: list[Doubt] = []
        self.doubtful = 0
        self.most = 1
        for crowd in crowds:
            self.add(crowd)

    def add(self, crowd: Crowd) -> None:
        """One more actor."""
        self.stands.append(crowd)
        self.opened.append(None)
        self.touched.append(0)
        self.felt.append(0)
        self.foot(len(self.stands) - 1)

    def whole(self) -> Whole:
        """One of the candidates."""
        near = Near(self.rules, range(len(self.stands)), range(len(self.memory)))
        return Whole(near, next(self.candidates(near, self.doubts)))

    def candidates(self, near: Near, doubts: Sequence[Doubt]) -> Iterator[Candidate]:
        """Each candidate of these actors and words: what is certain of them, and one way of each doubt."""
        idle = self.rules.idle  # and 0: in place of what is in doubt, until a way is chosen
        crowds = [stand if isinstance(stand, Crowd) else idle for stand in near.of_actors(self.stands)]
        values = [value if isinstance(value, int) else 0 for value in near.of_words(self.memory)]
        for chosen in product(*[doubt.ways for doubt in doubts]):
            done = 0
            for doubt, way in zip(doubts, chosen, strict=True):
                for number, each in zip((*doubt.actors, *doubt.words), way, strict=True):
                    if isinstance(each, int):
                        values[near.row[number]] = each
                    else:
                        column = near.column[number]
                        crowds[column] = each[0]
                        done |= each[1] << column
            yield tuple(crowds), tuple(values), done

    def foot(self, actor: int) -> None:
        told = self.opened[actor]
        self.touched[actor], self.felt[actor] = self.footprint(actor, self.stands[actor], told)
        if told is not None or self.touched[actor]:
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
            values: list[int] = []
            for word in rules.sees(crowd, actor):
                value = memory[word]
                if isinstance(value, Doubt):
                    return False
                values.append(value)
            before, crowd = crowd, rules.advance(crowd, tuple(values))
            if crowd.reads == before.reads:  # nothing is read that was not looked at
                break
        self.stands[actor] = crowd
        self.foot(actor)
        return True

    def step(
        self, actors: Sequence[int], words: Sequence[int], candidates: Sequence[Candidate], closed: Told | None = None
    ) -> Step:
        """From what there is now to these candidates of some actors and words.  closed: the event that is open no more."""
        stands, held, doubts = self.steps.doubts.factor(actors, words, candidates)
        moved: list[Moved] = []
        for actor, each in zip(actors, stands, strict=True):
            told = self.opened[actor]
            stand, done = (each, False) if isinstance(each, Doubt) else each
            after = None if done or told is closed else told
            if stand is not self.stands[actor] or after is not told:
                moved.append(Moved(actor, stand, after, done, *self.footprint(actor, stand, after)))
        values = [(word, value) for word, value in zip(words, held, strict=True) if value != self.memory[word]]
        return Step(tuple(moved), tuple(values), tuple(doubts))

    def take(self, step: Step, joined: Sequence[Doubt]) -> None:
        if joined or step.doubts:
            self._doubt(step.doubts, joined)
        for word, value in step.values:
            self.memory[word] = value
        for actor, stand, told, done, touched, felt in step.moved:
            self.stands[actor], self.opened[actor] = stand, told
            self.touched[actor], self.felt[actor] = touched, felt
            if done:
                self.done.add(actor)
            if told is not None or touched:
                self.active.add(actor)
            else:
                self.active.discard(actor)

    def _doubt(self, doubts: Sequence[Doubt], joined: Sequence[Doubt]) -> None:
        for doubt in joined:
            self.doubts.remove(doubt)
        self.doubts += doubts
        self.doubtful = 0
        for doubt in self.doubts:
            self.doubtful |= doubt.mask
        self.most = max(self.most, prod([len(doubt.ways) for doubt in self.doubts]))

    def forget(self) -> None:
        """What was worked out is void."""
        self.steps.clear()
        for doubt in self.doubts:
            doubt.feet.clear()
        for actor in range(len(self.stands)):
            self.foot(actor)
