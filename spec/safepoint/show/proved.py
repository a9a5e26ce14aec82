"""The policies as one run of `verify` has found them: what each checks, the bound proved under each memory model, what was not measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from safepoint.model.memory.names import MEMORIES, is_weak
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import Bound, Policy
from safepoint.show.failures import bound_text
from safepoint.verify.interpreter import OURS
from safepoint.verify.rows import ScopeRow

if TYPE_CHECKING:
    from safepoint.verify.report import Report

COUNTED = tuple(memory for memory in MEMORIES if not is_weak(memory))
"""The memory models under which a bound is counted."""
NOT_EXPLORED = "not explored"
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class PolicyLine:
    """One policy.  `proved`: a cell for each of COUNTED.  `others`: the other memory models, whose rows have no bound, with their verdict.

    `observed`: the largest distance in the interpreter.
    """

    policy: Policy
    proved: tuple[str, ...]
    others: str
    observed: str


def policy_lines(report: Report) -> Iterator[PolicyLine]:
    """One for each policy there is, whether it was explored or not."""
    found = report.differential
    for name, policy in POLICIES.items():
        rows = [row for row in report.protocol if row.policy == name]
        observed = f"{found.worst}, of {found.interrupts:,} posts" if found and name == OURS else NOT_MEASURED
        yield PolicyLine(policy, tuple(_proved(rows, memory) for memory in COUNTED), _others(rows), observed)


def _proved(rows: Sequence[ScopeRow], memory: str) -> str:
    """The worst of the scopes; if one has none, its verdict."""
    mine = [row for row in rows if row.memory == memory]
    if not mine:
        return NOT_EXPLORED
    if without := [row for row in mine if row.bound is None]:
        return f"{without[0].verdict}: {', '.join(row.scope for row in without)}"
    bounds = (row.bound for row in mine)
    return bound_text(reduce(Bound.worse, filter(None, bounds)))


def _others(rows: Sequence[ScopeRow]) -> str:
    """A verdict that is not that of all is said with its scope."""
    said = []
    for memory in dict.fromkeys(row.memory for row in rows if row.memory not in COUNTED):
        mine = [row for row in rows if row.memory == memory]
        wrong = [f"{row.verdict}: {row.scope}" for row in mine if row.verdict != "holds"]
        said.append(f"{memory}: {'; '.join(wrong) or 'holds'}")
    return ", ".join(said) or NOT_EXPLORED


def not_measured(lines: Sequence[PolicyLine]) -> str:
    """What the table does not have, and what finds it."""
    observed = ", ".join(line.policy.name for line in lines if line.observed == NOT_MEASURED)
    return (
        f"Not measured in this run: the distance observed in machine code of {observed}; of every policy the instructions that its checks add"
        " to the fast paths, and CPU time. safepoint policies finds them."
    )
