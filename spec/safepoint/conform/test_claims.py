"""One test for each claim, on the target that `--safepoint-target` names; installed, for the continuous integration of other VMs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from safepoint.conform.claims import CLAIMS, Claim
from safepoint.conform.judge import hold
from safepoint.conform.plugin import OPTION, VERDICT, summary_of
from safepoint.conform.target import Target


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=list(CLAIMS))
def test_claim(
    claim: Claim,
    safepoint_target: Target,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    verdict = hold(claim, safepoint_target, pytestconfig.getoption(OPTION) or "")
    record_property(VERDICT, summary_of(verdict))
    if verdict.verdict == "not offered":
        pytest.skip(verdict.report)
    if verdict.verdict == "refuted":
        pytest.fail(verdict.report, pytrace=False)
