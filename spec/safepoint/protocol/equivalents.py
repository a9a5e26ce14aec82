"""Mutations of the text that do what the text does, each with the reason: the one table of what no property should catch.

`safepoint mutate` makes every simple mutation, and wants a reason for each that survives; a reason that fits no survivor is
reported too.
"""

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


EQUIVALENTS: tuple[Equivalents, ...] = ()


def reason(key: Key, policy: str) -> str:
    """Why the mutation does the same as the text of a policy; "" if the table does not say."""
    found = (e.reason for e in EQUIVALENTS if policy in (e.policies or (policy,)) and key in e.mutations())
    return next(found, "")
