"""Tables on a terminal (rich)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from safepoint.model.memory.names import label
from safepoint.model.scopes import NO_BOUND
from safepoint.protocol.policy import FURTHER
from safepoint.show.mistakes import mistake_table
from safepoint.show.under import under_table

if TYPE_CHECKING:
    from safepoint.conform.judge import TargetRow, Verdict
    from safepoint.differential.cores import ConcurrencyRow, CoresRun
    from safepoint.verify.report import Report
    from safepoint.verify.rows import ScopeRow

WIDTH = 118
"""The width of tables, in characters, where standard output is not a terminal."""


def console() -> Console:
    """Standard output."""
    out = Console(emoji=False)  # of a policy in a file, `FILE:NAME:` could be one
    return out if out.is_terminal else Console(width=WIDTH, highlight=False, emoji=False)


def protocol_table(rows: Sequence[ScopeRow], left_out: Mapping[str, str], mutant: str = "") -> None:
    """`safepoint explore`: a line for each scope; and what was not decided.  mutant: the one that survives in all of them."""
    out = console()
    elsewhere = list(dict.fromkeys(site for row in rows if (site := row.elsewhere)))
    names = ("scope", "threads", "memory", "states", "transitions", "verdict", "bound: frames", "back-edges")
    table = Table(*names, *(f"{site}s" for site in elsewhere))
    for row in rows:
        bound = [*(row.bound.as_json().values() if row.bound else ("-", "-"))]
        bound += ["-"] * (2 + len(elsewhere) - len(bound))
        figures = (f"{row.states:,}", f"{row.transitions:,}")
        table.add_row(
            row.scope,
            str(row.threads),
            label(row.memory),
            *figures,
            "[red]survives[/]" if mutant else _verdict(row.verdict),
            *("unbounded" if n is None else str(n) for n in bound),
        )
    out.print(table)
    _left_out(left_out, out)


def summary_table(rows: Sequence[ScopeRow], out: Console) -> None:
    """A line for each policy and memory model: how many scopes, how many states, the worst bound."""
    columns = (
        Column("policy", no_wrap=True, min_width=max((len(row.policy or "") for row in rows), default=0)),
        Column("memory", no_wrap=True, min_width=11),  # the longest name
        "scopes",
        "threads",
        "states",
        "transitions",
        "verdict",
        "bound",
        "any N",
    )
    table = Table(*columns)
    for policy, memory in dict.fromkeys((row.policy, row.memory) for row in rows):
        these = [row for row in rows if (row.policy, row.memory) == (policy, memory)]
        refuted = [row.scope for row in these if row.verdict != "holds"]
        most, bounded = max(row.threads for row in these), any(row.bound for row in these)
        table.add_row(
            policy,
            label(memory),
            str(len(these)),
            "1" if most == 1 else f"1..{most}",
            f"{sum(row.states for row in these):,}",
            f"{sum(row.transitions for row in these):,}",
            _verdict("refuted") + f": {', '.join(refuted)}" if refuted else _verdict("holds"),
            _worst_bound(these) if bounded else "-",
            _any_number(these),
        )
    out.print(table)


def _any_number(rows: Sequence[ScopeRow]) -> str:
    """In how many of these scopes one thread decides for every number of threads; the others hold as explored only."""
    holds = [row.any_number.holds for row in rows if row.any_number]
    return f"{sum(holds)} of {len(holds)}" if holds else "-"


def any_number_lines(report: Report) -> Iterator[str]:
    """What holds for every number of threads and by which argument, and what only in the explored scopes."""
    asked = [(row.policy, row.scope, row.any_number) for row in report.protocol if row.any_number]
    holds_for = {policy for policy, _, found in asked if found.holds}
    refused = [(policy, scope, found) for policy, scope, found in asked if not found.holds]
    # a policy whose threads write each other's words is refused as a whole
    names = dict.fromkeys(scope if policy in holds_for else f"policy {policy}" for policy, scope, _ in refused)
    why = dict.fromkeys(re.split(r": | \(", reason)[0] for _, _, found in refused for reason in found.reasons)
    but = (
        f"; and all of {', '.join(names)}, where a thread writes what another reads, or threads are treated together ({', '.join(why)})"
        if refused
        else ""
    )
    yield (
        "[bold]any N[/]: for every number of threads, by footprints: the safety properties of each thread, and the bound, because no"
        f" thread writes what another reads and a requester treats each alone. As explored only: no-deadlock, liveness{but}"
    )
    if found := report.induction:
        holds = "holds" if found.holds else "[red]refuted[/]"
        yield f"[bold]induction[/] (z3, {found.steps} steps): {holds} {found.covers}"


def _worst_bound(rows: Sequence[ScopeRow]) -> str:
    """Frame pushes / back-edges, and checks elsewhere where there are some: the largest of each; "none" where one is unbounded."""
    bounds = [row.bound or NO_BOUND for row in rows]
    kinds = ["frames", "back_edges", *(kind for kind in FURTHER if any(kind in bound.as_json() for bound in bounds))]
    return " / ".join(_worst([bound.of_kinds()[kind] for bound in bounds]) for kind in kinds)


def _worst(numbers: Sequence[int | str | None]) -> str:
    """The largest; "none" if one is unbounded."""
    return "none" if None in numbers else str(max(n for n in numbers if isinstance(n, int)))


def report_tables(report: Report, failures: Sequence[str]) -> None:
    """All that `safepoint verify` found; failures last, just above the prompt."""
    out = console()
    out.print(
        f"[bold]protocol[/]: every state of the text: {len({row.policy for row in report.protocol})} policies; three memory models, five machines;"
        " bounds: frame pushes / back-edges / elsewhere"
    )
    summary_table(report.protocol, out)
    for line in any_number_lines(report):
        out.print(line)
    mutant_table(report, out)
    mistake_table(report, out)
    if found := report.differential:
        worst = found.worst
        out.print(
            f"[bold]differential[/]: {found.interrupts:,} interrupts in {found.programs} programs, {found.mismatches} mismatches; "
            f"each seen within {worst.frames} frame push, {worst.back_edges} back-edge"
        )
    if controlled := report.schedules:
        out.print(
            f"[bold]controlled schedules[/]: {controlled.schedules:,} of {controlled.cases} cases, {controlled.compiled_cases} of them in"
            f" compiled code, {controlled.wrong} wrong;"
            f" every one with {controlled.preemptions} preemption in {controlled.exhausted} of them; a random one finds a mistake"
            f" of depth {controlled.depth} with a probability of {controlled.probability:.1g} at least"
        )
    if row := report.concurrency:
        out.print(concurrency_line(row))
    under_table(report, out)
    for target in report.targets:
        refuted = f"refuted: {', '.join(target.refuted)}" if target.refuted else "none refuted"
        out.print(f"[bold]target[/] {target.name}: {target.claims} claims judged, {refuted}")
    _left_out(report.left_out, out)
    for failure in failures:
        out.print(f"\n[red]refuted[/]: {escape(failure)}")
    caught = sum(row.caught for row in report.mutants)
    interrupts = report.differential.interrupts if report.differential else 0
    if report.not_run:
        out.print(f"not run: {', '.join(report.not_run).replace('_', ' ')} (left out, above, says what is missing)")
    out.print(
        f"{_verdict(report.verdict)}: {len(report.protocol)} scopes, "
        f"{caught} of {len(report.mutants)} mutants caught, {interrupts:,} interrupts tried"
    )


def concurrency_line(row: ConcurrencyRow) -> str:
    """The section `concurrency`, in a few lines."""
    counts = f"{row.lost} lost, {row.coalesced:,} coalesced, {row.duplicated} duplicated, {row.beyond_bound} beyond the bound"
    stops = f"{row.stops:,} stops, {row.moved} guest steps inside"
    shown = f"{row.met} of {len(row.races)} races met; {row.caught} of {len(row.seeded)} seeded mutants caught"
    lines = [f"[bold]real cores[/]: {row.requests:,} requests, {counts}; {stops}; {shown}"]
    if row.litmus:
        text, twins = [each for each in row.litmus if not each.mutant], [each for each in row.litmus if each.mutant]
        lines.append(
            f"    litmus: {len(text)} tests, {sum(each.rounds for each in text):,} rounds,"
            f" {sum(each.forbidden for each in text)} forbidden outcomes; {sum(not each.blind for each in twins)} of {len(twins)} mutants seen"
        )
    times = {"to the slow path": row.latency_us, "until the world has stopped": row.time_to_stop_us}
    for what, found in times.items():
        if found:
            lines.append(f"    {what}: p50 {found['p50']:g}, p99 {found['p99']:g}, max {found['max']:g} us")
    return "\n".join(lines)


def soak_lines(runs: Sequence[CoresRun]) -> list[str]:
    """What campaigns have counted, together."""
    total = {
        name: sum(getattr(run, name) for run in runs)
        for name in (
            "requests",
            "lost",
            "coalesced",
            "duplicated",
            "beyond_bound",
            "stops",
            "moved",
            "overrun",
            "handshakes",
            "births",
        )
    }
    races = Counter[str]()
    for run in runs:
        races.update(run.races)
    if not runs:
        return []
    unmet = [name for name in runs[-1].races if not races[name]]
    lines = [
        f"{len(runs)} campaigns: " + ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in total.items())
    ]
    lines += [f"    {name}: {count:,}" for name, count in races.items()]
    return lines + [f"left out: not met once: {name}" for name in unmet]


def mutant_table(report: Report, out: Console) -> None:
    """A line for each mutant: what catches it in the model, and whether the differential test notices it in the interpreter."""
    out.print(
        "[bold]mutants[/]: mistakes in the text, each caught by a property in the smallest scope"
        " -- and, compiled into the interpreter, by the differential test or a controlled schedule"
    )
    compiled = report.implementation_mutants or []
    noticed = {row.name: row.controlled if row.differential is None else row.differential for row in compiled}
    words = {None: "-", True: "caught", False: "[red]not noticed[/]"}
    table = Table()
    longest = max((len(word) for row in report.mutants for word in row.label().split()), default=0)
    table.add_column("mutant", overflow="fold", min_width=min(longest, 22))
    table.add_column("breaks rule", no_wrap=True, min_width=max([len(row.rule) for row in report.mutants], default=0))
    table.add_column("caught by", no_wrap=True, max_width=16)
    table.add_column("in scope", overflow="fold", max_width=15)
    for name in ("steps", "interpreter"):
        table.add_column(name, overflow="fold")
    for row in report.mutants:
        caught = row.property or "[red]nothing[/]"
        scope = f"{row.scope} {row.memory}"
        table.add_row(row.label(), row.rule, caught, scope, str(row.steps or "-"), words[noticed.get(row.label())])
    out.print(table)


def _left_out(left_out: Mapping[str, str], out: Console) -> None:
    for section, why in left_out.items():
        out.print(f"[yellow]left out[/]: {section}: {escape(why)}")


def verdict_table(row: TargetRow, verdicts: Sequence[Verdict]) -> None:
    """`safepoint conform`: a line for each claim, what was left out, then why those that do not hold do not."""
    out = console()
    table = Table("claim", "verdict", "cases")
    for v in verdicts:
        table.add_row(v.claim.name, _verdict(v.verdict), f"{v.evidence.tried:,}" if v.evidence else "-")
    out.print(table)
    _left_out(row.left_out, out)
    for v in verdicts:
        if v.report:
            out.print(escape(v.report))


def _verdict(word: str) -> str:
    return {"holds": "[green]holds[/]", "refuted": "[red]refuted[/]", "no verdict": "[yellow]no verdict[/]"}.get(
        word, word
    )
