"""Controlled schedules: the interpreter's threads one at a time, as a scheduler decides, with and without mutants."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import lru_cache

from safepoint.conform.target import NotOffered
from safepoint.differential.cases import CASES, COMPILED_CASES, LATE, SHOWS, in_compiled_code
from safepoint.differential.controlled import INTERPRETED, Case, Controlled, find_controlled
from safepoint.differential.follow import Wrong, judge
from safepoint.differential.schedulers import Choices, Exhaustive, Pct, Replay, Scheduler, pct_bound
from safepoint.verify.failures import Unnoticed, WrongSchedule
from safepoint.verify.interpreter import OURS, SEED
from safepoint.verify.report import Progress, Report
from safepoint.verify.rows import CompiledMutantRow, SchedulesRow
from safepoint.verify.workers import hearing_control_c

DEPTH = 3
"""Of the mistakes that random priorities are to find: as many orders must come together."""
PREEMPTIONS = 1
"""Every schedule with at most this many is run, of the cases with few enough."""
TWICE = {
    "asleep|HANDSHAKE+INTERRUPT@sc": 1_225,
    "asleep|INTERRUPT@sc": 261,
    "asleep|INTERRUPT@tso": 984,
    "asleep|STOP+INTERRUPT@sc": 2_047,
    "calls|HANDSHAKE|HANDSHAKE@sc": 13_068,
    "calls|INTERRUPT|STOP@sc": 10_440,
    "calls|SAMPLE|INTERRUPT@sc": 2_415,
    "calls|STOP@tso": 463,
    "cleans up|TERMINATE|TERMINATE@sc": 3_524,
    "overflows|INTERRUPT@sc": 304,
    "prints|HANDSHAKE@sc": 359,
    "prints|HANDSHAKE@tso": 680,
    "prints|STOP@sc": 406,
    "prints|STOP@tso": 732,
}
"""Small case -> how many schedules it has with at most two preemptions: all of them are run, by the campaign."""
QUICK, FULL = (20, 22), (300, 250)
"""Schedules of a case: how many of the exhaustive ones at most, and how many by random priorities."""
DRAWN, USUAL = 12, 70
"""Schedules of a mutant in a case by random priorities; choice points of a usual run."""
PATIENCE, FURTHER = 250, 2_500
"""Schedules of a mutant in a case, with one preemption, and with two."""
CANNOT = {
    "waits-for-itself": "no operation of the interpreter leaves guest code, where alone it shows",
    "unwound-forgets": "no trace says where an unwinding ends, and the reference machine is asked only for what a check has seen",
    **dict.fromkeys(
        ("reenter-acquire", "claim-acquire", "wake-release"),
        "x86-64 orders more than it asks for: it shows under C11 alone",
    ),
}
"""Mutants that change a procedure that is compiled, and nothing that the interpreter does."""
UNCOMPILED = (
    "of a program's back-edges at most two are compiled; between two checks, and what others can see, it is executed without a pause;"
    " a run in which code is installed has no trace; none is under another policy than folded"
)
"""What of compiled code no controlled schedule covers."""
SHORT = ("prints", "asleep", "calls", "cleans up")
"""Programs with few choice points."""


@lru_cache(maxsize=1)
def interpreter() -> Controlled:
    return find_controlled(OURS)


@dataclass(frozen=True)
class CaseTally:
    """The schedules of a case.  finished: every one with at most as many preemptions as were asked for was run.  bound: of one random run.

    compiled: its guest is executed by compiled code.
    """

    case: str
    schedules: int
    exhaustive: int
    finished: bool
    points: int
    actors: int
    bound: float
    wrong: Wrong | None
    compiled: bool = False


def run_case(case: Case, most: int, drawn: int, seed: int = SEED, preemptions: int = PREEMPTIONS) -> CaseTally:
    """In a worker: a case of the text as it is; `seed`: of what is drawn; `most`: schedules with this number of preemptions."""
    with hearing_control_c():
        points = actors = count = 0
        search = Exhaustive(preemptions, most)
        wrong: Wrong | None = None
        for scheduler in _schedulers(case, search, drawn, seed):
            ran = interpreter().control(case, scheduler)
            points, actors, count = max(points, ran.points), max(actors, ran.actors), count + 1
            search.longest = points
            if wrong := judge(ran):
                wrong = shortest(case, ran.choices, wrong)
                break
    parts = 2 * actors if case.late else actors
    return CaseTally(
        case.name,
        count,
        search.runs,
        search.finished,
        points,
        actors,
        pct_bound(parts, points, DEPTH),
        wrong,
        case.code != INTERPRETED,
    )


def _schedulers(case: Case, search: Exhaustive, drawn: int, seed: int) -> Iterator[Scheduler]:
    yield from search
    rng = random.Random(f"{seed} {case.name}")
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
    cases = (*CASES, *LATE, *(COMPILED_CASES if quick else in_compiled_code()))
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
        compiled=sum(row.schedules for row in rows if row.compiled),
        compiled_cases=sum(row.compiled for row in rows),
    )
    cut = sum(not row.finished for row in rows)
    report.left_out["concurrency: schedules"] = (
        f"of {cut} of {len(rows)} cases not every schedule with {PREEMPTIONS} preemption was run,"
        " of no case every one with more; what random priorities find, they find with a probability"
    )
    few = f"a quick run has {len(COMPILED_CASES)} of {len(in_compiled_code())} cases; " * quick
    report.left_out["concurrency: schedules in compiled code"] = f"{few}{UNCOMPILED}"


# -- mutants


def caught(mutant: str) -> tuple[Wrong | None, int]:
    """By what is a mutant caught, and in how many schedules?  NotOffered: it has no machine code."""
    count = 0
    for made, scheduler in _search(mutant):
        count += 1
        if wrong := judge(interpreter().control(made, scheduler, mutant)):
            return wrong, count
    return None, count


def _search(mutant: str) -> Iterator[tuple[Case, Scheduler]]:
    """Where it is known to show; then every case by random priorities, and with one preemption; then the short ones with two."""
    cases = (*CASES, *LATE)
    if mutant in SHOWS:
        name, preemptions = SHOWS[mutant]
        made = next(each for each in cases if each.name == name)
        yield from ((made, scheduler) for scheduler in Exhaustive(preemptions, FURTHER))
    for made in cases:
        rng = random.Random(f"{SEED} {made.name}")
        yield from ((made, Pct(rng, USUAL, DEPTH)) for _ in range(DRAWN))
    for made in cases:
        yield from ((made, scheduler) for scheduler in Exhaustive(PREEMPTIONS, PATIENCE))
    for made in cases:
        if made.program in SHORT:
            yield from ((made, scheduler) for scheduler in Exhaustive(PREEMPTIONS + 1, FURTHER))


def try_mutant(row: CompiledMutantRow) -> CompiledMutantRow:
    """In a worker: do controlled schedules notice a mutant, compiled into the interpreter?"""
    with hearing_control_c():
        if row.name in CANNOT:
            return replace(row, why_not_controlled=CANNOT[row.name])
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
            if row.controlled is False and not row.differential:
                report.failures.append(Unnoticed(row.name, "no controlled schedule shows it"))
            done(row.name)
    report.implementation_mutants = found
    for why in dict.fromkeys(row.why_not_controlled for row in found if row.why_not_controlled):
        names = ", ".join(row.name for row in found if row.why_not_controlled == why)
        report.left_out[f"controlled schedules of {names}"] = why
