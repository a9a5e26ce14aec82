"""The counterexample of each mutant, searched only where `test_model` has hunted it down, and once in a process.

`test_model` goes through all scopes, the smallest first, to show that a mutant is caught in no smaller one.  Whoever needs a
counterexample to draw, replay or hold against another tool's need not do that again.
"""

from __future__ import annotations

from functools import cache

from safepoint.graph.text import Text
from safepoint.model.eventually import EVENTUALLY, check_liveness
from safepoint.model.explore import Result, search
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from tests.model.pinned import CAUGHT

TEXT = Text()
IN_THE_END = [name for name, (_, _, broken) in CAUGHT.items() if broken in EVENTUALLY]
"""Mutants that break nothing that is always true: no single state shows them."""


def mutated(mutant: str) -> Model:
    """The smallest world that catches it, freshly compiled."""
    scope, memory, _ = CAUGHT[mutant]
    return Model(TEXT, SCOPES[scope], mutant, memory=memory)


@cache
def counterexample(mutant: str) -> Result:
    model = mutated(mutant)
    result = search(model, Properties(model).judge)
    if mutant in IN_THE_END:
        assert result.broken == ""
        result = check_liveness(result)
    assert result.broken == CAUGHT[mutant][2], f"{mutant}: pinned.CAUGHT is wrong"
    return result
