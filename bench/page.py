"""`docs/performance.md`, made anew from one run, with its pictures: `python -m bench.interpreters --page`."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.languages import NAMED, OURS, REFERENCE
from bench.sizes import SIZES, THREADED, full
from bench.summary import MEAN, Results, Switched, table
from tools import pictures

CHECKOUT = Path(__file__).parents[1]
PAGE = CHECKOUT / "docs" / "performance.md"
BLOCKS = ("ratios", "superinstructions")


def block_of(name: str) -> re.Pattern[str]:
    """A block, between the groups that are its markers."""
    return re.compile(rf"(<!-- made by bench\.interpreters: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def checked() -> str:
    """The page as it is.  ValueError: it has not each block once."""
    text = PAGE.read_text(encoding="utf-8")
    for name in BLOCKS:
        if len(block_of(name).findall(text)) != 1:
            raise ValueError(
                f"{PAGE}: must have the block `<!-- made by bench.interpreters: {name} -->` once, with an end"
            )
    return text


@dataclass(frozen=True)
class Run:
    """One run of the bench, and where it ran.  versions: by interpreter.  missing: those that are not installed here."""

    began: datetime
    machine: str
    load: float
    versions: Mapping[str, str]
    missing: Sequence[str]
    results: Results
    switched: Switched


def machine() -> str:
    """The processor, how many cores this process may use, and the system."""
    info = Path("/proc/cpuinfo")
    found = (
        re.search(r"^model name\s*: (.*)$", info.read_text(encoding="utf-8"), re.MULTILINE) if info.exists() else None
    )
    processor = found[1] if found else platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, {platform.system()} {platform.machine()}"


def facts(run: Run) -> Iterator[str]:
    """When, where, what, how often; and what is not there."""
    yield f"{run.began:%Y-%m-%d %H:%M} UTC; {run.machine}; load {run.load:.1f} when it began; {counted(len(run.results.rounds))}."
    versions = "; ".join(
        f"{name}: {said}" for name, said in run.versions.items() if name != "luajit" or REFERENCE not in run.versions
    )
    yield f"Versions: {versions}."
    starts = ", ".join(f"{name} {run.results.start(name) * 1000:.0f}" for name in run.versions)
    yield f"A start, in ms of CPU time, which is subtracted: {starts}."
    less = [name for name, compared in run.results.compared.items() if compared]
    if less:
        yield f"In the smaller size, also of what they are divided by: {', '.join(less)}."
    others = [f"{NAMED[name].threads} ({name})" for name in run.versions if NAMED[name].threads]
    if others and THREADED in run.results.programs:
        yield f"{THREADED} has four threads; in their place: {', '.join(others)}."
    for name in run.missing:
        yield f"Left out: {name}: not installed on this machine."


def counted(rounds: int) -> str:
    return f"{rounds} round{'s' * (rounds != 1)}"


def verdict(run: Run) -> Iterator[str]:
    """Where we lose, and to which."""
    for other in (REFERENCE, *run.results.compared):
        if other != OURS:
            lost = run.results.slower(OURS, other)
            listed = f"of {len(run.results.programs)}: {', '.join(lost)}" if lost else f"of {len(run.results.programs)}"
            yield f"{OURS} is slower than {other} in {len(lost)} {listed}."


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


def superinstructions(run: Run) -> str:
    """The second block."""
    lines = [*_row("program", ["with / without", "without, s"]), *_row("---", ["---"] * 2)]
    for program in run.switched.on:
        lines += _row(
            program, [str(run.switched.ratios(program)), f"{statistics.median(run.switched.off[program]):.2f}"]
        )
    lines += _row(MEAN, [str(run.switched.mean()), ""])
    return "\n".join(lines) + "\n"


def _row(first: str, cells: Sequence[str]) -> list[str]:
    return [f"| {first} | {' | '.join(cells)} |"]


def made(before: str, run: Run) -> str:
    """The page with its blocks made anew."""
    after = before
    for name, body in zip(BLOCKS, (ratios(run), superinstructions(run)), strict=True):
        found = block_of(name).search(after)
        assert found
        after = f"{after[: found.start(2)]}{body}{after[found.end(2) :]}"
    return after


def write(run: Run) -> list[Path]:
    """The page and its pictures.  Returns their files."""
    PAGE.write_text(made(checked(), run), encoding="utf-8")
    return [PAGE, *pictures.draw_interpreters()]
