"""One test for each claim, and one of random schedules, on the target that `--safepoint-target` names.

They are installed, for the continuous integration of other VMs.
"""

from __future__ import annotations

import pytest

from safepoint.conform.claims import CLAIMS, Claim
from safepoint.conform.judge import hold
from safepoint.conform.plugin import OPTION, VERDICT, summary_of
from safepoint.conform.runs import Runs


def held(claim: Claim, runs: Runs, request: pytest.FixtureRequest) -> None:
    """Pass, skip or fail, and leave the claim's line for the summary."""
    verdict = hold(claim, runs, request.config.getoption(OPTION) or "")
    request.node.user_properties.append((VERDICT, summary_of(verdict)))
    if verdict.verdict == "not offered":
        pytest.skip(verdict.report)
    if verdict.verdict != "holds":
        pytest.fail(verdict.report, pytrace=False)


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=list(CLAIMS))
def test_claim(claim: Claim, safepoint_runs: Runs, request: pytest.FixtureRequest) -> None:
    held(claim, safepoint_runs, request)


@pytest.mark.parametrize("_", [None], ids=["any-schedule"])
def test_schedules(_: None, safepoint_runs: Runs, request: pytest.FixtureRequest) -> None:
    why = "no random schedules: hypothesis is not installed (pip install hypothesis)"
    held(pytest.importorskip("safepoint.conform.schedules", reason=why).ANY_SCHEDULE, safepoint_runs, request)
