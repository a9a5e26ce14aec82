"""Sets of states as numpy arrays, for `arrays`: packed integers of any width in lanes of 64 bits, and which of many are new.

The set is a hash table with open addressing that takes a whole array of keys at a time.  What makes it usable for a search
that must find *the same* shortest path as `explore` is one promise: of equal keys in an array, the first is the new one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Lanes = tuple[Words, ...]
"""Packed integers, one a column: lane i holds bits 64 i to 64 i + 63."""
Positions = NDArray[np.int64]

LANE = 64
FREE = np.uint64(2**64 - 1)
"""What the last lane of a free seat holds: no key does, see `lanes_for`."""
FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
FULL = 0.5  # a seat is found within few probes while the table is not fuller


def lanes_for(bits: int) -> int:
    """How many lanes hold this many bits and one that is always 0, so that no key looks like a free seat."""
    return bits // LANE + 1


def split(value: int, lanes: int) -> tuple[np.uint64, ...]:
    return tuple(np.uint64(value >> LANE * i & (1 << LANE) - 1) for i in range(lanes))


def pack(values: Sequence[int], lanes: int) -> Lanes:
    low = (1 << LANE) - 1
    return tuple(np.array([v >> LANE * i & low for v in values], np.uint64) for i in range(lanes))


def unpack(keys: Lanes) -> list[int]:
    values: list[int] = keys[0].tolist()
    for i, lane in enumerate(keys[1:], 1):
        values = [low | high << LANE * i for low, high in zip(values, lane.tolist(), strict=True)]
    return values


def take(keys: Lanes, positions: Positions) -> Lanes:
    return tuple(lane[positions] for lane in keys)


def join(parts: Sequence[Lanes], lanes: int) -> Lanes:
    if len(parts) == 1:
        return parts[0]
    return tuple(np.concatenate([p[i] for p in parts]) if parts else np.empty(0, np.uint64) for i in range(lanes))


class Numbered:
    """A growing set of keys, each with a number: 0 for the first that came, and so on."""

    def __init__(self, lanes: int, bits: int = 10) -> None:
        self.lanes, self.count = lanes, 0
        self._clear(bits)

    def _clear(self, bits: int) -> None:
        self.bits = bits
        # the last lane says whether a seat is free; what the others hold of a free one does not matter
        self.seats = [np.empty(1 << bits, np.uint64) for _ in range(self.lanes - 1)]
        self.seats.append(np.full(1 << bits, FREE, np.uint64))
        self.numbers = np.zeros(1 << bits, np.int32)

    def add(self, keys: Lanes) -> Positions:
        """Where in `keys` those stand that are new, each once."""
        return self._add(keys)[1]

    def number(self, keys: Lanes) -> tuple[NDArray[np.int32], Positions]:
        """Each key's number, and where the new ones stand."""
        where, new = self._add(keys)
        return self.numbers[where], new

    def _add(self, keys: Lanes) -> tuple[Positions, Positions]:
        self._make_room(self.count + len(keys[0]))
        where, new = self._seat(keys)
        self.numbers[where[new]] = np.arange(self.count, self.count + len(new))
        self.count += len(new)
        return where, new

    def _make_room(self, wanted: int) -> None:
        if wanted <= FULL * (1 << self.bits):
            return
        taken = np.flatnonzero(self.seats[-1] != FREE)
        keys, numbers = take(tuple(self.seats), taken), self.numbers[taken]
        self._clear(max(self.bits + 1, int(wanted / FULL).bit_length()))
        self.numbers[self._seat(keys)[0]] = numbers

    def _seat(self, keys: Lanes) -> tuple[Positions, Positions]:
        """The seat of each key; where those stand that had none before."""
        where = at = self._home(keys)
        todo = np.arange(len(at))
        fresh: list[Positions] = []
        while True:
            found = [lane[at] for lane in self.seats]
            free = np.flatnonzero(found[-1] == FREE)
            if len(free):
                seats, who = at[free], todo[free]
                # the first in line gets it: where an index is repeated, numpy leaves the last value assigned
                self.numbers[seats[::-1]] = who[::-1]
                won = np.flatnonzero(self.numbers[seats] == who)
                for lane, key in zip(self.seats, keys, strict=True):
                    lane[seats[won]] = key[free[won]]
                fresh.append(who[won])
                for lane, value in zip(self.seats, found, strict=True):
                    value[free] = lane[seats]
            wrong = found[0] != keys[0]
            for value, key in zip(found[1:], keys[1:], strict=True):
                wrong |= value != key
            on = np.flatnonzero(wrong)
            if not len(on):
                return where, np.sort(np.concatenate(fresh)) if fresh else todo[:0]
            todo, keys = todo[on], take(keys, on)
            at = (at[on] + 1) & ((1 << self.bits) - 1)
            where[todo] = at

    def _home(self, keys: Lanes) -> Positions:
        """Where to look first: the upper bits of a product, which depend on all bits of the key."""
        mixed = keys[0] * np.uint64(FACTORS[0])
        for i, lane in enumerate(keys[1:], 1):
            mixed ^= (lane ^ mixed >> np.uint64(32)) * np.uint64(FACTORS[i % len(FACTORS)])
        return (mixed >> np.uint64(LANE - self.bits)).astype(np.int64)
