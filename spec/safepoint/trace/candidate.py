"""One way in which events may have happened: the words, and where each thread and requester may stand."""

from __future__ import annotations

from safepoint.trace.crowd import Crowd, Crowds, Told
from safepoint.trace.observe import Said

NOT_MET = -(1 << 40)
"""Of an event: no place has been met at which it can be made."""


class Candidate:
    """memory: by the number of a word.  crowds: by the number of an actor.  Of both, only what matters to the events at hand.

    reading: of each actor that may make a hidden step, the words that it may read next.  done: events whose intervals are still
    open, and which have happened.
    """

    __slots__ = ("crowds", "done", "memory", "reading", "rules")

    def __init__(self, rules: Crowds, memory: dict[int, int], crowds: dict[int, Crowd], done: set[Told]) -> None:
        self.rules, self.memory, self.crowds, self.done = rules, memory, crowds, done
        resolve = rules.layout.resolve
        self.reading = {
            actor: tuple([resolve(cell, actor) for cell in crowd.reads])
            for actor, crowd in crowds.items()
            if crowd.reads
        }

    def copy(self) -> Candidate:
        made = Candidate.__new__(Candidate)
        made.rules, made.memory, made.crowds = self.rules, {**self.memory}, {**self.crowds}
        made.reading, made.done = {**self.reading}, {*self.done}
        return made

    def key(self) -> tuple[object, ...]:
        """Equal of two candidates of the same words and actors that have the same futures."""
        return tuple(self.memory.values()), tuple(c.number for c in self.crowds.values()), frozenset(self.done)

    def certain(self) -> tuple[object, ...]:
        """All of it but where the actors may stand."""
        return tuple(self.memory.values()), frozenset(self.done)

    def covers(self, other: Candidate) -> bool:
        """May each actor stand wherever it may in the other candidate, whose words are the same?"""
        return all(
            mine.numbers >= others.numbers
            for mine, others in zip(self.crowds.values(), other.crowds.values(), strict=True)
        )

    def crowd_for(self, actor: int, said: Said) -> Crowd:
        """Where an actor may stand; a requester that has nothing under way may begin something by what it says."""
        crowd = self.crowds[actor]
        return self._settled(self.rules.begin(crowd, said), actor)[0] if crowd.is_idle else crowd

    def outcomes(self, told: Told) -> tuple[int, tuple[tuple[int, Crowd], ...]]:
        """The word that it accesses, -1 if none; and what it may lead to: what the word holds then, and the crowd."""
        rules, actor = self.rules, told.actor
        for said in (told.said, told.otherwise):
            code = NOT_MET if said is None else rules.cell_of.get(said, NOT_MET)
            if said is not None and code != NOT_MET:
                cell = -1 if code is None else rules.layout.resolve(code, actor)
                if cell < 0 or cell in self.memory:
                    value = 0 if cell < 0 else self.memory[cell]
                    if found := rules.take(self.crowd_for(actor, said), said, code, value):
                        return cell, found
        return -1, ()

    def apply(self, told: Told) -> list[Candidate]:
        """What may be after it has happened next; nothing, if it cannot."""
        actor = told.actor
        cell, outcomes = self.outcomes(told)
        found: list[Candidate] = []
        for new, then in outcomes:
            found.append(candidate := self.copy())
            candidate.done.add(told)
            if cell >= 0 and candidate.memory[cell] != new:
                candidate.memory[cell] = new
                candidate.look(cell, actor)
            candidate.place(actor, then)
        return found

    def look(self, cell: int, actor: int) -> None:
        """A word has changed: the hidden steps of others may read it."""
        if self.reading:
            for other, cells in [*self.reading.items()]:
                if cell in cells and other != actor:
                    self.place(other, self.crowds[other])

    def place(self, actor: int, crowd: Crowd) -> None:
        """An actor stands in this crowd, after the hidden steps that the words allow now."""
        if crowd.reads:
            self.crowds[actor], cells = self._settled(crowd, actor)
            if cells:
                self.reading[actor] = cells
                return
        else:
            self.crowds[actor] = crowd
        self.reading.pop(actor, None)

    def _settled(self, crowd: Crowd, actor: int) -> tuple[Crowd, tuple[int, ...]]:
        """The crowd after all the hidden steps that the words allow now; and the words that it may read next."""
        resolve, memory = self.rules.layout.resolve, self.memory
        while True:
            cells = tuple([resolve(cell, actor) for cell in crowd.reads])
            if not cells:
                return crowd, cells
            after = self.rules.advance(crowd, tuple([memory[cell] for cell in cells]))
            if after is crowd:
                return crowd, cells
            crowd = after
