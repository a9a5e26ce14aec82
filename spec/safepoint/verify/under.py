"""Threads under every other policy that the interpreter has machine code for: controlled schedules, campaigns, and mutants of each."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from safepoint.conform.target import NotOffered
from safepoint.differential.cases import cases_of, everything_for
from safepoint.differential.controlled import Case, find_controlled
from safepoint.differential.cores import CoresRun, find_on_cores
from safepoint.differential.follow import judge
from safepoint.differential.schedulers import Exhaustive, Pct, Scheduler
from safepoint.graph.gather import without_roles
from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.protocol.policies import FIRST, FOLDED, POLICIES
from safepoint.protocol.policy import COMPILED_BACK_EDGE, Policy
from safepoint.verify import cores
from safepoint.verify.controlled import DEPTH, DRAWN, PATIENCE, PREEMPTIONS, USUAL, run_case
from safepoint.verify.failures import WrongSchedule
from safepoint.verify.interpreter import OURS, SEED
from safepoint.verify.report import Progress, Report
from safepoint.verify.rows import UnderMutantRow, UnderRow
from safepoint.verify.workers import hearing_control_c

QUICK, FULL = (10, 10), (120, 60)
"""Schedules of a case: how many of the exhaustive ones at most, and how many by random priorities."""
QUICK_CASES = {
    **dict.fromkeys((*FIRST[1:], "yarv"), "calls|SAMPLE|INTERRUPT"),
    "ocaml": "lists|HANDSHAKE|SAMPLE",
}
"""What a quick run has of them, under one policy of each family, one that checks at returns, and one that checks at allocations: without
mutants, and without campaigns.
"""
REQUESTS, SECONDS = 20_000, 4.0
"""Of a campaign under a policy."""
LOSES = ("take-before-restore", "unlocked-take")
"""Mutants that lose requests on real cores: the first, where there are words to restore, and no check heals what is lost; else the second."""
RUNS = "does-not-wait"
"""The mutant that lets guest code run in a stopped world."""
CHECKS = (
    "checks-at-calls-only", "checks-at-loops-only", "checks-at-allocations-only", "compares-the-real-limit", "ticker-refilled",
    "budget-refilled",
)  # fmt: skip
"""Mutants of the checks, of which real cores show at once what they lose."""
COMPILED = ("code-first", "code-forgotten", "code-stays-overwritten")
"""Mutants of compiled code, which controlled schedules do not execute: where no jump is, they do what the text does."""
RACED = ("code-forgotten",)
"""Of these, what real cores show at once."""
COUNTED = (
    "requests", "lost", "coalesced", "duplicated", "beyond_bound", "moved", "overrun", "stuck", "later", "worst", "slack", "stops",
    "handshakes", "births",
)  # fmt: skip
"""What of a campaign its row says."""


def policies() -> Sequence[str]:
    """The names of those under which the interpreter's threads can be controlled, but folded.  UnknownTarget."""
    return [name for name in POLICIES if name != FOLDED.name and not find_controlled(OURS).why_not(name)]


def own_mutants(policy: Policy) -> list[str]:
    """The mutants of a mechanism's own file, as the interpreter can be built with them for controlled schedules."""
    names = [name for name in _of_its_file(policy) if name not in COMPILED]
    return [name for name in names if find_controlled(OURS).compiles(name, policy.name)]


def _of_its_file(policy: Policy) -> list[str]:
    file, text = f"{policy.trigger}.py", without_roles(policy.trigger)
    return [name for name, mutant in text.mutants.items() if any(place[0] == file for place in mutant.places)]


def seeded(policy: Policy) -> list[str]:
    """The mutants that a campaign under the policy must catch."""
    restores = compile_graph(without_roles(policy.trigger), "restore", Instance(threads=None)).steps
    heals = "pending-is-poisoned" in policy.waives  # a poison that is lost is no lost request there
    losing = LOSES[0] if restores and not heals else LOSES[1]
    compiled = [name for name in RACED if name in _of_its_file(policy)]
    return [losing, RUNS, *(name for name in own_mutants(policy) if name in CHECKS), *compiled]


# -- controlled schedules


def cases_under(policy: str) -> list[Case]:
    """The cases that its text is written for, and that the interpreter can run: not late, if it cannot make each access itself."""
    late = find_controlled(OURS).can_be_late(policy)
    return [made for made in cases_of(POLICIES[policy]) if late or not made.late]


def schedules_under(report: Report, pool: Executor, progress: Progress, *, quick: bool) -> None:
    """Every case that a policy's text is written for; and its mechanism's mutants."""
    names = [name for name in policies() if not quick or name in QUICK_CASES]
    most, drawn = QUICK if quick else FULL
    with progress.section("schedules under policies", len(names)) as done:
        for name in names:
            whole = cases_under(name)
            cases = [made for made in whole if made.name.partition("@")[0] == QUICK_CASES[name]] if quick else whole
            tallies = list(pool.map(run_case, cases, [most] * len(cases), [drawn] * len(cases)))
            bad = [tally.wrong for tally in tallies if tally.wrong]
            report.failures += [WrongSchedule(each.by, each.what, each.string) for each in bad]
            mutants = [] if quick else own_mutants(POLICIES[name])
            everything = len(everything_for(POLICIES[name]))
            row = UnderRow(
                policy=name,
                bound=POLICIES[name].declared,
                cases=len(cases),
                all_cases=everything,
                schedules=sum(tally.schedules for tally in tallies),
                exhausted=sum(tally.finished for tally in tallies),
                wrong=len(bad),
                mutants=tuple(pool.map(caught_under, [name] * len(mutants), mutants)),
            )
            report.under.append(row)
            done(f"{name}: {row.schedules:,} schedules")
            if not quick and (why := "; ".join(_not_scheduled(name, everything, whole))):
                report.left_out[f"schedules under {name}"] = why
    for name in POLICIES:
        if why := find_controlled(OURS).why_not(name):
            report.left_out[f"threads under {name}"] = why
    if quick:
        report.left_out["threads under other policies"] = (
            f"a quick run has one case under {', '.join(names)}, no mutant, no campaign, and nothing of"
            f" {', '.join(name for name in policies() if name not in names)}"
        )


def _not_scheduled(policy: str, everything: int, cases: list[Case]) -> Iterator[str]:
    """How many of all cases are left out, and why."""
    written = len(cases_of(POLICIES[policy]))
    if written < everything:
        yield f"{everything - written} of {everything} cases: its text is not written for what their programs, or requests, need"
    if len(cases) < written:
        yield f"{written - len(cases)} cases with late stores: the host cannot make its accesses"
    if COMPILED_BACK_EDGE in POLICIES[policy].sites:
        mine = {*own_mutants(POLICIES[policy]), *RACED}
        said = ", ".join(name for name in _of_its_file(POLICIES[policy]) if name not in mine)
        yield f"compiled code: no controlled schedule executes it, and of its mutants the model alone has {said}"


def caught_under(policy: str, mutant: str) -> UnderMutantRow:
    """In a worker: after how many controlled schedules is a mutant shown?"""
    count = 0
    with hearing_control_c():
        for made, scheduler in _search(policy):
            count += 1
            if wrong := judge(find_controlled(OURS).control(made, scheduler, mutant)):
                again = f"safepoint replay --mutant {mutant} '{wrong.string}'"
                return UnderMutantRow(name=mutant, schedules=count, shown=wrong.by, again=again)
    return UnderMutantRow(name=mutant, missed=("controlled schedules",))


def _search(policy: str) -> Iterator[tuple[Case, Scheduler]]:
    """Every case by random priorities; then with one preemption."""
    cases = cases_under(policy)
    for made in cases:
        rng = random.Random(f"{SEED} {made.name}")
        yield from ((made, Pct(rng, USUAL, DEPTH)) for _ in range(DRAWN))
    for made in cases:
        yield from ((made, scheduler) for scheduler in Exhaustive(PREEMPTIONS, PATIENCE))


# -- real cores


def races_under(report: Report, pool: Executor, progress: Progress) -> None:
    """A campaign under each policy of `report.under`, and its mutants, one after the other, because each needs both cores."""
    rows, report.under = report.under, []
    with progress.section("real cores under policies", len(rows)) as done:
        for row in rows:
            report.under.append(_raced(report, row, pool))
            done(row.policy)


def _raced(report: Report, row: UnderRow, pool: Executor) -> UnderRow:
    """The row, with what its campaign has counted."""
    name = row.policy
    try:
        run = pool.submit(cores.race, REQUESTS, SECONDS, SEED, name).result()
    except NotOffered as missing:
        report.left_out[f"real cores under {name}"] = f"the interpreter does not offer {missing}"
        return row
    report.failures += cores.wrong(run, name)
    found = {each.name: each for each in row.mutants}
    for mutant in seeded(POLICIES[name]):
        tried = pool.submit(cores.race_mutant, mutant, SEED, name).result()
        known = found.get(mutant, UnderMutantRow(name=mutant))
        found[mutant] = (
            replace(known, raced=tried.requests)
            if tried.caught
            else replace(known, missed=(*known.missed, "real cores"))
        )
    not_raced = find_on_cores(OURS).not_raced(name)
    unmet = f"races not met once: {', '.join(run.unmet)}" * bool(run.unmet)
    if left := "; ".join(filter(None, (not_raced, unmet))):
        report.left_out[f"real cores under {name}"] = left
    return replace(
        row, mutants=tuple(found.values()), campaign=counted(run), unmet=tuple(run.unmet), not_raced=not_raced
    )


def counted(run: CoresRun) -> dict[str, int]:
    """What of a campaign a row says."""
    return {each: getattr(run, each) for each in COUNTED}
