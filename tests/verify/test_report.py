"""What `safepoint verify` finds, as data: the documented JSON, what was left out, and failures that other processes send."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields
from typing import get_args

import pytest

from safepoint.conform.claims import CLAIMS
from safepoint.conform.judge import TargetRow, Verdict
from safepoint.differential.compare import Mismatch
from safepoint.differential.schedule import Schedule
from safepoint.graph.text import Text
from safepoint.model.engines import engine
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Bound
from safepoint.show.failures import failure_text
from safepoint.verify.explore import Decision, decide
from safepoint.verify.failures import (
    Failure,
    NotInductive,
    OtherBound,
    Survivor,
    Unattained,
    Unmet,
    Unnoticed,
    Unreached,
    WrongFuzzed,
    WrongOnCores,
    WrongSchedule,
)
from safepoint.verify.report import Report
from safepoint.verify.rows import CompiledMutantRow, DifferentialRow, InductionRow, MutantRow, SchedulesRow, ScopeRow

DOCUMENTED = {
    ScopeRow: "policy memory threads scope states transitions seconds verdict bound",
    InductionRow: "holds steps vacuous counterexample covers seconds",
    MutantRow: "name rule property caught steps memory",
    DifferentialRow: "programs interrupts mismatches",
    SchedulesRow: "schedules",
    CompiledMutantRow: "rule differential controlled real_cores",
    TargetRow: "name claims refuted bound",
}
"""Names that scripts read: more may be added, none may go."""


def decided(mutant: str = "", scope: str = "interrupt-1") -> Decision:
    return decide(Model(Text(), SCOPES[scope], mutant), FOLDED, engine("python"))


@pytest.mark.parametrize("row", DOCUMENTED, ids=lambda row: row.__name__)
def test_no_documented_name_is_gone(row: type) -> None:
    assert set(DOCUMENTED[row].split()) <= {field.name for field in fields(row)}


def test_a_section_that_was_not_run_is_null() -> None:
    empty = Report().as_json()
    assert {name for name, section in empty.items() if section is None} == {
        "induction",
        "differential",
        "concurrency",
        "implementation_mutants",
    }


def test_controlled_schedules_stand_beside_real_cores() -> None:
    row = SchedulesRow(
        schedules=1000,
        cases=2,
        exhausted=1,
        preemptions=1,
        depth=3,
        probability=0.01,
        wrong=0,
        compiled=300,
        compiled_cases=1,
    )
    found = Report(schedules=row).as_json()["concurrency"]
    assert (found["schedules"], found["controlled"]["preemptions"], found["controlled"]["compiled"]) == (1000, 1, 300)


def test_a_row_is_the_json() -> None:
    report = Report(protocol=[decided().row()])
    (row,) = json.loads(json.dumps(report.as_json()))["protocol"]
    assert (row["scope"], row["verdict"]) == ("interrupt-1", "holds")
    assert row["bound"] == {"frames": 1, "back_edges": 1}
    assert row["any_number"] is None


def test_a_refutation_survives_the_way_from_another_process() -> None:
    found = decided("take-before-restore").without_states()
    assert found.refuted
    again = pickle.loads(pickle.dumps(found))
    assert failure_text(again) == failure_text(found)
    assert "pending-is-poisoned: " in failure_text(again)


MUTANT = MutantRow(name="m", rule="R", property=None, caught=False, steps=0, memory="", scope="")
FAILURES: list[tuple[Failure, str]] = [
    (Unreached("dart", "words.py:3 store"), "vacuous: dart: never reached: words.py:3 store"),
    (Unmet("half-poisoned"), "vacuous: no state was like 'half-poisoned': A thread runs guest code with"),
    (Unattained("folded", Bound(1, None)), "folded declares frames 1, back-edges unbounded, and no scope attains it"),
    (NotInductive("P(i)"), "induction: P(i)"),
    (Survivor(MUTANT), "again: safepoint explore --mutant m"),
    (OtherBound("folded", Bound(1, 1), Bound(1, 2)), "observed was at most frames 1, back-edges 2"),
    (Unnoticed("m"), "mutant m, compiled into the interpreter: the differential test does not notice it"),
    (
        WrongFuzzed("f:code:fib:3:1@7", "it died", "m"),
        "fuzzed program: it died\n    again: safepoint replay --mutant m 'f:code:fib:3:1@7'",
    ),
    (WrongOnCores("lost", 3, 100_000), "real cores: lost: 3, of 100,000 requests"),
    (
        Unnoticed("m", "no controlled schedule shows it"),
        "compiled into the interpreter: no controlled schedule shows it",
    ),
    (
        WrongSchedule("run", "no actor can go on", "s:calls|STOP@sc:3>1"),
        "by its run: no actor can go on\n    again: safepoint replay 's:calls|STOP@sc:3>1'",
    ),
    (
        Mismatch("fib", Schedule(3, "STOP"), {}, "mine", "m"),
        "again: safepoint replay --target mine --mutant m 's:fib@3STOP'",
    ),
    (Verdict(CLAIMS["exactly-once"], "refuted", None, "exactly-once is refuted"), "exactly-once is refuted"),
]


@pytest.mark.parametrize(("failure", "said"), FAILURES, ids=lambda x: type(x).__name__)
def test_each_failure_is_said_in_words(failure: Failure, said: str) -> None:
    assert said in failure_text(failure)


def test_no_kind_of_failure_is_forgotten() -> None:
    assert {type(failure) for failure, _ in FAILURES} | {Decision} == set(get_args(Failure))


def test_each_failure_is_in_the_json_with_what_replays_it() -> None:
    decision = decided("take-before-restore")
    report = Report(failures=[decision, *(failure for failure, _ in FAILURES)])
    told = json.loads(json.dumps(report.as_json()))
    assert told["verdict"] == "refuted"
    assert [row["kind"] for row in told["failures"]] == [type(failure).__name__ for failure in report.failures]
    refuted = told["failures"][0]
    assert (refuted["scope"], refuted["property"]) == ("interrupt-1", "pending-is-poisoned")
    assert len(refuted["path"]) == len(decision.result.path) - 1 > 0
    assert refuted["replay"] in failure_text(decision)
    (mismatch,) = (row for row in told["failures"] if row["kind"] == "Mismatch")
    assert mismatch["again"] == "safepoint replay --target mine --mutant m 's:fib@3STOP'"


def test_a_target_that_judges_nothing_is_no_verdict() -> None:
    idle = TargetRow(name="idle", claims=0, refuted=(), not_offered=("all",), bound=None)
    assert "target idle" in Report(targets=[idle]).not_run
    assert Report(targets=[idle]).verdict == "no verdict"
