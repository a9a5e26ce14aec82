"""The section `concurrency` of `verify`: what a campaign has counted becomes failures, left-outs and a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.conform.target import NotOffered
from safepoint.differential.cores import (
    SEEDED,
    ConcurrencyRow,
    CoresRun,
    LitmusRow,
    OnCores,
    Percentiles,
    Tell,
    concurrency_row,
)
from safepoint.show.tables import concurrency_line, soak_lines
from safepoint.verify import cores
from safepoint.verify.report import Quiet, Report
from safepoint.verify.rows import CompiledMutantRow
from tests.here import Here


class Made(OnCores):
    """A target that has found what it is told."""

    def __init__(self, run: CoresRun, *, caught: bool = True, forbidden: int = 0, shown: bool = True) -> None:
        self.run, self.caught, self.forbidden, self.shown = run, caught, forbidden, shown

    def race(
        self, requests: int, seconds: float, seed: int, tell: Tell | None = None, policy: str = "folded"
    ) -> CoresRun:
        return self.run

    def race_mutant(self, mutant: str, requests: int, seed: int, policy: str = "folded") -> CoresRun:
        return CoresRun(requests=requests, lost=int(self.caught))

    def litmus_tests(self) -> Sequence[tuple[str, str]]:
        return [("a", ""), ("a", "reenter-unfenced"), ("a", "no-recheck")]

    def litmus(self, name: str, mutant: str, rounds: int, most: int, seed: int) -> LitmusRow:
        seen = int(self.shown) if mutant else self.forbidden
        return LitmusRow(name=name, mutant=mutant, rounds=rounds, outcomes={}, forbidden=seen, shown=self.shown)

    def races(self) -> Mapping[str, str]:
        return {}


def section(monkeypatch: pytest.MonkeyPatch, made: OnCores, *, quick: bool = True) -> Report:
    monkeypatch.setattr(cores, "find_on_cores", lambda _: made)
    report = Report(
        implementation_mutants=[
            CompiledMutantRow(name=m, rule="R", differential=None)
            for m in ("take-before-restore", "reenter-unfenced", "m")
        ]
    )
    cores.concurrency(report, Here(), Quiet(), quick=quick)
    return report


GOOD = CoresRun(requests=100_000, races=Counter({"met": 3, "unmet": 0}))


def test_a_good_campaign_fails_nothing_and_names_what_it_has_not_met(monkeypatch: pytest.MonkeyPatch) -> None:
    report = section(monkeypatch, Made(GOOD))
    assert report.failures == []
    assert report.left_out["concurrency: races"] == "not met once: unmet"
    assert "concurrency: litmus" not in report.left_out
    row = report.as_json()["concurrency"]
    assert (row["requests"], row["lost"], row["schedules"]) == (100_000, 0, None)
    assert [m["name"] for m in row["seeded"]] == ["take-before-restore"]
    assert "concurrency" not in report.not_run


def test_no_documented_name_is_gone() -> None:
    """Names that scripts read: more may be added, none may go."""
    documented = "requests lost coalesced duplicated beyond_bound schedules latency_us"
    assert set(documented.split()) <= {field.name for field in fields(ConcurrencyRow)}


def test_a_mutant_that_was_caught_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a campaign or by a litmus test; one that neither tries stays null."""
    rows = section(monkeypatch, Made(GOOD)).implementation_mutants
    assert rows is not None
    assert {row.name: row.real_cores for row in rows} == {
        "take-before-restore": True,
        "reenter-unfenced": True,
        "m": None,
    }


@pytest.mark.parametrize("wrong", ["lost", "duplicated", "beyond_bound", "moved", "overrun", "stuck"])
def test_whatever_is_wrong_refutes(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = CoresRun(requests=9)
    setattr(run, wrong, 2)
    report = section(monkeypatch, Made(run))
    (failure,) = report.failures
    assert getattr(failure, "count", None) == 2
    assert report.verdict == "refuted"


def test_a_forbidden_outcome_refutes(monkeypatch: pytest.MonkeyPatch) -> None:
    report = section(monkeypatch, Made(GOOD, forbidden=1))
    assert [str(getattr(failure, "what", "")) for failure in report.failures] == ["litmus test a: forbidden outcomes"]


@pytest.mark.parametrize(("blind", "named"), [({"caught": False}, "seeded mutants"), ({"shown": False}, "litmus")])
def test_a_campaign_that_cannot_see_has_no_verdict(
    blind: dict[str, bool], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = section(monkeypatch, Made(GOOD, **blind))
    assert report.failures == []
    assert f"concurrency: {named}" in report.left_out
    assert "concurrency" in report.not_run


def test_a_long_run_tries_every_seeded_mutant_and_every_litmus_test(monkeypatch: pytest.MonkeyPatch) -> None:
    row = section(monkeypatch, Made(GOOD), quick=False).concurrency
    assert row is not None
    assert len(row.seeded) == len(SEEDED)
    assert len(row.litmus) == 3


def test_without_a_second_core_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Alone(Made):
        def race(
            self, requests: int, seconds: float, seed: int, tell: Tell | None = None, policy: str = "folded"
        ) -> CoresRun:
            raise NotOffered("a second core")

    report = section(monkeypatch, Alone(GOOD))
    assert report.concurrency is None
    assert report.left_out["concurrency"] == "real cores: the interpreter does not offer a second core"
    assert "concurrency" in report.not_run


def test_a_soak_ends_when_something_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "find_on_cores", lambda _: Made(CoresRun(requests=9, lost=1)))
    runs: list[CoresRun] = []
    (failure,) = cores.soak(60, runs, Quiet())
    assert (failure.what, failure.count, len(runs)) == ("lost", 1, 1)


def test_lines_for_people() -> None:
    run = CoresRun(
        requests=1000, races=Counter({"met": 3, "unmet": 0}), entered_us=Percentiles(p50=0.2, p99=1.0, max=9.0, count=7)
    )
    line = concurrency_line(concurrency_row(run))
    assert "1,000 requests, 0 lost" in line
    assert "1 of 2 races met" in line
    assert "to the slow path: p50 0.2, p99 1, max 9 us" in line
    assert soak_lines([run, run])[0].startswith("2 campaigns: 2,000 requests, 0 lost")
    assert soak_lines([run])[-1] == "left out: not met once: unmet"
    assert soak_lines([]) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--soak", "1", "--thorough"],
            "--quick would be ignored: a soak runs campaigns on real cores, and nothing else (leave it out)",
        ),
        (["--soak", "1", "--json", "x.json"], "--json would be ignored"),
        (["--soak", "0"], "0.0 is not in the range x>0"),
        (["--soak", "long"], "'long' is not a valid float"),
    ],
)
def test_a_soak_refuses_what_it_would_ignore(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["verify", *options])
    assert result.exit_code == 2
    assert said in result.output


def test_a_soak_says_what_it_has_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "find_on_cores", lambda _: Made(GOOD))
    result = CliRunner().invoke(cli, ["verify", "--soak", "0.000001"])
    assert result.exit_code == 0
    assert "000 requests, 0 lost" in result.output
    monkeypatch.setattr(cores, "find_on_cores", lambda _: Made(CoresRun(requests=9, moved=1)))
    result = CliRunner().invoke(cli, ["verify", "--soak", "0.000001"])
    assert result.exit_code == 1
    assert "guest steps while stopped: 1, of 9 requests" in result.output
