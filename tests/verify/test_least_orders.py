"""The page of the least orders: each line is found anew, and what it says of all together holds in the smallest scopes."""

from __future__ import annotations

import pytest

from safepoint.graph.accesses import accesses
from safepoint.graph.orders import ACQ_REL, ACQUIRE, RELAXED, RELEASE, SEQ_CST
from safepoint.model.memory.names import C11
from safepoint.protocol.policies import POLICIES
from safepoint.verify.attempts import Attempt, attempt, text_of
from safepoint.verify.orders import ROLES
from tests.meta.orders import PAGE, sections

TABLES = sections(PAGE.read_text(encoding="utf-8"))
FEWER = {RELAXED: set[str](), RELEASE: {RELAXED}, ACQUIRE: {RELAXED}, ACQ_REL: {RELAXED, RELEASE, ACQUIRE}}
"""An order, to those that are weaker."""
FEWER[SEQ_CST] = {*FEWER, *FEWER[ACQ_REL]}
SMALL = ("interrupt-1", "stop-1", "blocking-1", "limit-1")
"""Where all together are explored on each run; the nightly one takes every scope that the page names."""
REFUTED = [(policy, memory, row) for (policy, memory), rows in TABLES.items() for row in rows if row["below"]]


def named(policy: str, memory: str) -> str:
    """The part of the page."""
    head = f"### Policy `{policy}` under `{memory}`\n"
    return PAGE.read_text(encoding="utf-8").partition(head)[2].partition("\n### ")[0]


def test_every_policy_has_a_table_under_c11() -> None:
    assert {policy for policy, memory in TABLES if memory == C11} == set(POLICIES)


@pytest.mark.parametrize(("policy", "memory"), TABLES)
def test_a_table_has_every_access_of_the_text(policy: str, memory: str) -> None:
    rows, known = TABLES[policy, memory], accesses(text_of(policy))
    for row in rows:
        access = known[row["access"]]
        assert row["order"] == access.order
        assert row["alone"] == row["order"] or row["alone"] in FEWER[row["order"]]
        assert row["together"] not in FEWER[row["alone"]]
        assert (row["below"] == "") == (row["alone"] == RELAXED)
        assert row["below"] == "" or row["below"] in FEWER[row["alone"]]
    missing = [a.name for a in known.values() if a.file != ROLES and a.name not in {row["access"] for row in rows}]
    assert [
        name
        for name in missing
        if f"* left out: {name}: no scope that was explored has it\n" not in named(policy, memory)
    ] == []


@pytest.mark.parametrize(("policy", "memory", "row"), REFUTED, ids=lambda x: x["access"] if isinstance(x, dict) else x)
def test_one_step_weaker_is_refuted(policy: str, memory: str, row: dict[str, str]) -> None:
    found = attempt(Attempt(policy, memory, f"{row['access']}.{row['below']}", (row["scope"],)))
    assert (found.broken, found.steps) == (row["broken"], int(row["steps"]))


def together(policy: str, memory: str) -> str:
    return "+".join(f"{r['access']}.{r['together']}" for r in TABLES[policy, memory] if r["together"] != r["order"])


@pytest.mark.parametrize(("policy", "memory"), TABLES)
def test_all_together_hold_in_small_scopes(policy: str, memory: str) -> None:
    scopes = tuple(scope for scope in SMALL if f"`{scope}`" in named(policy, memory))
    found = attempt(Attempt(policy, memory, together(policy, memory), scopes))
    assert (found.broken, found.cut_off, tuple(found.states)) == ("", (), scopes)
