"""The words that the threads of a world share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from safepoint.graph.ir import WORLD, Cell


class Words:
    """Shared memory as a value: a store replaces `values` and never changes it, so forks share it until one stores.

    wakes: the `wake` of each record, apart.  A post sets it for good, and it matters only while its owner sleeps.
    """

    def __init__(self, values: dict[Cell, int], wakes: dict[Cell, int]) -> None:
        self.values, self.wakes = values, wakes

    @staticmethod
    def of_world(checked: Mapping[str, int]) -> Words:
        """checked: the trigger words that all threads check, with what they hold at first."""
        return Words({Cell(WORLD, word): value for word, value in {"stop": 0, "lock": 0, **checked}.items()}, {})

    def copy(self) -> Words:
        return Words(self.values, self.wakes)

    def add_record(self, number: int, values: dict[str, int]) -> None:
        self.values = {**self.values, **{Cell(number, word): value for word, value in values.items()}}
        self.wakes = {**self.wakes, Cell(number, "wake"): 0}

    def records(self) -> Iterable[int]:
        """The numbers of the records."""
        return [cell.owner for cell in self.wakes if isinstance(cell.owner, int)]

    def __getitem__(self, cell: Cell) -> int:
        return self.wakes[cell] if cell.word == "wake" else self.values[cell]

    def __setitem__(self, cell: Cell, value: int) -> None:
        if cell.word == "wake":
            self.wakes = {**self.wakes, cell: value}
        else:
            self.values = {**self.values, cell: value}

    def same_as(self, other: Words) -> bool:
        """Are all words but the `wake`s equal?"""
        return self.values is other.values or self.values == other.values
