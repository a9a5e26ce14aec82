"""A Dask cluster on loopback, of processes: a scheduler, and workers of one thread each.  And jobs for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
"""A job may end one worker, and not two."""
PATIENCE = 60.0
"""Seconds; every wait is shorter."""


def until(what: Callable[[], object], why: str) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, f"it took too long until {why}"
        time.sleep(0.02)


class Loopback:
    """`workers`: the processes that were begun, and not killed.  What a test has ended is begun again for the next that needs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.known = folder / "scheduler.json"
        self.scheduler: subprocess.Popen[bytes] | None = None

    def need(self, workers: int, threads: int = 1) -> str:
        """Have at least this number of workers; one that is new has this number of threads.  The address of the scheduler."""
        if self.scheduler is None:
            self.known.unlink(missing_ok=True)
            self.scheduler = self._begin(
                "dask_scheduler", "--scheduler-file", str(self.known), "--port", "0", "--no-show"
            )
            until(lambda: self.known.exists() and self.known.read_text().endswith("}"), "there is a scheduler")
        if workers > len(self.workers):
            options = ("--scheduler-file", str(self.known), "--nthreads", str(threads), "--no-nanny")
            self.workers += [self._begin("dask_worker", *options) for _ in range(workers - len(self.workers))]
            from distributed import Client

            with Client(self.address, timeout=PATIENCE, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=PATIENCE)
        return self.address

    @property
    def address(self) -> str:
        return str(json.loads(self.known.read_text())["address"])

    def _begin(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", *options, "--host", "127.0.0.1", "--no-dashboard"]
        path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **SETTINGS, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """With SIGKILL: it can say nothing any more."""
        worker.kill()
        worker.wait(PATIENCE)
        self.workers.remove(worker)

    def kill_all(self) -> None:
        for worker in tuple(self.workers):
            self.kill(worker)

    def kill_scheduler(self) -> None:
        if self.scheduler:
            self.scheduler.kill()
            self.scheduler.wait(PATIENCE)
            self.scheduler = None


@contextmanager
def loopback(folder: Path) -> Iterator[Loopback]:
    made = Loopback(folder)
    try:
        yield made
    finally:
        made.kill_all()
        made.kill_scheduler()


# ---- jobs


def wait_for(folder: str, number: int) -> int:
    """Say that it was begun, and by whom; then wait until the file `go` is there."""
    place = Path(folder)
    (place / f"{number}-{os.getpid()}.begun").touch()
    until((place / "go").exists, "the jobs may end")
    return number * number


def end_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
