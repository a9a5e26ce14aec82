"""What an entry of the table says."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from safepoint.protocol.policies import POLICIES

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
    policies: Collection[str] = ()

    def mutations(self) -> Iterator[Key]:
        for change in self.changes:
            operator, _, said = change.partition(": ")
            yield self.file, self.procedure, operator, said


EVERY = frozenset(POLICIES)


def lacking(feature: str) -> frozenset[str]:
    """The policies whose text is not written for a feature (of `Policy.slices`)."""
    return frozenset(policy.name for policy in POLICIES.values() if feature not in policy.slices)


UNFAIR = lacking("fairness")
"""The policies without the variants, `fairness` among them: their stop word is 1 for as long as the lock is held, and no stop waits for the
last one's threads."""
UNGROWN = lacking("limit")
"""Those in which no stack grows."""
SLEEPLESS = lacking("blocking")
"""Those in which no thread sleeps."""
UNMASKED = lacking("masks")
"""Those in which nothing is kept for later."""
UNENDED = lacking("unwinding")
"""Those in which nothing terminates a thread."""
UNCOLLECTED = lacking("collect")
"""Those in which no guest thread stops the others."""
UNBORN = lacking("births")
"""Those in which no thread ends, and none begins."""
UNRECORDED = lacking("records")
"""Those in which no requester looks a thread up that may end."""
UNASKED = frozenset(policy.name for policy in POLICIES.values() if "back-edge" not in policy.sites)
"""Those in which a loop checks nothing."""
POISONING = EVERY - {"dart", "cpython"}
"""Those that poison a word beside the bits."""
DEFERRING = frozenset({"dart"})
"""Those that put what is masked when it is taken into a word of the owner's."""
