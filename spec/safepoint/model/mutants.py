"""Every mistake of the text, hunted in the smallest instance that catches it: a property that no mutant breaks checks nothing."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.graph.text import Mutant, Text
from safepoint.model.eventually import in_the_end
from safepoint.model.explore import NotExplored, Result, search
from safepoint.model.properties import Properties
from safepoint.model.scopes import chosen
from safepoint.model.system import MEMORIES, Model
from safepoint.protocol.policies import FOLDED, Policy


@dataclass(frozen=True)
class Hunted:
    """`result` None: no scope caught it, and the properties are too weak."""

    mutant: Mutant
    result: Result | None

    @property
    def scope(self) -> str:
        return self.result.model.scope.name if self.result else ""

    @property
    def memory(self) -> str:
        return self.result.model.memory if self.result else ""

    @property
    def steps(self) -> int:
        return len(self.result.path) - 1 if self.result else 0


def attempt(model: Model) -> Result:
    """One world: what is always true, and if that holds, what must happen in the end.  Raises NotExplored."""
    result = search(model, Properties(model).judge)
    return result if result.broken else in_the_end(result)


def hunt(text: Text, mutant: str, policy: Policy = FOLDED) -> Hunted:
    """Explore the mutant in one scope after the other, the smallest first, until a property is broken: under sequential
    consistency, and only if none of those catches it, under TSO.
    """
    for memory in MEMORIES:
        for scope in chosen("tiny", slices=policy.slices):
            model = Model(text, scope, mutant, policy, memory)
            try:
                result = attempt(model)
            except NotExplored:  # a mutant without its barrier may fill any store buffer: another scope will do
                continue
            if result.broken:
                return Hunted(text.mutants[mutant], result)
    return Hunted(text.mutants[mutant], None)
