"""The protocol text: explored under every policy and memory model, argued for any number of threads, and its mutants hunted."""

from __future__ import annotations

from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, replace
from functools import partial

from safepoint.graph.collector import seldom_collected
from safepoint.graph.text import Text
from safepoint.model.custom import read
from safepoint.model.engines import engine
from safepoint.model.memory.names import C11, MEMORIES, SC, TSO, is_weak, not_said
from safepoint.model.memory.targets import TARGETS
from safepoint.model.mutants import all_mutants, hunt
from safepoint.model.properties import SOMETIMES, Properties
from safepoint.model.scopes import LESS, SCOPES, chosen
from safepoint.model.system import Model
from safepoint.model.widths import fitting
from safepoint.proof.any_number import argument
from safepoint.protocol.policies import FIRST, FOLDED, PATCHED, POLICIES
from safepoint.protocol.policy import Policy
from safepoint.verify.explore import SELDOM, Decision, decide
from safepoint.verify.failures import NotInductive, Survivor, Unattained, Unmet, Unreached
from safepoint.verify.report import Progress, Report
from safepoint.verify.rows import AnyNumber, InductionRow, MutantRow, ScopeRow, mutant_label


@dataclass(frozen=True)
class ScopeFound:
    """One scope: its row, and the verdict if it is refuted; the places of the text that the scope has, and those that it
    reached; the names of the interesting states that it met.
    """

    row: ScopeRow
    refuted: Decision | None
    places: set[str]
    reached: set[str]
    interesting: set[str]


UNDER_C11 = ("interrupt-1", "stop-1", "handshake-1", "blocking-1", "limit-1", "births-1", "collect-1")
"""The tiny scopes of which each shows another of the orders that the text needs: the others take longer, and are left to `explore`."""
LONG = (("patched", "overwritten-by-a-store"),)
"""Policy and mutant that take too long for a quick run: half a minute."""
OF_TRIGGERS = ("interrupt-1", "stop-1", "blocking-1", "limit-1", "loops-1")
"""Of UNDER_C11, those that show an order of a trigger's own: enough for the policies that are not FIRST."""
IN_LOOPS = tuple(scope.name for scope in chosen("tiny", slices=PATCHED.slices) if LESS.keys() & {*scope.slices})
"""The tiny scopes of guest code that does less: of two threads, too."""
LARGE: dict[tuple[str, str], tuple[str, ...]] = {
    ("pypy", C11): ("handshake-1",),
    ("patched", SC): ("both-1",),
    ("patched", TSO): tuple(
        scope.name
        for scope in chosen("tiny", slices=PATCHED.slices)
        if scope.name not in (*IN_LOOPS, "interrupt-1", "stop-1", "blocking-1", "limit-1")
    ),
    ("patched", C11): ("interrupt-1", "stop-1", "blocking-1", "limit-1"),
}
"""Policy and memory model, to the tiny scopes that take too long for `verify`: of `patched` each of its words has more values, and a thread
looks at all threads.
"""
WITH_TWO = (("wasmtime", "interrupt-2"),)
"""Policy and small scope of those whose threads write each other's words, so that one thread does not decide for two."""
ON_MACHINES = ("interrupt-1", "stop-1", "blocking-1")
"""The same on each machine: seconds.  Of the scopes that take longer one machine's, whose compare-exchange is no barrier at all."""
ALSO = (("riscv64", "handshake-1"),)

WRONG_ON: dict[str, tuple[str, ...]] = {
    "reenter-acquire": ("power",),
    "claim-acquire": ("riscv64", "power"),
    "wake-release": ("power",),
}
"""Orders that C11 needs, each with its mutant, and the machines on which the text is wrong without it; on all others it holds.  Explored by
the tests.
"""


def plan() -> list[tuple[str, str, str]]:
    """(policy, memory, scope): every policy's tiny scopes under sequential consistency and under TSO, of FIRST the small ones too; some
    under C11, a few on machines.
    """
    return (
        [
            (policy.name, memory, scope.name)
            for policy in POLICIES.values()
            for memory in MEMORIES
            for scope in chosen("small" if memory == SC and policy.name in FIRST else "tiny", slices=policy.slices)
            if scope.name not in LARGE.get((policy.name, memory), ())
            and (memory != C11 or _is_quick_under_c11(policy.name, scope.name))
        ]
        + [(policy, SC, scope) for policy, scope in WITH_TWO]
        + [
            (FOLDED.name, memory, scope)
            for memory in TARGETS
            for scope in (*ON_MACHINES, *(scope for machine, scope in ALSO if machine == memory))
        ]
    )


def _is_quick_under_c11(policy: str, scope: str) -> bool:
    return scope in (UNDER_C11 if policy in FIRST else OF_TRIGGERS)


def not_in_small_scopes() -> str:
    """The policies that are explored in the tiny scopes only."""
    further = [policy for policy in POLICIES if policy not in FIRST]
    large = [f"{policy} {memory}: {', '.join(scopes)}" for (policy, memory), scopes in LARGE.items() if memory != C11]
    return (
        f"explored in the tiny scopes only: {', '.join(further)} (safepoint explore -p POLICY --scope small); of these not {'; '.join(large)}"
        " (safepoint explore -p POLICY --memory MEMORY --scope SCOPE)"
    )


def not_under_c11() -> str:
    """What C11 leaves out, and the tiny scopes that are not explored under it, by policy."""
    done = {(policy, scope) for policy, memory, scope in plan() if memory == C11}
    missing = {
        name: [s.name for s in chosen("tiny", slices=policy.slices) if (name, s.name) not in done]
        for name, policy in POLICIES.items()
    }
    scopes = "; ".join(f"{name}: {', '.join(names)}" for name, names in missing.items())
    return f"{not_said(C11)}; not explored: what is larger than the tiny scopes, and of these {scopes}"


def not_on_machines() -> str:
    """What the rows of machines leave out; and where C11, which is the same for all of them, asks for more than one needs."""
    also = "".join(f", and {scope} on {machine}" for machine, scope in ALSO)
    wrong = ", ".join(f"{mutant} on {' and '.join(where)}" for mutant, where in WRONG_ON.items())
    return (
        f"{not_said('power')}; explored: {', '.join(ON_MACHINES)}{also}, of policy {FOLDED.name}. C11 asks for more than some machines need: of the orders"
        f" that are wrong under c11, these are wrong on a machine: {wrong}; on every other the text holds with them"
    )


@seldom_collected(SELDOM)
def explore_scope(job: tuple[str, str, str]) -> ScopeFound:
    """One job of `plan`."""
    policy, memory, scope = POLICIES[job[0]], job[1], SCOPES[job[2]]
    found = fitting(
        partial(Model, read(None, policy), scope, "", policy, memory), partial(decide, policy=policy, search=engine())
    )
    model = found.result.model
    places, missing = model.places()
    met = {name for name, holds in Properties(model).sometimes().items() if any(map(holds, found.result.reached))}
    return ScopeFound(found.row(), found.without_states() if found.refuted else None, places, places - missing, met)


def protocol(report: Report, pool: Executor, progress: Progress) -> None:
    """Explore every scope of `plan`; nothing in the text may be left unreached, and every declared bound is attained."""
    jobs = plan()
    with progress.section("protocol", len(jobs)) as done:
        # what takes longest first, so that no core waits for one at the end
        longest = sorted(jobs, key=lambda job: (-SCOPES[job[2]].threads, not is_weak(job[1])))
        asked = {job: pool.submit(explore_scope, job) for job in longest}
        for answer in as_completed(asked.values()):
            row = answer.result().row
            done(f"{row.policy} {row.memory} {row.scope}: {row.states:,} states")
        found = [asked[job].result() for job in jobs]
    report.protocol = [each.row for each in found]
    report.left_out["policies"] = not_in_small_scopes()
    report.left_out["c11"] = not_under_c11()
    report.left_out["machines"] = not_on_machines()
    report.failures += [each.refuted for each in found if each.refuted]
    for name in POLICIES:
        ours = [each for each in found if each.row.policy == name]
        places = must_reach(POLICIES[name], set[str]().union(*(each.places for each in ours)))
        reached = set[str]().union(*(each.reached for each in ours))
        report.failures += [Unreached(name, place) for place in sorted(places - reached)]
    met = set[str]().union(*(each.interesting for each in found))
    report.failures += [Unmet(name) for name in SOMETIMES if name not in met]
    for policy in POLICIES.values():
        if policy.declared not in [row.bound for row in report.protocol if row.policy == policy.name]:
            report.failures.append(Unattained(policy.name, policy.declared))


def must_reach(policy: Policy, places: set[str]) -> set[str]:
    """Of all places of its scopes, those that a policy must come by: all of them; or, if its VM terminates no thread or checks at no push, those
    of its trigger.

    What of the core only a TERMINATE comes by, or a push that sees a request, the other policies reach.
    """
    own = f"{policy.trigger}.py:"
    return (
        places
        if "unwinding" in policy.slices and "push" in policy.sites
        else {place for place in places if place.startswith(own)}
    )


@seldom_collected(SELDOM)
def argue(job: tuple[str, str]) -> AnyNumber:
    """Does one thread decide this policy and scope for every number of threads?  The same under sequential consistency and TSO."""
    policy = POLICIES[job[0]]
    found = argument(Model(read(None, policy), SCOPES[job[1]], policy=policy))
    return AnyNumber(holds=found.holds, argument="footprints", reasons=tuple(found.reasons))


def in_any_number(report: Report, pool: Executor, progress: Progress) -> None:
    """What of all this holds for every number of threads, and by which argument."""
    argued = [row for row in report.protocol if not is_weak(row.memory)]  # footprints say nothing of stale stores
    jobs = list(dict.fromkeys((row.policy or "", row.scope) for row in argued))
    found: dict[tuple[str, str], AnyNumber] = {}
    with progress.section("any number of threads", len(jobs) + 1) as done:
        proved = pool.submit(prove)
        for job, holds in zip(jobs, pool.map(argue, jobs), strict=True):
            found[job] = holds
            done(f"{job[0]} {job[1]}")
        report.induction, why_not = proved.result()
        done("induction")
    report.protocol = [
        row if is_weak(row.memory) else replace(row, any_number=found[row.policy or "", row.scope])
        for row in report.protocol
    ]
    if why_not:
        report.left_out["induction"] = why_not
    elif report.induction and not report.induction.holds:
        report.failures.append(NotInductive(report.induction.counterexample))


def prove() -> tuple[InductionRow | None, str]:
    """The induction, or why there is none."""
    from safepoint.proof.induction import NoProof, induction  # noqa: PLC0415  # z3 takes long to import, and only one process needs it

    try:
        found = induction(Text())
    except NoProof as error:
        return None, str(error)
    row = InductionRow(
        holds=found.holds,
        steps=found.steps,
        vacuous=tuple(found.vacuous),
        counterexample=found.counterexample,
        covers=found.covers,
        seconds=round(found.seconds, 2),
    )
    return row, ""


@seldom_collected(SELDOM)
def hunt_mutant(job: tuple[str, str]) -> MutantRow:
    """(policy, mutant): the smallest scope in which a property catches it."""
    policy, name = job
    found = hunt(read(None, POLICIES[policy]), name, POLICIES[policy])
    broken = found.result.broken if found.result else None
    return MutantRow(
        name=name,
        rule=found.mutant.rule,
        property=broken,
        caught=bool(broken),
        steps=found.steps,
        memory=found.memory,
        scope=found.scope,
        policy=policy,
    )


def mutants(report: Report, pool: Executor, progress: Progress, *, quick: bool) -> None:
    """Hunt every mutant of the text, those of each trigger under a policy that has it; a quick run leaves out those of LONG."""
    jobs = [(policy.name, mutant.name) for policy, mutant in all_mutants()]
    if quick:
        jobs = [job for job in jobs if job not in LONG]
        report.left_out["long hunts"] = (
            f"a quick run does not hunt {', '.join(mutant_label(*job) for job in LONG)} (safepoint verify --thorough)"
        )
    with progress.section("mutants", len(jobs)) as done:
        for row in pool.map(hunt_mutant, jobs):
            report.mutants.append(row)
            if not row.caught:
                report.failures.append(Survivor(row))
            done(row.label())
