"""What events lead to, worked out once for each neighbourhood, and then looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from safepoint.trace.candidate import Near
from safepoint.trace.crowd import Crowd, Crowds, Told
from safepoint.trace.doubt import Doubt, Doubts

MOST_STEPS = 1 << 16
"""Neighbourhoods that are remembered at once."""
Value = int | Doubt
"""What a word holds, or the doubt about it."""
Key = tuple[object, ...]


class Moved(NamedTuple):
    """An actor after a step.  opened: its open event, if that may still happen.  done: it has, for certain."""

    actor: int
    stand: Crowd | Doubt
    opened: Told | None
    done: bool
    touched: int
    felt: int


class Step(NamedTuple):
    """The actors and words of a neighbourhood that have changed, and the doubts that there are about these then."""

    moved: tuple[Moved, ...]
    values: tuple[tuple[int, Value], ...]
    doubts: tuple[Doubt, ...]


NEW = Step((), (), ())
"""In place of one that has not been worked out yet."""


class Steps:
    """What has been worked out: the same for all acceptors of a layout."""

    def __init__(self) -> None:
        self.doubts = Doubts()
        self.known: dict[Key, Step | None] = {}
        self._near: dict[tuple[int, int], Near] = {}

    def near(self, rules: Crowds, actors: int, words: int) -> Near:
        """The actors and words of these bits: the same object for the same ones."""
        found = self._near.get((actors, words))
        if found is None:
            found = self._near[actors, words] = Near(rules, tuple(bits(actors)), tuple(bits(words)))
        return found

    def keep(self, key: Key, step: Step | None) -> Step | None:
        if len(self.known) >= MOST_STEPS:
            self.clear()
        self.known[key] = step
        return step

    def clear(self) -> None:
        self.doubts.clear()
        self.known.clear()
        self._near.clear()


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
