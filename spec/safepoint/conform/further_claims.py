"""What is claimed beyond a thread that runs: of requesters, handlers, critical sections, blocked guests and several threads."""

from __future__ import annotations

from contextlib import suppress

from safepoint.conform.outcomes import outcomes
from safepoint.conform.programs import (
    BIRTHS,
    BLOCKED,
    CALLS,
    CATCHES,
    CLEANS_UP,
    LOOPS,
    MASKED,
    PROGRAMS,
    RECURSIVE,
    THREADS,
    Program,
)
from safepoint.conform.running_claims import STRIDE, WORLD, differs, singles
from safepoint.conform.runs import STEPS, Case, Evidence, Post, Posted, Refuted, Runs, describe, ending, in_sequence
from safepoint.conform.target import INTERRUPT, KINDS, GuestStuck, NotOffered, Observation

SECTION = "output '1\\n2\\n' of a section that was begun, and KeyboardInterrupt where it ends"
GAPS = (0, 5, 17)
"""Steps between two interrupts of a program that catches them."""

FEW = 4
"""Checks that must be left, to say whether they pass again."""


def checks_pass_again(runs: Runs) -> Evidence:
    """Once a request has been seen, checks pass again: of the later half of what follows, no more fail than undisturbed."""
    tried = 0
    programs = runs.right(LOOPS, CALLS, RECURSIVE, CATCHES)
    usual = {program.name: undisturbed(runs, program) for program in programs}
    for kind in runs.kinds(*KINDS):
        for program in programs:
            if kind == INTERRUPT and program is not CATCHES:  # it ends there
                continue
            for step in runs.each_step(program, STRIDE):
                posted = runs.post(Post(kind))
                after = later_half(runs, posted)
                checks = executed(after[-1]) - executed(after[0]) if after else 0
                if checks < FEW:
                    continue
                if not after[-1].slow_entries and not after[-1].words:
                    raise NotOffered("a count of the checks that fail (Observation.slow_entries), nor words")
                tried += 1
                failed = after[-1].slow_entries - after[0].slow_entries
                most = most_failing(usual[program.name], checks)
                case = Case(program, in_sequence(step, (posted.post,)), (posted,), after[-1])
                if failed > most + 1:  # a counter may run out once more in as many checks
                    raise case.refuted(
                        f"{failed} of the last {checks} checks fail, though the request has been seen",
                        f"they pass, but for {most} that fail undisturbed in as many, and one",
                    )
                if is_poisoned(after) and not is_poisoned(usual[program.name]):
                    raise case.refuted(f"a word is poison during the last {checks} checks", "it is real again")
    if not tried:
        raise NotOffered("a guest that goes on after a request")
    return Evidence(tried)


def executed(now: Observation) -> int:
    """Checks of all kinds, of all threads."""
    return sum(now.checks.values())


def undisturbed(runs: Runs, program: Program) -> list[Observation]:
    """The guest before each of its steps, and at its end, with nothing posted."""
    trail = [runs.begin(program)]
    while runs.target.step() and len(trail) < STEPS:
        trail.append(runs.target.observe())
    return [*trail, runs.target.observe()]


def most_failing(trail: list[Observation], checks: int) -> int:
    """Of `checks` checks in a row, how many fail, at most."""
    most, first = 0, 0
    for now in trail:
        while executed(now) - executed(trail[first]) > checks:
            first += 1
        most = max(most, now.slow_entries - trail[first].slow_entries)
    return most


def is_poisoned(trail: list[Observation]) -> bool:
    """Is some word poison all the time?  At the end nothing runs any more."""
    return all("poison" in now.words.values() for now in trail[:-1])


def later_half(runs: Runs, posted: Posted) -> list[Observation]:
    """Run on to the end: the guest before each step of the later half of the checks after the request was seen."""
    trail: list[Observation] = []
    for _ in range(STEPS):
        more = runs.target.step()
        now = runs.target.observe()
        if len(now.seen) > posted.seen:
            trail.append(now)
        if not more:
            break
    return [now for now in trail if 2 * executed(now) >= executed(trail[0]) + executed(trail[-1])]


def except_and_finally_run(runs: Runs) -> Evidence:
    """A guest whose INTERRUPTs are seen prints and ends as under Python with KeyboardInterrupt raised that often somewhere."""
    tried = 0
    runs.need(INTERRUPT)
    for program in runs.right(CATCHES, CLEANS_UP):
        for posts in [(Post(INTERRUPT),), *((Post(INTERRUPT), Post(INTERRUPT, gap=gap)) for gap in GAPS)]:
            for case in runs.cases(program, *posts):
                tried += 1
                seen = len(case.seen(case.posted[0]))
                allowed = [
                    (output, error)
                    for output, error in outcomes(program, min(seen, len(posts)))
                    if output.startswith(case.posted[0].output)
                ]
                if (case.end.output, case.end.error) not in allowed:
                    output, error = min(allowed)
                    claimed = f"one of {len(allowed)} outcomes of Python, such as output {output!r}, error {error!r}"
                    raise case.refuted(f"INTERRUPT {seen} times, {ending(case.end)}", claimed)
    return Evidence(tried)


def masks_hold(runs: Runs) -> Evidence:
    """No INTERRUPT is raised in a critical section, and one that was posted in it is raised when the section has ended."""
    tried = 0
    runs.need(INTERRUPT)
    for case, posted in singles(runs, INTERRUPT, MASKED):
        tried += 1
        if not mask_held(case, posted):
            raise case.refuted(ending(case.end), SECTION)
    return Evidence(tried)


def mask_held(case: Case, posted: Posted) -> bool:
    """Is the critical section of MASKED whole, whenever the INTERRUPT came; and if it came inside, is it raised there, not later?"""
    if posted.output == "1\n":
        return (case.end.output, case.end.error) == ("1\n2\n", "KeyboardInterrupt")
    return case.end.output != "1\n"


def requester_is_answered(runs: Runs) -> Evidence:
    """No requester of a STOP or HANDSHAKE waits for a guest that has ended."""
    tried = 0
    for kind in runs.kinds(*WORLD):
        for case, _ in singles(runs, kind, *PROGRAMS):
            tried += 1
            if _waiting(case.end):
                raise case.refuted(f"{case.end.waiting} requesters wait at the end", "each was answered")
    return Evidence(tried)


def _waiting(now: Observation) -> int:
    """How many requesters wait.  Raises NotOffered."""
    if now.waiting is None:
        raise NotOffered("the number of requesters that wait (Observation.waiting)")
    return now.waiting


def blocked_guest_is_woken(runs: Runs) -> Evidence:
    """An INTERRUPT reaches a guest that is blocked, or is about to be: it wakes, and KeyboardInterrupt is raised."""
    runs.need(INTERRUPT)
    runs.offered(BLOCKED)
    steps = block(runs)
    for step in range(steps + 1):
        block(runs, step)
        case = runs.end_of(BLOCKED, f"before step {step}: {INTERRUPT}", (runs.post(Post(INTERRUPT)),))
        if case.end.error != "KeyboardInterrupt" or not BLOCKED.output.startswith(case.end.output):
            raise case.refuted(ending(case.end), f"KeyboardInterrupt, after a beginning of {BLOCKED.output!r}")
    return Evidence(steps + 1)


def blocked_guest_is_not_waited_for(runs: Runs) -> Evidence:
    """A STOP or HANDSHAKE of a blocked guest is over without it, and does not wake it."""
    kinds = runs.kinds(*WORLD)
    runs.offered(BLOCKED)
    for kind in kinds:
        block(runs)
        posted = (runs.post(Post(kind)),)
        with suppress(GuestStuck):
            runs.target.step()
        now = runs.target.observe()
        case = Case(BLOCKED, f"{kind}, when the guest is blocked", posted, now)
        if _waiting(now):
            raise case.refuted(f"{now.waiting} requesters wait for a blocked guest", "the request is over")
        if (now.ended, now.output) != (False, BLOCKED.output):
            raise case.refuted(ending(now), f"the guest is still blocked, after {BLOCKED.output!r}")
    return Evidence(len(kinds))


def block(runs: Runs, most: int = STEPS) -> int:
    """Step a new guest until it is blocked, `most` times at most.  Returns how often."""
    runs.begin(BLOCKED)
    for step in range(most):
        try:
            if not runs.target.step():
                raise Refuted(describe(BLOCKED, "", ending(runs.target.observe()), "it waits for its own lock"))
        except GuestStuck:
            return step
    return most


def threads_are_told_apart(runs: Runs) -> Evidence:
    """An INTERRUPT reaches the thread that it was posted to, within the bound, and no other."""
    tried = 0
    runs.need(INTERRUPT, "threads")
    results = THREADS.output.splitlines(keepends=True)
    for program in runs.right(THREADS):
        for thread in range(len(results) + 1):
            for case in runs.cases(program, Post(INTERRUPT, thread)):
                tried += 1
                end = case.end
                if others := [seen.thread for seen in end.seen if seen.thread != thread]:
                    raise case.refuted(f"INTERRUPT by thread {others[0]}", f"by thread {thread}")
                if how := runs.late(case, case.posted[0]):
                    raise case.refuted(how, runs.declared)
                died = bool(end.seen)
                without = "".join("0\n" if died and i == thread else line for i, line in enumerate(results, 1))
                if died and not thread:
                    right = end.error == "KeyboardInterrupt" and program.output.startswith(end.output)
                else:
                    right = not end.error and end.output in (without, program.output)
                if not right:
                    raise case.refuted(ending(end), f"output {without!r}: the other threads go on")
    return Evidence(tried)


def births_are_clean(runs: Runs) -> Evidence:
    """A thread sees nothing that was posted before it was born: to one that had its number, or to none."""
    tried = 0
    runs.need(INTERRUPT, "threads")
    for program in runs.right(BIRTHS):
        for step in runs.each_step(program):
            if 1 in runs.target.living:
                continue
            runs.target.post(INTERRUPT, 1)
            case = runs.end_of(program, f"before step {step}: INTERRUPT to thread 1, which does not live", ())
            tried += 1
            if how := differs(case.end, runs.alone(program), "output", "error", "seen"):
                raise case.refuted(*how)
    return Evidence(tried)
