"""`safepoint policies`: each policy's bound, proved in the model and observed in machine code, and what its checks cost.

Everything is found in this run.  Instructions are counted on the fast paths of the emitted code; times are ratios of two engines that run
the same program in turn.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from safepoint.conform.judge import UnknownTarget, find_target
from safepoint.conform.target import INTERRUPT, Observation
from safepoint.differential.compare import Tally, compare
from safepoint.differential.corpus import find
from safepoint.differential.costs import WITHOUT, Costed
from safepoint.differential.stepped import Stepped
from safepoint.graph.gather import text_of
from safepoint.model.engines import engine
from safepoint.model.memory.names import SC, TSO
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol import trigger_file
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import FURTHER, Bound, Policy, elsewhere, option
from safepoint.verify.explore import decide, place_of, too_weak
from safepoint.verify.report import Progress, Quiet
from safepoint.verify.rows import as_json
from safepoint.verify.workers import workers

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

    `proved`, `proved_tso`: the exact bounds in the model.  `too_weak`: where `declared` claims less than both.  `observed`: the largest distance of `interrupts` posts; None: there is no machine
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
    too_weak: tuple[str, ...] = ()

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


def rows(policies: Sequence[Policy], progress: Progress | None = None, rounds: int = ROUNDS) -> list[PolicyRow]:
    """One for each policy.  Errors: as `decide`."""
    with (progress or Quiet()).section("policies", 2 * len(policies)) as done:
        found = []
        for row in _looked_at(policies):
            done(f"{row.policy}: {row.proved}")
            found.append(row)
        target, _ = _target()
        for number, policy in enumerate(policies):  # in turn, and nothing beside: times are compared
            if target is not None and found[number].observed is not None:
                found[number] = _costed(found[number], policy, target, rounds)
            done(policy.name)
    return found


def _looked_at(policies: Sequence[Policy]) -> Iterator[PolicyRow]:
    """What was proved and observed of each: on all cores, if there are several policies."""
    if len(policies) == 1:
        yield _look_at(policies[0])
        return
    with workers() as pool:
        yield from pool.map(_look_at, policies)


def _look_at(policy: Policy) -> PolicyRow:
    row = _proved(policy)
    target, why = _target()
    if target is None or not target.has_checks_of(policy):
        return replace(row, without=why or f"handlers have no checks for trigger {row.trigger} yet")
    return _observed(row, policy, target)


def _target() -> tuple[Costed | None, str]:
    """The interpreter; or None, and why."""
    try:
        ours = find_target(FOLDED.name)
    except UnknownTarget as error:
        return None, str(error)
    return (ours, "") if isinstance(ours, Costed) else (None, "this interpreter has one policy")


def _proved(policy: Policy) -> PolicyRow:
    bounds, broken = {}, ""
    for memory in (SC, TSO):
        bound = Bound(0, 0, **dict.fromkeys((kind for kind, site in FURTHER.items() if site in policy.sites), 0))
        for scope in PROVED_IN:
            if set(SCOPES[scope].slices) <= set(policy.slices):
                decision = decide(Model(text_of(policy), SCOPES[scope], policy=policy, memory=memory), policy, engine())
                if decision.bound is None:
                    broken = f"{scope} {memory}: {decision.result.broken} (safepoint explore {option(policy.name)}--memory {memory} --scope {scope})"
                else:
                    bound = bound.worse(decision.bound)
        bounds[memory] = bound
    return PolicyRow(
        policy=policy.name, title=policy.title, sites=policy.sites, trigger=trigger_file(policy.trigger).stem, declared=policy.declared,
        proved=bounds[SC], proved_tso=bounds[TSO], broken=broken, too_weak=() if broken else too_weak(place_of(policy), policy.declared, bounds[SC].worse(bounds[TSO])),
    )  # fmt: skip


def _observed(row: PolicyRow, policy: Policy, target: Costed) -> PolicyRow:
    tally, under = Tally(), target.under(policy)
    for name in (*OBSERVED_IN, *([ALLOCATES] if "allocation" in row.sites else [])):
        guest = find(name)
        compare(under, guest.source, guest.name, guest.stack, tally, random.Random(1), seconds=0)
    if tally.mismatches:
        return replace(row, broken=f"{row.policy}: {tally.mismatches[0]}")
    declared = row.declared.of_kinds()
    for kind, source in ENDLESS.items():
        if declared[kind] is None:
            tally.saw({kind: _unseen(under, source).checks[kind]})
    return replace(row, observed=tally.worst, interrupts=tally.interrupts)


def _costed(row: PolicyRow, policy: Policy, target: Costed, rounds: int) -> PolicyRow:
    ratio = {name: _ratio(target, policy, source, rounds) for name, source in TIMED.items()}
    return replace(row, ratio=ratio, instructions=target.instructions(policy))


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


def _ratio(target: Costed, policy: Policy, source: str, rounds: int) -> float:
    """The median over rounds of CPU time under the policy to that without a protocol; each round runs both, the first in turn."""
    for engines in (policy, WITHOUT):
        target.seconds(engines, source)  # compiles, and warms the caches
    pairs = []
    for turn in range(rounds):
        order = (policy, WITHOUT) if turn % 2 else (WITHOUT, policy)
        took = {engines: target.seconds(engines, source) for engines in order}
        pairs.append(took[policy] / took[WITHOUT])
    return round(statistics.median(pairs), 2)
