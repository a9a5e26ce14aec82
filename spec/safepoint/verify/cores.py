"""Real cores: campaigns of the interpreter whose threads and requesters race, and mutants that such a campaign must catch."""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import replace

from safepoint.conform.target import NotOffered
from safepoint.differential.cores import SEEDED, CoresRun, LitmusRow, SeededRow, concurrency_row, find_on_cores
from safepoint.protocol.policies import FOLDED
from safepoint.verify.failures import WrongOnCores
from safepoint.verify.interpreter import OURS, SEED
from safepoint.verify.report import Progress, Report

REQUESTS = 100_000
"""Of a campaign, at least; one that is not quick makes ten times as many."""
SECONDS, QUICK_SECONDS = 30.0, 4.0
"""The time of a campaign, about."""
QUICK_SEEDED = SEEDED[:1]
SEEDED_REQUESTS = 1_000_000
"""In which a seeded mutant must be caught: it takes some hundred requests, whenever both cores are free at once for a moment."""
QUICK_MUTANTS = ("", "reenter-unfenced")
ROUNDS, QUICK_ROUNDS, MOST_ROUNDS = 200_000, 20_000, 2_000_000
"""Of a litmus test; and how far it goes on while it has not seen what it must see."""


def race(requests: int, seconds: float, seed: int, policy: str = FOLDED.name) -> CoresRun:
    """In a worker: one campaign."""
    return find_on_cores(OURS).race(requests, seconds, seed, policy=policy)


def race_mutant(mutant: str, seed: int, policy: str = FOLDED.name) -> SeededRow:
    """In a worker: does a campaign catch the mutant?"""
    run = find_on_cores(OURS).race_mutant(mutant, SEEDED_REQUESTS, seed, policy)
    return SeededRow(name=mutant, caught=run.wrong > 0, requests=run.requests)


def litmus(name: str, mutant: str, rounds: int, seed: int) -> LitmusRow:
    """In a worker: one litmus test."""
    return find_on_cores(OURS).litmus(name, mutant, rounds, MOST_ROUNDS, seed)


def concurrency(report: Report, pool: Executor, progress: Progress, *, quick: bool) -> None:
    """One after the other, because each needs both cores."""
    mutants = QUICK_SEEDED if quick else SEEDED
    tests = [test for test in find_on_cores(OURS).litmus_tests() if not quick or test[1] in QUICK_MUTANTS]
    requests, seconds = (REQUESTS, QUICK_SECONDS) if quick else (10 * REQUESTS, SECONDS)
    with progress.section("real cores", 1 + len(mutants) + len(tests)) as done:
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
        rows: list[LitmusRow] = []
        for name, mutant in tests:
            rows.append(pool.submit(litmus, name, mutant, QUICK_ROUNDS if quick or mutant else ROUNDS, SEED).result())
            done(name)
    report.concurrency = concurrency_row(run, tuple(seeded), tuple(rows))
    report.failures += wrong(run) + forbidden(rows)
    say_left_out(report, run, seeded, rows)
    caught = {row.mutant: not row.blind for row in rows if row.mutant} | {row.name: row.caught for row in seeded}
    if report.implementation_mutants:
        report.implementation_mutants = [
            replace(row, real_cores=caught.get(row.name, row.real_cores)) for row in report.implementation_mutants
        ]


def forbidden(rows: list[LitmusRow]) -> list[WrongOnCores]:
    """Forbidden outcomes of the text as it is."""
    return [
        WrongOnCores(f"litmus test {row.name}: forbidden outcomes", row.forbidden, row.rounds)
        for row in rows
        if row.forbidden and not row.mutant
    ]


def say_left_out(report: Report, run: CoresRun, seeded: list[SeededRow], rows: list[LitmusRow]) -> None:
    """Name what the campaign did not meet, which mutants it did not catch, and what no litmus test has shown."""
    if run.unmet:
        report.left_out["concurrency: races"] = f"not met once: {', '.join(run.unmet)}"
    if missed := [f"{row.name} ({row.requests:,} requests)" for row in seeded if not row.caught]:
        report.left_out["concurrency: seeded mutants"] = (
            f"not caught, so that the campaign has shown nothing: {', '.join(missed)} (try again on a machine that is less busy)"
        )
    if blind := [f"{row.name}{f' with {row.mutant}' * bool(row.mutant)}" for row in rows if row.blind]:
        report.left_out["concurrency: litmus"] = (
            f"not shown, in {MOST_ROUNDS:,} rounds, that these can see: {', '.join(blind)}"
        )


def wrong(run: CoresRun, policy: str = FOLDED.name) -> list[WrongOnCores]:
    """What a campaign has counted that may not be."""
    counts = {
        "lost": run.lost, "duplicated": run.duplicated, "seen beyond the bound": run.beyond_bound,
        "guest steps while stopped": run.moved, "guest steps while an operation is run": run.overrun,
        "waits without end": run.stuck,
    }  # fmt: skip
    return [WrongOnCores(what, count, run.requests, policy) for what, count in counts.items() if count]


def soak(minutes: float, runs: list[CoresRun], progress: Progress, policy: str = FOLDED.name) -> list[WrongOnCores]:
    """Campaign after campaign, each with another seed, until the time is over or something is wrong; each is added to `runs`.

    In this process, so that Control-C ends it in order.  UnknownTarget, NotOffered.
    """
    target = find_on_cores(OURS)
    until = time.monotonic() + 60 * minutes
    with progress.section("soak", max(1, round(60 * minutes / SECONDS))) as done:
        while not runs or (time.monotonic() < until and not runs[-1].wrong):
            left = max(1.0, min(SECONDS, until - time.monotonic()))
            runs.append(target.race(10 * REQUESTS, left, SEED + len(runs), policy=policy))
            done(f"{sum(run.requests for run in runs):,} requests")
    return wrong(runs[-1], policy)
