"""The page of the least orders: each line is found anew, and what it says of all together holds in the smallest scopes."""

from __future__ import annotations

import pytest

from safepoint.graph.accesses import accesses
from safepoint.graph.gather import text_of
from safepoint.graph.orders import ACQ_REL, ACQUIRE, RELAXED, RELEASE, SEQ_CST
from safepoint.model.memory.names import C11, base
from safepoint.model.memory.targets import TARGETS
from safepoint.protocol import ROLES
from safepoint.protocol.policies import FIRST, POLICIES
from safepoint.verify.attempts import Attempt, attempt
from tests.meta.orders import PAGE, explored, left_out, not_made_yet, sections, together

TEXT = PAGE.read_text(encoding="utf-8")
TABLES, TOGETHER = sections(TEXT), together(TEXT)
FEWER = {RELAXED: set[str](), RELEASE: {RELAXED}, ACQUIRE: {RELAXED}, ACQ_REL: {RELAXED, RELEASE, ACQUIRE}}
"""An order, to those that are weaker."""
FEWER[SEQ_CST] = {*FEWER, *FEWER[ACQ_REL]}
SMALL = ("interrupt-1", "stop-1", "blocking-1", "limit-1")
"""Where all together are explored on each run; the nightly one takes every scope that the page names."""
REFUTED = [(policy, memory, row) for (policy, memory), rows in TABLES.items() for row in rows if row["below"]]


def test_every_policy_has_a_table_under_c11_or_is_named_as_one_that_has_none() -> None:
    made = {policy for policy, memory in TABLES if memory == C11}
    assert set(FIRST) <= made
    assert [policy for policy in POLICIES if policy not in made] == not_made_yet(TEXT)


@pytest.mark.parametrize(("policy", "memory"), TABLES)
def test_a_table_has_every_access_of_the_text(policy: str, memory: str) -> None:
    rows, known = TABLES[policy, memory], accesses(text_of(POLICIES[policy]))
    for row in rows:
        access = known[row["access"]]
        assert row["order"] == access.order
        assert row["alone"] == row["order"] or row["alone"] in FEWER[row["order"]]
        assert row["together"] not in FEWER[row["alone"]]
        assert (row["below"] == "") == (row["alone"] == RELAXED)
        assert row["below"] == "" or row["below"] in FEWER[row["alone"]]
    there = {row["access"] for row in rows}
    missing = {name for name, access in known.items() if access.file != ROLES and name not in there}
    if not POLICIES[policy].elsewhere:
        missing = {name for name in missing if not name.startswith("elsewhere.")}
    assert set(left_out(TEXT, policy, memory)) == missing


@pytest.mark.parametrize(("policy", "memory", "row"), REFUTED, ids=lambda x: x["access"] if isinstance(x, dict) else x)
def test_one_step_weaker_is_refuted(policy: str, memory: str, row: dict[str, str]) -> None:
    place = row["scope"], explored(TEXT, policy, memory)[row["scope"]]
    found = attempt(Attempt(POLICIES[policy], f"{row['access']}.{row['below']}", (place,)))
    assert (found.broken, found.steps) == (row["broken"], int(row["steps"]))


def weakest(policy: str, memory: str) -> str:
    """The text in which all orders are weak at once."""
    known = accesses(text_of(POLICIES[policy]))
    changed = {n: o for n, o in TOGETHER[policy, memory].items() if o != known[n].order}
    return "+".join(known[name].with_order(order) for name, order in changed.items())


@pytest.mark.parametrize(("policy", "memory"), TOGETHER)
def test_all_together_hold_in_small_scopes(policy: str, memory: str) -> None:
    places = tuple((s, m) for s, m in explored(TEXT, policy, memory).items() if s in SMALL)
    found = attempt(Attempt(POLICIES[policy], weakest(policy, memory), places))
    assert (found.broken, found.cut_off, tuple(found.states)) == ("", {}, tuple(scope for scope, _ in places))
    assert places


@pytest.mark.nightly
@pytest.mark.parametrize(("policy", "memory"), TOGETHER)
def test_all_together_hold_wherever_the_page_says(policy: str, memory: str) -> None:
    places = tuple(explored(TEXT, policy, memory).items())
    assert attempt(Attempt(POLICIES[policy], weakest(policy, memory), places)).holds


def test_every_machine_has_a_column() -> None:
    assert {base(memory) for policy, memory in TOGETHER if policy == "folded"} == {C11, *TARGETS}


@pytest.mark.nightly
@pytest.mark.parametrize(("policy", "memory"), [key for key in TOGETHER if key not in TABLES])
def test_on_a_machine_no_access_can_be_weaker(policy: str, memory: str) -> None:
    known, places = accesses(text_of(POLICIES[policy])), tuple(explored(TEXT, policy, memory).items())
    for name, order in TOGETHER[policy, memory].items():
        for weaker in FEWER[order] & set(known[name].orders):
            assert attempt(Attempt(POLICIES[policy], f"{weakest(policy, memory)}+{name}.{weaker}", places)).broken, (
                name,
                weaker,
            )
