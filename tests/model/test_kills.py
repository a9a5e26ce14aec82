"""All properties that a mistake breaks: the one that a search stops at is among them, and the right text breaks none."""

from __future__ import annotations

import pytest

from safepoint.graph.text import Text
from safepoint.model.kills import broken
from safepoint.model.mutants import hunt
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model


@pytest.mark.parametrize("scope", ["interrupt-1", "stop-1", "handshake-1", "births-1"])
def test_the_right_text_breaks_nothing(scope: str) -> None:
    assert broken(Model(Text(), SCOPES[scope])) == frozenset()


@pytest.mark.parametrize(
    "mutant", ["poison-before-post", "no-lock", "stays-stopped", "handshake-unclaimed", "never-restored"]
)
def test_what_a_search_stops_at_is_among_them(mutant: str) -> None:
    text = Text()
    found = hunt(text, mutant)
    assert found.result
    everything = broken(Model(text, SCOPES[found.scope], mutant, memory=found.memory))
    assert found.result.broken in everything


def test_what_comes_behind_a_violation_is_seen_too() -> None:
    """A search stops where the request is not poisoned; behind that, a guest thread runs checks without end."""
    everything = broken(Model(Text(), SCOPES["interrupt-1"], "poison-before-post"))
    assert everything == {"pending-is-poisoned", "declared-bound"}
