"""Programs that hypothesis makes, on three machines, with a request somewhere."""

from __future__ import annotations

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from safepoint.differential.compare import differences
from safepoint.differential.runs import Undisturbed, repeat
from safepoint.differential.schedule import Schedule
from safepoint_vm.target import FoldedTarget
from tests.generated.programs import programs
from tests.oracle import run as cpython

FOLDED = FoldedTarget()


def judged(source: str, kind: str, where: float, at: int, also: str) -> None:
    """`where`: which step, as a part of the program."""
    note(source)
    run = Undisturbed(source, "generated", 4096)
    FOLDED.load(source, "generated", 4096)
    FOLDED.start()
    FOLDED.run()
    assert differences(run.end, FOLDED.observe()) == {}
    opinion = cpython(source)
    told = (run.end.output, run.end.error, run.end.frames, run.end.back_edges)
    assert told == (opinion.output, opinion.error, opinion.frames, opinion.back_edges)
    first = Schedule(min(int(where * run.steps), run.steps - 1), kind)
    trial = run.run(first)
    inside = range(trial.in_post) if also == "step" else range(trial.in_post, trial.in_all)
    for schedule in (first, Schedule(first.step, kind, inside[at % len(inside)], also)) if inside else (first,):
        note(str(schedule))
        assert differences(run.run(schedule).observation, repeat(FOLDED, schedule).observation) == {}


@pytest.mark.parametrize("wide", [False, True])
@given(
    data=st.data(),
    kind=st.sampled_from(["STOP", "INTERRUPT", "NOTHING"]),
    where=st.floats(0, 1, exclude_max=True),
    at=st.integers(0, 40),
    also=st.sampled_from(["STOP", "INTERRUPT", "step"]),
)
def test_three_machines_agree(wide: bool, data: st.DataObject, kind: str, where: float, at: int, also: str) -> None:
    judged(data.draw(programs(wide=wide)), kind, where, at, also)
