"""`safepoint policies`: each policy's bound, proved in the model and observed in machine code, and what its checks cost.

Everything is found in this run.  Instructions are counted on the fast paths of the emitted code; times are ratios of two engines that run
the same program in turn.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from safepoint.conform.judge import UnknownTarget, find_target
from safepoint.conform.target import INTERRUPT, Observation
from safepoint.differential.compare import Tally, compare
from safepoint.differential.corpus import find
from safepoint.differential.costs import WITHOUT, Costed
from safepoint.differential.stepped import Stepped
from safepoint.graph.text import Text
from safepoint.model.engines import engine
from safepoint.model.memory.names import SC, TSO
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import FURTHER, Bound, Checks, Policy, at_most, elsewhere
from safepoint.verify.explore import decide
from safepoint.verify.report import Progress, Quiet
from safepoint.verify.rows import as_json

NL = "\n"
PROVED_IN = ("interrupt-1", "stop-1", "terminate-1", "interrupt-1-deep")
"""Scopes, explored under SC and TSO, whose bounds are a policy's."""
OBSERVED_IN = ("calls_only", "loops_only", "gcd")
"""Programs that are posted to before every step."""
ALLOCATES = "list_aliases"
"""One more, of policies that check at allocations."""
DEEP = 100_000
"""Frames on the stack of the second of these."""
ENDLESS = {
    "back_edges": "i = 0\nwhile i < 1000000:\n    i = i + 1\n",
    "frames": f"def f(n):\n    if n == 0:\n        raise ValueError\n    f(n - 1)\n\n{10 * f'try:{NL}    f({DEEP}){NL}except ValueError:{NL}    pass{NL}'}",
}
"""What executes a million checks of a kind, and none of another: for policies that check at none of them.

Frames: none of them returns, since it is the raise that pops them.
"""
ROUNDS = 7
"""Of each program on two engines, in turn; the ratio is the median of theirs."""
TIMED = {
    "calls": "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\n\nfib(25)\n",
    "loops": "def f(n):\n    i = 0\n    while i < n:\n        i = i + 1\n\nf(4000000)\n",
    "allocation": "def f(n):\n    for i in range(n):\n        x = [i]\n\nf(100000)\n",
}
"""Programs that are timed, by what they do most."""


@dataclass(frozen=True, kw_only=True)
class PolicyRow:
    """One policy.

    `proved`, `proved_tso`: the exact bounds in the model.  `observed`: the largest distance of `interrupts` posts; None: there is no machine
    code, for the reason `without`.  `instructions`: that the fast path of each kind of site has more than in an engine without a
    protocol.  `ratio`: CPU time to that engine's.  `broken`: a scope that is refuted, or a run in which the machines differ.
    """

    policy: str
    title: str
    sites: tuple[str, ...]
    trigger: str
    declared: Bound
    proved: Bound
    proved_tso: Bound
    observed: Bound | None = None
    interrupts: int = 0
    instructions: Mapping[str, int] = field(default_factory=dict)
    ratio: Mapping[str, float] = field(default_factory=dict)
    without: str = ""
    broken: str = ""

    def as_json(self) -> dict[str, Any]:
        return as_json(self)

    @property
    def elsewhere(self) -> str:
        """As `Policy.elsewhere`."""
        return elsewhere(self.sites)

    @property
    def wrong(self) -> str:
        """What refutes it: what is broken, a bound that is worse than declared, a distance greater than the bound; "": nothing."""
        if self.broken:
            return self.broken
        for memory, proved in (("SC", self.proved), ("TSO", self.proved_tso)):
            if not proved.within(self.declared):
                return f"the bound under {memory} is {proved}, and {self.policy} declares {self.declared}"
        if self.observed is not None and not self.observed.within(self.proved):
            return f"observed: {self.observed}; proved: {self.proved}"
        return ""


def rows(names: Sequence[str], progress: Progress | None = None, rounds: int = ROUNDS) -> list[PolicyRow]:
    """One for each policy named.  Errors: as `decide`."""
    found = []
    target: Costed | None
    try:
        ours = find_target(FOLDED.name)
        target, why = (ours, "") if isinstance(ours, Costed) else (None, "this interpreter has one policy")
    except UnknownTarget as error:
        target, why = None, str(error)
    with (progress or Quiet()).section("policies", 2 * len(names)) as done:
        for name in names:
            row = _proved(POLICIES[name])
            done(f"{name}: {row.proved}")
            if target is None or name not in target.policies():
                row = _without(row, why or f"handlers have no checks for trigger {row.trigger} yet")
            else:
                row = _observed(row, target, rounds)
            done(name)
            found.append(row)
    return found


def _proved(policy: Policy) -> PolicyRow:
    bounds, broken = {}, ""
    for memory in (SC, TSO):
        bound = Bound(0, 0, **dict.fromkeys((kind for kind, site in FURTHER.items() if site in policy.sites), 0))
        for scope in PROVED_IN:
            if set(SCOPES[scope].slices) <= set(policy.slices):
                decision = decide(Model(Text(), SCOPES[scope], policy=policy, memory=memory), policy, engine())
                if decision.bound is None:
                    broken = f"{scope} {memory}: {decision.result.broken} (safepoint explore -p {policy.name} --memory {memory} --scope {scope})"
                else:
                    bound = worse(bound, decision.bound)
        bounds[memory] = bound
    return PolicyRow(
        policy=policy.name, title=policy.title, sites=policy.sites, trigger=policy.trigger, declared=policy.declared,
        proved=bounds[SC], proved_tso=bounds[TSO], broken=broken,
    )  # fmt: skip


def _without(row: PolicyRow, why: str) -> PolicyRow:
    return replace(row, without=why)


def _observed(row: PolicyRow, target: Costed, rounds: int) -> PolicyRow:
    tally, under = Tally(), target.under(row.policy)
    for name in (*OBSERVED_IN, *([ALLOCATES] if "allocation" in row.sites else [])):
        guest = find(name)
        compare(under, guest.source, guest.name, guest.stack, tally, random.Random(1), seconds=0)
    if tally.mismatches:
        return replace(row, broken=f"{row.policy}: {tally.mismatches[0]}")
    declared = row.declared.of_kinds()
    for kind, source in ENDLESS.items():
        if declared[kind] is None:
            tally.saw({kind: _unseen(under, source).checks[kind]})
    ratio = {name: _ratio(target, row.policy, source, rounds) for name, source in TIMED.items()}
    added = target.instructions(row.policy)
    return replace(row, observed=tally.worst, interrupts=tally.interrupts, ratio=ratio, instructions=added)


def _unseen(target: Stepped, source: str) -> Observation:
    """The end of a program that is posted to as it begins, and sees nothing."""
    target.load(source, "endless", stack=16 * DEEP)
    target.start()
    target.post(INTERRUPT)
    target.run()
    seen = target.observe()
    assert seen.ended, "the program has an end"
    assert not seen.seen, "a program without a check has seen a request"
    return seen


def _ratio(target: Costed, policy: str, source: str, rounds: int) -> float:
    """The median over rounds of CPU time under the policy to that without a protocol; each round runs both, the first in turn."""
    for engines in (policy, WITHOUT):
        target.seconds(engines, source)  # compiles, and warms the caches
    pairs = []
    for turn in range(rounds):
        order = (policy, WITHOUT) if turn % 2 else (WITHOUT, policy)
        took = {name: target.seconds(name, source) for name in order}
        pairs.append(took[policy] / took[WITHOUT])
    return round(statistics.median(pairs), 2)


def worse(one: Bound, other: Bound) -> Bound:
    """The greater of each kind."""

    def greater(a: Checks, b: Checks) -> Checks:
        return a if at_most(b, a) else b

    more = other.of_kinds()
    return Bound(**{kind: greater(n, more[kind]) for kind, n in one.of_kinds().items()})
