"""Every mistake of the protocol's text that a guest program can show, compiled into the interpreter, is noticed."""

from __future__ import annotations

import shlex

import pytest

from safepoint.graph.text import Text
from safepoint.verify.interpreter import NEEDS, can_show, mismatches
from safepoint.verify.replay import replay
from tests.rules import by_rule

TEXT = Text()
SHOWN = [m for m in TEXT.mutants.values() if can_show(m.name)]


def test_what_cannot_be_shown_is_in_the_text() -> None:
    hidden = [name for names in NEEDS.values() for name in names]
    assert len(SHOWN) + len(hidden) == len(TEXT.mutants)
    assert set(hidden) <= set(TEXT.mutants)


@pytest.mark.parametrize("mutant", by_rule(SHOWN))
def test_mutant_in_machine_code_is_noticed(mutant: str) -> None:
    mismatch = next(mismatches(mutant), None)
    assert mismatch is not None, f"nothing distinguishes {mutant} from the text"
    again = shlex.split(str(mismatch).rpartition("again: safepoint replay ")[2])
    assert again[:2] == ["--mutant", mutant]
    assert not replay(again[2], TEXT, mutant).agrees
    assert replay(again[2], TEXT).agrees
