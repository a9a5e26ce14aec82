"""Worker processes: one that dies is an error, and nothing hangs; a worker never hears Control-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children
from pathlib import Path

import pytest

from safepoint.verify.workers import workers


def hears(number: int) -> bool:
    """Would the signal reach this process?"""
    return number not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_worker_never_hears_control_c() -> None:
    assert hears(signal.SIGINT)
    with workers() as pool:
        assert not pool.submit(hears, signal.SIGINT).result()
        assert hears(signal.SIGINT)


def test_a_worker_that_dies_is_an_error() -> None:
    before = {*active_children()}  # of other tests, which this process has run
    with pytest.raises(BrokenProcessPool), workers() as pool:
        pool.submit(os._exit, 0).result()
    assert {*active_children()} <= before


def begin_and_sleep(file: Path) -> None:
    file.touch()
    time.sleep(3600)


def die_when_answers_are_cancelled(folder: Path) -> None:
    before = {*active_children()}
    with workers() as pool:
        first, *answers = [pool.submit(begin_and_sleep, folder / str(number)) for number in range(32)]
        end = time.monotonic() + 60
        while time.monotonic() < end and not (folder / "0").exists():  # then the pool's thread has filled its queue
            time.sleep(0.01)
        assert all(answer.cancel() for answer in answers)
        for child in {*active_children()} - before:
            child.kill()
        first.result(timeout=60)


def test_a_worker_that_dies_when_answers_are_cancelled(tmp_path: Path) -> None:
    """As `map` cancels those that are left, on Control-C.  An exception in the pool's thread, which ends no process then, is this test's error."""
    before = {*active_children()}
    with pytest.raises(BrokenProcessPool):
        die_when_answers_are_cancelled(tmp_path)
    assert {*active_children()} <= before


def press_while_they_sleep() -> None:
    with workers() as pool:
        pool.submit(time.sleep, 3600)
        signal.raise_signal(signal.SIGINT)


def test_control_c_ends_them_and_is_heard() -> None:
    """Before the hour is over, and by the handler that heard it before."""
    heard: list[int] = []
    others = {*active_children()}
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with pytest.raises(KeyboardInterrupt):
            press_while_they_sleep()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
    assert {*active_children()} <= others


def press_and_sleep(process: int) -> None:
    time.sleep(0.5)
    os.kill(process, signal.SIGINT)
    time.sleep(3600)


LATE = """
import os, signal
from safepoint.verify.workers import workers
from tests.verify.test_workers import press_and_sleep

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    with workers() as pool:
        pool.submit(press_and_sleep, os.getpid())
"""


def test_control_c_while_it_waits_for_the_last_of_them(tmp_path: Path) -> None:
    """No semaphore of the pool is left, whose loss multiprocessing would tell: the pool is ended as in the middle."""
    script = tmp_path / "late.py"
    script.write_text(LATE)
    done = subprocess.run(
        [sys.executable, script], cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


ENDED = """
import os, signal
from safepoint.verify.workers import workers

if __name__ == "__main__":
    with workers() as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
def test_they_end_with_a_command_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "ended.py"
    script.write_text(ENDED)
    done = subprocess.run(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, text=True, stdout=subprocess.PIPE,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    worker, status = int(done.stdout), Path(f"/proc/{int(done.stdout)}/stat")
    end = time.monotonic() + 10
    while time.monotonic() < end and status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z", worker
