"""Controlled schedules: the interpreter's threads one at a time, as a scheduler decides, with and without mutants."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import lru_cache

from safepoint.conform.target import NotOffered
from safepoint.differential.cases import CASES, LATE
from safepoint.differential.controlled import Case, Controlled, find_controlled
from safepoint.differential.follow import Wrong, judge
from safepoint.differential.schedulers import Choices, Exhaustive, Pct, Replay, Scheduler, pct_bound
from safepoint.verify.failures import WrongSchedule
from safepoint.verify.interpreter import OURS, SEED
from safepoint.verify.report import Progress, Report
from safepoint.verify.rows import CompiledMutantRow, SchedulesRow
from safepoint.verify.workers import hearing_control_c

DEPTH = 3
"""Of the mistakes that random priorities are to find: so many orders must come together."""
PREEMPTIONS = 1
"""Every schedule with at most so many is run, of the cases with few enough."""
QUICK, FULL = (40, 25), (700, 400)
"""Schedules of a case: at most so many of the exhaustive ones, and so many by random priorities."""
PATIENCE = 250
"""Schedules of a mutant in a case, by each scheduler, before the next case is tried; with every preemption bound up to
MOST_PREEMPTIONS."""
MOST_PREEMPTIONS = 2
FURTHER = 2_500
"""The same, once one preemption has not shown the mutant in any case: two, in the cases with few choice points."""


@lru_cache(maxsize=1)
def interpreter() -> Controlled:
    return find_controlled(OURS)


@dataclass(frozen=True)
class CaseTally:
    """The schedules of a case.  finished: every schedule with at most PREEMPTIONS preemptions was run.  bound: of one random run."""

    case: str
    schedules: int
    exhaustive: int
    finished: bool
    points: int
    actors: int
    bound: float
    wrong: Wrong | None


def run_case(case: Case, most: int, drawn: int) -> CaseTally:
    """In a worker: a case of the text as it is."""
    with hearing_control_c():
        points = actors = count = 0
        search = Exhaustive(PREEMPTIONS, most)
        wrong: Wrong | None = None
        for scheduler in _schedulers(case, search, drawn):
            ran = interpreter().control(case, scheduler)
            points, actors, count = max(points, ran.points), max(actors, ran.actors), count + 1
            if wrong := judge(ran):
                wrong = shortest(case, ran.choices, wrong)
                break
    parts = 2 * actors if case.late else actors
    return CaseTally(
        case.name, count, search.runs, search.finished, points, actors, pct_bound(parts, points, DEPTH), wrong
    )


def _schedulers(case: Case, search: Exhaustive, drawn: int) -> Iterator[Scheduler]:
    yield from search
    rng = random.Random(f"{SEED} {case.name}")
    for _ in range(drawn):
        yield Pct(rng, search.longest, DEPTH)


def shortest(case: Case, choices: Choices, wrong: Wrong, mutant: str = "") -> Wrong:
    """Leave out what need not be chosen, as long as something is wrong."""
    left, index = list(choices), len(choices)
    while index:
        index -= 1
        ran = interpreter().control(case, Replay(dict(left[:index] + left[index + 1 :])), mutant)
        if found := judge(ran):
            left, wrong = list(ran.choices), found
            index = min(index, len(left))
    return wrong


def schedules(report: Report, pool: Executor, progress: Progress, *, quick: bool) -> None:
    """Every case, exhaustively as far as it goes, and by random priorities."""
    cases = (*CASES, *LATE)
    most, drawn = QUICK if quick else FULL
    rows: list[CaseTally] = []
    with progress.section("controlled schedules", len(cases)) as done:
        for row in pool.map(run_case, cases, [most] * len(cases), [drawn] * len(cases)):
            rows.append(row)
            if row.wrong:
                report.failures.append(WrongSchedule(row.wrong.by, row.wrong.what, row.wrong.string))
            done(f"{sum(each.schedules for each in rows):,} schedules")
    report.schedules = SchedulesRow(
        schedules=sum(row.schedules for row in rows),
        cases=len(rows),
        exhausted=sum(row.finished for row in rows),
        preemptions=PREEMPTIONS,
        depth=DEPTH,
        probability=min(row.bound for row in rows),
        wrong=sum(row.wrong is not None for row in rows),
    )
    cut = [f"{row.case} ({row.exhaustive:,})" for row in rows if not row.finished]
    if cut:
        report.left_out["concurrency: schedules"] = (
            f"of these not every schedule with {PREEMPTIONS} preemption was run: {', '.join(cut)}"
        )


# -- mutants


def caught(mutant: str) -> tuple[Wrong | None, int]:
    """In how many schedules is a mutant caught, and by what?  NotOffered: it has no machine code."""
    count = 0
    for preemptions, most in ((PREEMPTIONS, PATIENCE), (MOST_PREEMPTIONS, FURTHER)):
        for case in (*CASES, *LATE):
            if preemptions == MOST_PREEMPTIONS and case.program not in SHORT:
                continue
            for scheduler in Exhaustive(preemptions, most):
                count += 1
                if wrong := judge(interpreter().control(case, scheduler, mutant)):
                    return wrong, count
    return None, count


SHORT = ("prints", "asleep", "calls", "cleans up")
"""Programs with few choice points."""


def try_mutant(row: CompiledMutantRow) -> CompiledMutantRow:
    """In a worker: do controlled schedules notice a mutant, compiled into the interpreter?"""
    with hearing_control_c():
        if not interpreter().compiles(row.name):
            return replace(row, why_not_controlled="it changes no procedure that is compiled into the interpreter")
        try:
            wrong, count = caught(row.name)
        except NotOffered as missing:
            return replace(row, why_not_controlled=f"it cannot be compiled: {missing}")
    return replace(
        row,
        controlled=wrong is not None,
        schedules=count,
        shown=wrong.by if wrong else "",
        again=again(wrong, row.name),
    )


def again(wrong: Wrong | None, mutant: str) -> str:
    return f"safepoint replay --mutant {mutant} '{wrong.string}'" if wrong else ""


def controlled_mutants(report: Report, pool: Executor, progress: Progress) -> None:
    """Which of the compiled mutants do controlled schedules catch?"""
    rows = report.implementation_mutants or []
    found: list[CompiledMutantRow] = []
    with progress.section("controlled mutants", len(rows)) as done:
        for row in pool.map(try_mutant, rows):
            found.append(row)
            done(row.name)
    report.implementation_mutants = found
