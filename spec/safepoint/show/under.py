"""Threads under other policies than folded, a line for each policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from safepoint.verify.report import Report
    from safepoint.verify.rows import UnderRow


def under_table(report: Report, out: Console) -> None:
    """Nothing if none was run."""
    if not report.under:
        return
    out.print(
        "[bold]threads under other policies[/]: controlled schedules, and a campaign on real cores, each with its mutants;"
        " expired: requests that only a ticker or a budget showed, when it was used up"
    )
    table = Table()
    for name in ("policy", "schedules", "cases", "wrong", "requests", "lost", "twice", "late", "expired", "mutants"):
        table.add_column(name, overflow="fold")
    for row in report.under:
        table.add_row(*cells(row))
    out.print(table)


def cells(row: UnderRow) -> tuple[str, ...]:
    """`late`: seen beyond the declared bound; "-": what was not run."""
    run = row.campaign
    raced = (
        tuple(f"{run[name]:,}" for name in ("requests", "lost", "duplicated", "beyond_bound", "later"))
        if run
        else ("-",) * 5
    )
    caught = sum(not mutant.missed for mutant in row.mutants)
    missed = [f"{mutant.name} ({', '.join(mutant.missed)})" for mutant in row.mutants if mutant.missed]
    mutants = f"{caught} of {len(row.mutants)}" + f", not {', '.join(missed)}" * bool(missed)
    return row.policy, f"{row.schedules:,}", f"{row.cases} of {row.all_cases}", str(row.wrong), *raced, mutants
