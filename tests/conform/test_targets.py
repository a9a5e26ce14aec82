"""Our own two machines under the judge, as any stranger's."""

from __future__ import annotations

import importlib.util

import pytest

from safepoint.conform.claims import CLAIMS, Claim
from safepoint.conform.judge import find_target, hold

NEEDS_LLVM = pytest.mark.skipif(importlib.util.find_spec("llvmlite") is None, reason="llvmlite is not installed")


@pytest.mark.parametrize(
    "name",
    ["safepoint.differential.reference:Reference", pytest.param("safepoint_vm.target:FoldedTarget", marks=NEEDS_LLVM)],
)
@pytest.mark.parametrize("claim", CLAIMS.values(), ids=list(CLAIMS))
def test_every_claim_holds(claim: Claim, name: str) -> None:
    verdict = hold(claim, find_target(name), name)
    assert verdict.verdict == "holds", verdict.report
