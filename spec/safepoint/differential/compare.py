"""Two machines, one program, the same requests at the same places: whatever can be observed must be equal.

A `Schedule` says before which guest step a request is posted, to which thread, and, if wanted, what else happens at which
shared access that this causes: a second post inside the slow path, or a guest step inside the post.  Guest threads take turns
(`guest.threads.Lockstep`), so a program with several has one order of steps on both machines, also if it races.  The reference
machine is run once for each program and forked at the step in question; its run is over as soon as it is back on the path of
the undisturbed one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace

from safepoint.conform.target import INTERRUPT, STOP, Observation
from safepoint.differential.reference import Reference
from safepoint.differential.schedule import Schedule
from safepoint.differential.stepped import HANDSHAKE, NOTHING, SAMPLE, UNBOUNDED, GuestStuck, Stepped
from safepoint.guest.code import OPCODES
from safepoint.guest.lockstep import MAIN, QUANTUM
from safepoint.protocol.policies import FOLDED, Bound

KINDS = (STOP, INTERRUPT)
EVERY_STEP = 2_000
"""Programs of up to so many steps are interrupted before every step, longer ones before `sampled` random ones."""
SAMPLED, FEWEST = 50, 3
WORK = 30_000
"""Steps: a target runs a program from its start for each post, so the longer it is the fewer there are."""
ENDLESS = 1_000
"""Steps more than undisturbed, after which a program with threads is taken to be without end."""
LONGEST = 200_000
"""Steps after which a program is too long for the reference machine."""


@dataclass(frozen=True)
class Trial:
    """What came of one schedule.  `in_post`, `in_all`: shared accesses of the post alone, and of everything."""

    observation: Observation
    posted_at: tuple[int, int]  # frames and back-edges that the thread had executed when the post was through
    seen_before: int  # requests that were seen by then
    in_post: int
    in_all: int


@dataclass(frozen=True)
class Mismatch:
    """`differs`: field -> (reference, target).  `target`, `mutant`: what `safepoint replay` has to be given."""

    program: str
    schedule: Schedule | None
    differs: dict[str, tuple[object, object]]
    target: str = FOLDED.name
    mutant: str = ""

    def __str__(self) -> str:
        lines = [f"{self.program}: {self.schedule or 'nothing posted'}"]
        lines += [
            f"    {name:12} reference {a!r}\n    {'':12} target    {b!r}" for name, (a, b) in self.differs.items()
        ]
        again = self.schedule or Schedule(0, NOTHING)  # a poison that nobody is to notice
        target = f" --target {self.target}" if self.target != FOLDED.name else ""
        mutant = f" --mutant {self.mutant}" if self.mutant else ""
        lines.append(f"    again: safepoint replay{target}{mutant} '{again.string(self.program)}'")
        return "\n".join(lines)


@dataclass
class Tally:
    """Of many trials.  `worst`: the greatest distances between a post and its being seen, in checks of each kind."""

    programs: int = 0
    interrupts: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    frames: int = 0
    back_edges: int = 0

    @property
    def worst(self) -> Bound:
        return Bound(self.frames, self.back_edges)

    def add(self, other: Tally) -> None:
        self.programs += other.programs
        self.interrupts += other.interrupts
        self.mismatches += other.mismatches
        self.frames, self.back_edges = max(self.frames, other.frames), max(self.back_edges, other.back_edges)


def attempt(target: Stepped, schedule: Schedule, finish: Callable[[Callable[[], bool]], None]) -> Trial:
    """Post and run on: `target` stands before the step in question.  `finish` is told whether all has been posted."""
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
    in_post, posted_at, seen = accesses, target.checks(schedule.thread), len(target.observe().seen)
    try:
        end = outcome(target, lambda: finish(lambda: accesses > schedule.at))
    finally:
        target.watch(None)
    return Trial(end, posted_at, seen, in_post, accesses)


def outcome(target: Stepped, finish: Callable[[], None]) -> Observation:
    """What can be observed at the end, or where it is stuck."""
    try:
        finish()
    except GuestStuck as why:
        return replace(target.observe(), error=str(why))
    return target.observe()


class Undisturbed:
    """A program's run on the reference machine with nothing posted, forked before every step."""

    def __init__(self, source: str, name: str, stack: int, quantum: int = QUANTUM) -> None:
        reference = Reference(quantum)
        reference.load(source, name, stack)
        reference.start()
        self.forks = [reference.fork()]
        while reference.step():
            self.forks.append(reference.fork())
            if len(self.forks) > LONGEST:
                raise ValueError(f"{name} takes more than {LONGEST:,} steps (write instead: fewer turns)")
        self.end = reference.observe()

    @property
    def steps(self) -> int:
        return len(self.forks)

    @property
    def ends(self) -> frozenset[str]:
        """Of critical sections: what is seen there could not be delivered before."""
        codes = self.forks[0].program.codes
        return frozenset(f"{c.name}:{n}" for c in codes for n, i in enumerate(c.instructions) if i.op == "UNMASK")

    def at_a_site(self, step: int, thread: int) -> bool:
        """Is a thread's next instruction a check site?"""
        return OPCODES[self.forks[step].instruction(thread).op].site != ""

    @property
    def longest(self) -> int:
        """For how many steps a run goes on after a post: with threads, one that is interrupted may leave another without end."""
        return UNBOUNDED if self.forks[-1].world.population == 1 else self.steps + ENDLESS

    def attempt(self, schedule: Schedule) -> Trial:
        """The same run with something posted, as far as it differs from this one."""
        target = self.forks[schedule.step].fork()
        merged = False

        def finish(posted: Callable[[], bool]) -> None:
            nonlocal merged
            end = target.steps + self.longest
            while target.steps < end and target.step():
                if merged := posted() and self._on_this_path(target):
                    return

        trial = attempt(target, schedule, finish)
        if merged:
            so_far, had = trial.observation, self.forks[target.steps].observe()
            seen = so_far.seen + self.end.seen[len(had.seen) :]
            slow_entries = so_far.slow_entries + self.end.slow_entries - had.slow_entries
            trial = replace(trial, observation=replace(self.end, seen=seen, slow_entries=slow_entries))
        return trial

    def _on_this_path(self, target: Reference) -> bool:
        """Does nothing distinguish the rest of this run from the undisturbed one's?"""
        return target.steps < len(self.forks) and target.same_as(self.forks[target.steps])


def sampled(work: int) -> int:
    """In how many places a program of so many steps, times threads, is posted to."""
    return max(FEWEST, min(SAMPLED, WORK // work))


def schedules(run: Undisturbed, rng: random.Random, seconds: int | None, every: int = EVERY_STEP) -> Iterator[Schedule]:
    """Both kinds that a guest notices, a SAMPLE, a HANDSHAKE, and a poison without a request: before every step of programs of
    up to `every` steps, to each thread that there is then; all but the HANDSHAKE, with which a run never comes back to the
    undisturbed one's path, before a sample of longer ones, to one thread.  And, in programs of up to `seconds` steps (None: in
    all), everything that can happen in the middle of that.

    The middle is looked into where the next instruction is a check site: any other touches no word of the protocol, so a
    guest step in the middle of a post changes nothing, and the slow path that follows is the same, in the same state.
    """
    short = run.steps <= every
    threads = run.forks[-1].world.population  # with several, a run hardly ever comes back to the undisturbed one's path
    for step in range(run.steps) if short else sorted(rng.sample(range(run.steps), sampled(run.steps * threads))):
        living = run.forks[step].living
        for thread in living if short else [rng.choice(living)]:
            kinds = (NOTHING, SAMPLE, *(asked(thread) if short else ()))
            yield from (Schedule(step, kind, thread=thread) for kind in kinds)
            for kind in KINDS:
                first = Schedule(step, kind, thread=thread)
                yield first
                if (seconds is None or run.steps <= seconds) and run.at_a_site(step, thread):
                    yield from in_the_middle(run, first)


def asked(thread: int) -> tuple[str, ...]:
    """Another's record may be used again before the operation is run."""
    return (HANDSHAKE,) if thread == MAIN else ()


def in_the_middle(run: Undisturbed, first: Schedule) -> Iterator[Schedule]:
    """All that can happen between two shared accesses of a post, and of what follows."""
    trial = run.attempt(first)
    yield from (replace(first, at=at, also=also) for at in range(trial.in_post) for also in ("step", SAMPLE))
    kinds = (*KINDS, *asked(first.thread)) if first.kind == STOP else KINDS
    yield from (replace(first, at=at, also=k) for at in range(trial.in_post, trial.in_all) for k in kinds)


def compare(
    target: Stepped, source: str, name: str, stack: int, tally: Tally, rng: random.Random, *,
    seconds: int | None = None, every: int = EVERY_STEP, most_mismatches: int = 1,
) -> None:  # fmt: skip
    """Hold `target` against the reference machine on one program, and add what was found to `tally`."""
    run = Undisturbed(source, name, stack)
    target.load(source, name, stack)
    target.start()
    tally.programs += 1
    if differs := differences(run.end, outcome(target, target.run)):
        tally.mismatches.append(Mismatch(name, None, differs))
        return
    ends = run.ends
    for schedule in schedules(run, rng, seconds, every):
        expected = run.attempt(schedule)
        actual = repeat(target, schedule, run.longest)
        tally.interrupts += 1
        later = actual.observation.seen[actual.seen_before :]
        seen = next((s for s in later if (s.thread, s.kind) == (schedule.thread, schedule.kind)), None)
        born = run.forks[schedule.step].born(schedule.thread)  # before that a request is dropped
        if seen and born and seen.site not in ends:
            tally.frames = max(tally.frames, seen.frames - actual.posted_at[0])
            tally.back_edges = max(tally.back_edges, seen.back_edges - actual.posted_at[1])
        if differs := differences(expected.observation, actual.observation):
            tally.mismatches.append(Mismatch(name, schedule, differs))
            if len(tally.mismatches) >= most_mismatches:
                return


def repeat(target: Stepped, schedule: Schedule, longest: int = UNBOUNDED) -> Trial:
    """One schedule on a fresh thread of the target.  longest: as that of `Undisturbed`."""
    target.start()
    target.step(schedule.step) if schedule.step else None

    def finish(_posted: Callable[[], bool]) -> None:
        target.step(longest)

    return attempt(target, schedule, finish)


def differences(expected: Observation, actual: Observation) -> dict[str, tuple[object, object]]:
    """Field -> what the one has, and the other; of the words, those that differ."""
    pairs = ((f.name, getattr(expected, f.name), getattr(actual, f.name)) for f in fields(Observation))
    return {name: changed(a, b) if name == "words" else (a, b) for name, a, b in pairs if a != b}


def changed(a: dict[str, str], b: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Without what is the same in both."""
    return dict(a.items() - b.items()), dict(b.items() - a.items())
