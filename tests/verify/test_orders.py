"""The least orders: the search for what must be stronger, and a text whose least orders can be told by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from safepoint.graph.accesses import accesses
from safepoint.graph.gather import text_of
from safepoint.graph.orders import is_weaker
from safepoint.model.memory.names import C11
from safepoint.protocol import ROLES
from safepoint.protocol.policies import DART
from safepoint.verify.attempts import Attempt, attempt
from safepoint.verify.orders import least, smallest
from tests.here import Here

NAMES = "abcdefghij"


@given(st.sets(st.frozensets(st.sampled_from(NAMES), min_size=1), min_size=1, max_size=4))
def test_the_smallest_set_that_is_enough(wanted: set[frozenset[str]]) -> None:
    """What is enough: all of any of these sets.  One of them is found whole, and nothing beside it."""
    asked = 0

    def is_enough(raised: Sequence[str]) -> bool:
        nonlocal asked
        asked += 1
        return any(each <= set(raised) for each in wanted)

    found = smallest(list(NAMES), is_enough)
    assert frozenset(found) in wanted
    assert not any(is_enough([other for other in found if other != one]) for one in found)
    assert asked < 2 * len(found) * len(NAMES)


def test_nothing_is_needed_where_nothing_is_wrong() -> None:
    assert smallest(list(NAMES), lambda _: True) == []
    assert smallest([], lambda _: False) == []


def test_what_it_finds_is_what_trying_everything_finds() -> None:
    """dart, in the scopes of at most 700 states: each access alone, with each order; and all together, with each of them one step weaker."""
    found = least(DART, C11, Here(), most=700)
    known = accesses(text_of(DART))
    orders = {row.access: row.together for row in found.rows}
    assert len(found.scopes) >= 4
    assert found.rows

    def holds(changed: Mapping[str, str]) -> bool:
        mutant = "+".join(known[n].with_order(o) for n, o in sorted(changed.items()) if o != known[n].order)
        tried = attempt(Attempt(DART, mutant, tuple(found.scopes.items())))
        assert not tried.cut_off
        return not tried.broken

    assert holds(orders)
    for row in found.rows:
        weaker = [order for order in known[row.access].orders if is_weaker(order, row.alone)]
        assert row.alone == row.order or holds({row.access: row.alone})
        assert not any(holds({row.access: order}) for order in weaker)
        below = [order for order in known[row.access].orders if is_weaker(order, row.together)]
        assert not any(holds({**orders, row.access: order}) for order in below)
        assert row.below == "" or row.broken == attempt(Attempt(DART, row.below, ((row.scope, row.memory),))).broken
    there = {row.access for row in found.rows}
    missing = [name for name, access in known.items() if access.file != ROLES and name not in there]
    told = [found.left_out[what].partition(":")[0].split(", ") for what in ("accesses", "accesses of the text")]
    assert sorted(missing) == sorted(name for names in told for name in names)
    assert "stop_world.state.look" in told[0]
    assert "block.wake.publish" in told[0]
    assert "grow_stack.limit.cas" in told[1]  # dart's stacks do not grow
    assert all("stop-1" in row.unexplored for row in found.rows if row.access.startswith("reenter."))
    assert "stop-1" in found.left_out["scopes"]
    assert set(found.scopes.values()) == {C11, "c11k1"}  # some have few enough states with one stale store alone
