"""Policy `patched`, explored: its text, and its worlds of compiled loops."""

from __future__ import annotations

from safepoint.graph.gather import text_of
from safepoint.model.engines import engine
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import Result
from safepoint.model.properties import Properties
from safepoint.model.scopes import CALLS, SCOPES, Scope
from safepoint.model.system import Model
from safepoint.protocol.policies import PATCHED

TEXT = text_of(PATCHED)
ONE, TWO, THREE = (SCOPES[f"loops-{threads}"] for threads in (1, 2, 3))
"""Compiled loops, and native regions, beside a sampler.  Nothing there is dispatched, so the tables are left out."""
NO_TABLE = CALLS


def found(scope: Scope, mutant: str = "", memory: str = "sc") -> Result:
    """Always, then in the end."""
    model = Model(TEXT, scope, mutant, PATCHED, memory)
    assert model.mutated == bool(mutant)
    result = engine()(model, Properties(model).judge, 2_000_000)
    return result if result.broken or model.is_weak else check_liveness(result)
