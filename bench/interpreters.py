"""The interpreter beside others: guest programs in four languages, in turn, in one run; what is compared are ratios within a round.

`python -m bench.interpreters [--quick] [--rounds N] [--page] [PROGRAM …]`; all of it takes some five minutes.  The programs are in
`bench/programs`, one file for each language; before any time is taken all of them must print the same.  CPU time, user and system, of the
process; a start (an empty program, before and after the others of a round) is subtracted.  CPython, Ruby and Node run the programs with
about a tenth of the size, and are divided by `luajit -joff` with that size.  Then the same programs in this process, with superinstructions
and without.  `--page` writes docs/performance.md and its pictures.

Exit status 2: luajit is not installed, a program fails, or two languages disagree.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from bench import page, rounds, switched
from bench.children import BenchError, check, programs
from bench.languages import NAMED, REFERENCE, installed
from bench.page import Run
from bench.sizes import SIZES
from bench.summary import MEAN, Results, Spread, Switched, table
from safepoint.show.tables import console

ROUNDS, QUICK = 6, 2
"""Even numbers: each order comes as often as the other."""


class Progress:
    """On standard error: at a terminal all, in one line; elsewhere a line for each round."""

    def __init__(self) -> None:
        self._round = ""

    def __call__(self, said: str) -> None:
        head = said.partition(":")[0]
        if sys.stderr.isatty():
            print(f"\r\x1b[K{said}", end="", file=sys.stderr, flush=True)
        elif head != self._round:
            print(head, file=sys.stderr, flush=True)
        self._round = head


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.interpreters", description="Our interpreter beside others.")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} rounds instead of {ROUNDS}")
    parser.add_argument("--rounds", type=int, help="so many rounds")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md and its pictures")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"only these, of: {', '.join(SIZES)}")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.programs if name not in SIZES]:
        parser.error(f"no such program: {', '.join(unknown)} (there are: {', '.join(SIZES)})")
    if given.rounds is not None and (given.rounds < 1 or given.quick):
        parser.error("--rounds is at least 1, and not together with --quick")
    if given.page and given.programs:
        parser.error("--page has all programs: name none")
    if given.rounds is None:
        given.rounds = QUICK if given.quick else ROUNDS
    given.programs = given.programs or list(SIZES)
    return given


def cell(spread: Spread) -> str:
    """In two lines: the table has a column for each interpreter.  Where the reference is faster, red."""
    colour = "red" if spread.median > 1 else "green"
    return f"[{colour}]{spread.median:.2f}[/]\n[dim]{spread.least:.2f}..{spread.most:.2f}[/]"


def show(results: Results, found: Switched, out: Console) -> None:
    """CPU time as a ratio to the reference: a line for each program; then what superinstructions bring."""
    lines = Table("program", *results.compared, title=f"CPU time / that of {REFERENCE}", show_lines=True)
    for name, row in table(results).items():
        lines.add_row(name, *map(cell, row.values()), style="bold" if name == MEAN else "")
    out.print(lines)
    lines = Table("program", "ratio", title="CPU time with superinstructions / without")
    for name in found.on:
        lines.add_row(name, str(found.ratios(name)))
    lines.add_row(MEAN, str(found.mean()), style="bold")
    out.print(lines)


def run(given: argparse.Namespace) -> None:
    """BenchError: nothing to compare with, or nothing that can be compared."""
    here, missing = installed()
    if NAMED[REFERENCE] in missing:
        raise BenchError(f"{REFERENCE}: not installed, and all are compared with it (install luajit)")
    progress = Progress()
    if given.page:
        page.checked()  # now, and not after the measuring
    versions = {language.name: language.version() for language in here}
    began, load = datetime.now(UTC), os.getloadavg()[0]
    with programs() as files:
        progress("do all languages print the same?")
        outputs = check(here, given.programs, files)
        results = rounds.measure(here, given.programs, given.rounds, files, outputs, progress)
    found = switched.measure(given.programs, given.rounds, progress)
    if sys.stderr.isatty():
        progress("")
    out = console()
    done = Run(began, page.machine(), load, versions, [language.name for language in missing], results, found)
    for line in page.facts(done):
        out.print(line, markup=False)
    show(results, found, out)
    for line in page.verdict(done):
        out.print(line, markup=False)
    if given.page:
        for file in page.write(done):
            out.print(str(file.relative_to(page.CHECKOUT)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status."""
    try:
        run(parsed(arguments))
    except (BenchError, ValueError, OSError, subprocess.SubprocessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: stopped by Control-C", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
