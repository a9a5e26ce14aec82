"""What `safepoint orders` found: a line for each access; then what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.markup import escape
from rich.table import Table

from safepoint.graph.orders import RELAXED
from safepoint.model.memory.names import not_said
from safepoint.protocol.policy import option
from safepoint.show.tables import console
from safepoint.verify.orders import Least, OrderRow


def orders_table(found: Least) -> None:
    """The weakest order of each access, and what breaks one step below."""
    out = console()
    table = Table("access", "in the text", "alone", "together", "one step weaker breaks")
    for row in found.rows:
        mark = " *" if row.unexplored else ""
        table.add_row(escape(row.access), row.order, row.alone + mark, row.together + mark, below(row))
    out.print(table)
    for line in summary(found):
        out.print(line, highlight=False, soft_wrap=True)


def below(row: OrderRow) -> str:
    """What the mutant one step below breaks, and where."""
    return f"{row.broken} ({row.scope}, {row.steps} steps)" if row.below else ""


def summary(found: Least) -> Iterator[str]:
    """How many may be weaker; where that was explored; what was not."""
    rows: Sequence[OrderRow] = found.rows
    weaker = sum(row.together != row.order for row in rows)
    relaxed = sum(row.together == RELAXED for row in rows)
    yield (
        f"policy {found.policy}, {found.memory}: of {len(rows)} accesses {weaker} may all be weaker at once than in the text, {relaxed} of them relaxed;"
        f" explored in {len(found.scopes)} scopes, in {found.seconds:.0f} s"
    )
    yield f"explored under {not_said(found.memory)}"
    if fewer := [scope for scope, memory in found.scopes.items() if memory != found.memory]:
        yield f"with one stale store of a word: {', '.join(fewer)}"
    if any(row.unexplored for row in rows):
        yield "*: as far as was explored: a scope that was left out has this access, and may ask for more"
    for what, why in found.left_out.items():
        yield f"left out: {what}: {escape(why)}"
    example = next((row for row in rows if row.below), None)
    if example is not None:
        yield f"one step weaker: safepoint explore {option(found.policy)}--memory {example.memory} --scope {example.scope} --mutant {example.below}"
