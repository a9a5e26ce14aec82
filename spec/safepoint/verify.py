"""The main job: hold the protocol, its mutants, the interpreter, and any other target to their claims, and say what came of it.

Each section gives a plain value for the JSON of the same name; None means that it was not tried, and `left_out` says why.
"""

from __future__ import annotations

import multiprocessing
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from safepoint.conform.corpus import Guest, corpus
from safepoint.conform.differential import EVERY_STEP, Tally, compare
from safepoint.conform.judge import UnknownTarget, as_json, find_target, judge
from safepoint.conform.stepped import Stepped
from safepoint.model.bounds import bound_of
from safepoint.model.engines import engine
from safepoint.model.eventually import in_the_end
from safepoint.model.mutants import hunt
from safepoint.model.path import TRAPS
from safepoint.model.properties import SOMETIMES, Properties
from safepoint.model.scopes import SCOPES, chosen, not_combined
from safepoint.model.system import Model
from safepoint.model.text import Text
from safepoint.policy import FOLDED, POLICIES
from safepoint.show import text as show

SEED = 20261122
"""Of the sampled steps; the same everywhere, so that a mismatch is found again."""
MEMORIES = ("sc", "tso")
SMALL, MIDDLING = 150, 400
"""A quick run looks into the middle of posts in programs of up to SMALL steps, and posts before every step of those of up to
MIDDLING, before a sample of longer ones."""

Row = dict[str, Any]


class Progress(Protocol):
    """Somebody who is told how far a section is."""

    def section(self, name: str, total: int) -> AbstractContextManager[Callable[[str], None]]: ...


class Quiet:
    """Tells nobody."""

    def section(self, name: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
        return nullcontext(lambda _: None)


@dataclass
class Report:
    """What was found.  `failures`: what refutes a claim, each with the command that replays it."""

    protocol: list[Row] = field(default_factory=list)
    mutants: list[Row] = field(default_factory=list)
    differential: Row | None = None
    concurrency: Row | None = None
    implementation_mutants: list[Row] | None = None
    targets: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> Row:
        return {
            "protocol": self.protocol,
            "mutants": self.mutants,
            "differential": self.differential,
            "concurrency": self.concurrency,
            "implementation_mutants": self.implementation_mutants,
            "targets": self.targets,
            "left_out": self.left_out,
        }


def run(*, quick: bool = True, targets: tuple[str, ...] = (), progress: Progress | None = None) -> Report:
    """Everything that is built, in the order in which a mistake would be cheapest to understand."""
    report, told = Report(), progress or Quiet()
    report.left_out["combinations"] = f"features that no scope has together: {', '.join(not_combined())}"
    report.left_out["concurrency"] = "not built yet: controlled schedules and real cores"
    # Not forked: the parent may have threads, and a child must not inherit machine code half built.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        _protocol(report, pool, told)
        _mutants(report, pool, told)
        try:
            find_target("folded")
        except UnknownTarget as error:
            for section in ("differential", "implementation_mutants"):
                report.left_out[section] = f"{error} -- the interpreter needs: pip install 'safepoint[vm]'"
        else:
            _differential(report, pool, told, quick)
            _implementation_mutants(report, pool, told)
            targets = ("folded", *targets)
        _targets(report, pool, targets, told)
    return report


# ---------------------------------------------------------------------------------------------- the protocol


@dataclass(frozen=True)
class Explored:
    """One scope: its row, what refutes it, the places of the text that it has and reached, the interesting states it met."""

    row: Row
    failure: str
    places: set[str]
    reached: set[str]
    interesting: set[str]


def plan() -> list[tuple[str, str, str]]:
    """(policy, memory, scope): every policy's tiny scopes under both memory models; for the interpreter's, the small ones too."""
    return [
        (policy.name, memory, scope.name)
        for policy in POLICIES.values()
        for memory in MEMORIES
        for scope in chosen("small" if (policy, memory) == (FOLDED, "sc") else "tiny", slices=policy.slices)
    ]


def explored(job: tuple[str, str, str]) -> Explored:
    policy, memory, scope = POLICIES[job[0]], job[1], SCOPES[job[2]]
    text = Text()
    model = Model(text, scope, policy=policy, memory=memory)
    properties = Properties(model)
    result = engine()(model, properties.judge)
    if not result.broken and isinstance(result.reached, dict) and result.states <= TRAPS:
        result = in_the_end(result)
    bound = None if result.broken else bound_of(model, result, policy)
    failure = show.counterexample(result, text) if result.broken else ""
    if bound and not bound.within(policy.declared):
        failure = f"{scope.name}: declared-bound: {policy.name} declares {policy.declared}, and has {bound}"
    places, missing = model.places()
    like = {name for name, holds in properties.sometimes().items() if any(map(holds, result.reached))}
    row = {"policy": policy.name, "memory": memory, "threads": scope.threads, "scope": scope.name, "states": result.states,
           "transitions": result.transitions, "depth": result.depth, "seconds": round(result.seconds, 2),
           "verdict": "refuted" if failure else "holds", "bound": bound.as_json() if bound else None}  # fmt: skip
    return Explored(row, failure, places, places - missing, like)


def _protocol(report: Report, pool: Executor, told: Progress) -> None:
    jobs = plan()
    found: list[Explored] = []
    with told.section("protocol", len(jobs)) as done:
        for each in pool.map(explored, jobs):
            found.append(each)
            done(f"{each.row['policy']} {each.row['memory']} {each.row['scope']}: {each.row['states']:,} states")
    report.protocol = [each.row for each in found]
    report.failures += [each.failure for each in found if each.failure]
    ours = [each for each in found if each.row["policy"] == FOLDED.name]
    places, reached = set[str]().union(*(e.places for e in ours)), set[str]().union(*(e.reached for e in ours))
    report.failures += [f"vacuous: never reached: {place}" for place in sorted(places - reached)]
    met = set[str]().union(*(e.interesting for e in found))
    report.failures += [
        f"vacuous: no state was like {name!r}: {SOMETIMES[name]}" for name in SOMETIMES if name not in met
    ]
    for policy in POLICIES.values():
        bounds = [row["bound"] for row in report.protocol if row["policy"] == policy.name]
        if policy.declared.as_json() not in bounds:
            report.failures.append(f"{policy.name} declares {policy.declared}, and no scope attains it")


def hunted(name: str) -> Row:
    found = hunt(Text(), name)
    broken = found.result.broken if found.result else None
    return {"name": name, "rule": found.mutant.rule, "property": broken, "caught": bool(broken), "steps": found.steps,
            "memory": found.memory, "scope": found.scope}  # fmt: skip


def _mutants(report: Report, pool: Executor, told: Progress) -> None:
    names = list(Text().mutants)
    with told.section("mutants", len(names)) as done:
        for row in pool.map(hunted, names):
            report.mutants.append(row)
            if not row["caught"]:
                report.failures.append(f"mutant {row['name']}: no property catches it (it breaks {row['rule']})")
            done(row["name"])


# ---------------------------------------------------------------------------------------------- the interpreter


@lru_cache
def interpreter(mutant: str = "") -> Stepped:
    """One engine a process, and one more for each mutant."""
    target = find_target("folded")
    target = target.mutated(mutant) if mutant else target
    assert isinstance(target, Stepped)
    return target


def compared(guest: Guest, quick: bool) -> Tally:
    """Quick: fewer steps of the longer programs, and second posts in the short ones only; `make test` does all."""
    tally = Tally()
    rng = random.Random(f"{SEED} {guest.name}")
    seconds, every = (SMALL, MIDDLING) if quick else (None, EVERY_STEP)
    compare(interpreter(), guest.source, guest.name, guest.stack, tally, rng, seconds=seconds, every=every)
    return tally


def _differential(report: Report, pool: Executor, told: Progress, quick: bool) -> None:
    guests = corpus()
    total = Tally()
    with told.section("differential", len(guests)) as done:
        for tally in pool.map(compared, guests, [quick] * len(guests)):
            total.add(tally)
            done(f"{total.interrupts:,} interrupts")
    report.differential = {"programs": total.programs, "interrupts": total.interrupts, "mismatches": len(total.mismatches),
                           "worst": total.worst.as_json()}  # fmt: skip
    report.failures += map(str, total.mismatches)
    if total.worst != FOLDED.declared:
        report.failures.append(
            f"differential: {FOLDED.name} declares {FOLDED.declared}, observed was at most {total.worst}"
        )


def shown(row: Row) -> Row:
    caught = next(mismatches(row["name"]), None) is not None if can_show(row) else None
    return {"name": row["name"], "rule": row["rule"], "differential": caught, "controlled": None, "real_cores": None}


def _implementation_mutants(report: Report, pool: Executor, told: Progress) -> None:
    """The mistakes that guest programs and the requests of the differential test can show."""
    rows: list[Row] = []
    with told.section("implementation mutants", len(report.mutants)) as done:
        for row in pool.map(shown, report.mutants):
            rows.append(row)
            if row["differential"] is False:
                report.failures.append(
                    f"mutant {row['name']}, compiled into the interpreter: the differential test does not notice it"
                )
            done(row["name"])
    report.implementation_mutants = rows
    if hidden := [row["name"] for row in rows if row["differential"] is None]:
        report.left_out["implementation_mutants"] = (
            f"no guest program can ask for what they need yet: {', '.join(hidden)}"
        )


def can_show(row: Row) -> bool:
    """Is the mutant caught in a world like the interpreter's: one coordinator, Control-C, no store buffers of ours, no slices?"""
    scope = SCOPES.get(row["scope"])
    return (
        scope is not None
        and row["memory"] == "sc"
        and not scope.slices
        and set(scope.roles) <= {"coordinator", "interrupter"}
    )


def mismatches(mutant: str) -> Iterator[str]:
    """How the interpreter, with a mutant of the text compiled in, differs from the reference machine: small programs first."""
    for guest in sorted(corpus(), key=lambda g: len(g.source)):
        tally = Tally()
        compare(interpreter(mutant), guest.source, guest.name, guest.stack, tally, random.Random(SEED), seconds=SMALL)
        yield from map(str, tally.mismatches)


def judged(name: str) -> tuple[Row, list[str]]:
    verdicts = judge(find_target(name), name)
    return as_json(name, verdicts), [v.report for v in verdicts if v.verdict == "refuted"]


def _targets(report: Report, pool: Executor, names: tuple[str, ...], told: Progress) -> None:
    with told.section("targets", len(names)) as done:
        for row, refuted in pool.map(judged, dict.fromkeys(names)):
            report.targets.append(row)
            report.failures += refuted
            done(row["name"])
