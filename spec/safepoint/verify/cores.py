"""Real cores: campaigns of the interpreter whose threads and requesters race, and mutants that such a campaign must catch."""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import replace

from safepoint.conform.target import NotOffered
from safepoint.differential.cores import SEEDED, CoresRun, SeededRow, concurrency_row, find_on_cores
from safepoint.verify.failures import WrongOnCores
from safepoint.verify.interpreter import OURS, SEED
from safepoint.verify.report import Progress, Report
from safepoint.verify.workers import hearing_control_c

REQUESTS, SECONDS = 100_000, 30.0
"""Of a campaign: at least so many requests, in about that time.  A quick one makes a tenth of them, in a seventh of the time."""
QUICK_SEEDED = SEEDED[:1]
SEEDED_REQUESTS, SEEDED_SECONDS = 200_000, 10.0
"""In which a seeded mutant must be caught: it takes a few hundred requests, whenever both cores are free at once for a moment."""


def race(requests: int, seconds: float, seed: int) -> CoresRun:
    """In a worker: one campaign."""
    with hearing_control_c():
        return find_on_cores(OURS).race(requests, seconds, seed)


def race_mutant(mutant: str, seed: int) -> SeededRow:
    """In a worker: does a campaign catch the mutant?"""
    with hearing_control_c():
        run = find_on_cores(OURS).race_mutant(mutant, SEEDED_REQUESTS, SEEDED_SECONDS, seed)
    return SeededRow(name=mutant, caught=run.wrong > 0, requests=run.requests)


def concurrency(report: Report, pool: Executor, progress: Progress, *, quick: bool) -> None:
    """One after the other, because each needs both cores."""
    mutants = QUICK_SEEDED if quick else SEEDED
    requests, seconds = (REQUESTS // 10, SECONDS / 7) if quick else (REQUESTS, SECONDS)
    with progress.section("real cores", 1 + len(mutants)) as done:
        try:
            run = pool.submit(race, requests, seconds, SEED).result()
        except NotOffered as missing:
            report.left_out["concurrency"] = f"real cores: the interpreter does not offer {missing}"
            return
        done(f"{run.requests:,} requests")
        seeded: list[SeededRow] = []
        for mutant in mutants:
            seeded.append(pool.submit(race_mutant, mutant, SEED).result())
            done(mutant)
    report.concurrency = concurrency_row(run, tuple(seeded))
    report.failures += wrong(run)
    say_left_out(report, run, seeded)
    caught = {row.name: row.caught for row in seeded}
    if report.implementation_mutants:
        report.implementation_mutants = [
            replace(row, real_cores=caught.get(row.name)) for row in report.implementation_mutants
        ]


def say_left_out(report: Report, run: CoresRun, seeded: list[SeededRow]) -> None:
    """Name what the campaign did not meet, and which mutants it did not catch."""
    report.left_out["concurrency"] = "controlled schedules are not built yet"
    if run.unmet:
        report.left_out["concurrency: races"] = f"not met once: {', '.join(run.unmet)}"
    if missed := [f"{row.name} ({row.requests:,} requests)" for row in seeded if not row.caught]:
        report.left_out["concurrency: seeded mutants"] = (
            f"not caught, so that the campaign has shown nothing: {', '.join(missed)} (try again on a machine that is less busy)"
        )


def wrong(run: CoresRun) -> list[WrongOnCores]:
    """What a campaign has counted that may not be."""
    counts = {
        "lost": run.lost, "duplicated": run.duplicated, "seen beyond the bound": run.beyond_bound,
        "guest steps while stopped": run.moved, "waits without end": run.stuck,
    }  # fmt: skip
    return [WrongOnCores(what, count, run.requests) for what, count in counts.items() if count]


def soak(minutes: float, progress: Progress) -> tuple[list[CoresRun], list[WrongOnCores]]:
    """Campaign after campaign, each with another seed, until the time is over or something is wrong.

    In this process, so that Control-C ends it in order.  UnknownTarget, NotOffered.
    """
    target = find_on_cores(OURS)
    runs: list[CoresRun] = []
    until = time.monotonic() + 60 * minutes
    with progress.section("soak", max(1, round(60 * minutes / SECONDS))) as done:
        while not runs or (time.monotonic() < until and not runs[-1].wrong):
            left = max(1.0, min(SECONDS, until - time.monotonic()))
            runs.append(target.race(10 * REQUESTS, left, SEED + len(runs)))
            done(f"{sum(run.requests for run in runs):,} requests")
    return runs, wrong(runs[-1])
