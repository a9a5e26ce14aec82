"""Random schedules find what a twin does wrong, and say so with the shortest one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from safepoint.conform.judge import hold
from safepoint.conform.runs import Runs
from safepoint.conform.schedules import ANY_SCHEDULE, machine
from tests.conform import twins
from tests.conform.threads_toy import ThreadsToy
from tests.conform.toy import Toy

ROOT = Path(__file__).parents[2]

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
"""Twin -> the fewest posts that show what is wrong with it.  Hypothesis may stop shrinking at one more."""


REPORTS = """
import json, sys
from safepoint.conform.judge import hold
from safepoint.conform.runs import Runs
from safepoint.conform.schedules import ANY_SCHEDULE
from tests.conform import twins
print(json.dumps({name: hold(ANY_SCHEDULE, Runs(getattr(twins, name)()), "toy").report for name in sys.argv[1:]}))
"""


@pytest.fixture(scope="module")
def reports() -> dict[str, str]:
    """Of each twin, made in a process that imports nothing else: hypothesis draws from the constants of all that is imported."""
    names = [twin.__name__ for twin in POSTS]
    done = subprocess.run(
        [sys.executable, "-c", REPORTS, *names],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}, cwd=ROOT, text=True, capture_output=True, timeout=100, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("twin", POSTS, ids=lambda t: t.__name__)
def test_the_shortest_schedule_is_found(twin: type[Toy], reports: dict[str, str]) -> None:
    report = reports[twin.__name__]
    assert len(re.findall(r"state\.(?:post_\w+|interrupt_thread)\(", report)) - POSTS[twin] in {0, 1}, report
    assert report.splitlines()[-1].endswith("--safepoint-target toy -k any-schedule")


def test_a_right_vm_passes() -> None:
    assert hold(ANY_SCHEDULE, Runs(ThreadsToy()), "toy").verdict == "holds"


def test_a_shrunk_schedule_reads_as_steps(reports: dict[str, str]) -> None:
    report = reports["Shadowing"]
    assert re.search(r"shortest  state\.load\(name='[\w-]+'\)\n( +state\.post_\w+\(after=\d+\)\n){2}", report), report


TestTheToy = machine(Toy()).TestCase
"""As a stranger would write it."""
