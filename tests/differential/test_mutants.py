"""Every mistake of the protocol's text that a guest program can show, compiled into the interpreter, is noticed."""

from __future__ import annotations

import pytest

from safepoint.graph.text import Text
from safepoint.verify.interpreter import NEEDS, can_show, mismatches
from safepoint.verify.replay import again
from tests.rules import by_rule

TEXT = Text()
SHOWN = [m for m in TEXT.mutants.values() if can_show(m.name)]


def test_what_cannot_be_shown_is_in_the_text() -> None:
    hidden = [name for names in NEEDS.values() for name in names]
    assert len(SHOWN) + len(hidden) == len(TEXT.mutants)
    assert set(hidden) <= set(TEXT.mutants)


@pytest.mark.parametrize("mutant", by_rule(SHOWN))
def test_mutant_in_machine_code_is_noticed(mutant: str) -> None:
    report = next(mismatches(mutant), "")
    assert "reference" in report, f"nothing distinguishes {mutant} from the text"
    string = report.split("again: safepoint replay '")[1].rstrip("'")
    assert again(string, TEXT, mutant)[1] is False
    assert again(string, TEXT)[1] is True
