"""What events lead to, worked out once for each neighbourhood, and then looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from safepoint.trace.crowd import Crowd, Told
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
    reads: int
    writes: int


class Step(NamedTuple):
    """The actors and words of a neighbourhood that have changed, and the doubts that there are about these then."""

    moved: tuple[Moved, ...]
    values: tuple[tuple[int, Value], ...]
    doubts: tuple[Doubt, ...]


class Steps:
    """What has been worked out: the same for all acceptors of a layout."""

    def __init__(self) -> None:
        self.doubts = Doubts()
        self.known: dict[Key, Step | None] = {}
        self._words: dict[int, tuple[Sequence[int], Callable[[list[Value]], object]]] = {}

    def words(self, mask: int) -> tuple[Sequence[int], Callable[[list[Value]], object]]:
        """The numbers of the words of a set of bits; and what reads them all."""
        found = self._words.get(mask)
        if found is None:
            words = tuple(bits(mask))
            found = self._words[mask] = words, itemgetter(*words) if words else _nothing
        return found

    def keep(self, key: Key, step: Step | None) -> Step | None:
        if len(self.known) >= MOST_STEPS:
            self.clear()
        self.known[key] = step
        return step

    def clear(self) -> None:
        self.doubts.clear()
        self.known.clear()
        self._words.clear()


def _nothing(_: list[Value]) -> object:
    return ()


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
