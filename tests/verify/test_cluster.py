"""A Dask cluster of real processes on loopback: a worker that is killed loses no result, and what is wrong is said in one line."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.verify import campaign, cluster
from safepoint.verify.identity import identity
from safepoint.verify.kept import NotUsable
from safepoint.verify.text import explore_scope
from safepoint.verify.workers import workers
from tests.verify.loopback import Loopback, end_itself, loopback, until, wait_for

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
JOBS = 8
TINY = ("interrupt-1", "stop-1", "handshake-1", "sample-1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    with loopback(tmp_path_factory.mktemp("cluster")) as found:
        yield found


def begun(folder: Path) -> dict[int, list[int]]:
    """Each job that was begun, and by which processes."""
    found: dict[int, list[int]] = {}
    for name in (path.name.split(".") for path in folder.iterdir() if path.name != "go"):
        found.setdefault(int(name[0]), []).append(int(name[1]))
    return found


def test_a_worker_that_is_killed_loses_no_result(made: Loopback, tmp_path: Path) -> None:
    """What it was at, the other one does; a second run does nothing, and a changed text everything."""
    victim = made.begin_worker()
    made.await_workers()
    doing, keep = tmp_path / "doing", tmp_path / "keep"
    doing.mkdir()
    with workers(made.address, keep) as pool:
        asked = [pool.submit(wait_for, str(doing), number) for number in range(JOBS)]
        until(lambda: len(begun(doing)) == len(made.workers) == 3, "each worker is at a job")
        made.kill(victim)
        (doing / "go").touch()
        assert [each.result(30) for each in asked] == [number * number for number in range(JOBS)]
        assert (pool.made, pool.there) == (JOBS, 0)
    by = begun(doing)
    (lost,) = [  # it was at one job: it has one thread
        number for number, pids in by.items() if victim.pid in pids
    ]
    assert Counter(len(pids) for pids in by.values()) == {1: JOBS - 1, 2: 1}, "the lost one was begun again, no other"
    assert len(by[lost]) == 2
    assert len(list(keep.glob("*/*.result"))) == JOBS
    with workers(made.address, keep) as pool:
        assert list(pool.map(wait_for, [str(doing)] * JOBS, range(JOBS))) == [number * number for number in range(JOBS)]
        assert (pool.made, pool.there) == (0, JOBS)


def test_it_finds_what_is_found_here(made: Loopback, tmp_path: Path) -> None:
    """Here, of what the cluster has kept, nothing is made again."""
    jobs = [("folded", "sc", scope) for scope in TINY]
    with workers(made.address, tmp_path) as pool:
        there = [each.row for each in pool.map(explore_scope, jobs)]
    assert there == [replace(explore_scope(job).row, seconds=row.seconds) for job, row in zip(jobs, there, strict=True)]
    with workers(keep=tmp_path) as pool:
        assert [each.row for each in pool.map(explore_scope, jobs)] == there
        assert (pool.made, pool.there) == (0, len(jobs))


def test_a_refusal_of_a_job_is_told_as_here(made: Loopback) -> None:
    with pytest.raises(KeyError, match="nope"), workers(made.address) as pool:
        pool.submit(explore_scope, ("nope", "sc", "stop-1")).result(30)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"program": "f" * 64}, "program is …, and here ffff"), ({"python": "CPython 2.7"}, ", and here CPython 2.7 (")],
)
def test_workers_of_another_version_get_no_work(
    change: dict[str, str], said: str, made: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "identity", lambda: replace(identity(), **change))
    before, _, after = said.partition("…")
    with pytest.raises(NotUsable) as told, workers(made.address):
        pytest.fail("it has begun")
    assert before in str(told.value)
    assert after in str(told.value)
    assert str(told.value).endswith("(install there what is here)")


def test_a_worker_that_comes_later_is_looked_at_too(made: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "look_at_workers", lambda *_: None)
    monkeypatch.setattr(cluster, "identity", lambda: replace(identity(), machine="Plan9 vax"))
    with pytest.raises(NotUsable, match="a worker: machine is .*, and here Plan9 vax"), workers(made.address) as pool:
        pool.submit(explore_scope, ("folded", "sc", "stop-1")).result(30)


def test_a_worker_of_several_threads_is_refused(made: Loopback) -> None:
    several = made.begin_worker(threads=2)
    made.await_workers()
    with pytest.raises(NotUsable, match=r"has 2 threads, and a job .* \(begin it with --nthreads 1\)"):
        with workers(made.address):
            pytest.fail("it has begun")
    made.kill(several)


def test_a_campaign_goes_on_here_from_what_the_cluster_did(
    made: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "planned", lambda *_: [(campaign.scope, ("folded", "sc", name)) for name in TINY])
    command = ["campaign", "scopes", "--keep", str(tmp_path)]
    there = CliRunner().invoke(cli, [*command, "--on", made.address])
    assert there.exit_code == 0, there.output
    assert f"scopes: {len(TINY)} jobs, {len(TINY)} made now and 0 there already: " in there.output
    here = CliRunner().invoke(cli, command)
    assert f"scopes: {len(TINY)} jobs, 0 made now and {len(TINY)} there already: " in here.output
    assert here.output.endswith(f"{tmp_path}: 0 results made, {len(TINY)} were there already\n")


# ---- the cluster goes away


def test_a_job_that_ends_one_worker_after_the_other(made: Loopback) -> None:
    with pytest.raises(NotUsable, match=r"one job has ended each worker that was at it \(have they"):
        with workers(made.address) as pool:
            pool.submit(end_itself).result(30)
    for worker in tuple(made.workers):
        made.kill(worker)


def test_when_every_worker_has_gone(made: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a bounded time; what was there before stays."""
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    monkeypatch.setattr(cluster, "LOOK", 0.1)
    made.begin_worker()
    made.await_workers()
    doing = tmp_path / "doing"
    doing.mkdir()
    with pytest.raises(NotUsable) as told, workers(made.address, tmp_path / "keep") as pool:
        first = pool.submit(explore_scope, ("folded", "sc", "stop-1"))
        first.result(30)
        asked = pool.submit(wait_for, str(doing), 1)
        until(lambda: begun(doing), "a worker is at it")
        for worker in tuple(made.workers):
            made.kill(worker)
        asked.result(30)
    assert str(told.value).endswith(
        ": for 0.5 s there was no worker; what was kept is kept: the same command goes on from there"
    )
    assert len(list(tmp_path.glob("keep/*/*.result"))) == 1
    with pytest.raises(NotUsable, match=r"there is no worker \(begin one: dask worker tcp://.* --nthreads 1\)"):
        with workers(made.address):
            pytest.fail("it has begun")


def test_when_the_scheduler_has_gone(made: Loopback, tmp_path: Path) -> None:
    made.begin_worker()
    made.await_workers()
    with pytest.raises(NotUsable, match="the scheduler has gone; what was kept is kept"):
        with workers(made.address) as pool:
            asked = pool.submit(wait_for, str(tmp_path), 1)
            until(lambda: begun(tmp_path), "a worker is at it")
            made.scheduler.kill()
            asked.result(30)


# ---- there is none


def test_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    result = CliRunner().invoke(cli, ["campaign", "scopes", "--on", "tcp://127.0.0.1:1"])
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "--on tcp://127.0.0.1:1: no scheduler listens there: " in result.output


def test_where_somebody_else_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(NotUsable, match="no scheduler listens there"):
            with workers(f"tcp://127.0.0.1:{silent.getsockname()[1]}"):
                pytest.fail("it has begun")


@pytest.mark.parametrize("address", ["nope", "http://x", "tcp://127.0.0.1"])
def test_an_address_that_is_none(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    with pytest.raises(NotUsable, match=f"--on {address}: "), workers(address):
        pytest.fail("it has begun")
