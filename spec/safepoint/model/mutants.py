"""Every mistake of the text, hunted in the smallest instance that catches it: a property that no mutant breaks checks nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from safepoint.model.explore import Result, search
from safepoint.model.properties import Properties
from safepoint.model.scopes import Scope, chosen
from safepoint.model.system import Model
from safepoint.model.text import Mutant, Text


@dataclass(frozen=True)
class Hunted:
    """`result` None: no scope caught it, and the properties are too weak."""

    mutant: Mutant
    result: Result | None

    @property
    def steps(self) -> int:
        return len(self.result.path) - 1 if self.result else 0


def hunt(text: Text, mutant: str, scopes: Iterable[Scope] = ()) -> Hunted:
    """Explore the mutant in one scope after the other, the smallest first, until a property is broken."""
    for scope in scopes or chosen("tiny"):
        model = Model(text, scope, mutant)
        result = search(model, Properties(model).judge)
        if result.broken:
            return Hunted(text.mutants[mutant], result)
    return Hunted(text.mutants[mutant], None)
