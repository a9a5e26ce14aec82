"""One way in which events may have happened: where threads and requesters may stand, and what words hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeVar

from safepoint.trace.crowd import Crowd, Crowds, Told
from safepoint.trace.observe import Said

T = TypeVar("T")
Candidate = tuple[tuple[Crowd, ...], tuple[int, ...], int]
"""Of a neighbourhood: the crowd of each actor, what each word holds, and whose open event has happened, as bits by the actors' columns.

A plain tuple, since each is made, looked up and dropped some hundred thousand times in a trace of as many events.
"""

Made = tuple[Told, int, int, int | None, bool]
"""An event in a neighbourhood: its actor's column, and this as a bit; the row of its word, None if it has none; and whether its word is here
or it has none, so that `Crowd.quick` may say what it leads to.
"""


def _getter(numbers: Sequence[int]) -> Callable[[Sequence[T]], tuple[T, ...]]:
    """What a list has at these numbers."""
    if len(numbers) > 1:
        return itemgetter(*numbers)
    if not numbers:
        return lambda _: ()
    only = numbers[0]
    return lambda held: (held[only],)


class Near:
    """The actors and words that matter to the events at hand, by their numbers.

    column, row: of an actor, of a word: where a candidate has it.  of_actors, of_words: pick what is theirs from lists of all.
    """

    def __init__(self, rules: Crowds, actors: Sequence[int], words: Sequence[int]) -> None:
        self.rules, self.actors, self.words = rules, actors, words
        self.column = {actor: number for number, actor in enumerate(actors)}
        self.row = {word: number for number, word in enumerate(words)}
        self.of_actors, self.of_words = _getter(actors), _getter(words)
        self._seen: dict[tuple[int, ...], Callable[[Sequence[int]], tuple[int, ...]]] = {}

    def made(self, told: Told) -> Made:
        """What `apply` asks for; once for all the candidates."""
        column = self.column[told.actor]
        return told, column, 1 << column, self.row.get(told.word), told.word in self.row or told.word < 0

    def apply(self, candidate: Candidate, made: Made) -> list[Candidate]:
        """What may be after an event has happened next; nothing, if it cannot."""
        told, column, _, row, is_here = made
        if is_here:
            value = 0 if row is None else candidate[1][row]
            quick = candidate[0][column].quick.get((told, value))
            if quick is not None:
                new, then = quick
                return [self._after(candidate, column, row, new, then)]
        row, outcomes = self._outcomes(candidate, told)
        return [self._after(candidate, column, row, new, then) for new, then in outcomes]

    def _outcomes(self, candidate: Candidate, told: Told) -> tuple[int | None, tuple[tuple[int, Crowd], ...]]:
        """Where the word is that it accesses, None if none; and what it may lead to: what the word holds then, and the crowd."""
        rules, actor = self.rules, told.actor
        for said in (told.said, told.otherwise):
            if said is None or said not in rules.cell_of:
                continue  # no place has been met at which it can be made
            code = rules.cell_of[said]
            row = None if code is None else self.row.get(rules.layout.resolve(code, actor))
            if code is None or row is not None:
                value = 0 if row is None else candidate[1][row]
                if found := rules.take(self.crowd_for(candidate, actor, said), said, code, value):
                    return row, found
        return None, ()

    def _after(self, candidate: Candidate, column: int, row: int | None, new: int, then: Crowd) -> Candidate:
        """An actor's open event has happened: its word holds `new`, and it stands in this crowd."""
        crowds, values, done = candidate
        stood = [*crowds]
        if row is not None and values[row] != new:
            held = [*values]
            held[row] = new
            values = tuple(held)
            word, rules = self.words[row], self.rules
            if word in rules.looked_at:
                for other, crowd in enumerate(crowds):
                    if crowd.reads and other != column and word in rules.sees(crowd, self.actors[other]):
                        stood[other] = self.settled(crowd, other, values)
        stood[column] = self.settled(then, column, values) if then.reads else then
        return tuple(stood), values, done | 1 << column

    def settled(self, crowd: Crowd, column: int, values: Sequence[int]) -> Crowd:
        """The crowd after all the hidden steps that the words allow now."""
        rules, actor = self.rules, self.actors[column]
        while crowd.reads:
            words = crowd.sees.get(actor) or rules.sees(crowd, actor)
            held = self._seen.get(words)
            if held is None:
                held = self._seen[words] = _getter([self.row[word] for word in words])
            seen = held(values)
            after = crowd.advanced.get(seen) or rules.advance(crowd, seen)
            if after.reads == crowd.reads:  # nothing is read that was not looked at
                return after
            crowd = after
        return crowd

    def crowd_for(self, candidate: Candidate, actor: int, said: Said) -> Crowd:
        """Where an actor may stand; a requester that has nothing under way may begin something by what it says."""
        column = self.column[actor]
        crowd = candidate[0][column]
        return self.settled(self.rules.begin(crowd, said), column, candidate[1]) if crowd.is_idle else crowd


@dataclass(frozen=True)
class Whole:
    """A candidate with all the words and actors there are."""

    near: Near
    candidate: Candidate

    @property
    def rules(self) -> Crowds:
        return self.near.rules

    @property
    def memory(self) -> Sequence[int]:
        """By the number of a word."""
        return self.candidate[1]

    def crowd_for(self, actor: int, said: Said) -> Crowd:
        return self.near.crowd_for(self.candidate, actor, said)


def covers(one: Candidate, other: Candidate) -> bool:
    """May each actor stand wherever it may in the other candidate, whose words are the same?"""
    for mine, others in zip(one[0], other[0], strict=True):
        if mine is not others and not mine.numbers >= others.numbers:
            return False
    return True
