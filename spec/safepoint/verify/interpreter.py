"""The interpreter: compared with the reference machine, with and without the mutants that this comparison should notice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from functools import lru_cache

from safepoint.differential.compare import EVERY_STEP, Mismatch, Tally, compare
from safepoint.differential.corpus import Guest, corpus
from safepoint.differential.stepped import Stepped
from safepoint.protocol.policies import FOLDED
from safepoint.verify.failures import OtherBound, Unnoticed
from safepoint.verify.replay import find_stepped
from safepoint.verify.report import Progress, Report
from safepoint.verify.rows import CompiledMutantRow, DifferentialRow, MutantRow

OURS = FOLDED.name
"""The interpreter, in the entry-point group `safepoint.targets`."""
SEED = 20261122
"""Of the sampled steps; the same everywhere, so that a mismatch is found again."""
SMALL, SMALLEST, MIDDLING = 80, 25, 150
"""A quick run looks into the middle of posts in programs of up to SMALL steps (with threads: SMALLEST), and posts before every
step of those of up to MIDDLING, before a sample of longer ones."""
NEED_THREADS = ("post-does-not-wake", "looks-too-early", "birth-keeps-bits", "born-running")
"""Mutants that only programs with threads show."""
FEW = 50
"""For those: second posts in programs of up to FEW steps, because a run with threads takes longer."""
NEEDS = {
    "a store buffer": ("reenter-unfenced", "block-unfenced"),
    "a processor on which an order matters, as none does on x86-64 here": (
        "reenter-acquire",
        "claim-acquire",
        "wake-release",
    ),
    "a guest step while one request is served inside another": ("handshake-unchecked", "backs-off-silently"),
    "a birth in the middle of a handshake": ("birth-drops-handshake",),
    "a stack that grows": ("limit-blindly",),
    "a handler that posts": ("post-waits-its-turn",),
    "an operation that leaves guest code": ("waits-for-itself",),
    "a sleep that is a check site": ("wakes-without-a-look",),
    "a stop that is given up, or inside another": ("gives-up-half", "takes-posts-back", "stops-twice", "inner-starts"),
    "a guest thread that asks for an operation": ("asker-stays",),
    "variants of the core": (
        *("stop-without-fence", "claim-without-fence", "stops-again-at-once"),
        *("operates-while-stopped", "operations-not-awaited"),
    ),
    "an instruction that works long": ("helper-never-polls",),
    "a record that is used again": ("held-too-late", "reused-at-once", "reused-unfenced"),
}
"""What the differential test does not have -> the mutants of the text that nothing else in it shows."""


@lru_cache
def interpreter(mutant: str = "") -> Stepped:
    """One engine a process, and one more for each mutant."""
    return find_stepped(OURS, mutant)


def compare_program(guest: Guest, quick: bool) -> Tally:
    """Quick: fewer steps of the longer programs, and second posts in the short ones only; `make test` does all."""
    tally = Tally()
    rng = random.Random(f"{SEED} {guest.name}")
    small = SMALL if guest.alone else SMALLEST
    seconds, every = (small, MIDDLING) if quick else (None, EVERY_STEP)
    compare(interpreter(), guest.source, guest.name, guest.stack, tally, rng, seconds=seconds, every=every)
    return tally


def differential(report: Report, pool: Executor, progress: Progress, quick: bool) -> None:
    """Interrupt every program on both machines; whatever can be observed must be equal, and the bound as declared."""
    guests = sorted(corpus(), key=lambda guest: guest.alone)  # those with threads take longest
    total = Tally()
    with progress.section("differential", len(guests)) as done:
        for tally in pool.map(compare_program, guests, [quick] * len(guests)):
            total.add(tally)
            done(f"{total.interrupts:,} interrupts")
    report.differential = DifferentialRow(
        programs=total.programs, interrupts=total.interrupts, mismatches=len(total.mismatches), worst=total.worst
    )
    report.failures += total.mismatches
    if total.worst != FOLDED.declared:
        report.failures.append(OtherBound(FOLDED.name, FOLDED.declared, total.worst))


def try_mutant(row: MutantRow) -> CompiledMutantRow:
    """Does the differential test notice a mutant, compiled into the interpreter?"""
    noticed = next(mismatches(row.name), None) is not None if can_show(row.name) else None
    return CompiledMutantRow(name=row.name, rule=row.rule, differential=noticed)


def implementation_mutants(report: Report, pool: Executor, progress: Progress) -> None:
    """Compile each mutant that guest programs can show into the interpreter, and see it noticed."""
    rows: list[CompiledMutantRow] = []
    compiled = [row for row in report.mutants if row.policy == FOLDED.name]
    with progress.section("implementation mutants", len(compiled)) as done:
        for row in pool.map(try_mutant, compiled):
            rows.append(row)
            if row.differential is False:
                report.failures.append(Unnoticed(row.name))
            done(row.name)
    report.implementation_mutants = rows
    missing = "; ".join(f"{what} ({', '.join(mutants)})" for what, mutants in NEEDS.items())
    report.left_out["implementation_mutants"] = (
        f"what the differential test does not show, because it does not have it: {missing}"
    )


def can_show(mutant: str) -> bool:
    """Can guest programs and the requests of the differential test show the mutant?"""
    return not any(mutant in mutants for mutants in NEEDS.values())


def mismatches(mutant: str) -> Iterator[Mismatch]:
    """Where the interpreter with a mutant compiled in differs from the reference machine: small programs first."""
    threads = mutant in NEED_THREADS
    seconds = FEW if threads else SMALL
    for guest in sorted((g for g in corpus() if not (threads and g.alone)), key=lambda g: len(g.source)):
        tally = Tally()
        rng = random.Random(SEED)
        compare(interpreter(mutant), guest.source, guest.name, guest.stack, tally, rng, seconds=seconds)
        yield from (replace(mismatch, mutant=mutant) for mismatch in tally.mismatches)
