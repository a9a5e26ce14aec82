"""What `safepoint mutate` found: a line for each operator, then each mutation that no property catches, as a change of the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.markup import escape
from rich.table import Table

from safepoint.model.eventually import EVENTUALLY
from safepoint.model.operators import OPERATORS
from safepoint.model.properties import ALWAYS
from safepoint.protocol.policy import option
from safepoint.show.tables import console
from safepoint.verify.mutate import Campaign
from safepoint.verify.mutation import KILLED, REFUSED, SAME, SURVIVED, MutationRow

MOST = 3
"""Scopes that a line names."""


def campaign_table(campaign: Campaign) -> None:
    """All that the campaign found; what is wrong last, just above the prompt."""
    out = console()
    table = Table("operator", "made", "same graph", "refused", "killed", "equivalent", "survived", "what it does")
    for operator, what in OPERATORS.items():
        if rows := [row for row in campaign.rows if row.operator == operator]:
            table.add_row(operator, *counts(rows), what)
    table.add_section()
    table.add_row("all", *counts(campaign.rows))
    out.print(table)
    for section, why in campaign.left_out.items():
        out.print(f"[yellow]left out[/]: {section}: {escape(why)}")
    for line in survivors(campaign.unexplained):
        out.print(line, highlight=False)
    for entry in campaign.stale:
        out.print(
            f"\n[red]stale[/]: no mutation that survives is {escape(entry)} (delete it from protocol/equivalents)"
        )
    verdict = "[red]refuted[/]" if campaign.unexplained or campaign.stale else "[green]holds[/]"
    out.print(
        f"{verdict}: {campaign.killed:,} of {campaign.different:,} mutations that are not equivalent are killed"
        f" ({campaign.killed / max(1, campaign.different):.1%}), in {campaign.seconds:.0f} s"
    )


def property_table(campaign: Campaign) -> None:
    """For each property how many mutations break it where they are killed; and how many break nothing else, with one of them."""
    table = Table("property", "broken by", "it alone", "for example")
    for name in [*ALWAYS, *EVENTUALLY]:
        breaking = [row for row in campaign.rows if name in row.broken]
        alone = sorted((row for row in breaking if row.broken == (name,)), key=lambda row: row.steps)
        shown = (
            f"{alone[0].file}:{alone[0].line} {alone[0].before} -> {alone[0].after} ({alone[0].scope})" if alone else ""
        )
        table.add_row(name, str(len(breaking)), str(len(alone)), escape(shown))
    console().print(table)


def counts(rows: Sequence[MutationRow]) -> list[str]:
    """Made, same graph, refused, killed, equivalent, survived."""
    verdicts = [row.verdict for row in rows]
    explained = sum(bool(row.reason) for row in rows if row.verdict == SURVIVED)
    left = verdicts.count(SURVIVED) - explained
    numbers = [len(rows), verdicts.count(SAME), verdicts.count(REFUSED), verdicts.count(KILLED), explained]
    return [*(f"{n:,}" for n in numbers), f"[red]{left}[/]" if left else "0"]


def survivors(rows: Sequence[MutationRow]) -> Iterator[str]:
    """Each change once, whichever policies it is made in."""
    for change, of in _by_change(rows).items():
        first = of[0]
        yield ""
        yield f"[red]survives[/]: {first.file}:{first.line} {first.procedure}(), {first.operator} ({', '.join(r.policy for r in of)})"
        yield from (f"    - {escape(line)}" for line in change[3].split("; "))
        yield from (f"    + {escape(line)}" for line in change[4].split("; ") if line)
        yield f"    no property is broken where it changes a graph: {few(first.explored)}"
        if first.cut_off:
            yield f"    no verdict: too many states in {few(first.cut_off)}"
        yield f"    again: safepoint mutate {option(first.policy)}--at {first.file}:{first.line}"


def few(scopes: Sequence[str]) -> str:
    """The first of these scopes, and how many there are."""
    more = f" and {len(scopes) - MOST} more" if len(scopes) > MOST else ""
    return ", ".join(scopes[:MOST]) + more or "no scope"


def _by_change(rows: Sequence[MutationRow]) -> dict[tuple[str, str, str, str, str], list[MutationRow]]:
    found: dict[tuple[str, str, str, str, str], list[MutationRow]] = {}
    for row in rows:
        found.setdefault((row.file, row.procedure, row.operator, row.before, row.after), []).append(row)
    return found
