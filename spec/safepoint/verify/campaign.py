"""`safepoint campaign`: what takes hours, as independent jobs: every scope, every mutation, more schedules, soaks.

Its jobs are made in any order by any workers, and each result is one that `verify` would have found, had it the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from typing import Any

from safepoint.conform.judge import UnknownTarget, find_target
from safepoint.conform.target import NotOffered
from safepoint.differential.cases import CASES, LATE, in_compiled_code
from safepoint.differential.controlled import Case
from safepoint.differential.fuzz import KINDS
from safepoint.model.explore import NotExplored
from safepoint.model.scopes import chosen
from safepoint.protocol.policies import FIRST, POLICIES
from safepoint.verify import mutate
from safepoint.verify.controlled import FULL, PREEMPTIONS, TWICE, run_case
from safepoint.verify.cores import REQUESTS, SECONDS, race, wrong
from safepoint.verify.failures import Failure, WrongSchedule
from safepoint.verify.fuzzing import fuzz
from safepoint.verify.interpreter import OURS, SEED
from safepoint.verify.kept import Jobs
from safepoint.verify.report import Progress
from safepoint.verify.text import explore_scope

SCOPES, SCHEDULES, FUZZ, SOAK, MUTATION = "scopes", "schedules", "fuzz", "soak", "mutation"
SUBJECTS = {
    SCOPES: "every scope of every policy, the nightly ones too, under sequential consistency; and under TSO the small ones",
    SCHEDULES: "controlled schedules of the interpreter, every one with two preemptions of the small cases; by random priorities, with further seeds",
    FUZZ: "programs with edits that no programmer would make, in their text or their code, on both machines, with a request somewhere",
    SOAK: "campaigns on real cores, one a seed, each of half a minute",
    MUTATION: "every simple mutation of every policy's text, as `safepoint mutate`",
}
"""What a campaign is about, in the order in which it is done."""
UNITS = {SCOPES: "states", SCHEDULES: "schedules", FUZZ: "programs", SOAK: "requests", MUTATION: "mutations"}
SEEDED = (SCHEDULES, FUZZ, SOAK)
"""Those of which a further seed is a further job."""
FUZZED = 250
"""Programs of a seed and a kind."""
MOST_ROLES = 2
"""Requesters of a scope that is explored under TSO: three are more states than one search takes."""


@dataclass(frozen=True)
class Found:
    """What a job has found.  `count`: how many states, schedules, programs, requests or mutations.  `why_not`: why it has no verdict.

    `ways`: of FUZZ: how many programs ended how.
    """

    name: str
    count: int = 0
    failures: tuple[Failure, ...] = ()
    why_not: str = ""
    ways: tuple[tuple[str, int], ...] = ()


@dataclass
class Subject:
    """One of SUBJECTS.  `planned`: how many jobs it has, as far as that is known; `made`, `there`: results of now, and of earlier."""

    name: str
    unit: str
    planned: int = 0
    made: int = 0
    there: int = 0
    found: list[Found] = field(default_factory=list)
    survivors: int = 0
    """Of MUTATION: mutations without a reason, and reasons without a mutation."""

    @property
    def refuted(self) -> int:
        """How many of its jobs refute a claim."""
        return self.survivors + sum(bool(each.failures) for each in self.found)

    @property
    def ways(self) -> Counter[str]:
        """How many ended how, of what is told apart."""
        return sum((Counter(dict(each.ways)) for each in self.found), Counter())

    @property
    def failures(self) -> list[Failure]:
        return [failure for each in self.found for failure in each.failures]

    @property
    def left_out(self) -> dict[str, str]:
        """Job -> why it has no verdict."""
        return {each.name: each.why_not for each in self.found if each.why_not}


@dataclass
class Campaign:
    """`subjects`: as far as it came.  `mutations`: of the subject of that name, if it came to its end."""

    subjects: list[Subject] = field(default_factory=list)
    mutations: mutate.Campaign | None = None

    @property
    def verdict(self) -> str:
        """One of "refuted", "holds", or "no verdict": of a subject no job has one."""
        if any(subject.refuted for subject in self.subjects):
            return "refuted"
        is_empty = any(len(subject.left_out) == len(subject.found) for subject in self.subjects)
        return "no verdict" if is_empty else "holds"


# -- jobs, in a worker


def scope(policy: str, memory: str, name: str) -> Found:
    said = f"{policy} {memory} {name}"
    try:
        found = explore_scope((policy, memory, name))
    except (NotExplored, MemoryError) as error:
        return Found(said, why_not=str(error) or "out of memory")
    return Found(said, found.row.states, (found.refuted,) if found.refuted else ())


def schedules(case: Case, seed: int) -> Found:
    """The first seed looks for what one preemption shows, too: it is the same with every seed."""
    most, drawn = (FULL[0] if seed == SEED else 1), FULL[1]
    tally = run_case(case, most, drawn, seed)
    bad = (WrongSchedule(tally.wrong.by, tally.wrong.what, tally.wrong.string),) if tally.wrong else ()
    return Found(f"{case} seed {seed}", tally.schedules, bad)


def twice(case: Case) -> Found:
    """Every schedule with one preemption more."""
    tally = run_case(case, 2 * TWICE[case.name], 0, preemptions=PREEMPTIONS + 1)
    bad = (WrongSchedule(tally.wrong.by, tally.wrong.what, tally.wrong.string),) if tally.wrong else ()
    left = "" if tally.finished or bad else f"after {tally.schedules:,} schedules there are more"
    return Found(f"{case} with {PREEMPTIONS + 1} preemptions", tally.schedules, bad, left)


def fuzzed(kind: str, seed: int) -> Found:
    """The programs of a seed are those of FUZZED numbers that no other seed has."""
    found = fuzz(kind, FUZZED * (seed - SEED), FUZZED)
    bad = (found.wrong,) if found.wrong else ()
    return Found(f"{kind} seed {seed}", found.ways.total(), bad, ways=tuple(sorted(found.ways.items())))


def soak(seed: int) -> Found:
    try:
        run = race(10 * REQUESTS, SECONDS, seed)
    except NotOffered as missing:
        return Found(f"seed {seed}", why_not=f"real cores: the interpreter does not offer {missing}")
    return Found(f"seed {seed}", run.requests, tuple(wrong(run)))


# -- the campaign


Work = tuple[Callable[..., Found], tuple[Any, ...]]


def planned(name: str, seeds: int) -> list[Work]:
    """The jobs of a subject that is not MUTATION."""
    numbers = [SEED + n for n in range(seeds)]
    if name == SCOPES:
        return [
            (scope, (policy.name, memory, each.name))
            for policy in POLICIES.values()
            for memory in ("sc", "tso")
            for each in chosen("nightly" if memory == "sc" else "small", slices=policy.slices)
            if memory == "sc" or len(each.roles) <= MOST_ROLES
        ]
    if name == SCHEDULES:
        cases = (*CASES, *LATE, *in_compiled_code())
        small: list[Work] = [(twice, (case,)) for case in cases if case.name in TWICE]
        return small + [(schedules, (case, seed)) for seed in numbers for case in cases]
    if name == FUZZ:
        return [(fuzzed, (kind, seed)) for seed in numbers for kind in KINDS]
    return [(soak, (seed,)) for seed in numbers]


def run(subjects: Sequence[str], seeds: int, pool: Jobs, campaign: Campaign, progress: Progress) -> None:
    """Do what is missing, and write into `campaign` what is found as it comes: Control-C ends it anywhere.

    Raises ProtocolError, NotExplored, NotUsable.
    """
    for name in (each for each in SUBJECTS if each in subjects):
        subject = Subject(name, UNITS[name])
        campaign.subjects.append(subject)
        made, there = pool.made, pool.there
        try:
            if name == MUTATION:
                _mutate(subject, pool, campaign, progress)
            elif name in SEEDED and (why := _missing()):
                subject.found.append(Found(name, why_not=why))
            else:
                _make(subject, planned(name, seeds), pool, progress, together=name != SOAK)
        finally:
            subject.made, subject.there = pool.made - made, pool.there - there


def _missing() -> str:
    """Why the interpreter cannot run; "" if it can."""
    try:
        find_target(OURS)
    except UnknownTarget as error:
        return f"the interpreter cannot run: {error}"
    return ""


def _make(subject: Subject, jobs: Sequence[Work], pool: Jobs, progress: Progress, *, together: bool) -> None:
    """`together`: the jobs need one core each; else all of a machine."""
    subject.planned = len(jobs)
    with progress.section(subject.name, len(jobs)) as done:
        for some in [jobs] if together else [[job] for job in jobs]:
            asked = [pool.submit(work, *arguments) for work, arguments in some]
            for each in as_completed(asked):
                subject.found.append(found := each.result())
                done(f"{found.name}: {found.count:,} {subject.unit}")


def _mutate(subject: Subject, pool: Jobs, campaign: Campaign, progress: Progress) -> None:
    campaign.mutations = mutate.run([POLICIES[name] for name in FIRST], pool, progress=progress)
    subject.survivors = len(campaign.mutations.unexplained) + len(campaign.mutations.stale)
    subject.found = [Found(f"{row.file}:{row.line} {row.operator}", 1) for row in campaign.mutations.rows]
