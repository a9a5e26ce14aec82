"""Two machines, one program, the same requests at the same places: whatever can be observed must be equal.

A `Schedule` says before which guest step a request is posted, to which thread, and, if wanted, what else happens at which
shared access that this causes: a second post inside the slow path, or a guest step inside the post.  Guest threads take turns
(`guest.lockstep.Lockstep`), so a program with several has one order of steps on both machines, also if it races.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from safepoint.conform.target import HANDSHAKE, INTERRUPT, STOP, Observation, Seen
from safepoint.differential.runs import Undisturbed, outcome, repeat, undisturbed
from safepoint.differential.schedule import Schedule
from safepoint.differential.stepped import NOTHING, SAMPLE, TERMINATE, Stepped
from safepoint.guest.lockstep import MAIN
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import FURTHER, Bound, option

NOTICED = (STOP, INTERRUPT)
"""Kinds of request that a guest notices."""
EVERY_STEP = 2_000
"""Programs of up to this many steps are interrupted before every step, longer ones before `sampled` random ones."""
SAMPLED, FEWEST = 50, 3
WORK = 30_000
"""Steps: a target runs a program from its start for each post, so a longer program is posted to less often."""


@dataclass(frozen=True)
class Mismatch:
    """`differs`: field -> (reference, target).  `target`, `mutant`, `policy`: what `safepoint replay` has to be given."""

    program: str
    schedule: Schedule | None
    differs: dict[str, tuple[object, object]]
    target: str = FOLDED.name
    mutant: str = ""
    policy: str = FOLDED.name

    def __str__(self) -> str:
        lines = [f"{self.program}: {self.schedule or 'nothing posted'}"]
        lines += [
            f"    {name:12} reference {a!r}\n    {'':12} target    {b!r}" for name, (a, b) in self.differs.items()
        ]
        return "\n".join([*lines, f"    again: {self.again}"])

    @property
    def again(self) -> str:
        """The command that repeats it."""
        schedule = self.schedule or Schedule(0, NOTHING)  # a poison that no thread is to notice
        target = f" --target {self.target}" if self.target != FOLDED.name else ""
        mutant = f" --mutant {self.mutant}" if self.mutant else ""
        return (
            f"safepoint replay {option(self.policy, FOLDED.name)}".rstrip()
            + f"{target}{mutant} '{schedule.string(self.program)}'"
        )


@dataclass
class Tally:
    """The sum of many trials.  `worst`: the most checks of each kind from a post to the check that saw it."""

    programs: int = 0
    interrupts: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    checks: dict[str, int] = field(default_factory=lambda: {"frames": 0, "back_edges": 0})

    @property
    def worst(self) -> Bound:
        frames, back_edges, *_ = self.checks.values()
        return Bound(frames, back_edges, **{kind: self.checks.get(site) for kind, site in FURTHER.items()})

    def saw(self, checks: Mapping[str, int]) -> None:
        """A request was seen after n checks of each kind."""
        self.checks |= {kind: max(n, self.checks.get(kind, 0)) for kind, n in checks.items()}

    def add(self, other: Tally) -> None:
        self.programs += other.programs
        self.interrupts += other.interrupts
        self.mismatches += other.mismatches
        self.saw(other.checks)


def sampled(work: int) -> int:
    """The number of steps before which a program is posted to.  work: its steps times its threads."""
    return max(FEWEST, min(SAMPLED, WORK // work))


def schedules(run: Undisturbed, rng: random.Random, seconds: int | None, every: int = EVERY_STEP) -> Iterator[Schedule]:
    """Post each kind that a guest notices, a SAMPLE, a HANDSHAKE, and a poison without a request: in programs of up to `every`
    steps before every step, to each living thread; in longer ones before a sample of the steps, to one thread, without the
    HANDSHAKE, with which a run never comes back to the undisturbed one's path, and without the TERMINATE.  In programs of up to `seconds` steps (None: in
    all), also everything that can happen in the middle of a post and of what follows.

    The middle is looked into where the next instruction is a check site: any other touches no word of the protocol, so a
    guest step in the middle of a post changes nothing, and the slow path that follows is the same, in the same state.
    """
    short = run.steps <= every
    threads = run.threads  # with several, a run hardly ever comes back to the undisturbed one's path
    for step in range(run.steps) if short else sorted(rng.sample(range(run.steps), sampled(run.steps * threads))):
        living = run.before(step).living
        for thread in living if short else [rng.choice(living)]:
            kinds = (NOTHING, SAMPLE, *(asked(thread) if short else ()))
            yield from (Schedule(step, kind, thread=thread) for kind in kinds)
            for kind in (*NOTICED, TERMINATE) if short else NOTICED:
                first = Schedule(step, kind, thread=thread)
                yield first
                if (seconds is None or run.steps <= seconds) and run.at_a_site(step, thread):
                    yield from in_the_middle(run, first)


def asked(thread: int) -> tuple[str, ...]:
    """Handshakes are for the first thread: another's record may be used again before the operation is run."""
    return (HANDSHAKE,) if thread == MAIN else ()


def in_the_middle(run: Undisturbed, first: Schedule) -> Iterator[Schedule]:
    """Everything that can happen between two shared accesses of a post, and of what follows."""
    trial = run.run(first)
    if first.kind != TERMINATE:  # whose post is that of an INTERRUPT
        yield from (replace(first, at=at, also=also) for at in range(trial.in_post) for also in ("step", SAMPLE))
    kinds = {STOP: (*NOTICED, *asked(first.thread)), INTERRUPT: (*NOTICED, TERMINATE), TERMINATE: (TERMINATE,)}[
        first.kind
    ]
    yield from (replace(first, at=at, also=k) for at in range(trial.in_post, trial.in_all) for k in kinds)


def compare(
    target: Stepped, source: str, name: str, stack: int, tally: Tally, rng: random.Random, *,
    seconds: int | None = None, every: int = EVERY_STEP, most_mismatches: int = 1,
) -> None:  # fmt: skip
    """Compare `target` with the reference machine on one program, and add the result to `tally`.

    seconds: steps of the longest program in the middle of whose posts others are made; every: of the longest one posted to
    before every step.  Stops after `most_mismatches`.
    """
    run = undisturbed(source, name, stack, target.policy)
    target.load(source, name, stack)
    target.start()
    tally.programs += 1
    tally.saw(dict.fromkeys(target.checks(), 0))
    if differs := differences(run.end, outcome(target, target.run)):
        tally.mismatches.append(Mismatch(name, None, differs, policy=target.policy.name))
        return
    ends = run.ends
    for schedule in schedules(run, rng, seconds, every):
        expected = run.run(schedule)
        actual = repeat(target, schedule, run.longest)
        tally.interrupts += 1
        later = actual.observation.seen[actual.seen_before :]
        mine = [s for s in later if s.thread == schedule.thread]
        seen = next((s for s in mine if s.kind == schedule.kind), None)
        born = run.before(schedule.step).born(schedule.thread)  # before that a request is dropped
        if seen and born and seen.site not in ends and not given_back(seen, mine):
            tally.saw({kind: n - actual.posted_at[kind] for kind, n in seen.checks.items()})
        if differs := differences(expected.observation, actual.observation):
            tally.mismatches.append(Mismatch(name, schedule, differs, policy=target.policy.name))
            if len(tally.mismatches) >= most_mismatches:
                return


def given_back(seen: Seen, mine: Sequence[Seen]) -> bool:
    """Has an INTERRUPT been taken with a TERMINATE, perhaps, and so been seen later?  mine: what its thread has seen."""
    return seen.kind == INTERRUPT and TERMINATE in [other.kind for other in mine[: mine.index(seen)]]


def differences(expected: Observation, actual: Observation) -> dict[str, tuple[object, object]]:
    """Field -> (expected, actual), for the fields that differ; of the words, only those that differ."""
    pairs = ((f.name, getattr(expected, f.name), getattr(actual, f.name)) for f in fields(Observation))
    return {name: changed(a, b) if name == "words" else (a, b) for name, a, b in pairs if a != b}


def changed(a: dict[str, str], b: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Both, without the entries that are equal."""
    return dict(a.items() - b.items()), dict(b.items() - a.items())
