"""What is claimed of one thread that runs, and of the requests that it sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, permutations, product

from safepoint.conform.counted import checks_are_counted
from safepoint.conform.distances import distance
from safepoint.conform.programs import (
    ALONE,
    CALLS,
    CATCHES,
    LOOPS,
    PROGRAMS,
    TO_THE_LIMIT,
    Program,
)
from safepoint.conform.runs import STEPS, Case, Evidence, Post, Posted, Refuted, Runs, describe, ending
from safepoint.conform.target import HANDSHAKE, INTERRUPT, KINDS, STOP, NotOffered, Observation

STRIDE = 3
"""What takes several posts is tried before every third step: a run for each of them before each step would take minutes."""
AGAIN = 2
"""How often a sequence of kinds is posted again."""
STORMS = 8
"""Storms with an INTERRUPT in them, for each program."""
WORLD = (STOP, HANDSHAKE)
"""The kinds that change nothing for the guest."""


def singles(runs: Runs, kind: str, *programs: Program) -> Iterator[tuple[Case, Posted]]:
    """Post the kind once, before each step of each program that is offered and right."""
    for program in runs.right(*(programs or ALONE)):
        yield from ((case, case.posted[0]) for case in runs.cases(program, Post(kind)))


def runs_as_python_does(runs: Runs) -> Evidence:
    """Undisturbed, every program prints and ends as under Python, and notices no request."""
    programs = runs.offered(*PROGRAMS)
    for program in programs:
        end = runs.alone(program)
        if (end.output, end.error) != (program.output, program.error):
            claimed = f"output {program.output!r}, error {program.error!r}"
            raise Refuted(describe(program, "", ending(end), claimed))
        if end.seen:
            raise Refuted(describe(program, "", f"{end.seen[0].kind} at {end.seen[0].site}", "nothing was posted"))
    return Evidence(len(programs))


def seen_within_bound(runs: Runs) -> Evidence:
    """A request is seen within the declared number of checks, unless the thread ends before that."""
    tried = 0
    checks_are_counted(runs)
    worst = dict.fromkeys(runs.limits, 0)
    for kind in runs.kinds(*KINDS):
        noticed = 0
        for case, posted in singles(runs, kind):
            if kind == INTERRUPT and case.program.masks:  # which has no bound
                continue
            tried += 1
            if how := runs.late(case, posted):
                raise case.refuted(how, runs.declared)
            for seen in case.seen(posted):
                noticed += 1
                went = distance(posted.checks, seen.checks)
                worst = {check: max(n, went.get(check, 0)) for check, n in worst.items()}
        if not noticed:
            raise Refuted(f"posted    {kind}, {tried:,} requests\nseen      none, ever\nclaimed   {runs.declared}")
    return Evidence(tried, worst)


def exactly_once(runs: Runs) -> Evidence:
    """A request posted once is not seen twice."""
    tried = 0
    for kind in runs.kinds(*KINDS):
        for case, posted in singles(runs, kind):
            tried += 1
            if (times := len(case.seen(posted))) > 1:
                raise case.refuted(f"{kind} {times} times", "one post is seen once")
    return Evidence(tried)


def neither_hides_the_other(runs: Runs) -> Evidence:
    """Of two kinds posted together, each is seen within the bound."""
    tried = 0
    if len(kinds := runs.kinds(*KINDS)) == 1:
        raise NotOffered("a second kind of request")
    for program in runs.right(*ALONE):
        for first, second in permutations(kinds, 2):
            for case in runs.cases(program, Post(first), Post(second), every=STRIDE):
                tried += 1
                for posted in case.posted:
                    unbounded = program.masks and posted.post.kind == INTERRUPT
                    if not unbounded and (how := runs.late(case, posted)):
                        raise case.refuted(how, runs.declared)
    return Evidence(tried)


def seen_again(runs: Runs) -> Evidence:
    """After a request has been seen, the next, of its kind or of another, is seen within the bound, as often as one is posted."""
    tried = 0
    programs = runs.right(LOOPS, CALLS, CATCHES)
    for kinds in product(runs.kinds(*KINDS), repeat=2):
        for program in programs:
            for step in runs.each_step(program, STRIDE):
                case = one_after_the_other(runs, program, step, kinds * AGAIN)
                tried += 1
                for posted in case.posted[1:]:
                    if how := runs.late(case, posted):
                        raise case.refuted(how, runs.declared)
    return Evidence(tried)


def one_after_the_other(runs: Runs, program: Program, step: int, kinds: Sequence[str]) -> Case:
    """Post these before the step, each as soon as the one before it has been seen."""
    posted = [runs.post(Post(kinds[0]))]
    for _ in range(STEPS):
        if len(posted) == len(kinds) or not runs.target.step():
            break
        if len(runs.target.observe().seen) > posted[-1].seen:
            posted.append(runs.post(Post(kinds[len(posted)])))
    text = f"before step {step}: {', when that was seen '.join(p.post.kind for p in posted)}"
    return runs.end_of(program, text, posted)


def interrupt_raises(runs: Runs) -> Evidence:
    """An INTERRUPT that is seen ends the guest with KeyboardInterrupt, after no more output; one that is not changes nothing."""
    tried = 0
    runs.need(INTERRUPT)
    for case, posted in singles(runs, INTERRUPT, *(p for p in ALONE if not p.needs - {"stack"})):
        tried += 1
        program, end = case.program, case.end
        if seen := case.seen(posted):
            if end.error != "KeyboardInterrupt":
                said = f"INTERRUPT at {seen[0].site}, then {ending(end)}"
                raise case.refuted(said, "KeyboardInterrupt is raised there")
            if not program.output.startswith(end.output):
                raise case.refuted(ending(end), f"a beginning of {program.output!r}")
        elif (end.output, end.error) != (program.output, program.error):
            claimed = f"output {program.output!r}, error {program.error!r}: it was not seen"
            raise case.refuted(ending(end), claimed)
    return Evidence(tried)


def nothing_else_changes(runs: Runs) -> Evidence:
    """A STOP or HANDSHAKE changes nothing: the guest goes on to the same output, end, traceback, and number of checks."""
    tried = 0
    for kind in runs.kinds(*WORLD):
        for case, _ in singles(runs, kind, *(p for p in PROGRAMS if p is not TO_THE_LIMIT)):
            tried += 1
            if how := differs(case.end, runs.alone(case.program), "output", "error", "traceback", "checks"):
                raise case.refuted(*how)
    return Evidence(tried)


def differs(here: Observation, there: Observation, *fields: str) -> tuple[str, str] | None:
    """What is seen, and what is claimed, of the first field that is not as it is there."""
    for field in fields:
        if (seen := getattr(here, field)) != (claimed := getattr(there, field)):
            return f"{field} {seen!r}", f"as without that: {field} {claimed!r}"
    return None


def no_fake_overflow(runs: Runs) -> Evidence:
    """A request hides no stack overflow, and causes none: recursion to the limit overflows at the same frame."""
    tried = 0
    limit = next(runs.alone(program) for program in runs.right(TO_THE_LIMIT))
    for kind in runs.kinds(*KINDS):
        for case, posted in singles(runs, kind, TO_THE_LIMIT):
            tried += 1
            if kind == INTERRUPT and case.seen(posted):
                continue
            if (case.end.error, case.end.frames) != (limit.error, limit.frames):
                said = f"{case.end.error or 'no error'} after {case.end.frames} frame pushes"
                raise case.refuted(said, f"RecursionError after {limit.frames} frame pushes")
    return Evidence(tried)


def storm_progress(runs: Runs) -> Evidence:
    """With a STOP posted before every step the guest still ends, as it would have ended undisturbed."""
    tried = 0
    runs.need(STOP)
    for program in runs.right(*PROGRAMS):
        steps = sum(1 for _ in runs.each_step(program))
        runs.begin(program)
        case = storm(runs, program, STOP, most=10 * steps + 1)
        tried += steps
        if how := differs(case.end, runs.alone(program), "ended", "output", "error"):
            raise case.refuted(*how)
    return Evidence(tried)


def storm_starves_no_thread(runs: Runs) -> Evidence:
    """In a storm of all other kinds, posted before every step, an INTERRUPT is seen within the bound."""
    tried = 0
    kinds = runs.kinds(*WORLD)
    runs.need(INTERRUPT)
    for program in runs.right(*(p for p in ALONE if not p.masks)):
        steps = sum(1 for _ in runs.each_step(program))
        for step in range(0, steps, max(1, steps // STORMS)):
            runs.begin(program)
            case = storm(runs, program, *kinds, most=10 * steps + 1, interrupt=step)
            tried += 1
            if case.posted and (how := runs.late(case, case.posted[0])):
                raise case.refuted(how, runs.declared)
    return Evidence(tried)


def storm(runs: Runs, program: Program, *kinds: str, most: int, interrupt: int = -1) -> Case:
    """Post these before each step, up to `most` steps, and an INTERRUPT before one of them."""
    posted: tuple[Posted, ...] = ()
    for step in range(most):
        for kind in kinds:
            runs.target.post(kind)
        if step == interrupt:
            posted = (runs.post(Post(INTERRUPT)),)
        if not runs.target.step():
            break
    text = f"{' and '.join(kinds)} before every step" + (f", INTERRUPT before step {interrupt}" if posted else "")
    return Case(program, text, posted, runs.target.observe(), {0: runs.target.checks()})


def not_lost_in_slow_path(runs: Runs) -> Evidence:
    """An INTERRUPT posted at any shared access of a STOP, while that is posted or served, is seen within the bound, once."""
    tried = 0
    runs.need("watch", STOP, INTERRUPT)
    for program in runs.right(LOOPS, CALLS, TO_THE_LIMIT):
        for step in range(0, sum(1 for _ in runs.each_step(program)), STRIDE):
            for access in count():
                case = second_post(runs, program, step, access)
                if case is None:
                    break
                tried += 1
                posted = case.posted[0]
                if how := runs.late(case, posted):
                    raise case.refuted(how, runs.declared)
                if (times := len(case.seen(posted))) > 1:
                    raise case.refuted(f"INTERRUPT {times} times", "one post is seen once")
    return Evidence(tried)


def second_post(runs: Runs, program: Program, step: int, access: int) -> Case | None:
    """Post STOP before the step, and INTERRUPT at that shared access, counted from 0.  None: the STOP has fewer accesses."""
    target, accesses = runs.target, count()
    posted: list[Posted] = []

    def post_there() -> None:
        if next(accesses) == access:
            now = target.observe()
            stops = [s for s in now.seen if s.kind == STOP]
            if not stops or not any(distance(now.checks, stops[0].checks).values()):
                posted.append(runs.post(Post(INTERRUPT)))

    runs.begin(program, step)
    target.watch(post_there)
    try:
        target.post(STOP)
        text = f"before step {step}: STOP, and INTERRUPT at shared access {access} of it"
        case = runs.end_of(program, text, posted)
    finally:
        target.watch(None)
    return case if posted else None


def ended_thread_is_left_alone(runs: Runs) -> Evidence:
    """A post to a thread that has ended does nothing."""
    tried = 0
    kinds = runs.kinds(*KINDS)
    for program in runs.right(*ALONE):
        for kind in kinds:
            runs.begin(program)
            before = runs.finish(program)
            posted = (runs.post(Post(kind)),)
            case = runs.end_of(program, f"{kind}, after the end", posted)
            tried += 1
            if how := differs(case.end, before, "output", "error", "seen", "slow_entries"):
                raise case.refuted(*how)
    return Evidence(tried)
