"""What stands between the markers of `docs/performance.md`, made from one run: `safepoint bench --page FILE`."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence

from safepoint.bench.languages import OURS, REFERENCE
from safepoint.bench.run import Run
from safepoint.bench.sizes import SIZES, full
from safepoint.bench.summary import MEAN, Switched, table
from safepoint.differential.switchable import STEPS
from safepoint.show.bench import facts, verdict

BLOCKS = ("ratios", *STEPS)


def marker(name: str) -> str:
    """The line with which a block begins."""
    return f"<!-- made by safepoint bench: {name} -->"


def block_of(name: str) -> re.Pattern[str]:
    """A block, between the groups that are its markers."""
    return re.compile(rf"({marker(name)}\n)(.*?)(<!-- end -->)", re.DOTALL)


def missing_block(text: str) -> str:
    """The marker of a block that a page must have once and has not; "": it has all."""
    return next((marker(name) for name in BLOCKS if len(block_of(name).findall(text)) != 1), "")


def ratios(run: Run) -> str:
    """The first block: what was run where, the ratios, and the sizes and seconds behind them."""
    names = list(run.results.compared)
    lines = [f"* {line}" for line in facts(run)] + ["", *_row("program", names), *_row("---", ["---"] * len(names))]
    for program, row in table(run.results).items():
        lines += _row(program, [str(spread) for spread in row.values()])
    lines += ["", *(f"* {line}" for line in verdict(run)), ""]
    lines += _row("program", ["N", f"{OURS}, s", f"{REFERENCE}, s", "N, smaller", f"{REFERENCE}, s"])
    lines += _row("---", ["---"] * 5)
    for program in run.results.programs:
        seconds = [f"{run.results.seconds(program, name):.2f}" for name in (OURS, REFERENCE)]
        small = "-"
        if any(run.results.compared.values()):
            small = f"{run.results.seconds(program, REFERENCE, less=True):.3f}"
        lines += _row(program, [f"{full(program, 'py'):,}", *seconds, f"{SIZES[program].less:,}", small])
    return "\n".join(lines) + "\n"


def brought(found: Switched) -> str:
    """The block of an optimisation."""
    lines = [*_row("program", ["with / without", "without, s"]), *_row("---", ["---"] * 2)]
    for program in found.on:
        lines += _row(program, [str(found.ratios(program)), f"{statistics.median(found.off[program]):.2f}"])
    lines += _row(MEAN, [str(found.mean()), ""])
    return "\n".join(lines) + "\n"


def _row(first: str, cells: Sequence[str]) -> list[str]:
    return [f"| {first} | {' | '.join(cells)} |"]


def made(before: str, run: Run) -> str:
    """The page with its blocks, all of which it has, made anew."""
    after = before
    for name, body in zip(BLOCKS, (ratios(run), *map(brought, run.switched.values())), strict=True):
        found = block_of(name).search(after)
        assert found
        after = f"{after[: found.start(2)]}{body}{after[found.end(2) :]}"
    return after
