"""What must happen in the end, decided over arrays: as the reference decides it, and as a walk over sets does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.graph.text import Text
from safepoint.model import explore
from safepoint.model.eventually import EVENTUALLY, check_liveness
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from tests.model.pinned import CAUGHT

pytest.importorskip("numpy", reason="the search over arrays needs numpy (pip install numpy)")

import numpy as np

from safepoint.model.fast import search as arrays
from safepoint.model.fast.backward import Backwards, Found, backwards

TEXT = Text()
NEVER = {mutant: where[:2] for mutant, where in CAUGHT.items() if where[2] in EVENTUALLY}
"""Mutants after which something can never happen: where it is found."""


def in_the_end_of(search: object, name: str, mutant: str, memory: str) -> tuple[str, str, tuple[int, ...]]:
    assert callable(search)
    result = check_liveness(search(Model(TEXT, SCOPES[name], mutant, memory=memory), lambda _: None))
    return result.broken, result.detail, result.path


@pytest.mark.parametrize("mutant", NEVER)
def test_the_same_trap_by_the_same_path(mutant: str) -> None:
    found = in_the_end_of(arrays.search, NEVER[mutant][0], mutant, NEVER[mutant][1])
    assert found == in_the_end_of(explore.search, NEVER[mutant][0], mutant, NEVER[mutant][1])
    assert found[0] == CAUGHT[mutant][2]


@pytest.mark.parametrize(("name", "memory"), [("stop-1", "sc"), ("births-1", "tso"), ("both-1", "sc")])
def test_no_trap_where_the_reference_finds_none(name: str, memory: str) -> None:
    for search in (explore.search, arrays.search):
        assert in_the_end_of(search, name, "", memory) == ("", "", ())


@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_every_move_is_an_edge(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "CHUNK", chunk)
    model = Model(TEXT, SCOPES["stop-1"])
    reached = arrays.search(model, lambda _: None).reached
    assert isinstance(reached, arrays.Reached)
    graph = backwards(Found(model, reached), model.processes)
    numbers = {state: i for i, state in enumerate(reached)}
    expected = {(numbers[s], numbers[new]) for s in reached for new, _, delta in model.successors(s) if delta}
    found = {(int(s), i) for i in range(len(numbers)) for s in graph.before[graph.first[i] : graph.first[i + 1]]}
    assert found == expected
    assert graph.states == list(reached)


@given(st.integers(1, 12), st.data())
def test_those_that_lead_to_good_ones(n: int, data: st.DataObject) -> None:
    number = st.integers(0, n - 1)
    edges = data.draw(st.lists(st.tuples(number, number), max_size=30))
    good = data.draw(st.sets(number))
    by_target = sorted(edges, key=lambda edge: edge[1])
    first = np.array([sum(target < i for _, target in edges) for i in range(n + 1)])
    graph = Backwards(list(range(n)), first, np.array([source for source, _ in by_target], np.int32))
    expected = set(good)
    for _ in range(n):
        expected |= {source for source, target in edges if target in expected}
    found = graph.leading_to(np.isin(np.arange(n), list(good)))
    assert set(np.flatnonzero(found).tolist()) == expected
