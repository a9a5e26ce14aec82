"""Data that is handed over: with the text's orders all of it is seen, and with a weaker one something is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint.graph.text import Text
from safepoint.model.explore import Result, search
from safepoint.model.memory.data import GUEST_DATA, HANDED_OVER, OPERATION_DATA, POST_DATA
from safepoint.model.memory.names import C11
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model

TEXT = Text()


def weakened(scope: str, mutant: str) -> Result:
    """The scope, explored with another order for one access of the text."""
    model = Model(TEXT, SCOPES[scope], mutant, memory=C11)
    assert model.mutated
    return search(model, Properties(model).judge)


WEAKER = [
    ("stop-1", "park.state.store.relaxed", GUEST_DATA),
    ("stop-1", "leave.state.store.relaxed", GUEST_DATA),
    ("stop-1", "start_world.stop.store.relaxed", GUEST_DATA),
    ("interrupt-1", "add_pending.pending.fetch_or.acquire", POST_DATA),
    ("interrupt-1", "take_pending.pending.fetch_and.release", POST_DATA),
    ("handshake-1", "own_handshake.operation.store.relaxed", OPERATION_DATA),
]
"""Scope, an access with a weaker order, and what is then not handed over: each follows from who relies on that access."""


@pytest.mark.parametrize(("scope", "mutant", "broken"), WEAKER)
def test_a_weaker_order_hands_something_not_over(scope: str, mutant: str, broken: str) -> None:
    assert weakened(scope, mutant).broken == broken


def test_each_sort_of_data_is_missed_by_some_weaker_order() -> None:
    assert {broken for *_, broken in WEAKER} == set(HANDED_OVER)


def test_the_page_says_what_is_asked() -> None:
    page = (Path(__file__).parents[3] / "docs" / "properties.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | {sentence} |" in page for name, sentence in HANDED_OVER.items())


def test_a_load_that_a_locked_operation_follows_may_be_relaxed() -> None:
    """What the frame push looks at decides nothing by itself: the take is locked."""
    assert weakened("interrupt-1", "frame_push.limit.load.relaxed").broken == ""
