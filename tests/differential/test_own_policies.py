"""Policies of a user's own in machine code: against the reference machine, which executes the same text."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from safepoint.differential.compare import Tally, compare
from safepoint.differential.corpus import find
from safepoint.model.own_policies import find_policy
from safepoint.protocol.policies import POLICIES
from safepoint.verify import policies
from safepoint.verify.policies import rows
from safepoint_vm.target import FoldedTarget
from tests.own_policies import LANTERN, TICKER, written


def test_the_row_of_a_policy_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proved for both; observed in machine code where the trigger has some: here in one program, since each takes a while."""
    monkeypatch.setattr(policies, "OBSERVED_IN", ("calls_only",))
    monkeypatch.setattr(policies, "TIMED", dict.fromkeys(policies.TIMED, "x = 1\n"))
    lantern, ticker = rows([find_policy(LANTERN), find_policy(TICKER)], rounds=1)
    assert (lantern.wrong, ticker.wrong) == ("", "")
    assert lantern.proved == lantern.proved_tso == find_policy(LANTERN).declared
    assert lantern.without == "handlers have no checks for trigger armed_byte yet"
    assert (ticker.proved.frames, ticker.proved.back_edges) == (3, 3)
    assert ticker.interrupts > 100
    assert (ticker.instructions["frame_push"], ticker.instructions["back_edge"]) == (5, 5)  # as pypy's


def test_machine_code_agrees_with_other_sites_and_periods(tmp_path: Path) -> None:
    """Of triggers of ours: a budget of five back-edges, and a dispatch table that another name has."""
    budget = replace(POLICIES["v8_ignition"].with_period(5), name="mine")
    for policy in (budget, replace(POLICIES["folded"], name="mine")):
        mine, tally, guest = find_policy(written(tmp_path, policy)), Tally(), find("loops_only")
        compare(FoldedTarget(policy=mine), guest.source, guest.name, guest.stack, tally, random.Random(1), seconds=0)
        assert not tally.mismatches, str(tally.mismatches[0])
        assert tally.worst.back_edges == policy.declared.back_edges
