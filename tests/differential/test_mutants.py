"""Every mistake of the protocol's text, compiled into the interpreter, is noticed by the differential test."""

from __future__ import annotations

import pytest

from safepoint.again import again
from safepoint.conform.corpus import corpus
from safepoint.model.text import Text
from safepoint.verify import mismatches
from safepoint_vm.target import FoldedTarget

TEXT = Text()


@pytest.mark.parametrize(
    "mutant", [pytest.param(m.name, marks=pytest.mark.rule(m.rule)) for m in TEXT.mutants.values()]
)
def test_mutant_in_machine_code_is_noticed(mutant: str) -> None:
    report = next(mismatches(FoldedTarget(), mutant, corpus()), "")
    assert "reference" in report, f"nothing distinguishes {mutant} from the text"
    string = report.split("again: safepoint replay '")[1].rstrip("'")
    assert again(string, TEXT, mutant)[1] is False
    assert again(string, TEXT)[1] is True
