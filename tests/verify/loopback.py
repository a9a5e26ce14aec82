"""A Dask cluster on loopback, of processes: a scheduler, and workers of one thread each.  And jobs for it."""

from __future__ import annotations

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
PATIENCE = 30.0
"""Seconds; every wait is shorter."""


def until(what: Callable[[], object], why: str) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, f"it took too long until {why}"
        time.sleep(0.02)


class Loopback:
    """`address`: of the scheduler; `workers`: their processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.known = folder / "scheduler.json"
        self.scheduler = self.begin("dask_scheduler", "--scheduler-file", str(self.known), "--port", "0", "--no-show")

    def begin(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", *options, "--host", "127.0.0.1", "--no-dashboard"]
        environment = {**os.environ, **SETTINGS, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    def begin_worker(self, threads: int = 1) -> subprocess.Popen[bytes]:
        until(self.known.exists, "there is a scheduler")
        options = ("--scheduler-file", str(self.known), "--nthreads", str(threads), "--no-nanny")
        self.workers.append(self.begin("dask_worker", *options))
        return self.workers[-1]

    @property
    def address(self) -> str:
        """Once its file is whole."""
        import json

        until(lambda: self.known.exists() and self.known.read_text().endswith("}"), "there is a scheduler")
        return str(json.loads(self.known.read_text())["address"])

    def await_workers(self) -> None:
        """Until the scheduler knows all of them."""
        from distributed import Client

        with Client(self.address, timeout=PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=PATIENCE)

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """With SIGKILL: it can say nothing any more."""
        worker.kill()
        worker.wait(PATIENCE)
        self.workers.remove(worker)

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait(PATIENCE)


@contextmanager
def loopback(folder: Path, workers: int = 2) -> Iterator[Loopback]:
    made = Loopback(folder)
    try:
        for _ in range(workers):
            made.begin_worker()
        made.await_workers()
        yield made
    finally:
        made.end()


# ---- jobs


def wait_for(folder: str, number: int) -> int:
    """Say that it was begun, and by whom; then wait until the file `go` is there."""
    place = Path(folder)
    (place / f"{number}.{os.getpid()}").touch()
    until((place / "go").exists, "the jobs may end")
    return number * number


def end_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
