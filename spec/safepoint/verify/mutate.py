"""`safepoint mutate`: how many of all simple mistakes of the protocol's text do its properties catch?

One that none catches does the same as the right text, and the table of `equivalents` says why; or the properties are too weak.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from safepoint.model.mutation import Mutation
from safepoint.model.scopes import chosen
from safepoint.protocol.equivalents import EQUIVALENTS
from safepoint.protocol.policies import POLICIES
from safepoint.verify.mutation import (
    KILLED,
    REFUSED,
    SAME,
    SURVIVED,
    MutationRow,
    Place,
    all_broken,
    allow,
    hunt,
    key_of,
    subject,
)
from safepoint.verify.report import Progress, Quiet

SAMPLE = 40
"""`--quick` takes one mutation in this many."""

MOST = 1_000_000
"""States of a mutation that are explored in a scope of the small group."""

REORDERS = ("plain", "swap", "delete", "wait", "word")
"""The operators that change kinds, words or order of accesses: their mutations are explored with store buffers too."""

Rows = dict[int, MutationRow]
"""Number of a mutation among those of its policy, to what became of it."""


@dataclass
class Campaign:
    """`rows`: one a mutation.  `stale`: entries of the table of equivalents that fit no survivor.  `left_out`: what -> why."""

    rows: list[MutationRow] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def unexplained(self) -> list[MutationRow]:
        """The survivors without a reason."""
        return [row for row in self.rows if row.verdict == SURVIVED and not row.reason]

    @property
    def caught(self) -> int:
        return sum(row.verdict in (KILLED, REFUSED) for row in self.rows)

    @property
    def different(self) -> int:
        """How many are not known to do the same as the right text."""
        return self.caught + len(self.unexplained)

    def as_json(self) -> dict[str, Any]:
        return {"mutations": [asdict(row) for row in self.rows], "stale": self.stale, "left_out": self.left_out}


def run(
    policies: Sequence[str],
    *,
    quick: bool = False,
    at: str = "",
    by_property: bool = False,
    progress: Progress | None = None,
) -> Campaign:
    """Every simple mutation of these policies' texts.

    `quick`: a fixed sample, in the smallest scopes.  `at`: only those of FILE:LINE, or of a procedure.  `by_property`: also find all properties that
    each mutation breaks in the scope that kills it.  Raises ProtocolError, NotExplored.
    """
    campaign, progress, began = Campaign(), progress or Quiet(), time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for policy in policies:
            numbers = [n for n, each in enumerate(subject(policy)[1]) if _is_wanted(each, quick, at)]
            hunt_ = _Hunt(policy, pool, progress)
            rows = hunt_.all(numbers, quick)
            campaign.rows += (hunt_.by_property(rows) if by_property else rows).values()
    if quick:
        campaign.left_out["mutations"] = (
            f"one of {SAMPLE} was taken, by a hash of its text; and what changes a graph of the small scopes only was not looked at"
        )
    if not quick and not at and set(policies) == set(POLICIES):
        campaign.stale = stale(campaign.rows)
    campaign.seconds = time.perf_counter() - began
    return campaign


def _is_wanted(mutation: Mutation, quick: bool, at: str) -> bool:
    place = f"{mutation.change.file}:{mutation.line}"
    return at in ("", place, mutation.change.procedure) and not (
        quick and zlib.crc32(str(mutation.change).encode()) % SAMPLE
    )


def stale(rows: Iterable[MutationRow]) -> list[str]:
    """The entries of the table that fit none of these survivors."""
    fits = {(row.reason, key_of(row)) for row in rows if row.verdict == SURVIVED}
    return [
        f"{': '.join(key)}  ({entry.reason})"
        for entry in EQUIVALENTS
        for key in entry.mutations()
        if (entry.reason, key) not in fits
    ]


@dataclass(frozen=True)
class _Hunt:
    """The campaign against one policy: the tiny scopes; store buffers; then, of what is left, the small scopes.

    A survivor with a reason is explored as far as any other: the reason may be wrong.
    """

    policy: str
    pool: Executor
    progress: Progress

    def all(self, numbers: Sequence[int], quick: bool) -> Rows:
        rows = self._round("tiny", numbers, self._places("sc", "tiny"))
        self._again(
            rows,
            "tso",
            lambda row: row.verdict == SURVIVED and row.operator in REORDERS and not (quick and row.reason),
            lambda: self._places("tso", "tiny"),
        )
        self._again(
            rows,
            "small",
            lambda row: row.verdict in (SAME, SURVIVED) if not quick else row.verdict == SURVIVED and not row.reason,
            self._small,
        )
        return rows

    def _small(self) -> list[Place]:
        """The scopes of the small group, those first that should have the fewest states."""
        scopes = [s for s in chosen("small", slices=POLICIES[self.policy].slices) if s.group == "small"]
        order = sorted(scopes, key=lambda s: (s.threads, len(s.roles), len(s.slices)))
        return [Place("sc", scope.name, MOST) for scope in order]

    def by_property(self, rows: Rows) -> Rows:
        """The same rows, with all that is broken where a mutation is killed."""
        killed = {n: row for n, row in rows.items() if row.verdict == KILLED}
        jobs = [(self.policy, n, row.memory, row.scope) for n, row in killed.items()]
        made = dict(rows)
        with self.progress.section(f"{self.policy}: by property", len(jobs)) as done:
            for (n, row), broken in zip(killed.items(), self.pool.map(all_broken, jobs), strict=True):
                made[n] = replace(row, broken=broken)
                done(f"{row.file}:{row.line} {row.operator}")
        return made

    def _again(
        self, rows: Rows, name: str, wanted: Callable[[MutationRow], bool], places: Callable[[], list[Place]]
    ) -> None:
        """Explore those that are wanted in further places."""
        numbers = [n for n, row in rows.items() if wanted(row)]
        if not numbers:
            return
        for n, now in self._round(name, numbers, places()).items():
            before = rows[n]
            rows[n] = replace(
                before if now.verdict == SAME else now,
                explored=before.explored + now.explored,
                cut_off=before.cut_off + now.cut_off,
                seconds=round(before.seconds + now.seconds, 3),
            )

    def _round(self, name: str, numbers: Sequence[int], places: Sequence[Place]) -> Rows:
        rows: Rows = {}
        jobs = [(self.policy, n, tuple(places)) for n in numbers]
        with self.progress.section(f"{self.policy}: {name}", len(jobs)) as done:
            for number, row in zip(numbers, self.pool.map(hunt, jobs), strict=True):
                rows[number] = row
                done(f"{row.file}:{row.line} {row.operator}")
        return rows

    def _places(self, memory: str, group: str) -> list[Place]:
        """The scopes of a group, those first in which the right text has the fewest states."""
        scopes = [scope.name for scope in chosen(group, slices=POLICIES[self.policy].slices)]
        places: list[Place] = []
        with self.progress.section(f"{self.policy}: right", len(scopes)) as done:
            for place in self.pool.map(allow, [(self.policy, memory, scope) for scope in scopes]):
                places.append(place)
                done(str(place))
        return sorted(places, key=lambda p: p.most)
