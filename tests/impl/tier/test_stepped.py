"""Compiled code in lockstep with the reference machine: every program of the corpus, with requests before its steps."""

from __future__ import annotations

import random

import pytest

from safepoint.differential.compare import EVERY_STEP, Tally, compare
from safepoint.differential.corpus import Guest, corpus
from safepoint.protocol.policies import FOLDED
from safepoint_vm.target import FoldedTarget

GUESTS = corpus()
SAMPLE = 60
"""Steps of a program before which requests are posted in every run; nightly before each."""
ATTAINED = {"loops_only": (0, 1), "calls_only": (1, 0), "gcd": (1, 1)}


@pytest.fixture(scope="module")
def compiled() -> FoldedTarget:
    return FoldedTarget(compiled=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("guest", GUESTS, ids=[guest.name for guest in GUESTS])
@pytest.mark.parametrize("every", [SAMPLE, pytest.param(EVERY_STEP, marks=pytest.mark.nightly)])
def test_compiled_code_agrees_with_the_reference_machine(every: int, guest: Guest, compiled: FoldedTarget) -> None:
    tally = Tally()
    compare(compiled, guest.source, guest.name, guest.stack, tally, random.Random(1), seconds=0, every=every)
    assert not tally.mismatches, "\n".join(map(str, tally.mismatches))
    assert tally.worst.within(FOLDED.declared)
    if guest.name in ATTAINED:
        assert (tally.worst.frames, tally.worst.back_edges) == ATTAINED[guest.name]
