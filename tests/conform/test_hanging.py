"""An adapter that does not come back, or dies, costs the claims at which it did: the judge says which, and ends."""

from __future__ import annotations

import pytest

from safepoint.verify.judging import judge_target
from tests.conform import hanging

HOW = {
    hanging.Waiting: "has not come back from post() for 2 seconds (raise GuestStuck in time",
    hanging.Looping: "holds the GIL, and has not come back",
    hanging.Dying: "ended in the middle, by SIGABRT",
    hanging.Leaving: "ended in the middle, by exit status 3",
}


@pytest.mark.parametrize("target", HOW, ids=lambda target: target.__name__)
def test_a_call_that_never_returns_is_named(target: type[hanging.Waiting]) -> None:
    row, verdicts = judge_target(f"{target.__module__}:{target.__name__}")
    first, lost, again, *others = verdicts
    assert (first.claim.name, first.verdict) == ("runs-as-python-does", "holds")
    assert HOW[target] in lost.report
    assert HOW[target] in again.report
    assert {v.verdict for v in (lost, again, *others)} == {"no verdict"}
    assert others[0].report.endswith("hung or died twice")
    assert "seen-within-bound was not judged" in row.unjudged


def test_a_right_adapter_is_judged_in_its_process_as_in_ours() -> None:
    row, verdicts = judge_target("tests.conform.toy:Toy")
    assert {v.verdict for v in verdicts} == {"holds", "not offered"}
    assert not row.unjudged
