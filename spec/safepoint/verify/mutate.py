"""`safepoint mutate`: how many of all simple mistakes of the protocol's text do its properties catch?

One that none catches does the same as the right text, and the table of `equivalents` says why; or the properties are too weak.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from safepoint.graph.gather import text_of
from safepoint.model.mutation import Mutation
from safepoint.model.scopes import LESS, chosen
from safepoint.protocol import TRIGGERS
from safepoint.protocol.equivalents import EQUIVALENTS, reason
from safepoint.protocol.equivalents.entry import Key
from safepoint.protocol.policies import FIRST, POLICIES
from safepoint.protocol.policy import Policy
from safepoint.verify.kept import NotUsable, of_any_version
from safepoint.verify.mutation import (
    KILLED,
    SAME,
    SURVIVED,
    Job,
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
"""The operators that change kinds, words or order of accesses: their mutations are explored with store buffers too, and so are those
that say whether there is a fence."""

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
    def killed(self) -> int:
        return sum(row.verdict == KILLED for row in self.rows)

    @property
    def different(self) -> int:
        """How many are texts of the language, and not known to do the same as the right one."""
        return self.killed + len(self.unexplained)

    def as_json(self) -> dict[str, Any]:
        return {"mutations": [asdict(row) for row in self.rows], "stale": self.stale, "left_out": self.left_out}


def run(
    policies: Sequence[Policy],
    pool: Executor,
    *,
    quick: bool = False,
    thorough: bool = False,
    at: str = "",
    by_property: bool = False,
    first: Mapping[tuple[str, Key], str] | None = None,
    progress: Progress | None = None,
) -> Campaign:
    """Every simple mutation of these policies' texts, by the workers of `pool`.

    `quick`: a fixed sample, in the smallest scopes.  `thorough`: a survivor that has a reason is explored as far as any other.  `at`: only
    those of FILE:LINE, or of a procedure.  `by_property`: also find all properties that each mutation breaks in the scope that
    kills it.  `first`: policy and mutation, to the memory model and scope where it is explored first.  Raises ProtocolError, NotExplored.
    """
    campaign, progress, began = Campaign(), progress or Quiet(), time.perf_counter()
    for policy in policies:
        numbers = [n for n, each in enumerate(subject(policy)[1]) if _is_wanted(each, quick, at)]
        hunt_ = _Hunt(policy, pool, progress, quick, thorough, first or {})
        rows = hunt_.all(numbers)
        campaign.rows += (hunt_.by_property(rows) if by_property else rows).values()
    explained = sum(row.verdict == SURVIVED and bool(row.reason) for row in campaign.rows)
    if quick:
        campaign.left_out["mutations"] = (
            f"one of {SAMPLE} was taken, by a hash of its text; and what changes a graph of the small scopes only was not looked at"
        )
    if explained and not thorough:
        campaign.left_out["equivalent ones"] = (
            f"{explained} that have a reason were explored in the tiny scopes only (--thorough: in the small ones too)"
        )
    if not quick and not at and {policy.name for policy in policies} >= set(FIRST):
        campaign.stale = stale(campaign.rows)
    campaign.seconds = time.perf_counter() - began
    return campaign


def where_killed(folder: Path) -> dict[tuple[str, Key], str]:
    """Of what campaigns of any version have kept there: policy and mutation, to the memory model and scope that killed it.

    Raises NotUsable: nothing of the kind is there.
    """
    rows = [row for row in of_any_version(folder, hunt) if isinstance(row, MutationRow)]
    if not rows:
        raise NotUsable(f"{folder}: no mutations of a campaign (give a directory in which --keep has kept some)")
    return {(row.policy, key_of(row)): f"{row.memory} {row.scope}" for row in rows if row.verdict == KILLED}


def may_be_at(policy: Policy, at: str) -> bool:
    """Does the policy's text have the procedure, file or line that `run` takes as `at`?  If not, no mutation is there; none is made to find out."""
    procedures, (file, _, line) = text_of(policy).functions, at.partition(":")
    return at in procedures or any(
        each.file == file and (not line or line in map(str, range(each.node.lineno, (each.node.end_lineno or 0) + 1)))
        for each in procedures.values()
    )


def _is_wanted(mutation: Mutation, quick: bool, at: str) -> bool:
    place = f"{mutation.change.file}:{mutation.line}"
    return at in ("", place, mutation.change.procedure, mutation.change.file) and not (
        quick and zlib.crc32(str(mutation.change).encode()) % SAMPLE
    )


def _reorders(mutation: Mutation) -> bool:
    return mutation.change.operator in REORDERS or "membarrier" in mutation.change.before


def stale(rows: Iterable[MutationRow]) -> list[str]:
    """The entries of the table that fit none of these survivors, but those of policies, and of their triggers, that were not mutated."""
    made = list(rows)
    fits = {(row.reason, key_of(row)) for row in made if row.verdict == SURVIVED}
    policies = {row.policy for row in made}
    mutated = {TRIGGERS[POLICIES[p].trigger].name for p in policies if p in POLICIES}
    others = {path.name for path in TRIGGERS.values()} - mutated
    return [
        f"{': '.join(key)}  ({entry.reason})"
        for entry in EQUIVALENTS
        if entry.file not in others and policies & {*(entry.policies or POLICIES)}
        for key in entry.mutations()
        if (entry.reason, key) not in fits
    ]


@dataclass(frozen=True)
class _Hunt:
    """The campaign against one policy: the tiny scopes, also with store buffers; then, of what is left, the small scopes."""

    policy: Policy
    pool: Executor
    progress: Progress
    quick: bool
    thorough: bool
    first: Mapping[tuple[str, Key], str]

    def all(self, numbers: Sequence[int]) -> Rows:
        if not numbers:
            return {}
        mutations = subject(self.policy)[1]
        reasons = {n: reason(key_of(mutations[n].change), self.policy.name) for n in numbers}
        tiny, buffers, small = self._places("sc"), self._places("tso"), self._small()
        jobs: list[Job] = []
        for n in numbers:
            places = (*tiny, *(buffers if _reorders(mutations[n]) else ()))
            where = self.first.get((self.policy.name, key_of(mutations[n].change)))
            first = [place for place in (*places, *small) if str(place) == where]
            skips = (*([SAME] if self.quick else ()), *([SURVIVED] if reasons[n] and not self.thorough else ()))
            jobs.append(Job(self.policy, n, (*first, *(p for p in places if p not in first)), small, skips))
        rows: Rows = {}
        with self.progress.section(self.policy.name, len(jobs)) as done:
            hunts = {self.pool.submit(hunt, job): job.number for job in jobs}
            for each in as_completed(hunts):
                number, row = hunts[each], each.result()
                rows[number] = replace(row, reason=reasons[number])
                done(f"{row.file}:{row.line} {row.operator}")
        return dict(sorted(rows.items()))

    def by_property(self, rows: Rows) -> Rows:
        """The same rows, with all that is broken where a mutation is killed."""
        killed = {n: row for n, row in rows.items() if row.verdict == KILLED}
        jobs = [(self.policy, n, row.memory, row.scope) for n, row in killed.items()]
        made = dict(rows)
        with self.progress.section(f"{self.policy.name}: by property", len(jobs)) as done:
            for (n, row), broken in zip(killed.items(), self.pool.map(all_broken, jobs), strict=True):
                made[n] = replace(row, broken=broken)
                done(f"{row.file}:{row.line} {row.operator}")
        return made

    def _places(self, memory: str) -> tuple[Place, ...]:
        """The tiny scopes, those first in which the right text has the fewest states."""
        scopes = [scope.name for scope in chosen("tiny", slices=self.policy.slices)]
        places: list[Place] = []
        with self.progress.section(f"{self.policy.name}: right, {memory}", len(scopes)) as done:
            for place in self.pool.map(allow, [(self.policy, memory, scope) for scope in scopes]):
                places.append(place)
                done(str(place))
        return tuple(sorted(places, key=lambda p: p.most))

    def _small(self) -> tuple[Place, ...]:
        """The scopes of the small group, and all of guest code that does less, those first that should have the fewest states."""
        further = [s for s in chosen("nightly", slices=self.policy.slices) if s.group != "tiny"]
        scopes = [s for s in further if s.group == "small" or LESS.keys() & {*s.slices}]
        order = sorted(scopes, key=lambda s: (s.threads, len(s.roles), len(s.slices)))
        return tuple(Place("sc", scope.name, MOST) for scope in order)
