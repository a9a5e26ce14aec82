"""The HTML page of `safepoint verify --report`: it says all that was found, what went wrong first, and stands alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path as File

import pytest
from click.testing import CliRunner
from rich.console import Console

from safepoint.cli.main import cli
from safepoint.conform.judge import TargetRow
from safepoint.differential.cores import ConcurrencyRow, LitmusRow, SeededRow
from safepoint.model.explore import Result
from safepoint.model.path import path_of
from safepoint.model.scopes import SCOPES
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Bound
from safepoint.protocol.rules import RULES
from safepoint.show import report as page
from safepoint.show.tables import mutant_table
from safepoint.verify.explore import Decision
from safepoint.verify.failures import Survivor, Unreached
from safepoint.verify.report import Report
from safepoint.verify.rows import CompiledMutantRow, DifferentialRow, InductionRow, MutantRow, SchedulesRow, ScopeRow
from tests.show.layout import NS, TEXT
from tests.show.outline import Outline

NOTHING: dict[str, int] = dict.fromkeys(
    ("lost", "duplicated", "beyond_bound", "moved", "overrun", "stuck", "worst", "slack"), 0
)
ON_CORES = ConcurrencyRow(
    **NOTHING,
    requests=100_001, coalesced=77, schedules=None, latency_us={"p50": 0.3, "p99": 0.5, "max": 2.0}, stops=3, handshakes=4, births=5, seconds=1.0,
    latency_histogram_us=((0.3, 7), (2.0, 2)), latency_to_take_us=None, latency_to_served_us=None, time_to_stop_us=None,
    races={"met": 1, "missed": 0},
    seeded=(SeededRow(name="take-before-restore", caught=True, requests=9),),
    litmus=(LitmusRow(name="restore against post", mutant="", rounds=4321, outcomes={}, forbidden=0, shown=True),),
)  # fmt: skip


def report_of(results: dict[str, Result]) -> Report:
    """As `safepoint verify` would fill it, without the minutes that takes."""
    scope = next(iter(SCOPES.values()))
    explored = ScopeRow(
        policy="folded",
        memory="sc",
        threads=1,
        scope=scope.name,
        states=12345,
        transitions=2,
        depth=1,
        seconds=0.1,
        verdict="holds",
        bound=Bound(1, None),
    )
    return Report(
        protocol=[explored],
        mutants=[mutant_row(name, result) for name, result in results.items()],
        induction=InductionRow(holds=True, steps=3, vacuous=(), counterexample="", covers="some", seconds=0.1),
        implementation_mutants=[CompiledMutantRow(name="m", rule="R", differential=True)],
        differential=DifferentialRow(programs=7, interrupts=47618, mismatches=0, worst=Bound(1, 1)),
        schedules=SchedulesRow(
            schedules=5,
            cases=2,
            exhausted=1,
            preemptions=1,
            depth=2,
            probability=0.1,
            wrong=0,
            compiled=2,
            compiled_cases=1,
        ),
        targets=[TargetRow(name="toy", claims=9, refuted=("some-claim",))],
        concurrency=ON_CORES,
        left_out={"combinations": "not <all>"},
    )


def mutant_row(name: str, result: Result) -> MutantRow:
    model = result.model
    return MutantRow(
        name=name,
        rule=TEXT.mutants[name].rule,
        property=result.broken,
        caught=True,
        steps=len(result.path) - 1,
        memory=model.memory,
        scope=model.scope.name,
    )


def test_the_page_stands_alone(results: dict[str, Result]) -> None:
    source = page.html(report_of(results), TEXT, list(results.values()))
    outline = Outline(source)
    assert not outline.open
    assert len(outline.ids) == len(set(outline.ids))
    links = [value for _, name, value in outline.attributes if name in ("href", "src", "action")]
    assert links
    assert all(link.startswith("#") and link[1:] in outline.ids for link in links)
    assert not re.search(r"<script|<link|@import|url\(|\bon\w+=", source)
    assert set(re.findall(r"https?://[^\"' ]+", source)) == {NS.strip("{}")}


def test_the_page_tells_all_that_was_found(results: dict[str, Result]) -> None:
    report = report_of(results)
    outline = Outline(page.html(report, TEXT, list(results.values())))
    said = outline.prose
    assert said.index("holds") < said.index("12,345")
    for rule in RULES.values():
        assert rule.text in said
        assert rule.without in said
    for row in report.mutants:
        assert f"{row.name} breaks {row.rule}: caught by {row.property} in {row.steps} steps" in said
        assert path_of(results[row.name]).replay in outline.said
    assert [tag for tag in outline.attributes if tag[0] == "svg" and tag[1] == "role"] == [("svg", "role", "img")] * (
        len(results) + 1
    )
    assert "From the begin of a post to its target's slow path: 9" in outline.said
    for expected in ("back-edges unbounded", "47,618", "some-claim", "not <all>", "worst: back edges", "preemptions 1"):
        assert expected in said


def test_the_page_says_what_went_wrong_first(results: dict[str, Result]) -> None:
    report = report_of(results)
    first, second = report.mutants[:2]
    report.mutants[0] = first = replace(first, caught=False, property=None, steps=0)
    report.implementation_mutants = [CompiledMutantRow(name=second.name, rule=second.rule, differential=False)]
    report.failures = [Unreached("folded", "a <place> & its line"), Survivor(first)]
    report.failures.append(Decision(results[first.name], FOLDED))
    said = Outline(page.html(report, TEXT, [])).said
    assert (
        said.index("refuted")
        < said.index("a <place> & its line")
        < said.index("safepoint explore --mutant")
        < said.index("broken by this step")
        < said.index("Every state of the protocol")
    )
    assert f"{first.name} breaks {first.rule}: refuted: no property catches it" in said
    assert "compiled into the interpreter: refuted: not noticed" in said


def test_nothing_explored_is_no_verdict() -> None:
    said = Outline(page.html(Report(), TEXT, [])).said
    assert "no verdict" in said
    for rule in RULES.values():  # whose own words may be of who holds what
        said = said.replace(rule.text, "").replace(rule.without, "")
    assert "holds" not in said


# ---------------------------------------------------------------------------------------------- the command


@pytest.mark.parametrize(
    "section", ["protocol", "induction", "mutants", "differential", "concurrency", "implementation_mutants"]
)
def test_a_section_that_could_not_run_is_no_verdict(
    section: str, results: dict[str, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = report_of({"no-recheck": results["no-recheck"]})
    setattr(report, section, None if section in ("induction", "differential", "concurrency") else [])
    monkeypatch.setattr("safepoint.verify.run.run", lambda **_: report)
    done = CliRunner().invoke(cli, ["verify"])
    assert done.exit_code == 2
    name = section.replace("_", " ")
    assert f"not run: {name} (" in done.output
    assert done.output.splitlines()[-1].startswith("no verdict: ")
    assert f"not run: {name}" in Outline(page.html(report, TEXT, [])).prose


@pytest.mark.parametrize("columns", [40, 80, 110])
def test_no_rule_is_cut_in_a_table(columns: int, capsys: pytest.CaptureFixture[str]) -> None:
    longest = "a-long-name-of-a-mutant-a-scope-or-a-property"
    rows = [
        MutantRow(name=longest, rule=rule, property=longest, caught=True, steps=9, memory="sc", scope=longest)
        for rule in RULES
    ]
    mutant_table(Report(mutants=rows), Console(width=columns))
    said = capsys.readouterr().out
    assert [rule for rule in RULES if rule not in said] == []


def test_verify_writes_the_page(tmp_path: File, results: dict[str, Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its counterexamples are found again: of what happens in the end, of TSO, and the ordinary kind."""
    some = {name: results[name] for name in ("never-restored", "test-before-take", "no-recheck")}
    monkeypatch.setattr("safepoint.verify.run.run", lambda **_: report_of(some))
    done = CliRunner().invoke(cli, ["verify", "--report", str(tmp_path), "--json", str(tmp_path / "figures.json")])
    assert done.exit_code == 0, done.output
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert source.count("<svg ") == len(some) + 1  # and the latency
    said = Outline(source).said
    assert all(f"safepoint replay '{path_of(result).replay}'" in said for result in some.values())
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["differential"]["interrupts"] == 47618
