"""The tables of docs/concurrency.md that are measured: `python -m tests.concurrency.measured under`, or `mistakes`, prints one of them anew.

Each takes some minutes, on an idle machine.  What the differential test and controlled schedules say is the same each time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from safepoint.differential.mistakes import WAYS, Mistake, mistakes_of
from safepoint.protocol.policies import POLICIES
from safepoint.verify import cores
from safepoint.verify.interpreter import OURS, SEED
from safepoint.verify.mistakes import by_differential, by_schedules, on_cores
from safepoint.verify.under import REQUESTS, SECONDS, policies, seeded
from tests.concurrency.page import table


def under(names: list[str]) -> Iterator[tuple[str, ...]]:
    """A row for each policy: its campaign, and after how many requests each mutant that must be caught was."""
    for name in names or policies():
        run = cores.race(REQUESTS, SECONDS, SEED, name)
        tried = [cores.race_mutant(mutant, SEED, name) for mutant in seeded(POLICIES[name])]
        counts = (run.requests, run.lost, run.duplicated, run.beyond_bound, run.later, run.worst)
        yield (
            name,
            *(f"{count:,}" for count in counts),
            f"{len(run.races) - len(run.unmet)} of {len(run.races)}",
            ", ".join(f"`{each.name}` {after(caught=each.caught, count=each.requests)}" for each in tried),
        )


def mistakes(names: list[str]) -> Iterator[tuple[str, ...]]:
    """A row for each mistake of the interpreter: after how many each way of looking has caught it."""
    known = mistakes_of(OURS)
    for mistake in [known[name] for name in names] or known.values():
        yield (f"`{mistake.name}`", *(tried(mistake, way) for way in WAYS))


def tried(mistake: Mistake, way: str) -> str:
    if way == WAYS[0]:
        row = by_differential(mistake)
        return after(caught=bool(row.differential), count=row.requests or 0)
    if way == WAYS[1]:
        row = by_schedules(mistake)
        return after(caught=bool(row.controlled), count=row.schedules or 0)
    row = on_cores(mistake)
    return after(caught=bool(row.real_cores), count=row.raced or 0)


def after(*, caught: bool, count: int) -> str:
    return f"{count:,}" if caught else f"no ({count:,})"


ROWS = {"under": under, "mistakes": mistakes}
HEADS = {
    "under": (
        "policy", "requests", "lost", "twice", "late", "expired", "greatest distance", "races met",
        "mutants caught, after how many requests",
    ),
    "mistakes": ("mistake", "differential test: requests", "controlled schedules", "real cores: requests"),
}  # fmt: skip

if __name__ == "__main__":
    name, *chosen = sys.argv[1:] or ["none"]
    if name not in ROWS:
        sys.exit(f"no table {name!r}; there are: {', '.join(ROWS)} (then names of rows; without any, all)")
    print(table(*HEADS[name], rows=()), end="")
    for row in ROWS[name](chosen):
        print(f"| {' | '.join(row)} |", flush=True)
