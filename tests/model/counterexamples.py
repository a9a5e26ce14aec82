"""The counterexample of each mutant, searched only where `test_model` has hunted it down, and once in a process.

`test_model` goes through all scopes, the smallest first, to show that a mutant is caught in no smaller one.  A test that needs a
counterexample to draw, replay or hold against another tool's need not do that again.
"""

from __future__ import annotations

from functools import cache

from safepoint.graph.text import Text
from safepoint.model.bounds import BROKEN as UNBOUNDED
from safepoint.model.eventually import EVENTUALLY, check_liveness
from safepoint.model.explore import Result, search
from safepoint.model.fairness import BROKEN, check_fairness
from safepoint.model.late import check_bound
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol.policies import POLICIES
from tests.model.pinned import CAUGHT, CAUGHT_ELSEWHERE

TEXT = Text()
ALL_CAUGHT = {**{("folded", name): found for name, found in CAUGHT.items()}, **CAUGHT_ELSEWHERE}
"""Policy and mutant -> scope, memory model, property."""
LATER = {*EVENTUALLY, BROKEN, UNBOUNDED}
"""Properties that no single state breaks."""
IN_THE_END = [name for name, (_, _, broken) in CAUGHT.items() if broken in LATER]


def mutated(mutant: str, policy: str = "folded") -> Model:
    """The smallest world that catches it, freshly compiled."""
    scope, memory, _ = ALL_CAUGHT[policy, mutant]
    return Model(TEXT, SCOPES[scope], mutant, POLICIES[policy], memory)


@cache
def counterexample(mutant: str, policy: str = "folded") -> Result:
    model, (_, _, broken) = mutated(mutant, policy), ALL_CAUGHT[policy, mutant]
    result = search(model, Properties(model).judge)
    if broken in LATER:
        assert result.broken == ""
        result = check_fairness(check_liveness(result))
        result = result if result.broken else check_bound(result)
    assert result.broken == broken, f"{mutant}: what is pinned is wrong"
    return result
