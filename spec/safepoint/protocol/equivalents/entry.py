"""What an entry of the table says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Key = tuple[str, str, str, str]
"""File, procedure, operator, and the statement before and after, as `before -> after`."""


@dataclass(frozen=True)
class Equivalents:
    """Mutations of one procedure that do the same as it for one reason.

    changes: `operator: before -> after` of each.  policies: those in which they do; () if they do in every one that has them.
    """

    reason: str
    file: str
    procedure: str
    changes: tuple[str, ...]
    policies: tuple[str, ...] = ()

    def mutations(self) -> Iterator[Key]:
        for change in self.changes:
            operator, _, said = change.partition(": ")
            yield self.file, self.procedure, operator, said


UNFAIR = ("dart", "cpython", "pypy")
"""The policies without the variants, `fairness` among them: their stop word is 1 for as long as the lock is held, and no stop waits for the
last one's threads; nor does a stack grow in their scopes."""
