"""Mistakes of an interpreter in what is not generated from the text: what a target offers that can be built with each of them.

They are named like the text's mutants: `safepoint replay --mutant NAME`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from safepoint.conform.judge import find_target

DIFFERENTIAL, SCHEDULES, CORES = WAYS = ("differential", "controlled schedules", "real cores")


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One mistake.

    what: it is, in a sentence.  like: the real VM's that it resembles.  swaps: in the place of what something else stands.  rule: that it
    breaks; "": none of the text's.  by: which of WAYS shows it soonest.  program, case: where the differential test, and controlled
    schedules, look first; "": nowhere in particular.  A case may end in choices, as a replay string does: they are tried first.
    """

    name: str
    what: str
    like: str
    swaps: str
    by: str
    rule: str = ""
    program: str = ""
    case: str = ""


class Mistaken(ABC):
    """A target that can be built with each of its own mistakes: `Target.mutated` takes their names too.  A mix-in of a `Target`."""

    @abstractmethod
    def mistakes(self) -> Sequence[Mistake]:
        """All of them."""


def mistakes_of(name: str) -> dict[str, Mistake]:
    """Those of a target, by name; {}: it has none.  Raises UnknownTarget."""
    target = find_target(name)
    return {each.name: each for each in target.mistakes()} if isinstance(target, Mistaken) else {}
