"""Run the judge's programs with requests posted at chosen steps, and measure how far each request went before it was seen.

A check is counted from its first shared access on: while its slow path runs, the counters of `observe` include it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from safepoint.conform.programs import PROGRAMS, Program
from safepoint.conform.target import INTERRUPT, STOP, NotOffered, Observation, Seen, Target
from safepoint.protocol.policy import Bound

KINDS = (STOP, INTERRUPT)
"""The kinds of request that the judge posts."""
STEPS = 1_000
"""Requests are posted before each of a program's first STEPS steps: no program has more in a VM that steps by instructions."""
ENOUGH = 1_000_000
"""A guest that has not ended after this many steps never ends: no program needs that many."""
CHECKS = {"frames": ("frame push", "frame pushes"), "back_edges": ("back-edge", "back-edges")}


class Refuted(Exception):
    """A case breaks the claim: what was posted and where, what was seen, and what is claimed, in four lines."""


@dataclass(frozen=True)
class Evidence:
    """A claim holds.  `tried`: how many cases.  `worst`: the greatest distances observed.  `not_offered`: kinds it was not asked."""

    tried: int
    worst: Bound | None = None
    not_offered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One run of a program: what was posted, before which step (from 0); the guest at that moment, and at its end."""

    program: Program
    posted: str
    step: int
    at: Observation
    end: Observation

    def refuted(self, seen: str, claimed: str) -> Refuted:
        """The exception that says so."""
        return Refuted(describe(self.program, self.posted, self.step, seen, claimed))

    def seen(self, kind: str) -> list[Seen]:
        """Every time that a request of this kind was noticed."""
        return [s for s in self.end.seen if s.kind == kind]


def describe(program: Program, posted: str, step: int, seen: str, claimed: str) -> str:
    """One case in four lines.  `posted`: "" if nothing was."""
    where = f"before step {step}: {posted}" if posted else "nothing"
    return f"program   {program.name}\nposted    {where}\nseen      {seen}\nclaimed   {claimed}"


# ---------------------------------------------------------------------------------------------- running


def finish(target: Target, program: Program, posted: str, step: int) -> Observation:
    """Run on to the guest's end.  Raises Refuted after ENOUGH steps."""
    if target.step(ENOUGH):
        raise Refuted(describe(program, posted, step, f"the guest still runs after {ENOUGH:,} steps", "it ends"))
    return target.observe()


def undisturbed(target: Target, program: Program) -> Observation:
    """The end of a run with nothing posted."""
    target.load(program.source, program.name, program.stack)
    target.start()
    return finish(target, program, "", 0)


def each_step(target: Target, program: Program) -> Iterator[tuple[int, Observation]]:
    """Yield (step, what is observed there) with a fresh guest before its first step, then before its second, up to its last."""
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
    """Post these kinds, `gap` steps apart, before each step of the program, and run each case to its end."""
    posted = (f", {gap} steps later " if gap else " and ").join(kinds)
    for step, at in each_step(target, program):
        for i, kind in enumerate(kinds):
            if i and gap:
                target.step(gap)
            target.post(kind)
        yield Case(program, posted, step, at, finish(target, program, posted, step))


def offered(target: Target) -> tuple[str, ...]:
    """The kinds that this target takes.  Raises NotOffered if it takes none."""
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
    """A claim holds for these kinds; the others are not offered."""
    return Evidence(tried, worst, tuple(k for k in KINDS if k not in kinds))


# ---------------------------------------------------------------------------------------------- distances


def distance(start: Observation, end: Observation | Seen) -> dict[str, int]:
    """Kind of check -> how many were executed between the two."""
    return {check: getattr(end, check) - getattr(start, check) for check in CHECKS}


def in_words(distances: dict[str, int | str | None]) -> str:
    """Numbers of checks in words: "1 frame push, 2 back-edges"; None is unbounded."""
    numbers: dict[int | str | None, str] = {None: "unbounded", "depth": "stack depth in"}
    parts = []
    for check, n in distances.items():
        one, many = CHECKS[check]
        parts.append(f"{numbers.get(n, str(n))} {one if n == 1 else many}")
    return ", ".join(parts)


def most(bound: int | str | None, stack: int) -> int | None:
    """A declared bound as a number, None if there is none; "depth" is the stack's size, as no frame is smaller than a slot."""
    if bound is None:
        return None
    return stack if bound == "depth" else int(bound)


def late(case: Case, kind: str, bound: Bound) -> str:
    """How far `kind` went, if beyond the bound; "" if within it.  A thread that ends before the bound need not have seen it."""
    seen = case.seen(kind)
    went = distance(case.at, seen[0] if seen else case.end)
    limits = {check: most(getattr(bound, check), case.program.stack) for check in CHECKS}
    if all(limit is None or went[check] < limit + bool(seen) for check, limit in limits.items()):
        return ""
    if seen:
        return f"{kind} at {seen[0].site}, after {in_words({**went})}"
    return f"{kind} never; the thread ended after {in_words({**went})}"


def declared(bound: Bound) -> str:
    """What `late` is held against, in words."""
    return f"the declared bound: {in_words(bound.as_json())}"
