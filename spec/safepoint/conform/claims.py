"""What is claimed of every VM with safepoints; each claim is tried on a `Target`.

A claim is a function: it returns `Evidence`, or raises `Refuted` at the first case that breaks it, or NotOffered.  Everything here
is deterministic, so running a claim again repeats its refutation.  The docstring of a claim is its sentence in reports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, permutations

from safepoint.conform.programs import CALLS, LOOPS, PROGRAMS, TO_THE_LIMIT, Program
from safepoint.conform.runs import (
    CHECKS,
    Case,
    Evidence,
    Refuted,
    declared,
    describe,
    distance,
    each_post,
    each_step,
    evidence,
    finish,
    late,
    offered,
    undisturbed,
)
from safepoint.conform.target import INTERRUPT, STOP, Observation, Target
from safepoint.protocol.policy import Bound

GAP = 7
"""Steps between two posts, so that they are not noticed by the same check."""
STRIDE = 3
"""A post at every shared access is tried before every third step: a run for each access of each step would take minutes."""


def runs_as_python_does(target: Target) -> Evidence:
    """Undisturbed, every program prints and ends as under Python, and notices no request."""
    for program in PROGRAMS:
        end = undisturbed(target, program)
        if (end.output, end.error) != (program.output, program.error):
            seen = f"output {end.output!r}, error {end.error!r}"
            raise Refuted(describe(program, "", 0, seen, f"output {program.output!r}, error {program.error!r}"))
        if end.seen:
            raise Refuted(describe(program, "", 0, f"{end.seen[0].kind} at {end.seen[0].site}", "nothing was posted"))
    return Evidence(len(PROGRAMS))


def seen_within_bound(target: Target) -> Evidence:
    """A request is seen within the declared number of frame pushes and back-edges, unless the thread ends before that."""
    kinds = offered(target)
    tried = 0
    worst = dict.fromkeys(CHECKS, 0)
    for program in PROGRAMS:
        for kind in kinds:
            for case in each_post(target, program, kind):
                tried += 1
                if how := late(case, kind, target.bound):
                    raise case.refuted(how, declared(target.bound))
                for seen in case.seen(kind):
                    worst = {c: max(worst[c], d) for c, d in distance(case.at, seen).items()}
    if not any(worst.values()):
        raise Refuted(f"posted    {tried:,} requests\nseen      none, ever\nclaimed   {declared(target.bound)}")
    return evidence(tried, kinds, Bound(worst["frames"], worst["back_edges"]))


def exactly_once(target: Target) -> Evidence:
    """A request posted once is not seen twice, and of two kinds posted together neither hides the other."""
    kinds = offered(target)
    tried = 0
    for program in PROGRAMS:
        for posted in [(k,) for k in kinds] + list(permutations(kinds, 2)):
            for gap in (0, GAP)[: len(posted)]:
                for case in each_post(target, program, *posted, gap=gap):
                    tried += 1
                    for kind in posted:
                        if len(case.seen(kind)) > 1:
                            raise case.refuted(f"{kind} {len(case.seen(kind))} times", "one post is seen once")
                    if not gap and (how := hidden(case, posted, target.bound)):
                        raise case.refuted(how, declared(target.bound))
    return evidence(tried, kinds)


def hidden(case: Case, posted: tuple[str, ...], bound: Bound) -> str:
    """Which request was seen late, or "".  If one ends the thread, the other need not be seen any more."""
    return next((how for kind in posted if (how := late(case, kind, bound))), "")


def interrupt_raises(target: Target) -> Evidence:
    """An INTERRUPT that is noticed ends the guest with KeyboardInterrupt, after no more output; one that is not changes nothing."""
    tried = 0
    for program in PROGRAMS:
        for case in each_post(target, program, INTERRUPT):
            tried += 1
            end = case.end
            seen = f"output {end.output!r}, error {end.error!r}"
            if case.seen(INTERRUPT):
                if end.error != "KeyboardInterrupt":
                    raise case.refuted(
                        f"INTERRUPT at {case.seen(INTERRUPT)[0].site}, then {seen}", "KeyboardInterrupt is raised there"
                    )
                if not program.output.startswith(end.output):
                    raise case.refuted(seen, f"a beginning of {program.output!r}")
            elif (end.output, end.error) != (program.output, program.error):
                raise case.refuted(seen, f"output {program.output!r}, error {program.error!r}: it was not noticed")
    return Evidence(tried)


def nothing_else_changes(target: Target) -> Evidence:
    """A STOP changes nothing: the guest goes on to the same output, end, traceback, and number of checks."""
    tried = 0
    for program in PROGRAMS:
        alone = undisturbed(target, program)
        for case in each_post(target, program, STOP):
            tried += 1
            for what in ("output", "error", "traceback", "frames", "back_edges"):
                here, there = getattr(case.end, what), getattr(alone, what)
                if here != there:
                    raise case.refuted(f"{what} {here!r}", f"as undisturbed: {what} {there!r}")
    return Evidence(tried)


def no_fake_overflow(target: Target) -> Evidence:
    """A request never causes a stack overflow, and hides none: recursion to the limit overflows at the same frame."""
    kinds = offered(target)
    tried = 0
    limit = undisturbed(target, TO_THE_LIMIT)
    for program in PROGRAMS:
        for kind in kinds:
            for case in each_post(target, program, kind):
                tried += 1
                end = case.end
                if end.error == "RecursionError" and program.error != "RecursionError":
                    raise case.refuted("RecursionError", "the stack was not full")
                if program is not TO_THE_LIMIT or (kind == INTERRUPT and case.seen(INTERRUPT)):
                    continue
                if (end.error, end.frames) != ("RecursionError", limit.frames):
                    seen = f"{end.error or 'no error'} after {end.frames} frame pushes"
                    raise case.refuted(seen, f"RecursionError after {limit.frames} frame pushes")
    return evidence(tried, kinds)


def storm_progress(target: Target) -> Evidence:
    """With a STOP posted before every step the guest still ends, as it would have ended undisturbed."""
    tried = 0
    for program in PROGRAMS:
        steps = sum(1 for _ in each_step(target, program))
        target.start()
        for step in count():
            target.post(STOP)
            tried += 1
            if not target.step():
                break
            if step > 10 * steps:
                seen = f"the guest still runs after {step:,} steps"
                raise Refuted(
                    describe(program, "STOP before every step", 0, seen, f"it ends; undisturbed in {steps:,}")
                )
        end = target.observe()
        if (end.output, end.error) != (program.output, program.error):
            seen = f"output {end.output!r}, error {end.error!r}"
            claimed = f"output {program.output!r}, error {program.error!r}"
            raise Refuted(describe(program, "STOP before every step", 0, seen, claimed))
    return Evidence(tried)


def not_lost_in_slow_path(target: Target) -> Evidence:
    """An INTERRUPT posted at any shared access of a STOP, while that is posted or served, is seen within the bound, once."""
    tried = 0
    for program in (LOOPS, CALLS, TO_THE_LIMIT):
        for step, _ in each_step(target, program):
            if step % STRIDE:
                continue
            for access in count():
                case = second_post(target, program, step, access)
                if case is None:
                    break
                tried += 1
                if how := late(case, INTERRUPT, target.bound):
                    raise case.refuted(how, declared(target.bound))
                if len(case.seen(INTERRUPT)) > 1:
                    raise case.refuted(f"INTERRUPT {len(case.seen(INTERRUPT))} times", "one post is seen once")
    return Evidence(tried)


def second_post(target: Target, program: Program, step: int, access: int) -> Case | None:
    """Post STOP before the step, and INTERRUPT at that shared access, counted from 0.  None: the STOP has fewer accesses."""
    accesses = count()
    at: list[Observation] = []

    def post_there() -> None:
        if next(accesses) == access:
            now = target.observe()
            stops = [s for s in now.seen if s.kind == STOP]
            if not stops or not any(distance(now, stops[0]).values()):
                at.append(now)
                target.post(INTERRUPT)

    target.start()
    if step:
        target.step(step)
    posted = f"STOP, and INTERRUPT at shared access {access} of it"
    target.watch(post_there)
    try:
        target.post(STOP)
        end = finish(target, program, posted, step)
    finally:
        target.watch(None)
    return Case(program, posted, step, at[0], end) if at else None


def ended_thread_is_left_alone(target: Target) -> Evidence:
    """A post to a thread that has ended does nothing."""
    kinds = offered(target)
    tried = 0
    for program in PROGRAMS:
        for kind in kinds:
            before = undisturbed(target, program)
            target.post(kind)
            case = Case(program, f"{kind} after the end", 0, before, finish(target, program, kind, 0))
            tried += 1
            for what in ("output", "error", "seen", "slow_entries"):
                here, there = getattr(case.end, what), getattr(before, what)
                if here != there:
                    raise case.refuted(f"{what} {here!r}", f"as before: {what} {there!r}")
    return evidence(tried, kinds)


@dataclass(frozen=True)
class Claim:
    """`sentence`: what is claimed, for reports.  `check`: tries it."""

    name: str
    sentence: str
    check: Callable[[Target], Evidence]


CLAIMS: dict[str, Claim] = {
    c.__name__.replace("_", "-"): Claim(c.__name__.replace("_", "-"), c.__doc__ or "", c)
    for c in (
        runs_as_python_does,
        seen_within_bound,
        exactly_once,
        interrupt_raises,
        nothing_else_changes,
        no_fake_overflow,
        storm_progress,
        not_lost_in_slow_path,
        ended_thread_is_left_alone,
    )
}
