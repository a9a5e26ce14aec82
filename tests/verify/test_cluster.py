"""A Dask cluster of real processes on loopback: a worker that is killed loses no result, and what is wrong is said in one line."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.verify import campaign, cluster
from safepoint.verify.identity import identity
from safepoint.verify.kept import NotUsable
from safepoint.verify.text import explore_scope
from safepoint.verify.workers import Worker, workers
from tests.verify.loopback import Loopback, end_itself, loopback, until, wait_for

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
BEGIN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what it begins in the background
from safepoint.cli.entry import main
main()
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
JOBS = 8
SQUARES = [number * number for number in range(JOBS)]
TINY = ("interrupt-1", "stop-1", "handshake-1", "sample-1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    with loopback(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 0.5)


def begun(folder: Path) -> dict[int, list[int]]:
    """Each job that was begun, and by which processes."""
    found: dict[int, list[int]] = {}
    for name in (path.stem.split("-") for path in folder.glob("*.begun")):
        found.setdefault(int(name[0]), []).append(int(name[1]))
    return found


def told(on: str, work: Callable[..., object], *arguments: object, keep: Path | None = None) -> str:
    """What is said when a cluster does not do a job."""
    with pytest.raises(NotUsable) as said, workers(on, keep) as pool:
        pool.submit(work, *arguments).result(60)
    assert str(said.value).startswith("--on")
    return str(said.value)


def test_a_worker_that_is_killed_loses_no_result(made: Loopback, tmp_path: Path) -> None:
    """What it was at, another one does; a second run does nothing."""
    doing, keep = tmp_path / "doing", tmp_path / "keep"
    doing.mkdir()
    with workers(made.need(2), keep) as pool:
        asked = [pool.submit(wait_for, str(doing), number) for number in range(JOBS)]
        until(lambda: len(begun(doing)) == len(made.workers), "each worker is at a job")
        victim = made.workers[0]
        made.kill(victim)
        (doing / "go").touch()
        assert [each.result(60) for each in asked] == SQUARES
        assert (pool.made, pool.there) == (JOBS, 0)
    by = begun(doing)
    (lost,) = [number for number, pids in by.items() if victim.pid in pids]
    assert {number: len(pids) for number, pids in by.items()} == {n: 2 if n == lost else 1 for n in range(JOBS)}
    assert len(list(keep.glob("*/*.result"))) == JOBS

    with workers(made.need(1), keep) as pool:
        assert list(pool.map(wait_for, [str(doing)] * JOBS, range(JOBS))) == SQUARES
        assert (pool.made, pool.there) == (0, JOBS)
    assert begun(doing) == by


def test_it_finds_what_is_found_here(made: Loopback, tmp_path: Path) -> None:
    """Here, of what the cluster has kept, nothing is made again."""
    jobs = [("folded", "sc", scope) for scope in TINY]
    with workers(made.need(1), tmp_path) as pool:
        there = [each.row for each in pool.map(explore_scope, jobs)]
    assert there == [replace(explore_scope(job).row, seconds=row.seconds) for job, row in zip(jobs, there, strict=True)]
    with workers(keep=tmp_path) as pool:
        assert [each.row for each in pool.map(explore_scope, jobs)] == there
        assert (pool.made, pool.there) == (0, len(jobs))


def test_an_error_of_a_job_is_told_as_here(made: Loopback) -> None:
    with pytest.raises(KeyError, match="nope"), workers(made.need(1)) as pool:
        pool.submit(explore_scope, ("nope", "sc", "stop-1")).result(60)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"program": "f" * 64}, ", and here ffff"), ({"python": "CPython 2.7"}, ", and here CPython 2.7 (")],
)
def test_workers_of_another_version_get_no_work(
    change: dict[str, str], said: str, made: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "identity", lambda: replace(identity(), **change))
    line = told(made.need(1), wait_for, str(tmp_path), 1)
    assert line.startswith(f"--on {made.address}: worker tcp://127.0.0.1:")
    assert f" {next(iter(change))} is " in line
    assert said in line
    assert line.endswith("(install there what is here)")
    assert begun(tmp_path) == {}


def test_a_worker_that_comes_later_is_looked_at_too(
    made: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "look_at_workers", lambda *_: None)
    monkeypatch.setattr(cluster, "identity", lambda: replace(identity(), machine="Plan9 vax"))
    assert "--on: a worker: machine is " in told(made.need(1), wait_for, str(tmp_path), 1)
    assert begun(tmp_path) == {}


def test_a_worker_of_several_threads_is_refused(made: Loopback) -> None:
    line = told(made.need(len(made.workers) + 1, threads=2), explore_scope)
    made.kill(made.workers[-1])
    assert "has 2 threads, and a job needs a process of its own (begin it with --nthreads 1)" in line


def test_a_campaign_goes_on_here_from_what_the_cluster_did(
    made: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "planned", lambda *_: [(campaign.scope, ("folded", "sc", name)) for name in TINY])
    command = ["campaign", "scopes", "--keep", str(tmp_path)]
    there = CliRunner().invoke(cli, [*command, "--on", made.need(1)])
    assert there.exit_code == 0, there.output
    assert f"scopes: {len(TINY)} jobs, {len(TINY)} made now and 0 there already: " in there.output
    here = CliRunner().invoke(cli, command)
    assert f"scopes: {len(TINY)} jobs, 0 made now and {len(TINY)} there already: " in here.output
    assert here.output.endswith(f"{tmp_path}: 0 results made, {len(TINY)} were there already\n")


def has_a_child() -> None:
    """It begins a process, as a target that is judged has one."""
    child = Worker(target=int)
    child.start()
    child.join(30)
    assert child.exitcode == 0


def test_a_worker_that_has_a_nanny_may_begin_processes() -> None:
    """The nanny makes it a daemon, which may not."""
    worker = Worker(target=cluster.checked, args=(identity(), has_a_child, ()), daemon=True)
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0


def test_it_is_imported_when_it_is_asked_for() -> None:
    """`--help` and all work on this machine do without."""
    script = "import sys, safepoint.cli.main, safepoint.verify.workers; sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, timeout=60, check=False).returncode == 0


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert told("tcp://x:1", explore_scope) == (
        "--on: distributed is not installed (pip install distributed: the extra `cluster`)"
    )


@pytest.mark.parametrize("is_there", [False, True], ids=["here", "on a cluster"])
def test_control_c_ends_a_campaign_in_order(is_there: bool, made: Loopback, tmp_path: Path) -> None:
    """What was found until then is said, and kept."""
    on = ("--on", made.need(1)) if is_there else ()
    command = subprocess.Popen(
        [sys.executable, "-c", BEGIN, "campaign", "scopes", "--keep", str(tmp_path), *on],
        start_new_session=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )  # fmt: skip
    try:
        until(lambda: list(tmp_path.glob("*/*.result")) or command.poll() is not None, "there is a result")
        os.killpg(command.pid, signal.SIGINT)  # as a terminal does
        output, errors = command.communicate(timeout=60)
    finally:
        command.kill()
    assert (command.returncode, errors) == (130, ""), output
    assert re.match(
        r"scopes: (\d+) of [\d,]+ jobs, \1 made now and 0 there already: [\d,]+ states, 0 refuted\n", output
    )
    made_now = int(output.split()[1])
    assert 1 <= made_now <= len(list(tmp_path.glob("*/*.result")))
    assert output.endswith(" results made, 0 were there already\n")


def test_the_libraries_log_nothing(made: Loopback) -> None:
    """Not even by a logger that has a level of its own, as tornado.application has for what goes wrong while a client is closed."""
    with workers(made.need(1)):
        loggers = ("distributed.client", "tornado.application", "asyncio")
        assert not [name for name in loggers if logging.getLogger(name).isEnabledFor(logging.ERROR)]


# ---- the cluster goes away


def test_a_job_that_ends_one_worker_after_the_other(made: Loopback) -> None:
    line = told(made.need(2), end_itself)
    made.kill_all()
    assert "one job has ended each worker that was at it (have they enough memory?)" in line


def lose(end: Callable[[], None], on: str, folder: Path) -> None:
    """Have one result; then end the cluster while it is at another."""
    with workers(on, folder) as pool:
        pool.submit(explore_scope, ("folded", "sc", "stop-1")).result(60)
        asked = pool.submit(wait_for, str(folder), 1)
        until(lambda: begun(folder), "a worker is at it")
        end()
        asked.result(60)


def test_when_every_worker_has_gone(made: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def end() -> None:
        made.kill_all()
        monkeypatch.setattr(cluster, "PATIENCE", 0.5)

    with pytest.raises(NotUsable, match=r": for 0\.5 s there was no worker; what was kept is kept: the same command"):
        lose(end, made.need(1), tmp_path)
    assert len(list(tmp_path.glob("*/*.result"))) == 1
    assert "there is no worker (begin one: dask worker tcp://" in told(made.address, explore_scope)


def test_when_the_scheduler_has_gone(made: Loopback, tmp_path: Path) -> None:
    with pytest.raises(NotUsable, match=": the scheduler has gone; what was kept is kept: the same command"):
        lose(made.kill_scheduler, made.need(1), tmp_path)
    made.kill_all()
    assert len(list(tmp_path.glob("*/*.result"))) == 1


def test_when_the_scheduler_is_silent(made: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its connections, and does not answer: the work is given up, and no other is begun."""
    on = made.need(1)

    def stop() -> None:
        assert made.scheduler
        made.scheduler.send_signal(signal.SIGSTOP)
        for patience in ("PATIENCE", "CONNECT"):
            monkeypatch.setattr(cluster, patience, 0.5)

    with pytest.raises(NotUsable, match=r": for 0\.5 s the scheduler does not answer; what was kept is kept"):
        lose(stop, on, tmp_path)
    assert re.match(
        f"--on {on}: (no scheduler listens there: |a worker, or the scheduler, does not answer )",
        told(on, explore_scope),
    )
    made.kill_scheduler()
    made.kill_all()


# ---- there is none


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("command", ["verify", "mutate", "campaign"])
def test_where_no_program_listens(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--on", "tcp://127.0.0.1:1"])
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "--on tcp://127.0.0.1:1: no scheduler listens there: " in result.output


@pytest.mark.usefixtures("soon")
def test_where_another_program_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "no scheduler listens there: " in told(f"tcp://127.0.0.1:{silent.getsockname()[1]}", explore_scope)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("address", ["nope", "http://x", "tcp://127.0.0.1"])
def test_an_address_that_is_none(address: str) -> None:
    assert f"--on {address}: " in told(address, explore_scope)
