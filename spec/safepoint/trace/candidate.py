"""One way in which the events so far may have happened: the words, and where each thread and requester may stand."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.graph import ir
from safepoint.trace.crowd import Crowd, Crowds
from safepoint.trace.events import Event
from safepoint.trace.layout import GUEST, Layout, UnknownTrace
from safepoint.trace.observe import Said

UNKNOWN = -(1 << 40)
"""Of an event: which word it accesses has not been found out yet."""


@dataclass(eq=False, slots=True)
class Happening:
    """An event whose place in the order is not settled yet.  actor: number of who made it.  line: in the file.

    otherwise: what else the text may call it: a thread that stops the world posts to itself as to any other.
    """

    event: Event
    kind: str
    said: Said
    actor: int
    line: int
    otherwise: Said | None = None


class Candidate:
    """crowds: by the number of an actor; guest threads come first, under the numbers of their records.

    reading: of each actor that may make a hidden step, the words that it may read next.  done: happenings that are still open, and
    have happened in this order.
    """

    __slots__ = ("crowds", "done", "memory", "reading", "rules")

    def __init__(
        self,
        rules: Crowds,
        memory: list[int],
        crowds: list[Crowd],
        reading: dict[int, tuple[int, ...]],
        done: set[Happening],
    ) -> None:
        self.rules, self.memory, self.crowds, self.reading, self.done = rules, memory, crowds, reading, done

    def copy(self) -> Candidate:
        return Candidate(self.rules, [*self.memory], [*self.crowds], {**self.reading}, {*self.done})

    def key(self) -> tuple[object, ...]:
        """Equal of two candidates that have the same futures."""
        return tuple(self.memory), tuple(c.number for c in self.crowds), frozenset(map(id, self.done))

    def crowd_for(self, happening: Happening) -> Crowd:
        """Where who made it may stand; a requester that has nothing under way may begin something."""
        crowd = self.crowds[happening.actor]
        if crowd.is_idle:
            begun = self.rules.begin(crowd, happening.said)
            crowd = self._settled(begun, happening.actor)[0]
        return crowd

    def outcomes(self, crowd: Crowd, happening: Happening) -> tuple[int, tuple[tuple[int, Crowd], ...]]:
        """The word that it accesses, -1 if none; and what it may lead to: what the word holds then, and the crowd."""
        rules, actor = self.rules, happening.actor
        for said in (happening.said, happening.otherwise):
            if said is not None:
                code = rules.cell(crowd, said, self.memory, actor)
                if code is not False:
                    cell = -1 if code is None else rules.layout.resolve(code, actor)
                    found = rules.take(crowd, said, code, 0 if cell < 0 else self.memory[cell])
                    if found:
                        return cell, found
        return -1, ()

    def quickly(self, said: Said, actor: int, *, writes: bool) -> bool:
        """Let the event happen next, if it leads to one thing only, as it did before.  `writes`: it may change the word."""
        rules, memory = self.rules, self.memory
        crowd = self.crowds[actor]
        if crowd.is_idle:
            crowd = rules.begin(crowd, said)
            if crowd.reads:
                return False
        if crowd.reads and not writes:
            return False
        code = rules.cell_of.get(said, UNKNOWN)
        if code is None:
            cell, value = -1, 0
        elif code == UNKNOWN:
            return False
        else:
            cell = code if code >= 0 else actor * rules.width - 1 - code
            value = memory[cell]
        found = crowd.quick.get((said, value))
        if found is None:
            outcomes = rules.take(crowd, said, code, value) if value >= 0 else ()
            if len(outcomes) != 1:
                return False
            found = crowd.quick[said, value] = outcomes[0]
        new, then = found
        if new != value and cell >= 0:
            if not writes:
                return False
            memory[cell] = new
            if self.reading:
                self.look(cell, actor)
        if then.reads or actor in self.reading:
            self.place(actor, then)
        else:
            self.crowds[actor] = then
        return True

    def apply(self, happening: Happening) -> list[Candidate]:
        """What may be after it has happened next; this candidate itself is among them, changed, if it can happen."""
        actor = happening.actor
        cell, outcomes = self.outcomes(self.crowd_for(happening), happening)
        after = [self, *(self.copy() for _ in outcomes[1:])][: len(outcomes)]
        for candidate, (new, then) in zip(after, outcomes, strict=True):
            candidate.done.add(happening)
            if cell >= 0 and candidate.memory[cell] != new:
                candidate.memory[cell] = new
                candidate.look(cell, actor)
            candidate.place(actor, then)
        return after

    def look(self, cell: int, actor: int) -> None:
        """A word has changed: the hidden steps of others may read it."""
        for other, cells in [*self.reading.items()]:
            if cell in cells and other != actor:
                self.place(other, self.crowds[other])

    def can(self, happening: Happening) -> bool:
        """Can it happen next?"""
        return bool(self.outcomes(self.crowd_for(happening), happening)[1])

    def place(self, actor: int, crowd: Crowd) -> None:
        """An actor stands in this crowd, after the hidden steps that the words allow now."""
        settled, cells = self._settled(crowd, actor) if crowd.reads else (crowd, ())
        self.crowds[actor] = settled
        if cells:
            self.reading[actor] = cells
        elif actor in self.reading:
            del self.reading[actor]

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


def first(layout: Layout, rules: Crowds) -> Candidate:
    """The beginning of a trace.  Raises UnknownTrace if a thread shall begin later, and the policy has no births."""
    start = rules.places.begin(layout.graphs[GUEST], ir.SELF, {})
    unborn = rules.places.after_exit(start)
    if unborn is None and not all(layout.running):
        raise UnknownTrace(f"policy {layout.policy.name} has no births (name every thread in `running`)")
    crowds = [rules.of([start if running or unborn is None else unborn]) for running in layout.running]
    candidate = Candidate(rules, layout.initial(layout.unknown), crowds, {}, set())
    for actor, crowd in enumerate(crowds):
        candidate.place(actor, crowd)
    return candidate
