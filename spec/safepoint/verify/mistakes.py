"""Mistakes of the interpreter that are in no line of the text: which of our three ways of looking shows each, and how soon.

The differential test and controlled schedules are the same each time; a campaign on real cores is not, so a mistake that needs one
is one that shows in every order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from itertools import islice

from safepoint.conform.target import NotOffered
from safepoint.differential.cases import CASES, LATE, parsed
from safepoint.differential.compare import Tally, compare
from safepoint.differential.controlled import INTERPRETED, Case
from safepoint.differential.cores import find_on_cores
from safepoint.differential.corpus import corpus
from safepoint.differential.follow import judge
from safepoint.differential.mistakes import CORES, DIFFERENTIAL, SCHEDULES, WAYS, Mistake, mistakes_of
from safepoint.differential.schedulers import Exhaustive, Pct, Replay, Scheduler
from safepoint.verify import controlled
from safepoint.verify.controlled import DEPTH, PREEMPTIONS, USUAL
from safepoint.verify.failures import Unnoticed
from safepoint.verify.interpreter import OURS, SEED, SMALLEST, interpreter
from safepoint.verify.report import Progress, Report
from safepoint.verify.rows import CompiledMutantRow
from safepoint.verify.workers import hearing_control_c

PROGRAMS, EVERY = 12, 100
"""The differential test of a mistake: in PROGRAMS of the shortest programs, after the one where it is known to show; before every
step of those of up to EVERY steps."""
IN_CASE, IN_ALL = 1_000, 12
"""Schedules in the case where it is known to show; and by random priorities in each other case."""
RACED = 10_000
"""Requests on real cores."""
SOONEST = "quick: tried by the way alone that shows it soonest"
"""Why a way was not tried."""


def found(mistake: Mistake) -> CompiledMutantRow:
    """Its row, before it has been tried."""
    return CompiledMutantRow(
        name=mistake.name, rule=mistake.rule, differential=None, of="interpreter", what=mistake.what, like=mistake.like,
        swaps=mistake.swaps, why_not_differential=SOONEST, why_not_controlled=SOONEST, why_not_real_cores=SOONEST,
    )  # fmt: skip


# -- three ways


def by_differential(mistake: Mistake) -> CompiledMutantRow:
    """How many requests does the differential test make, until it notices?"""
    count = 0
    short = sorted(corpus(), key=lambda guest: (guest.name != mistake.program, len(guest.source)))
    for guest in islice(short, PROGRAMS + 1):
        tally = Tally()
        rng = random.Random(SEED)
        target = interpreter(mistake.name)
        compare(target, guest.source, guest.name, guest.stack, tally, rng, seconds=SMALLEST, every=EVERY)
        count += tally.interrupts
        if tally.mismatches:
            again = replace(tally.mismatches[0], mutant=mistake.name).again
            return replace(found(mistake), differential=True, requests=count, again=again)
    return replace(found(mistake), differential=False, requests=count)


def by_schedules(mistake: Mistake) -> CompiledMutantRow:
    """How many schedules are run, until one shows it?"""
    count = 0
    for made, scheduler in _search(mistake):
        count += 1
        if wrong := judge(controlled.interpreter().control(made, scheduler, mistake.name)):
            again = controlled.again(wrong, mistake.name)
            return replace(found(mistake), controlled=True, schedules=count, shown=wrong.by, again=again)
    return replace(found(mistake), controlled=False, schedules=count)


def _search(mistake: Mistake) -> Iterator[tuple[Case, Scheduler]]:
    """Where it is known to show; then every case by random priorities, in compiled code if it shows there."""
    code = INTERPRETED
    if mistake.case:
        known, choices = parsed(f"s:{mistake.case}" + ":" * (":" not in mistake.case))
        code = known.code
        yield known, Replay(dict(choices))
        yield from ((known, scheduler) for scheduler in Exhaustive(PREEMPTIONS, IN_CASE))
    for made in (replace(each, code=code) for each in (*CASES, *LATE)):
        rng = random.Random(f"{SEED} {made.name}")
        yield made, Replay({})
        yield from ((made, Pct(rng, USUAL, DEPTH)) for _ in range(IN_ALL))


def on_cores(mistake: Mistake) -> CompiledMutantRow:
    """How many requests are made on real cores, until something is wrong?"""
    try:
        run = find_on_cores(OURS).race_mutant(mistake.name, RACED, SEED)
    except NotOffered as missing:
        return replace(found(mistake), why_not_real_cores=f"the interpreter does not offer {missing}")
    return replace(found(mistake), real_cores=run.wrong > 0, raced=run.requests, why_not_real_cores="")


TRIES = dict(zip(WAYS, (by_differential, by_schedules, on_cores), strict=True))


# -- the section


def try_mistake(mistake: Mistake, way: str) -> CompiledMutantRow:
    """In a worker: by one of the WAYS."""
    with hearing_control_c():
        return TRIES[way](mistake)


def merged(mistake: Mistake, rows: dict[str, CompiledMutantRow]) -> CompiledMutantRow:
    """What the ways have found by which it was tried, in one row."""
    row = found(mistake)
    if one := rows.get(DIFFERENTIAL):
        row = replace(
            row, differential=one.differential, requests=one.requests, again=one.again, why_not_differential=""
        )
    if one := rows.get(SCHEDULES):
        again = row.again or one.again
        row = replace(
            row, controlled=one.controlled, schedules=one.schedules, shown=one.shown, again=again, why_not_controlled=""
        )
    if one := rows.get(CORES):
        row = replace(row, real_cores=one.real_cores, raced=one.raced, why_not_real_cores=one.why_not_real_cores)
    return row


def caught(row: CompiledMutantRow) -> bool:
    return bool(row.differential or row.controlled or row.real_cores)


def own_mistakes(report: Report, pool: Executor, progress: Progress, *, quick: bool) -> None:
    """Add a row for each mistake of the interpreter.  One that nothing shows is an open hole."""
    known = list(mistakes_of(OURS).values())
    rows: list[CompiledMutantRow] = []
    with progress.section("mistakes of the interpreter", len(known)) as done:
        tried = [
            {way: pool.submit(try_mistake, each, way) for way in WAYS[:2] if way == each.by or not quick}
            for each in known
        ]
        for mistake, futures in zip(known, tried, strict=True):
            results = {way: future.result() for way, future in futures.items()}
            if mistake.by == CORES or not quick:
                results[CORES] = pool.submit(try_mistake, mistake, CORES).result()
            rows.append(merged(mistake, results))
            if not caught(rows[-1]):
                report.failures.append(Unnoticed(mistake.name, "nothing shows this mistake of the interpreter"))
            done(mistake.name)
    report.implementation_mutants = [*(report.implementation_mutants or []), *rows]
    if quick:
        report.left_out["mistakes of the interpreter"] = (
            "each is tried by the way alone that shows it soonest; without --quick by all three"
        )
