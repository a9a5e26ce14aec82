"""Which opcodes follow each other in what guest programs execute, and which of these sequences are superinstructions.

`python -m bench.pairs [--most N] [PROGRAM …]`: the programs of `bench/programs` and those of `tests/programs`, instruction by instruction on an
engine without superinstructions, the first N of each.  A sequence counts where its instructions stand one behind the other in the code, and
are executed so; its share is the percentage of the program's instructions that begin it.  Printed are means over the programs of each
directory, in which each program counts the same, and the program where it is commonest:

* pairs and triples that are common and not in one superinstruction;
* all superinstructions, by how often each is dispatched; those that are rare everywhere are candidates to go, and those that are rare in
  `tests/programs` only make the bench faster.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from rich.table import Table

from bench.counting import Counted, Ops, count
from safepoint.bench.sizes import SIZES, source
from safepoint.differential.corpus import corpus
from safepoint.guest.compiler.program import compile_program
from safepoint.show.tables import console
from safepoint_vm.generate.triggers import FUSED_NUMBERS, NUMBERS
from safepoint_vm.handlers.fused import FUSED

MOST = 150_000
"""Instructions of each program."""
SHOWN = 15
"""Rows of each table of what is missing."""
RARE = 0.1
"""In percent: a superinstruction that no program dispatches more often than that is rare everywhere."""

Found = Mapping[str, Counted]
"""By program."""


@dataclass(frozen=True)
class Share:
    """Percent: the mean over the bench's programs, over the corpus, and the largest of all with the program that has it."""

    bench: float
    corpus: float
    most: float
    where: str

    @classmethod
    def of(cls, bench: Found, tests: Found, number: Callable[[Counted], int]) -> Share:
        shares = [
            {name: 100 * number(each) / each.instructions for name, each in found.items()} for found in (bench, tests)
        ]
        both = {**shares[1], **shares[0]}
        where = max(both, key=lambda name: both[name])
        means = [fmean(each.values()) if each else 0.0 for each in shares]
        return cls(means[0], means[1], both[where], where if both[where] else "-")

    def cells(self) -> list[str]:
        return [f"{self.bench:.2f}", f"{self.corpus:.2f}", f"{self.most:.1f}", self.where]


def apart(run: Ops, found: Counted) -> int:
    """How often a sequence was executed, and was not in one superinstruction."""
    return found.runs[run] - found.fused[run]


def as_one(name: str, found: Counted) -> int:
    """How often a superinstruction would have been dispatched."""
    return found.dispatched[name]


def missing(bench: Found, tests: Found, length: int) -> list[tuple[Ops, Share]]:
    """Sequences of `length` opcodes with what is not in one superinstruction, the commonest first, by the mean of both directories."""
    runs = {run for found in (bench, tests) for each in found.values() for run in each.runs if len(run) == length}
    shares = [(run, Share.of(bench, tests, partial(apart, run))) for run in runs]
    return sorted(shares, key=lambda pair: (-pair[1].bench - pair[1].corpus, pair[0]))


def dispatched(bench: Found, tests: Found) -> list[tuple[str, Share]]:
    """All superinstructions, the commonest first."""
    names = [each.name for each in FUSED]
    shares = [(name, Share.of(bench, tests, partial(as_one, name))) for name in names]
    return sorted(shares, key=lambda pair: (-pair[1].bench - pair[1].corpus, pair[0]))


def counted(names: Sequence[str], most: int) -> Iterator[tuple[bool, str, Counted]]:
    """For each program: is it one of the bench's, its name, and what it has executed."""
    for name in SIZES:
        if not names or name in names:
            yield True, f"bench {name}", count(compile_program(source(name, "py", SIZES[name].less), name), most)
    for guest in corpus():
        if not names or guest.name in names:
            yield False, guest.name, count(compile_program(guest.source, guest.name), most)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status."""
    known = [*SIZES, *(guest.name for guest in corpus())]
    parser = argparse.ArgumentParser(
        prog="python -m bench.pairs", description="Sequences of opcodes, and superinstructions."
    )
    parser.add_argument("--most", type=int, default=MOST, help=f"instructions of each program (default: {MOST:,})")
    parser.add_argument(
        "programs", nargs="*", metavar="PROGRAM", help="only these, of bench/programs and tests/programs"
    )
    given = parser.parse_args(arguments)
    if given.most < 1:
        parser.error("--most is at least 1")
    if unknown := [name for name in given.programs if name not in known]:
        parser.error(f"no such program: {', '.join(unknown)}")
    bench: dict[str, Counted] = {}
    tests: dict[str, Counted] = {}
    for ours, name, found in counted(given.programs, given.most):
        (bench if ours else tests)[name] = found
        if sys.stderr.isatty():
            print(f"\r\x1b[K{name}", end="\r", file=sys.stderr, flush=True)
    show(bench, tests)
    return 0


def show(bench: Found, tests: Found) -> None:
    out = console()
    executed = sum(each.instructions for found in (bench, tests) for each in found.values())
    out.print(
        f"{executed:,} instructions of {len(bench)} programs of the bench and {len(tests)} of tests/programs. "
        f"{len(NUMBERS)} opcodes and {len(FUSED_NUMBERS)} superinstructions have numbers."
    )
    columns = ("bench, %", "tests, %", "most, %", "in")
    for length in (2, 3):
        table = Table(f"{length} opcodes, not in one superinstruction", *columns)
        for run, share in missing(bench, tests, length)[:SHOWN]:
            table.add_row(" + ".join(run), *share.cells())
        out.print(table)
    table = Table("superinstruction", *columns)
    shares = dispatched(bench, tests)
    for name, share in shares:
        table.add_row(name.replace("_and_", " + "), *share.cells())
    out.print(table)
    ours = [name.replace("_and_", " + ") for name, share in shares if share.bench >= RARE and share.corpus < RARE / 10]
    out.print(f"Only in the programs of the bench: {', '.join(ours) or 'none'}.")
    rare = [name.replace("_and_", " + ") for name, share in shares if share.most < RARE]
    out.print(f"Under {RARE} % in every program: {', '.join(rare) or 'none'}.")


if __name__ == "__main__":
    sys.exit(main())
