"""`examples/patched_code`, explored: its policy, its texts, and worlds of its compiled loops."""

from __future__ import annotations

from pathlib import Path

from safepoint.graph.gather import text_of
from safepoint.graph.text import Text
from safepoint.model.custom import read
from safepoint.model.engines import engine
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import Result
from safepoint.model.own_policies import find_policy
from safepoint.model.properties import Properties
from safepoint.model.scopes import Scope
from safepoint.model.system import Model

EXAMPLE = Path(__file__).parents[2] / "examples" / "patched_code"
NAME = f"{EXAMPLE}/patched.py:PATCHED"
PATCHED = find_policy(NAME)
TEXT, LOOPS = text_of(PATCHED), read((EXAMPLE / "loops.py",), PATCHED)
NO_TABLE = (("entry", 0),)


def loops(threads: int) -> Scope:
    """Compiled loops, and native regions, beside a sampler.  Nothing there is dispatched, so the tables are left out."""
    return Scope(f"loops-{threads}", "", threads, ("sampler",), "", widths=NO_TABLE)


def found(text: Text, scope: Scope, mutant: str = "", memory: str = "sc") -> Result:
    """Always, then in the end."""
    model = Model(text, scope, mutant, PATCHED, memory)
    assert model.mutated == bool(mutant)
    result = engine()(model, Properties(model).judge, 2_000_000)
    return result if result.broken or model.is_weak else check_liveness(result)
