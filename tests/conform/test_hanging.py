"""An adapter that does not come back, or dies, costs the claims at which it did: the judge says which, and ends."""

from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("Interrupting", "raised KeyboardInterrupt: odd ?[2J (…/hanging.py:"),
        ("Exceptional", "raised Odd: its text cannot be made (…/hanging.py:"),
    ],
)
def test_what_an_adapter_raises_costs_the_claims_that_need_it(
    target: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    _, verdicts = judge_target(f"tests.conform.hanging:{target}")
    found = {v.claim.name: v for v in verdicts}
    assert found["runs-as-python-does"].verdict == "holds"
    assert said.replace("…", str(Path(hanging.__file__).parent)) in found["exactly-once"].report
    assert {v.verdict for v in verdicts} == {"holds", "no verdict"}
    assert not [v for v in verdicts if "hung or died" in v.report]
    assert capfd.readouterr().out == "", "what the VM prints is no part of the verdict"


def test_evidence_that_cannot_be_sent_is_no_verdict() -> None:
    _, verdicts = judge_target("tests.conform.hanging:Unreadable")
    assert "gave what no other process can read" in verdicts[1].report
