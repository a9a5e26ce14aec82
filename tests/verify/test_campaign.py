"""`safepoint campaign`: what it does, what it makes again, and what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli import campaign as command
from safepoint.cli.main import cli
from safepoint.conform.judge import UnknownTarget
from safepoint.conform.target import NotOffered
from safepoint.differential.cases import CASES, LATE
from safepoint.differential.controlled import Case
from safepoint.differential.cores import CoresRun
from safepoint.differential.follow import Wrong
from safepoint.model.explore import NotExplored
from safepoint.model.scopes import LESS, SCOPES
from safepoint.protocol.policies import POLICIES
from safepoint.verify import campaign
from safepoint.verify.campaign import (
    FUZZ,
    FUZZED,
    MUTATION,
    SCHEDULES,
    SOAK,
    SUBJECTS,
    Campaign,
    Found,
    Subject,
    planned,
)
from safepoint.verify.controlled import TWICE, CaseTally
from safepoint.verify.failures import WrongFuzzed
from safepoint.verify.fuzzing import Fuzzed
from safepoint.verify.interpreter import SEED
from safepoint.verify.kept import Jobs, Kept
from safepoint.verify.mutate import Campaign as Mutations


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started, so that what is patched here is seen."""

    @contextmanager
    def one(_on: str, keep: Path | None) -> Iterator[Jobs]:
        with ThreadPoolExecutor(1) as pool:
            yield Jobs(pool, Kept(keep) if keep else None)

    monkeypatch.setattr("safepoint.verify.workers.workers", one)
    monkeypatch.setattr(campaign, "find_target", lambda _: None)


def said(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["campaign", *args])
    return result.exit_code, result.stdout or result.output


def test_the_command_has_the_subjects_that_there_are() -> None:
    assert tuple(SUBJECTS) == command.SUBJECTS


def test_every_scope_is_planned_once() -> None:
    jobs = [arguments for _, arguments in planned(campaign.SCOPES, 1)]
    assert len(set(jobs)) == len(jobs)
    planned_for = {name: {s for policy, memory, s in jobs if (policy, memory) == (name, "sc")} for name in POLICIES}
    assert planned_for["folded"] == {name for name, s in SCOPES.items() if not LESS.keys() & {*s.slices}}
    assert planned_for["folded"] | planned_for["patched"] == set(SCOPES)
    assert {policy for policy, _, _ in jobs} == set(POLICIES)
    assert {SCOPES[name].group for _, memory, name in jobs if memory == "tso"} == {"tiny", "small"}


def test_a_further_seed_is_a_further_job() -> None:
    """So that with more seeds, what fewer have found is there already."""
    assert planned(SOAK, 3) == [(campaign.soak, (SEED + n,)) for n in range(3)]
    few, more = planned(SCHEDULES, 1), planned(SCHEDULES, 2)
    assert more[: len(few)] == few
    small = [arguments[0].name for work, arguments in few if work is campaign.twice]
    assert len(small) == len(set(small))
    assert set(small) == {*TWICE}, "and each is a case"
    assert len(more) - len(few) == len(few) - len(small) == 3 * len((*CASES, *LATE))


@pytest.mark.parametrize(("finished", "left"), [(True, ""), (False, "after 9 schedules there are more")])
def test_small_cases_are_run_with_two_preemptions(finished: bool, left: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[tuple[str, int, int, int]]()

    def run_case(case: Case, most: int, drawn: int, preemptions: int) -> CaseTally:
        asked.append((case.name, most, drawn, preemptions))
        return CaseTally(case.name, 9, 9, finished, 9, 2, 0.1, None)

    monkeypatch.setattr(campaign, "run_case", run_case)
    found = campaign.twice(CASES[0])
    assert asked == [("calls|INTERRUPT|STOP@sc", 2 * 10_440, 0, 2)]
    assert (found.count, found.failures, found.why_not) == (9, (), left)


def test_only_the_first_seed_looks_for_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[tuple[int, int, int]]()

    def run_case(_: object, most: int, drawn: int, seed: int) -> CaseTally:
        asked.append((most, drawn, seed))
        return CaseTally("case", most + drawn, most, True, 9, 2, 0.1, None)

    monkeypatch.setattr(campaign, "run_case", run_case)
    counts = [campaign.schedules(CASES[0], SEED + n).count for n in range(2)]
    assert asked == [(300, 250, SEED), (1, 250, SEED + 1)]
    assert counts == [550, 251]


def test_a_seed_fuzzes_what_no_other_does_and_it_is_said_how_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[tuple[str, int, int]]()

    def fuzz(kind: str, first: int, count: int) -> Fuzzed:
        asked.append((kind, first, count))
        wrong = WrongFuzzed("f:code:fib:3:1", "it died") if kind == "code" and first else None
        return Fuzzed(Counter({"refused": count - 1, "agreed": 1}), wrong)

    monkeypatch.setattr(campaign, "fuzz", fuzz)
    status, output = said(FUZZ, "--seeds", "2")
    assert sorted(asked) == [(kind, first, FUZZED) for kind in ("code", "text") for first in (0, FUZZED)]
    assert status == 1
    assert output == (
        "fuzz: 4 jobs, 4 made now and 0 there already: 1,000 programs, 1 refuted\n"
        "    996 refused, 4 agreed\n"
        "fuzzed program: it died\n"
        "    again: safepoint replay 'f:code:fib:3:1'\n"
    )


def test_with_more_seeds_only_the_further_ones_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "race", lambda _requests, _seconds, seed: CoresRun(requests=seed - SEED + 1))
    keep = ("--keep", str(tmp_path))
    status, output = said("soak", "--seeds", "2", *keep)
    assert (status, output.splitlines()) == (0, [
        "soak: 2 jobs, 2 made now and 0 there already: 3 requests, 0 refuted",
        f"{tmp_path}: 2 results made, 0 were there already",
    ])  # fmt: skip
    status, output = said("soak", "--seeds", "3", *keep)
    assert "soak: 3 jobs, 1 made now and 2 there already: 6 requests, 0 refuted\n" in output


def test_what_is_wrong_is_said_last_and_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "race", lambda _requests, _seconds, seed: CoresRun(requests=9, lost=seed - SEED))
    status, output = said("soak", "--seeds", "2")
    assert status == 1
    assert output.startswith("soak: 2 jobs, 2 made now and 0 there already: 18 requests, 1 refuted\n")
    assert "lost: 1, of 9 requests" in output

    bad = Wrong("its trace", "a request is lost", "s:loop|STOP@sc:1>1")
    monkeypatch.setattr(campaign, "run_case", lambda *_, **__: CaseTally("case", 7, 7, True, 9, 2, 0.1, bad))
    monkeypatch.setattr(campaign, "CASES", CASES[:1])
    monkeypatch.setattr(campaign, "LATE", ())
    monkeypatch.setattr(campaign, "in_compiled_code", tuple)
    status, output = said("schedules", "--seeds", "1")
    assert status == 1
    assert "safepoint replay 's:loop|STOP@sc:1>1'" in output


def test_a_scope_that_is_not_explored_is_left_out_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def explore(_: tuple[str, str, str]) -> None:
        raise NotExplored("more than 5,000,000 states")

    monkeypatch.setattr(campaign, "explore_scope", explore)
    monkeypatch.setattr(campaign, "planned", lambda *_: [(campaign.scope, ("folded", "sc", f"{n}")) for n in range(7)])
    status, output = said("scopes")
    assert status == 2, "there is no verdict on any"
    assert "    left out: folded sc 0: more than 5,000,000 states\n" in output
    assert output.endswith("    left out: 2 more\n")
    found = Subject("scopes", "states", found=[Found("one", 5), Found("two", why_not="too many")])
    assert Campaign([found]).verdict == "holds"


def test_where_there_are_no_real_cores_there_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def race(*_: object) -> CoresRun:
        raise NotOffered("a second core")

    monkeypatch.setattr(campaign, "race", race)
    status, output = said("soak", "--seeds", "1")
    assert (status, "real cores: the interpreter does not offer a second core" in output) == (2, True)


def test_without_the_interpreter_there_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_: str) -> None:
        raise UnknownTarget("target 'folded' cannot be imported")

    monkeypatch.setattr(campaign, "find_target", find)
    status, output = said("soak", "schedules")
    assert (status, output.count("the interpreter cannot run: target 'folded'")) == (2, 2)


def test_mutations_are_those_of_mutate(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Mutations(stale=["an entry of the table"])
    monkeypatch.setattr("safepoint.verify.mutate.run", lambda policies, pool, progress: found)
    status, output = said(MUTATION)
    assert status == 1
    assert "stale: no mutation that survives is an entry of the table" in output
    assert "mutation: 0 jobs, 0 made now and 0 there already: 0 mutations, 1 refuted\n" in output


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["scopes", "--seeds", "3"], "--seeds would be ignored: scopes draw nothing (leave it out)"),
        (["mutation", "scopes", "--seeds", "3"], "--seeds would be ignored: mutation and scopes draw nothing (leave it out)"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(args: list[str], line: str) -> None:
    assert said(*args) == (2, f"safepoint: {line}\n")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["--target", "folded", "--keep", "x"], "--target: another VM's adapter is neither on the cluster nor told apart in what is kept"),
        (["--target", "folded", "--on", "x"], "--target: another VM's adapter is neither on the cluster nor told apart in what is kept"),
        (["--soak", "1", "--on", "x"], "--on would be ignored: this soak has one process, here; `safepoint campaign soak` takes it (leave it out)"),
    ],
)  # fmt: skip
def test_verify_refuses_what_cannot_be_elsewhere(args: list[str], line: str) -> None:
    result = CliRunner().invoke(cli, ["verify", *args])
    assert result.exit_code == 2
    assert result.output.startswith(f"safepoint: {line}")
