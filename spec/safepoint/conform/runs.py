"""Runs of the judge's programs with requests posted at chosen steps, and how far each request went before it was seen.

A check counts from its first shared access on: while its slow path runs, the counters of `observe` include it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from safepoint.conform.programs import PROGRAMS, Program
from safepoint.conform.target import INTERRUPT, STOP, NotOffered, Observation, Seen, Target
from safepoint.protocol.policy import Bound

KINDS = (STOP, INTERRUPT)
STEPS = 1_000  # posts go before each of a program's first steps, up to so many
ENOUGH = 1_000_000  # steps that none of the programs needs
CHECKS = {"frames": ("frame push", "frame pushes"), "back_edges": ("back-edge", "back-edges")}


class Refuted(Exception):
    """The reason: what was posted where, what came of it, and what was claimed."""


@dataclass(frozen=True)
class Evidence:
    """`tried`: cases.  `worst`: the greatest distances observed.  `not_offered`: what the target could not be asked."""

    tried: int
    worst: Bound | None = None
    not_offered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One run of a program: what was posted, before which step, counted from 0; the thread then, and at its end."""

    program: Program
    posted: str
    step: int
    at: Observation
    end: Observation

    def refuted(self, seen: str, claimed: str) -> Refuted:
        return Refuted(describe(self.program, self.posted, self.step, seen, claimed))

    def seen(self, kind: str) -> list[Seen]:
        return [s for s in self.end.seen if s.kind == kind]


def describe(program: Program, posted: str, step: int, seen: str, claimed: str) -> str:
    where = f"before step {step}: {posted}" if posted else "nothing"
    return f"program   {program.name}\nposted    {where}\nseen      {seen}\nclaimed   {claimed}"


# ---------------------------------------------------------------------------------------------- running


def finish(target: Target, program: Program, posted: str, step: int) -> Observation:
    """Run on to the guest's end, but not for ever."""
    if target.step(ENOUGH):
        raise Refuted(describe(program, posted, step, f"the guest still runs after {ENOUGH:,} steps", "it ends"))
    return target.observe()


def undisturbed(target: Target, program: Program) -> Observation:
    target.load(program.source, program.name, program.stack)
    target.start()
    return finish(target, program, "", 0)


def each_step(target: Target, program: Program) -> Iterator[tuple[int, Observation]]:
    """A fresh thread before its first step, then one before its second, and so on, until one has ended there."""
    target.load(program.source, program.name, program.stack)
    for step in range(STEPS):
        target.start()
        if step:
            target.step(step)
        at = target.observe()
        if at.ended:
            return
        yield step, at


def each_post(target: Target, program: Program, *kinds: str, gap: int = 0) -> Iterator[Case]:
    """Post these, `gap` steps apart, before each step of the program."""
    posted = (f", {gap} steps later " if gap else " and ").join(kinds)
    for step, at in each_step(target, program):
        for i, kind in enumerate(kinds):
            if i and gap:
                target.step(gap)
            target.post(kind)
        yield Case(program, posted, step, at, finish(target, program, posted, step))


def offered(target: Target) -> tuple[str, ...]:
    """The kinds that this target can be asked for."""
    target.load(PROGRAMS[0].source, PROGRAMS[0].name, PROGRAMS[0].stack)
    kinds = []
    for kind in KINDS:
        target.start()
        try:
            target.post(kind)
        except NotOffered:
            continue
        kinds.append(kind)
        finish(target, PROGRAMS[0], kind, 0)
    if not kinds:
        raise NotOffered(" and ".join(KINDS))
    return tuple(kinds)


def evidence(tried: int, kinds: tuple[str, ...], worst: Bound | None = None) -> Evidence:
    return Evidence(tried, worst, tuple(k for k in KINDS if k not in kinds))


# ---------------------------------------------------------------------------------------------- distances


def distance(start: Observation, end: Observation | Seen) -> dict[str, int]:
    return {check: getattr(end, check) - getattr(start, check) for check in CHECKS}


def in_words(distances: dict[str, int | str | None]) -> str:
    """Counts of checks: "1 frame push, 2 back-edges"."""
    parts = []
    for check, n in distances.items():
        one, many = CHECKS[check]
        number = "unbounded" if n is None else "stack depth in" if n == "depth" else str(n)
        parts.append(f"{number} {one if n == 1 else many}")
    return ", ".join(parts)


def most(bound: int | str | None, stack: int) -> int | None:
    """A declared bound as a number; no frame is smaller than a slot of the stack."""
    return stack if bound == "depth" else None if bound is None else int(bound)


def late(case: Case, kind: str, bound: Bound) -> str:
    """How `kind` was seen, if beyond the bound; "" if within it.  What ends before its bound may end without having seen."""
    seen = case.seen(kind)
    went = distance(case.at, seen[0] if seen else case.end)
    limits = {check: most(getattr(bound, check), case.program.stack) for check in CHECKS}
    if all(limit is None or went[check] < limit + bool(seen) for check, limit in limits.items()):
        return ""
    if seen:
        return f"{kind} at {seen[0].site}, after {in_words({**went})}"
    return f"{kind} never; the thread ended after {in_words({**went})}"


def declared(bound: Bound) -> str:
    return f"the declared bound: {in_words(bound.as_json())}"
