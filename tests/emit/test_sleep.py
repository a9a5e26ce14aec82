"""`sp_block` with a condition of the VM's: no wake-up is lost, wherever the waker comes between the sleeper's accesses."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from safepoint.emit.header import header
from safepoint.protocol.policies import FOLDED
from tests.emit.building import needs_cc

SOURCE = Path(__file__).with_name("sleep.c")


def sleeper(directory: Path, ready: str, rounds: int, seconds: int) -> subprocess.CompletedProcess[str]:
    (directory / "safepoint.h").write_text(header(FOLDED), encoding="utf-8")
    program = directory / "sleep"
    defined = [f"-DREADY={ready}", f"-DROUNDS={rounds}", f"-DSECONDS={seconds}"]
    command = ["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{directory}", *defined]
    subprocess.run([*command, str(SOURCE), "-o", str(program)], check=True, timeout=60)
    return subprocess.run([str(program)], capture_output=True, text=True, timeout=90, check=False)


@needs_cc
def test_no_wake_up_is_lost_between_two_threads_that_wait_for_each_other(tmp_path: Path) -> None:
    """First at each access of the sleeper, then 100,000 rounds of a channel; an alarm ends what hangs."""
    done = sleeper(tmp_path, "is_full", 100_000, 60)
    assert (done.returncode, done.stdout) == (0, "1 2 3 4 done\n")


@needs_cc
@pytest.mark.parametrize("ready", ["NULL"])
def test_without_a_condition_the_wake_up_before_the_sleep_is_lost(ready: str, tmp_path: Path) -> None:
    """Before the sleeper's first access, which erases it: so the test above sees what it is about."""
    done = sleeper(tmp_path, ready, 1, 2)
    assert (done.returncode, done.stdout) == (-signal.SIGALRM, "")
