"""The main job: hold the protocol, its mutants, the interpreter, and any other target to their claims, and say what came of it.

Each section gives a plain value for the JSON of the same name; None means that it was not tried, and `left_out` says why.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from safepoint.conform.corpus import Guest, corpus
from safepoint.conform.differential import Tally, compare
from safepoint.conform.judge import UnknownTarget, as_json, find_target, judge
from safepoint.conform.stepped import Stepped
from safepoint.model.bounds import bound_of
from safepoint.model.explore import search
from safepoint.model.mutants import hunt
from safepoint.model.properties import SOMETIMES, Properties
from safepoint.model.scopes import SCOPES, chosen
from safepoint.model.system import Model
from safepoint.model.text import Text
from safepoint.policy import FOLDED
from safepoint.show import text as show

SEED = 20261122
"""Of the sampled steps; the same everywhere, so that a mismatch is found again."""
SMALL = 400
"""Programs of up to so many steps also get second posts in a quick run."""

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
    report, told, text = Report(), progress or Quiet(), Text()
    _protocol(report, text, told)
    _mutants(report, text, told)
    report.left_out["concurrency"] = "not built yet: controlled schedules and real cores"
    try:
        ours = find_target("folded")
    except UnknownTarget as error:
        for section in ("differential", "implementation_mutants"):
            report.left_out[section] = f"{error} -- the interpreter needs: pip install 'safepoint[vm]'"
    else:
        assert isinstance(ours, Stepped)
        guests = corpus()
        _differential(report, ours, guests, told, quick)
        _implementation_mutants(report, ours, text, guests, told)
        targets = ("folded", *targets)
    _targets(report, targets, told)
    return report


def _protocol(report: Report, text: Text, told: Progress) -> None:
    scopes = chosen("small")
    reached: set[str] = set()
    with told.section("protocol", len(scopes)) as done:
        for scope in scopes:
            model = Model(text, scope)
            properties = Properties(model)
            result = search(model, properties.judge)
            row: Row = {"policy": FOLDED.name, "memory": "sc", "threads": scope.threads, "scope": scope.name, "states": result.states,
                        "transitions": result.transitions, "seconds": round(result.seconds, 2), "verdict": result.verdict, "bound": None}  # fmt: skip
            if result.broken:
                report.failures.append(show.counterexample(result, text))
            else:
                bound = bound_of(model, result, FOLDED)
                row["bound"] = bound.as_json()
                if bound != FOLDED.declared:
                    row["verdict"] = "refuted"
                    report.failures.append(
                        f"{scope.name}: declared-bound: {FOLDED.name} declares {FOLDED.declared}, and has {bound}"
                    )
            report.protocol.append(row)
            reached |= {name for name, holds in properties.sometimes().items() if any(map(holds, result.reached))}
            done(f"{scope.name}: {result.states:,} states")
    _vacuity(report, text, reached)


def _vacuity(report: Report, text: Text, reached: set[str]) -> None:
    """Nothing may hold only because its place was never reached: the widest tiny scope comes by every step and branch."""
    widest = Model(text, SCOPES["both-1"])
    search(widest, lambda _: "")
    report.failures += [f"vacuous: never reached: {place}" for place in widest.unreached()]
    report.failures += [
        f"vacuous: no state was like {name!r}: {SOMETIMES[name]}" for name in SOMETIMES if name not in reached
    ]


def _mutants(report: Report, text: Text, told: Progress) -> None:
    with told.section("mutants", len(text.mutants)) as done:
        for name, mutant in text.mutants.items():
            hunted = hunt(text, name)
            broken = hunted.result.broken if hunted.result else ""
            report.mutants.append({"name": name, "rule": mutant.rule, "property": broken or None, "caught": bool(broken),
                                   "steps": hunted.steps, "memory": "sc"})  # fmt: skip
            if not broken:
                report.failures.append(f"mutant {name}: no property catches it (it breaks {mutant.rule})")
            done(name)


def _differential(report: Report, target: Stepped, guests: list[Guest], told: Progress, quick: bool) -> None:
    tally = Tally()
    with told.section("differential", len(guests)) as done:
        for guest in guests:
            rng = random.Random(f"{SEED} {guest.name}")
            compare(target, guest.source, guest.name, guest.stack, tally, rng, seconds=SMALL if quick else None)
            done(f"{tally.interrupts:,} interrupts")
    report.differential = {"programs": tally.programs, "interrupts": tally.interrupts, "mismatches": len(tally.mismatches),
                           "worst": tally.worst.as_json()}  # fmt: skip
    report.failures += map(str, tally.mismatches)
    if tally.worst != FOLDED.declared:
        report.failures.append(
            f"differential: the policy declares {FOLDED.declared}, observed was at most {tally.worst}"
        )


def _implementation_mutants(report: Report, target: Stepped, text: Text, guests: list[Guest], told: Progress) -> None:
    rows = report.implementation_mutants = []
    with told.section("implementation mutants", len(text.mutants)) as done:
        for name, mutant in text.mutants.items():
            caught = next(mismatches(target, name, guests), None)
            rows.append(
                {
                    "name": name,
                    "rule": mutant.rule,
                    "differential": caught is not None,
                    "controlled": None,
                    "real_cores": None,
                }
            )
            if caught is None:
                report.failures.append(
                    f"mutant {name}, compiled into {target.name}: the differential test does not notice it"
                )
            done(name)


def mismatches(target: Stepped, mutant: str, guests: list[Guest]) -> Iterator[str]:
    """How the target, with a mutant of the text compiled in, differs from the reference machine: the smallest programs first."""
    broken = target.mutated(mutant)
    assert isinstance(broken, Stepped)
    for guest in sorted(guests, key=lambda g: len(g.source)):
        tally = Tally()
        compare(broken, guest.source, guest.name, guest.stack, tally, random.Random(SEED), seconds=SMALL)
        yield from map(str, tally.mismatches)


def _targets(report: Report, names: tuple[str, ...], told: Progress) -> None:
    with told.section("targets", len(names)) as done:
        for name in dict.fromkeys(names):
            verdicts = judge(find_target(name), name)
            report.targets.append(as_json(name, verdicts))
            report.failures += [v.report for v in verdicts if v.verdict == "refuted"]
            done(name)
