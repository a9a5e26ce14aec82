"""Every mistake of the interpreter that is in no line of the text is shown where its register says; what is right is not."""

from __future__ import annotations

import io
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from safepoint.differential.cores import CoresRun
from safepoint.differential.mistakes import CORES, DIFFERENTIAL, SCHEDULES, Mistake, mistakes_of
from safepoint.graph.text import Text
from safepoint.protocol.rules import RULES
from safepoint.show.mistakes import mistake_table
from safepoint.verify import mistakes
from safepoint.verify.failures import Unnoticed
from safepoint.verify.mistakes import caught, own_mistakes, try_mistake
from safepoint.verify.replay import CannotReplay, replay
from safepoint.verify.report import Quiet, Report
from safepoint_vm.cores.hosted import PROGRAMS, run_hosted
from tests.here import Here
from tests.rules import case

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

TEXT = Text()
MISTAKES = mistakes_of("folded")
COMPILED_LOOPS = ("compiled-loop-unpoisoned", "compiled-loop-jumps-straight")
"""Mistakes that a schedule shows sooner, and real cores in every order, too."""
NONE = Mistake(name="", what="", like="", swaps="", by=DIFFERENTIAL)
"""No mistake: the interpreter as it is."""


def cases(*ways: str) -> list[ParameterSet]:
    of = [each for each in MISTAKES.values() if each.by in ways]
    return [case(each.rule, each.name, each) if each.rule else pytest.param(each, id=each.name) for each in of]


@pytest.mark.parametrize("mistake", cases(DIFFERENTIAL, SCHEDULES))
def test_a_mistake_is_shown_and_its_string_shows_it_again(mistake: Mistake) -> None:
    row = try_mistake(mistake, mistake.by)
    assert caught(row)
    assert (row.requests or 0) + (row.schedules or 0) <= 200
    again = shlex.split(row.again)
    assert again[:4] == ["safepoint", "replay", "--mutant", mistake.name]
    assert not replay(again[4], TEXT, mistake.name).agrees


@pytest.mark.parametrize(
    "mistake", [*cases(CORES), *(pytest.param(MISTAKES[name], id=name) for name in COMPILED_LOOPS)]
)
def test_a_mistake_of_what_wakes_and_ends_is_shown_on_real_cores(mistake: Mistake) -> None:
    """In every order: who is not told waits for ever."""
    assert try_mistake(mistake, CORES).real_cores


@pytest.mark.parametrize("program", sorted({each.program for each in MISTAKES.values() if each.by == DIFFERENTIAL}))
def test_without_a_mistake_the_differential_test_notices_nothing(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mistakes, "PROGRAMS", 0)
    monkeypatch.setattr(mistakes, "SMALLEST", 0)
    assert not caught(try_mistake(replace(NONE, program=program), DIFFERENTIAL))


@pytest.mark.parametrize("made", sorted({each.case for each in MISTAKES.values() if each.case}))
def test_without_a_mistake_no_schedule_shows_one(made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mistakes, "IN_CASE", 10)
    monkeypatch.setattr(mistakes, "CASES", ())
    monkeypatch.setattr(mistakes, "LATE", ())
    row = try_mistake(replace(NONE, case=made), SCHEDULES)
    assert row.controlled is False
    assert (row.schedules or 0) > 1


def test_programs_on_os_threads_print_what_they_must() -> None:
    run = CoresRun()
    run_hosted(run, "", grace=60.0)
    assert (run.wrong, run.details["programs"]) == (0, len(PROGRAMS))
    assert run.requests == sum(bool(program.host) for program in PROGRAMS)


# -- the register


def test_each_says_what_it_is_and_breaks_a_rule_that_there_is() -> None:
    assert len(MISTAKES) >= 20
    assert not set(MISTAKES) & set(TEXT.mutants)
    assert {each.rule for each in MISTAKES.values()} <= {"", *RULES}
    for each in MISTAKES.values():
        assert each.what.endswith(".")
        assert each.like
        assert each.swaps


# -- what `verify` says


def section(monkeypatch: pytest.MonkeyPatch, *known: Mistake) -> tuple[Report, str]:
    """Quick, of these alone; and the table."""
    monkeypatch.setattr(mistakes, "mistakes_of", lambda _: {each.name: each for each in known})
    monkeypatch.setattr(mistakes, "PROGRAMS", 0)
    report, out = Report(), io.StringIO()
    own_mistakes(report, Here(), Quiet(), quick=True)
    mistake_table(report, Console(file=out, width=120))
    return report, out.getvalue()


def test_a_row_says_how_soon_and_what_was_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    report, table = section(monkeypatch, MISTAKES["back-edge-keeps-no-place"])
    (row,) = report.as_json()["implementation_mutants"]
    assert (row["differential"], row["requests"]) == (True, 2)
    assert (row["controlled"], row["real_cores"]) == (None, None)
    assert row["why_not_controlled"].startswith("quick:")
    assert (row["of"], row["what"]) == ("interpreter", MISTAKES["back-edge-keeps-no-place"].what)
    assert "1 of 1 caught" in table
    assert report.failures == []


def test_a_survivor_is_an_open_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    report, table = section(monkeypatch, replace(NONE, program="masked_loop"))
    assert [(each.mutant, each.by) for each in report.failures if isinstance(each, Unnoticed)] == [
        ("", "nothing shows this mistake of the interpreter")
    ]
    assert report.verdict == "refuted"
    assert "0 of 1 caught" in table
    assert "no (" in table


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(CannotReplay, match=r"no mutant 'blocks-insight' .*did you mean blocks-inside\?"):
        replay("s:fib@3STOP", TEXT, "blocks-insight")
