"""The interpreter: compared with the reference machine, with and without the mistakes that it should be caught at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import lru_cache

from safepoint.conform.judge import find_target
from safepoint.differential.compare import EVERY_STEP, Tally, compare
from safepoint.differential.corpus import Guest, corpus
from safepoint.differential.stepped import Stepped
from safepoint.protocol.policies import FOLDED
from safepoint.verify.report import Progress, Report, Row

SEED = 20261122
"""Of the sampled steps; the same everywhere, so that a mismatch is found again."""
SMALL, SMALLEST, MIDDLING = 80, 25, 150
"""A quick run looks into the middle of posts in programs of up to SMALL steps (with threads: SMALLEST), and posts before every
step of those of up to MIDDLING, before a sample of longer ones."""
NEED_THREADS, FEW = ("post-does-not-wake", "looks-too-early", "birth-keeps-bits", "born-running"), 50
"""Mutants that programs with threads show, in which a run takes longer: second posts in those of up to so many steps."""
NEEDS = {
    "a store buffer": ("reenter-unfenced", "block-unfenced"),
    "a step in the middle of what a request in the middle of another one does": (
        "handshake-unchecked",
        "backs-off-silently",
    ),
    "a TERMINATE": ("terminate-again", "rest-dropped", "given-back-unpoisoned"),
    "a birth in the middle of a handshake": ("birth-drops-handshake",),
    "a stack that grows": ("limit-blindly",),
}
"""What the differential test has not -> the mutants of the text that show nowhere else."""


@lru_cache
def interpreter(mutant: str = "") -> Stepped:
    """One engine a process, and one more for each mutant."""
    target = find_target("folded")
    target = target.mutated(mutant) if mutant else target
    assert isinstance(target, Stepped)
    return target


def compared(guest: Guest, quick: bool) -> Tally:
    """Quick: fewer steps of the longer programs, and second posts in the short ones only; `make test` does all."""
    tally = Tally()
    rng = random.Random(f"{SEED} {guest.name}")
    small = SMALL if guest.alone else SMALLEST
    seconds, every = (small, MIDDLING) if quick else (None, EVERY_STEP)
    compare(interpreter(), guest.source, guest.name, guest.stack, tally, rng, seconds=seconds, every=every)
    return tally


def differential(report: Report, pool: Executor, told: Progress, quick: bool) -> None:
    guests = corpus()
    total = Tally()
    with told.section("differential", len(guests)) as done:
        for tally in pool.map(compared, guests, [quick] * len(guests)):
            total.add(tally)
            done(f"{total.interrupts:,} interrupts")
    report.differential = {"programs": total.programs, "interrupts": total.interrupts, "mismatches": len(total.mismatches),
                           "worst": total.worst.as_json()}  # fmt: skip
    report.failures += map(str, total.mismatches)
    if total.worst != FOLDED.declared:
        report.failures.append(
            f"differential: {FOLDED.name} declares {FOLDED.declared}, observed was at most {total.worst}"
        )


def shown(row: Row) -> Row:
    caught = next(mismatches(row["name"]), None) is not None if can_show(row["name"]) else None
    return {"name": row["name"], "rule": row["rule"], "differential": caught, "controlled": None, "real_cores": None}


def implementation_mutants(report: Report, pool: Executor, told: Progress) -> None:
    """The mistakes that guest programs and the requests of the differential test can show."""
    rows: list[Row] = []
    with told.section("implementation mutants", len(report.mutants)) as done:
        for row in pool.map(shown, report.mutants):
            rows.append(row)
            if row["differential"] is False:
                report.failures.append(
                    f"mutant {row['name']}, compiled into the interpreter: the differential test does not notice it"
                )
            done(row["name"])
    report.implementation_mutants = rows
    report.left_out["implementation_mutants"] = "; ".join(
        f"{what}, which the differential test has not: {', '.join(mutants)}" for what, mutants in NEEDS.items()
    )


def can_show(mutant: str) -> bool:
    """Can guest programs and the requests of the differential test show it?"""
    return not any(mutant in mutants for mutants in NEEDS.values())


def mismatches(mutant: str) -> Iterator[str]:
    """How the interpreter, with a mutant of the text compiled in, differs from the reference machine: small programs first."""
    threads = mutant in NEED_THREADS
    for guest in sorted((g for g in corpus() if not (threads and g.alone)), key=lambda g: len(g.source)):
        tally, rng, seconds = Tally(), random.Random(SEED), FEW if threads else SMALL
        compare(interpreter(mutant), guest.source, guest.name, guest.stack, tally, rng, seconds=seconds)
        yield from map(str, tally.mismatches)
