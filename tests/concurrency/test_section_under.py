"""What `verify` says of threads under other policies: rows, failures that name the policy, and what makes it no verdict."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.conform.target import NotOffered
from safepoint.differential.cores import CoresRun, OnCores, SeededRow
from safepoint.protocol.policies import POLICIES
from safepoint.show.failures import failure_text
from safepoint.show.under import cells
from safepoint.verify import cores, under
from safepoint.verify.controlled import CaseTally
from safepoint.verify.failures import WrongOnCores, WrongSchedule
from safepoint.verify.report import Quiet, Report
from safepoint.verify.rows import UnderMutantRow, UnderRow
from tests.here import Here

PYPY, PATCHED = POLICIES["pypy"], POLICIES["patched"]


def row(**changed: object) -> UnderRow:
    made = {
        "policy": "pypy",
        "bound": PYPY.declared,
        "cases": 17,
        "all_cases": 29,
        "schedules": 9,
        "exhausted": 3,
        "wrong": 0,
    }
    return UnderRow(**{**made, **changed})  # type: ignore[arg-type]


def tally(case: object, *_: object) -> CaseTally:
    return CaseTally(str(case), 2, 2, True, 9, 2, 0.5, None)


@pytest.mark.parametrize("quick", [True, False])
def test_schedules_under_each_policy_are_a_row_each(quick: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under, "run_case", tally)
    monkeypatch.setattr(under, "caught_under", lambda policy, mutant: UnderMutantRow(name=mutant, schedules=1))
    report = Report()
    under.schedules_under(report, Here(), Quiet(), quick=quick)
    names = [each.policy for each in report.under]
    if quick:
        assert names == ["dart", "cpython", "pypy", "yarv", "ocaml"]  # one of each family, and of each site
        assert all(each.schedules == 2 and not each.mutants for each in report.under)
        assert "skybison" in report.left_out["threads under other policies"]
    else:
        assert names == [*under.policies()]
        assert all(each.schedules == 2 * each.cases and each.mutants for each in report.under)
        assert "its text is not written for" in report.left_out["schedules under skybison"]
        assert "schedules under cpython" not in report.left_out
        assert report.left_out["schedules under guard_page"] == (
            "5 cases with late stores: the host cannot make its accesses"
        )
    assert [name for name in report.left_out if name.startswith("threads under")] == [
        "threads under other policies"
    ] * quick
    assert not any(each.startswith("threads") for each in report.not_run)


def test_what_a_campaign_counts_is_in_the_row_and_a_failure_names_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "race", lambda *_: CoresRun(requests=100, lost=2, later=7))
    monkeypatch.setattr(cores, "race_mutant", lambda mutant, *_: SeededRow(name=mutant, caught=True, requests=5))
    report = Report(under=[row()])
    under.races_under(report, Here(), Quiet())
    (found,) = report.under
    assert found.campaign is not None
    assert (found.campaign["requests"], found.campaign["later"]) == (100, 7)
    assert {mutant.name: mutant.raced for mutant in found.mutants} == dict.fromkeys(under.seeded(PYPY), 5)
    assert not found.blind
    assert report.failures == [WrongOnCores("lost", 2, 100, "pypy")]
    assert "safepoint verify --soak 10 -p pypy" in failure_text(report.failures[0])
    assert cells(found)[:5] == ("pypy", "9", "17 of 29", "0", "100")


def test_a_campaign_that_misses_a_mutant_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "race", lambda *_: CoresRun(requests=100))
    monkeypatch.setattr(cores, "race_mutant", lambda mutant, *_: SeededRow(name=mutant, caught=False, requests=5))
    report = Report(under=[row()])
    under.races_under(report, Here(), Quiet())
    assert report.under[0].blind
    assert "threads under pypy" in report.not_run
    assert "not unlocked-take (real cores)" in cells(report.under[0])[-1]


def test_without_a_second_core_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def alone(*_: object) -> CoresRun:
        raise NotOffered("a second core")

    monkeypatch.setattr(cores, "race", alone)
    report = Report(under=[row()])
    under.races_under(report, Here(), Quiet())
    assert report.left_out["real cores under pypy"] == "the interpreter does not offer a second core"
    assert report.under[0].campaign is None
    assert cells(report.under[0])[4] == "-"


def test_a_wrong_schedule_is_replayed_under_its_policy() -> None:
    said = failure_text(WrongSchedule("trace", "refused", "s:loop|STOP@pypy,sc:3>1"))
    assert "safepoint replay 's:loop|STOP@pypy,sc:3>1'" in said


def test_seeded_mutants_are_those_that_lose_under_the_policy() -> None:
    """A ticker heals what take-before-restore loses; a flag has nothing to restore; a loop without a check has none to leave out."""
    assert under.seeded(PYPY) == ["unlocked-take", "does-not-wait", "ticker-refilled"]
    assert under.seeded(POLICIES["cpython"]) == ["unlocked-take", "does-not-wait", "checks-at-calls-only"]
    assert under.seeded(POLICIES["dart"])[0] == "unlocked-take"
    assert under.seeded(POLICIES["skybison"]) == ["take-before-restore", "does-not-wait", "compares-the-real-limit"]
    assert under.seeded(POLICIES["v8_ignition"]) == ["take-before-restore", "does-not-wait", "budget-refilled"]
    for policy in ("wasmtime", "yarv"):
        assert {"checks-at-calls-only", "checks-at-loops-only"} <= {*under.seeded(POLICIES[policy])}
    assert under.seeded(POLICIES["ocaml"])[2:] == ["checks-at-allocations-only", "compares-the-real-limit"]
    assert under.seeded(PATCHED) == ["take-before-restore", "does-not-wait", "code-forgotten"]
    assert under.seeded(POLICIES["pypy_sampling"])[2:] == ["compares-the-real-limit"]  # no loop checks there


def test_own_mutants_are_those_of_the_mechanisms_file() -> None:
    assert under.own_mutants(PYPY) == ["ticker-refilled", "word-forgotten", "never-restored"]
    assert under.own_mutants(POLICIES["skybison"]) == ["compares-the-real-limit", "word-forgotten", "never-restored"]
    assert under.own_mutants(PATCHED) == ["table-forgotten", "never-restored"]  # the others are of compiled code


def test_a_soak_may_be_under_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Made(OnCores):
        def race(
            self, requests: int, seconds: float, seed: int, tell: object = None, policy: str = "folded"
        ) -> CoresRun:
            asked.append(policy)
            return CoresRun(requests=9, lost=1)

        race_mutant = litmus_tests = litmus = races = None  # type: ignore[assignment]

    Made.__abstractmethods__ = frozenset()
    monkeypatch.setattr(cores, "find_on_cores", lambda _: Made())
    result = CliRunner().invoke(cli, ["verify", "--soak", "0.000001", "-p", "skybison"])
    assert result.exit_code == 1
    assert asked == ["skybison"]
    assert "safepoint verify --soak 10 -p skybison" in result.output


def test_a_policy_without_a_soak_is_refused() -> None:
    result = CliRunner().invoke(cli, ["verify", "-p", "pypy"])
    assert result.exit_code == 2
    assert "--policy would be ignored: only a --soak is under one policy" in result.output
