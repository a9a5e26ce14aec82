"""Every mistake of the protocol's text that a guest program can show, compiled into the interpreter, is noticed."""

from __future__ import annotations

import pytest

from safepoint.again import again
from safepoint.model.text import Text
from safepoint.verify.interpreter import can_show, mismatches
from tests.spec.test_model import CAUGHT

TEXT = Text()
SHOWN = [m for m in TEXT.mutants.values() if can_show({"scope": CAUGHT[m.name][0], "memory": CAUGHT[m.name][1]})]
"""Mutants of what the interpreter has already: others need masks, handshakes, births, two coordinators or store buffers."""


def test_enough_can_be_shown() -> None:
    assert len(SHOWN) >= 14


@pytest.mark.parametrize("mutant", [pytest.param(m.name, marks=pytest.mark.rule(m.rule)) for m in SHOWN])
def test_mutant_in_machine_code_is_noticed(mutant: str) -> None:
    report = next(mismatches(mutant), "")
    assert "reference" in report, f"nothing distinguishes {mutant} from the text"
    string = report.split("again: safepoint replay '")[1].rstrip("'")
    assert again(string, TEXT, mutant)[1] is False
    assert again(string, TEXT)[1] is True
