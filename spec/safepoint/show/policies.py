"""What `safepoint policies` found: a line for each policy; then what each does, and what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.markup import escape
from rich.table import Column, Table

from safepoint.protocol.policy import Bound, Checks
from safepoint.show.points import Costing
from safepoint.show.tables import console
from safepoint.verify.policies import OBSERVED_IN, PROVED_IN, ROUNDS, TIMED, PolicyRow

NOTES = """\
bound: frames / back-edges / elsewhere, executed from the post to the check that sees it; observed: in machine code, after a post before every step
added: instructions on the fast path of a frame push / a back-edge / elsewhere, more than without a protocol (dispatch is through a table anyway)
time: CPU time of calls / loops / allocation, as a ratio to the interpreter without a protocol\
""".splitlines()


def policies_table(rows: Sequence[PolicyRow]) -> None:
    """The policies side by side."""
    out = console()
    names = (Column(name, no_wrap=True) for name in ("policy", "trigger", "elsewhere"))
    table = Table(*names, "proved", "observed", "added", "time")
    for row in rows:
        table.add_row(escape(row.policy), escape(row.trigger), row.elsewhere or "-", proved(row), *measured(row))
    out.print(table)
    for line in summary(rows):
        out.print(line, highlight=False, soft_wrap=True, markup=False)


def proved(row: PolicyRow) -> str:
    """In one cell; both, if the memory models differ."""
    sc, tso = shown(row.proved), shown(row.proved_tso)
    return sc if sc == tso else f"{sc} (TSO: {tso})"


def shown(bound: Bound) -> str:
    """`1 / unbounded / 1`: frames, back-edges, and where the policy checks elsewhere that too."""
    return " / ".join(map(_number, bound.as_json().values()))


def measured(row: PolicyRow) -> tuple[str, str, str]:
    """The cells of what was found in machine code."""
    if row.observed is None:
        return "-", "-", "-"
    added = " / ".join(str(row.instructions[kind]) for kind in counted(row.elsewhere))
    time = " / ".join(f"{row.ratio[name]:.2f}" for name in TIMED)
    return shown(row.observed), added, time


def counted(elsewhere: str) -> tuple[str, ...]:
    """The kinds of sites whose added instructions are shown, in the order of a cell.  elsewhere: as `Policy.elsewhere`."""
    return ("frame_push", "back_edge", *([elsewhere] if elsewhere else []))


def costing(row: PolicyRow) -> Costing:
    """As it is drawn: with the worse of the two memory models' bounds."""
    added = {kind: row.instructions[kind] for kind in counted(row.elsewhere) if kind in row.instructions}
    bound = row.proved.worse(row.proved_tso)
    why = "a scope is refuted, or a run differs" if row.broken else row.without
    return Costing(row.policy, bound.as_json(), added, why)


def summary(rows: Sequence[PolicyRow]) -> Iterator[str]:
    """What the columns mean, and what each policy does."""
    yield from NOTES
    yield (
        f"proved in {', '.join(PROVED_IN)} (as far as a policy has what they need), under SC and TSO; observed in {', '.join(OBSERVED_IN)};"
        f" time: medians of {ROUNDS} rounds in turn"
    )
    if posts := [row.interrupts for row in rows if row.observed is not None]:
        most, fewest = max(posts), min(posts)
        yield f"posts: {fewest:,}{f' to {most:,}' if most != fewest else ''} under each"
    for row in rows:
        yield f"{row.policy}: {row.title}"
    for row in rows:
        if row.without:
            yield f"not observed: {row.policy}: {row.without}"


def _number(n: Checks) -> str:
    return "unbounded" if n is None else f"{n:,}" if isinstance(n, int) else n
