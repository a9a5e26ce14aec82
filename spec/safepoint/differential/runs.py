"""What one schedule leads to, on any target; and the reference machine's runs of one program, each as far as it is new.

The reference machine runs a program once undisturbed.  A run with a request begins at a fork of that one, and is followed
only until it stands where an earlier run has stood: the rest is known, since it depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from operator import attrgetter

from safepoint.conform.target import GuestStuck, Observation
from safepoint.differential.reference import Reference
from safepoint.differential.schedule import Schedule
from safepoint.differential.stepped import UNBOUNDED, Stepped
from safepoint.guest.code import OPCODES
from safepoint.guest.lockstep import QUANTUM
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy

ENDLESS = 1_000
"""Steps beyond the undisturbed run's length after which a program with threads counts as endless."""
LONGEST = 200_000
"""Steps after which a program is too long for the reference machine."""
STRETCH, AT_HAND = 64, 8
"""Of the undisturbed run a fork is kept every STRETCH steps; those in between are made again, and kept for AT_HAND stretches."""


Place = tuple[int, ...]
"""A step, and the `Reference.position` there."""
ENDS = ("UNMASK", "UNWOUND")
"""Opcodes that end what a request has to wait for."""
OF_SOME = ("return", "allocation")
"""Sites at which some policies check, and others do not."""


@dataclass(frozen=True)
class Trial:
    """What one schedule led to.  `in_post`, `in_all`: shared accesses of the post alone, and of the whole run."""

    observation: Observation
    posted_at: Mapping[str, int]  # kind of check -> how many the thread had executed when the post returned
    seen_before: int  # requests that were seen by then
    in_post: int
    in_all: int


def run_schedule(target: Stepped, schedule: Schedule, finish: Callable[[Callable[[], int]], None]) -> Trial:
    """Post, then let `finish` run on: `target` stands before the schedule's step.

    finish: takes a function that returns the number of shared accesses so far; beyond `schedule.at`, all has been posted.
    """
    accesses = 0

    def watching() -> None:
        nonlocal accesses
        accesses += 1
        if accesses - 1 == schedule.at:
            if schedule.also == "step":
                target.step()
            else:
                target.post(schedule.also, schedule.thread)

    target.watch(watching)
    target.post(schedule.kind, schedule.thread)
    in_post, posted_at, seen = accesses, target.checks(schedule.thread), target.seen
    try:
        end = outcome(target, lambda: finish(lambda: accesses))
    finally:
        target.watch(None)
    return Trial(end, posted_at, seen, in_post, accesses)


def outcome(target: Stepped, finish: Callable[[], None]) -> Observation:
    """What can be observed at the end, or where the guest is stuck."""
    try:
        finish()
    except GuestStuck as why:
        return replace(target.observe(), error=str(why))
    return target.observe()


def repeat(target: Stepped, schedule: Schedule, longest: int = UNBOUNDED) -> Trial:
    """One schedule on a fresh thread of the target.  longest: as that of `Undisturbed`."""
    target.start()
    target.step(schedule.step) if schedule.step else None

    def finish(_accesses: Callable[[], int]) -> None:
        target.step(longest)

    return run_schedule(target, schedule, finish)


not_added_up = attrgetter(*(f.name for f in fields(Observation) if f.name not in ("seen", "slow_entries")))
"""All of an observation but what grows with each request, and says nothing of what comes."""


@dataclass(frozen=True)
class Rest:
    """How a run went on from a step to its end.  stood: the machine at the step.  end: what could be observed at the end.

    last: the step at which the run ended.  accesses: that were made after the step, and counted.
    """

    stood: Reference
    end: Observation
    last: int
    accesses: int = 0

    @cached_property
    def before(self) -> Observation:
        """What could be observed at the step."""
        return self.stood.observe()

    def follows(self, now: Observation) -> bool:
        """Would a run in the same state, observed as `now`, be observed as this one at its end, but for what it has added up?"""
        return not_added_up(now) == not_added_up(self.before)

    def after(self, trial: Trial) -> Trial:
        """The whole of a run that was broken off here."""
        now = trial.observation
        seen = now.seen + self.end.seen[len(self.before.seen) :]
        slow_entries = now.slow_entries + self.end.slow_entries - self.before.slow_entries
        observation = replace(self.end, seen=seen, slow_entries=slow_entries)
        return replace(trial, observation=observation, in_all=trial.in_all + self.accesses)


class Undisturbed:
    """A program's run on the reference machine with nothing posted.

    steps: how many instructions it executes.  end: what can be observed then.  threads: how many records it has by then.
    joined: how many runs with requests have been broken off where another one of those had stood.
    """

    def __init__(self, source: str, name: str, stack: int, quantum: int = QUANTUM, policy: Policy = FOLDED) -> None:
        """Raises ValueError for a program of more than LONGEST steps."""
        reference = Reference(quantum, policy)
        reference.load(source, name, stack)
        reference.start()
        self._kept, self._places = [reference.fork()], [reference.place]
        while reference.step():
            if reference.steps % STRETCH == 0:
                self._kept.append(reference.fork())
            self._places.append(reference.place)
            if len(self._places) > LONGEST:
                raise ValueError(f"{name} takes more than {LONGEST:,} steps (write instead: fewer turns)")
        self.steps = len(self._places)
        self.end, self.threads = reference.observe(), reference.world.population
        self.joined = 0
        self._stretches: dict[int, list[Reference]] = {}
        self._trials: dict[Schedule, Trial] = {}
        self._rests: dict[int, Rest] = {}  # by step: of this run, where others came back to it
        self._known: dict[Place, list[Rest]] = {}  # of those with requests, by where they have stood

    def before(self, step: int) -> Reference:
        """The machine before a step.  To be forked, not to be stepped."""
        number = step // STRETCH
        if number not in self._stretches:
            if len(self._stretches) == AT_HAND:
                del self._stretches[next(iter(self._stretches))]
            self._stretches[number] = self._stretch(number)
        return self._stretches[number][step % STRETCH]

    def _stretch(self, number: int) -> list[Reference]:
        forks = [self._kept[number]]
        while len(forks) < min(STRETCH, self.steps - number * STRETCH):
            forks.append(forks[-1].fork())
            forks[-1].step()
        return forks

    @property
    def ends(self) -> frozenset[str]:
        """Ends of critical sections and of unwindings: what is seen there could not be delivered before."""
        codes = self._kept[0].program.codes
        return frozenset(f"{c.name}:{n}" for c in codes for n, i in enumerate(c.instructions) if i.op in ENDS)

    def at_a_site(self, step: int, thread: int) -> bool:
        """Is a thread's next instruction a check site of the policy's?"""
        site = OPCODES[self.before(step).instruction(thread).op].site
        return site != "" and (site not in OF_SOME or site == self._kept[0].policy.elsewhere)

    @property
    def longest(self) -> int:
        """For how many steps a run goes on after a post: with threads, one that is interrupted may leave another without end."""
        return UNBOUNDED if self.threads == 1 else self.steps + ENDLESS

    def run(self, schedule: Schedule) -> Trial:
        """The same run with requests posted."""
        if schedule not in self._trials:
            self._trials[schedule] = self._follow(schedule)
        return self._trials[schedule]

    def _follow(self, schedule: Schedule) -> Trial:
        target = self.before(schedule.step).fork()
        rest: Rest | None = None
        stood: list[tuple[Reference, int]] = []  # where requests had just been seen, after n accesses

        def finish(accesses: Callable[[], int]) -> None:
            nonlocal rest
            end, seen = target.steps + self.longest, target.seen
            while target.steps < end and target.step():
                if accesses() <= schedule.at:
                    continue
                if rest := self._undisturbed_rest(target):
                    return
                if target.seen > seen:
                    seen = target.seen
                    if rest := self._known_rest(target, end):
                        self.joined += 1
                        return
                    stood.append((target.fork(), accesses()))

        trial = run_schedule(target, schedule, finish)
        last = target.steps
        if rest:
            trial, last = rest.after(trial), rest.last
        if trial.observation.ended:  # else it was broken off, or is stuck
            for state, accesses in stood:
                known = Rest(state, trial.observation, last, trial.in_all - accesses)
                self._known.setdefault((state.steps, *state.position), []).append(known)
        return trial

    def _undisturbed_rest(self, target: Reference) -> Rest | None:
        """The rest of the undisturbed run, if nothing distinguishes the rest of this one from it."""
        step = target.steps
        if step >= self.steps or target.place != self._places[step] or not target.same_as(self.before(step)):
            return None
        rest = self._rests.setdefault(step, Rest(self.before(step), self.end, self.steps))
        return rest if rest.follows(target.observe()) else None

    def _known_rest(self, target: Reference, end: int) -> Rest | None:
        """The rest of an earlier run that stood here, if this one may go on as long (end: its last step)."""
        known = self._known.get((target.steps, *target.position), [])
        alike = (rest for rest in known if rest.last < end and target.same_as(rest.stood))
        return next((rest for rest in alike if rest.follows(target.observe())), None)


@lru_cache(maxsize=8)
def undisturbed(source: str, name: str, stack: int, policy: Policy = FOLDED) -> Undisturbed:
    """Keep a program's runs: the target is compared with them again with each mutant compiled in."""
    return Undisturbed(source, name, stack, policy=policy)
