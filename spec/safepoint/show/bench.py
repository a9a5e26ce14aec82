"""What `safepoint bench` found: where and what was run, the ratios, what each optimisation brings, and where ours loses."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from safepoint.bench.languages import INTERPRETER, NAMED, OURS, REFERENCE
from safepoint.bench.run import Run
from safepoint.bench.sizes import THREADED
from safepoint.bench.summary import MEAN, Spread, table
from safepoint.show.tables import console


def bench_tables(run: Run) -> None:
    """CPU time as a ratio to the reference: a line for each program; then what each optimisation brings."""
    out = console()
    for line in facts(run):
        out.print(line, markup=False, soft_wrap=True)
    lines = Table("program", *run.results.compared, title=f"CPU time / that of {REFERENCE}", show_lines=True)
    for name, row in table(run.results).items():
        lines.add_row(name, *map(_cell, row.values()), style="bold" if name == MEAN else "")
    out.print(lines)
    lines = Table("program", *run.switched, title="CPU time with an optimisation / without")
    for name in run.results.programs:
        lines.add_row(name, *(str(found.ratios(name)) for found in run.switched.values()))
    lines.add_row(MEAN, *(str(found.mean()) for found in run.switched.values()), style="bold")
    out.print(lines)
    for line in verdict(run):
        out.print(line, markup=False, soft_wrap=True)


def _cell(spread: Spread) -> str:
    """In two lines: the table has a column for each interpreter.  Where the reference is faster, red."""
    colour = "red" if spread.median > 1 else "green"
    return f"[{colour}]{spread.median:.2f}[/]\n[dim]{spread.least:.2f}..{spread.most:.2f}[/]"


def facts(run: Run) -> Iterator[str]:
    """When, where, what, how often; and what is not there."""
    yield f"{run.began:%Y-%m-%d %H:%M} UTC; {run.machine}; load {run.load:.1f} when it began; {_counted(len(run.results.rounds))}."
    again = {INTERPRETER: OURS, "luajit": REFERENCE}  # the same program, called in another way
    versions = "; ".join(
        f"{name}: {said}" for name, said in run.versions.items() if again.get(name) not in run.versions
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


def _counted(rounds: int) -> str:
    return f"{rounds} round{'s' * (rounds != 1)}"


def verdict(run: Run) -> Iterator[str]:
    """Where ours loses, and to which."""
    for other, lost in run.slower.items():
        listed = f"of {len(run.results.programs)}{': ' * bool(lost)}{', '.join(lost)}"
        yield f"{OURS} is slower than {other} in {len(lost)} {listed}."
