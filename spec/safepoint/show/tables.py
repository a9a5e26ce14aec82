"""Tables and progress on a terminal (rich).  Progress goes to standard error, and only if somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from safepoint.conform.judge import Verdict
    from safepoint.verify.report import Report

WIDTH = 110
"""Of tables where no terminal says how wide it is."""


def console() -> Console:
    out = Console()
    return out if out.is_terminal else Console(width=WIDTH, highlight=False)


class LiveProgress:
    """A line for each section while it runs."""

    def __init__(self) -> None:
        err = Console(stderr=True)
        self._live = Progress(
            TextColumn("{task.description:24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[told]}"),
            console=err,
            disable=not err.is_terminal,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    @contextmanager
    def section(self, name: str, total: int) -> Iterator[Callable[[str], None]]:
        task = self._live.add_task(name, total=total, told="")
        yield lambda told: self._live.update(task, advance=1, told=told)

    @contextmanager
    def search(self, name: str) -> Iterator[Callable[[int, int], None]]:
        task = self._live.add_task(name, total=None, told="")
        yield lambda states, frontier: self._live.update(task, told=f"{states:,} states, frontier {frontier:,}")


def protocol_table(rows: list[dict[str, Any]], out: Console | None = None) -> None:
    table = Table("scope", "threads", "memory", "states", "transitions", "verdict", "bound: frames", "back-edges")
    for row in rows:
        bound = row["bound"] or {"frames": "-", "back_edges": "-"}
        figures = (f"{row['states']:,}", f"{row['transitions']:,}")
        table.add_row(
            row["scope"],
            str(row["threads"]),
            row["memory"],
            *figures,
            _verdict(row["verdict"]),
            *map(str, bound.values()),
        )
    (out or console()).print(table)


def summary_table(rows: list[dict[str, Any]], out: Console) -> None:
    """A line for each policy and memory model: how many scopes, how many states, the worst bound."""
    columns = (
        "policy",
        "memory",
        "scopes",
        "threads",
        "states",
        "transitions",
        "verdict",
        "frames",
        "back-edges",
        "any N",
    )
    table = Table(*columns)
    for policy, memory in dict.fromkeys((row["policy"], row["memory"]) for row in rows):
        these = [row for row in rows if (row["policy"], row["memory"]) == (policy, memory)]
        refuted = [row["scope"] for row in these if row["verdict"] != "holds"]
        bounds = [row["bound"] or {"frames": None, "back_edges": None} for row in these]
        worst = [_worst([b[kind] for b in bounds]) for kind in ("frames", "back_edges")]
        figures = [f"{sum(row[what] for row in these):,}" for what in ("states", "transitions")]
        threads = f"1..{max(row['threads'] for row in these)}" if any(row["threads"] > 1 for row in these) else "1"
        verdict = _verdict("refuted") + f": {', '.join(refuted)}" if refuted else _verdict("holds")
        table.add_row(policy, memory, str(len(these)), threads, *figures, verdict, *worst, _any_number(these))
    out.print(table)


def _any_number(rows: list[dict[str, Any]]) -> str:
    """For how many of these scopes one thread decides every number of them; the others are these instances only."""
    holds = [row["any_number"]["holds"] for row in rows if "any_number" in row]
    return f"{sum(holds)} of {len(holds)}" if holds else "-"


def said_of_any_number(report: Report) -> Iterator[str]:
    """What holds for every number of threads and by which argument, and what of these instances only."""
    refused = {
        row["scope"]: row["any_number"]
        for row in report.protocol
        if not row.get("any_number", {"holds": True})["holds"]
    }
    words = dict.fromkeys(reason.partition(":")[0] for found in refused.values() for reason in found["reasons"])
    but = (
        f"; and all of {', '.join(refused)}, where threads write each other's words ({', '.join(words)})"
        if refused
        else ""
    )
    yield ("[bold]any N[/]: what is always true of each thread, and the bound, for every number of threads, by footprints: no thread writes what another "
           f"reads, and a requester treats each for itself. Of these instances only: no-deadlock, what is eventual{but}")  # fmt: skip
    if found := report.induction:
        holds = "holds" if found["holds"] else "[red]lost[/]"
        yield f"[bold]induction[/] (z3, {found['steps']} steps): {holds} {found['covers']}"


def _worst(numbers: list[int | None]) -> str:
    return "none" if None in numbers else str(max(n for n in numbers if n is not None))


def report_tables(report: Report) -> None:
    """All that `safepoint verify` found, failures last: they are what a reader needs first, and stand above the prompt."""
    out = console()
    out.print(
        "[bold]protocol[/]: every state of the text: four policies, two memory models; bounds in frame pushes and back-edges"
    )
    summary_table(report.protocol, out)
    for line in said_of_any_number(report):
        out.print(line)
    out.print("[bold]mutants[/]: mistakes in the text, each caught by a property in the smallest scope"
              " -- and, compiled into the interpreter, by the differential test")  # fmt: skip
    compiled = {row["name"]: row["differential"] for row in report.implementation_mutants or []}
    table = Table("mutant", "breaks rule", "caught by", "in scope", "steps", "interpreter")
    for row in report.mutants:
        noticed = compiled.get(row["name"])
        table.add_row(row["name"], row["rule"], row["property"] or "[red]nothing[/]", f"{row['scope']} {row['memory']}", str(row["steps"]),
                      "-" if noticed is None else "caught" if noticed else "[red]not noticed[/]")  # fmt: skip
    out.print(table)
    if found := report.differential:
        worst = found["worst"]
        out.print(f"[bold]differential[/]: {found['interrupts']:,} interrupts in {found['programs']} programs, {found['mismatches']} mismatches; "
                  f"each seen within {worst['frames']} frame push, {worst['back_edges']} back-edge")  # fmt: skip
    for target in report.targets:
        refuted = ", ".join(target["refuted"])
        out.print(
            f"[bold]target[/] {target['name']}: {target['claims']} claims judged, {'refuted: ' + refuted if refuted else 'none refuted'}"
        )
    caught = sum(row["caught"] for row in report.mutants)
    for section, why in report.left_out.items():
        out.print(f"[yellow]left out[/]: {section}: {escape(why)}")
    for failure in report.failures:
        out.print(f"\n[red]refuted[/]: {escape(failure)}")
    out.print(f"{'[red]refuted[/]' if report.failures else '[green]holds[/]'}: {len(report.protocol)} scopes, "
              f"{caught} of {len(report.mutants)} mutants caught, {(report.differential or {}).get('interrupts', 0):,} interrupts tried")  # fmt: skip


def verdict_table(verdicts: list[Verdict]) -> None:
    out = console()
    table = Table("claim", "verdict", "cases")
    for v in verdicts:
        table.add_row(v.claim.name, _verdict(v.verdict), f"{v.evidence.tried:,}" if v.evidence else "-")
    out.print(table)
    for v in verdicts:
        if v.report:
            out.print(escape(v.report))


def _verdict(word: str) -> str:
    return {"holds": "[green]holds[/]", "refuted": "[red]refuted[/]"}.get(word, word)
