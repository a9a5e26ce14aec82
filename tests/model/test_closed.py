"""The closed sets of a graph: against what can be reached from each of its nodes, one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safepoint.model.closed import closed_sets

NODES = st.integers(1, 9).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, n - 1), max_size=3), min_size=n, max_size=n)
)
"""Of each node, those that one move leads to."""


def reachable(after: list[list[int]], start: int) -> frozenset[int]:
    found, todo = {start}, [start]
    for node in todo:
        fresh = set(after[node]) - found
        found |= fresh
        todo += fresh
    return frozenset(found)


@given(NODES)
def test_a_closed_set_is_all_that_can_be_reached_from_each_of_its_nodes(after: list[list[int]]) -> None:
    reach = [reachable(after, node) for node in range(len(after))]
    expected = {nodes for nodes in reach if all(reach[node] == nodes for node in nodes)}
    found = list(closed_sets(range(len(after)), after.__getitem__))
    assert len(found) == len(expected)
    assert {frozenset(nodes) for nodes in found} == expected
    assert sum(map(len, found)) == len(frozenset().union(*expected)), "a node is in it twice"


def test_a_goal_is_missed_where_a_run_can_end_without_it() -> None:
    """From 0 one may go round for ever by 1, or be caught in 2 or in 3."""
    found = sorted(closed_sets(range(4), {0: [1, 2], 1: [0, 3], 2: [2], 3: []}.__getitem__))
    assert found == [[2], [3]]
