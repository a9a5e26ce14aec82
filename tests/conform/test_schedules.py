"""Random schedules find what a twin does wrong, and say so with the shortest one."""

from __future__ import annotations

import re

import pytest

from safepoint.conform.judge import hold
from safepoint.conform.runs import Runs
from safepoint.conform.schedules import ANY_SCHEDULE, machine
from tests.conform import twins
from tests.conform.threads_toy import ThreadsToy
from tests.conform.toy import Toy

POSTS = {
    twins.Forgetful: 1,
    twins.Sluggish: 1,
    twins.Swallowing: 1,
    twins.Recounting: 1,
    twins.Undead: 1,
    twins.Shadowing: 2,
    twins.OneShot: 2,
    twins.Deaf: 2,
}
"""Twin -> the fewest posts that show what is wrong with it.  Now and then hypothesis stops shrinking at one more."""


@pytest.mark.parametrize("twin", POSTS, ids=lambda t: t.__name__)
def test_the_shortest_schedule_is_found(twin: type[Toy]) -> None:
    report = hold(ANY_SCHEDULE, Runs(twin()), "toy").report
    assert len(re.findall(r"state\.(?:post_\w+|interrupt_thread)\(", report)) - POSTS[twin] in {0, 1}, report
    assert report.splitlines()[-1].endswith("--safepoint-target toy -k any-schedule")


def test_a_right_vm_passes() -> None:
    assert hold(ANY_SCHEDULE, Runs(ThreadsToy()), "toy").verdict == "holds"


def test_a_shrunk_schedule_reads_as_steps() -> None:
    report = hold(ANY_SCHEDULE, Runs(twins.Shadowing()), "toy").report
    assert re.search(r"shortest  state\.load\(name='[\w-]+'\)\n( +state\.post_\w+\(after=\d+\)\n){2}", report), report


TestTheToy = machine(Toy()).TestCase
"""As a stranger would write it."""
