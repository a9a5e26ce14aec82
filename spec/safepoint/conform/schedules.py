"""Random schedules over any target, which shrink: what hypothesis prints of a failure is the shortest schedule that it can find.

    from safepoint.conform.schedules import machine

    TestMyVm = machine(MyTarget()).TestCase

The rules load a program, step, run free, and post each kind that is offered; they enter a critical section, block, and post to
several threads, as far as the target offers that.  The claims are the invariants, as far as one can hold them against any schedule.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from safepoint.conform.claims import claim_of
from safepoint.conform.further_claims import SECTION, mask_held
from safepoint.conform.outcomes import outcomes
from safepoint.conform.programs import BIRTHS, BLOCKED, PROGRAMS, TO_THE_LIMIT, Program
from safepoint.conform.runs import ENOUGH, STEPS, Case, Evidence, Post, Posted, Refuted, Runs, ending
from safepoint.conform.target import HANDSHAKE, INTERRUPT, KINDS, STOP, GuestStuck, Target

OWN = ("claims_hold()", "teardown()")
"""What a schedule does by itself."""
EXAMPLES = 400
"""How many schedules are tried."""
COMPUTED = 2
"""The most interrupts of one run whose outcomes are computed: their number grows with the places of the program to that power."""

AFTER = st.just(0) | st.integers(0, 40)
"""Steps before a post."""


class Schedules(RuleBasedStateMachine):
    """One guest and its requests.  `machine` makes a subclass for a target.

    A rule that makes no sense does nothing, because a precondition would hinder shrinking.
    """

    runs: Runs
    programs: Mapping[str, Program]
    kinds: tuple[str, ...]

    @initialize(name=st.runner().flatmap(lambda self: st.sampled_from(list(self.programs))))
    def load(self, name: str) -> None:
        self.program = self.programs[name]
        self.posted: list[Posted] = []
        self.stuck = False
        self.runs.begin(self.program)

    def make(self, post: Post) -> None:
        if post.gap:
            self.advance(post.gap)
        if post.kind not in self.kinds or (post.thread and post.thread not in self.runs.target.living):
            return
        before = self.runs.target.observe()
        self.posted.append(self.runs.post(post))
        self.stuck = False
        if before.ended and self.runs.target.observe() != before:
            raise self.case.refuted(f"{post.kind}, after the end", "a thread that has ended is left alone")

    def advance(self, count: int) -> None:
        """Step; a guest that is blocked for ever is noted."""
        try:
            self.runs.target.step(count)
        except GuestStuck:
            self.stuck = True

    @property
    def is_over(self) -> bool:
        return self.runs.target.observe().ended

    @property
    def case(self) -> Case:
        """What has happened so far."""
        target, now = self.runs.target, self.runs.target.observe()
        checks = {p.post.thread: target.checks(p.post.thread) for p in self.posted}
        text = ", ".join(f"{p.post} after {p.post.gap} steps" for p in self.posted)
        return Case(self.program, text, tuple(self.posted), now, checks)

    # -- rules

    @rule(count=st.integers(1, 20))
    def step(self, count: int) -> None:
        self.advance(count)

    @rule()
    def run_free(self) -> None:
        self.advance(ENOUGH)
        if not self.is_over and not self.stuck:
            raise self.case.refuted(f"the guest still runs after {ENOUGH:,} steps", "it ends")

    @rule()
    def mask(self) -> None:
        """Step until the guest is in its critical section."""
        for _ in range(STEPS if self.program.masks else 0):
            if self.is_over or self.runs.target.observe().output:
                break
            self.advance(1)

    @rule()
    def block(self) -> None:
        """Step until the guest is blocked."""
        if self.program is BLOCKED:
            self.advance(STEPS)

    @rule(after=AFTER)
    def post_stop(self, after: int) -> None:
        self.make(Post(STOP, gap=after))

    @rule(after=AFTER)
    def post_interrupt(self, after: int) -> None:
        self.make(Post(INTERRUPT, gap=after))

    @rule(after=AFTER)
    def post_handshake(self, after: int) -> None:
        self.make(Post(HANDSHAKE, gap=after))

    @rule(after=AFTER, thread=st.integers(1, 2))
    def interrupt_thread(self, after: int, thread: int) -> None:
        self.make(Post(INTERRUPT, thread, after))

    def teardown(self) -> None:
        """Every schedule is run to its end."""
        if vars(self).get("posted"):
            self.run_free()
            self.claims_hold()

    # -- the claims

    @invariant()
    def claims_hold(self) -> None:
        case = self.case
        for claim in (
            self.seen_within_bound,
            self.exactly_once,
            self.nothing_else_changes,
            self.masks_hold,
            self.requester_is_answered,
            self.blocked_guest_is_woken,
        ):
            claim(case)

    def seen_within_bound(self, case: Case) -> None:
        for posted in self.posted:
            if self.has_bound(posted.post) and (how := self.runs.late(case, posted)):
                raise case.refuted(how, self.runs.declared)

    def has_bound(self, post: Post) -> bool:
        """In this program: not where it is masked, another thread has its number soon, or a blocked thread need not look."""
        if post.kind == INTERRUPT:
            return not self.program.masks and not (self.program is BIRTHS and post.thread)
        return not self.program.needs & {"locks", "threads"}

    def exactly_once(self, case: Case) -> None:
        for thread, kind in {(seen.thread, seen.kind) for seen in case.end.seen}:
            times = sum((seen.thread, seen.kind) == (thread, kind) for seen in case.end.seen)
            posts = sum(p.post.kind == kind and (kind != INTERRUPT or p.post.thread == thread) for p in self.posted)
            if times > posts:
                raise case.refuted(f"{kind} {times} times by thread {thread}", f"at most {posts} times")

    def nothing_else_changes(self, case: Case) -> None:
        program = self.program
        interrupts = sum(seen.kind == INTERRUPT for seen in case.end.seen)
        if not interrupts and not program.output.startswith(case.end.output):
            raise case.refuted(ending(case.end), f"a beginning of {program.output!r}")
        if not case.end.ended or program is BLOCKED:
            return
        if not interrupts:
            alone = self.runs.alone(program)
            for field in ("output", "error", "traceback", "checks"):
                if (seen := getattr(case.end, field)) != (claimed := getattr(alone, field)):
                    raise case.refuted(f"{field} {seen!r}", f"as undisturbed: {field} {claimed!r}")
        elif not program.needs - {"exceptions", "stack"} and interrupts <= COMPUTED:
            if (case.end.output, case.end.error) not in self.allowed(interrupts):
                raise case.refuted(
                    f"INTERRUPT {interrupts} times, {ending(case.end)}", "an outcome that Python has, too"
                )

    def allowed(self, interrupts: int) -> frozenset[tuple[str, str]]:
        """How the program may end."""
        if self.program is TO_THE_LIMIT:
            return frozenset({("", "KeyboardInterrupt")})
        return outcomes(self.program, interrupts)

    def masks_hold(self, case: Case) -> None:
        interrupts = [posted for posted in self.posted if posted.post.kind == INTERRUPT]
        if self.program.masks and case.end.ended and not all(mask_held(case, posted) for posted in interrupts):
            raise case.refuted(ending(case.end), SECTION)

    def requester_is_answered(self, case: Case) -> None:
        if (case.end.ended or self.stuck) and case.end.waiting:
            raise case.refuted(f"{case.end.waiting} requesters wait", "each was answered")

    def blocked_guest_is_woken(self, case: Case) -> None:
        interrupted = any(p.post.kind == INTERRUPT for p in self.posted)
        if self.stuck and not case.end.ended and (interrupted or self.program is not BLOCKED):
            raise case.refuted("the guest is blocked for ever", "it goes on")
        if case.end.ended and self.program is BLOCKED and case.end.error != "KeyboardInterrupt":
            raise case.refuted(ending(case.end), "it waits for its own lock, or KeyboardInterrupt")


def machine(target: Target) -> type[Schedules]:
    """The state machine of a target, with the programs and kinds that it offers.  Raises NotOffered."""
    return machine_of(Runs(target))


def machine_of(runs: Runs) -> type[Schedules]:
    """The same, for a target whose runs are known."""
    programs = {program.name: program for program in runs.right(*PROGRAMS)}
    if runs.load(BLOCKED):
        programs[BLOCKED.name] = BLOCKED
    return type("Machine", (Schedules,), {"runs": runs, "programs": programs, "kinds": runs.kinds(*KINDS)})


def any_schedule(runs: Runs) -> Evidence:
    """The claims hold in any order of steps and posts: in random schedules."""
    trying = settings(
        max_examples=EXAMPLES,
        stateful_step_count=12,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(machine_of(runs), settings=trying)
    except Refuted as refuted:
        noted = [line for note in getattr(refuted, "__notes__", ()) for line in note.splitlines()]
        steps = [line for line in noted if line.startswith("state.") and not line.endswith(OWN)]
        raise Refuted(f"{refuted}\nshortest  " + "\n          ".join(steps)) from None
    return Evidence(EXAMPLES)


ANY_SCHEDULE = claim_of(any_schedule)
