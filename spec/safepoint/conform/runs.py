"""Run the judge's programs with requests posted at chosen steps, and measure how far each request went before it was seen.

Each run is made once, and every claim looks at it.  A check is counted from its first shared access on: while its slow path runs,
the counters of `observe` include it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from safepoint.conform.distances import distance, in_words, most
from safepoint.conform.programs import LOOPS, Program
from safepoint.conform.target import KINDS, GuestStuck, NotOffered, Observation, Seen, Target
from safepoint.protocol.policy import Checks

STEPS = 1_000
"""Requests are posted before each of a program's first STEPS steps: no program has more in a VM that steps by instructions."""
ENOUGH = 1_000_000
"""A guest that has not ended after this many steps never ends: no program needs that many."""


class Refuted(Exception):
    """A case breaks the claim: what was posted and where, what was seen, and what is claimed, in four lines."""


@dataclass(frozen=True)
class Evidence:
    """A claim holds.  `tried`: how many cases.  `worst`: kind of check -> the greatest distance observed."""

    tried: int
    worst: dict[str, int] | None = None


@dataclass(frozen=True)
class Post:
    """What is to be posted, `gap` steps after the post before it."""

    kind: str
    thread: int = 0
    gap: int = 0

    def __str__(self) -> str:
        return self.kind + (f" to thread {self.thread}" if self.thread else "")


@dataclass(frozen=True)
class Posted:
    """A post, and the guest at that moment: `checks` that its thread had executed, requests `seen`, the `output`."""

    post: Post
    checks: Mapping[str, int]
    seen: int
    output: str


@dataclass(frozen=True)
class Case:
    """One run of a program: what was posted, and the guest afterwards.

    `text`: the posts in words, and before which step, counted from 0.  `checks`: number of a thread that was posted to -> the checks
    that it has executed by then.
    """

    program: Program
    text: str
    posted: tuple[Posted, ...]
    end: Observation
    checks: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    def refuted(self, seen: str, claimed: str) -> Refuted:
        """The exception that says so."""
        return Refuted(describe(self.program, self.text, seen, claimed))

    def seen(self, posted: Posted) -> list[Seen]:
        """Every time that its thread noticed a request of its kind since."""
        wanted = posted.post.kind, posted.post.thread
        return [s for s in self.end.seen[posted.seen :] if (s.kind, s.thread) == wanted]


def describe(program: Program, posted: str, seen: str, claimed: str) -> str:
    """One case in four lines.  `posted`: "" if nothing was."""
    return f"program   {program.name}\nposted    {posted or 'nothing'}\nseen      {seen}\nclaimed   {claimed}"


def in_sequence(step: int, posts: tuple[Post, ...]) -> str:
    """Posts before a step, in words."""
    text = f"before step {step}: {posts[0]}"
    for post in posts[1:]:
        text += (f", {post.gap} steps later " if post.gap else " and ") + str(post)
    return text


def ending(end: Observation) -> str:
    """How a run ended, in words."""
    return f"output {end.output!r}, error {end.error!r}"


class Runs:
    """A target under judgment: what it offers, and its runs.

    `left_out`: what the claim at hand did without -> why.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.left_out: dict[str, str] = {}
        self._loaded: Program | None = None
        self._refused: dict[str, list[str]] = {}  # program -> what it needs
        self._cases: dict[tuple[str, tuple[Post, ...], int], list[Case]] = {}
        self._alone: dict[str, Observation] = {}

    # -- what is offered

    def need(self, *abilities: str) -> None:
        """Raises NotOffered for the first that the target does not declare, or that is a kind which it refuses."""
        for ability in abilities:
            if ability not in self.target.offers or (ability in KINDS and ability not in self._taken):
                raise NotOffered(ability)

    def kinds(self, *wanted: str) -> tuple[str, ...]:
        """Those of these kinds that are offered; the others are named.  Raises NotOffered if none is."""
        self.left_out |= {kind: "not offered" for kind in wanted if kind not in self._taken}
        if not (found := tuple(kind for kind in wanted if kind in self._taken)):
            raise NotOffered(" and ".join(wanted))
        return found

    @cached_property
    def _taken(self) -> tuple[str, ...]:
        """The kinds that are declared, and that `post` does not refuse.  Every VM has loops."""
        self.offered(LOOPS)
        with suppress(GuestStuck):  # another claim's
            if self.begin(LOOPS, 1).ended:  # there would be one place to post at, and all would seem right
                raise NotOffered("a step that is shorter than a whole program")
        taken = []
        for kind in KINDS:
            self.begin(LOOPS)
            try:
                if kind in self.target.offers:
                    self.target.post(kind)
                    taken.append(kind)
            except NotOffered:
                pass
        return tuple(taken)

    def load(self, program: Program) -> bool:
        """Load the program, if another one is loaded.  False: it needs what is not offered, and is named."""
        if program is self._loaded:
            return True
        missing = self._refused.get(program.name) or sorted(program.needs - self.target.offers)
        if not missing:
            try:
                self.target.load(program.source, program.name, program.stack)
                self._loaded = program
                return True
            except NotOffered as refused:
                self._loaded = None
                missing = [str(refused)]
        self._refused[program.name] = missing
        self.left_out[f"program {program.name}"] = f"needs {missing[0]}"
        return False

    def offered(self, *programs: Program) -> list[Program]:
        """Those of these programs that the target can run.  Raises NotOffered if it can run none."""
        found = [program for program in programs if self.load(program)]
        if not found:
            raise NotOffered(" and ".join(dict.fromkeys(self._refused[p.name][0] for p in programs)))
        return found

    def right(self, *programs: Program) -> list[Program]:
        """Those that, alone, also do what they do under Python: if one does not, that is another claim's, and it is named."""
        offered = self.offered(*programs)
        found = [program for program in offered if self._is_right(program)]
        self.left_out |= {f"program {p.name}": "is wrong undisturbed" for p in offered if p not in found}
        if not found:
            raise NotOffered(f"a run as under Python of {', '.join(p.name for p in programs)}")
        return found

    def _is_right(self, program: Program) -> bool:
        try:
            end = self.alone(program)
        except Refuted:
            return False
        return (end.output, end.error) == (program.output, program.error)

    # -- running

    def begin(self, program: Program, step: int = 0) -> Observation:
        """Make a new guest, and bring it before that step."""
        self.load(program)
        self.target.start()
        if step:
            self.target.step(step)
        return self.target.observe()

    def finish(self, program: Program, text: str = "") -> Observation:
        """Run on to the guest's end.  `text`: what was posted.  Raises Refuted if it does not end."""
        try:
            if not self.target.step(ENOUGH):
                return self.target.observe()
            stuck = f"the guest still runs after {ENOUGH:,} steps"
        except GuestStuck as why:
            stuck = str(why)
        raise Refuted(describe(program, text, stuck, "it ends"))

    def alone(self, program: Program) -> Observation:
        """The end of a run with nothing posted."""
        if program.name not in self._alone:
            self.begin(program)
            self._alone[program.name] = self.finish(program)
        return self._alone[program.name]

    def each_step(self, program: Program, every: int = 1) -> Iterator[int]:
        """Yield the numbers of the program's steps, each time with a new guest that stands before that step."""
        for step in range(0, STEPS, every):
            if self.begin(program, step).ended:
                return
            yield step

    def post(self, post: Post) -> Posted:
        """Post now."""
        now = self.target.observe()
        posted = Posted(post, self.target.checks(post.thread), len(now.seen), now.output)
        self.target.post(post.kind, *([post.thread] if post.thread else []))
        return posted

    def end_of(self, program: Program, text: str, posted: Sequence[Posted]) -> Case:
        """Run on to the end of what has been begun with these posts, to which that run may add."""
        end = self.finish(program, text)
        checks = {p.post.thread: self.target.checks(p.post.thread) for p in posted}
        return Case(program, text, tuple(posted), end, checks)

    def cases(self, program: Program, *posts: Post, every: int = 1) -> list[Case]:
        """Post these before each step of the program at which the first one's thread lives, and run each case to its end."""
        key = program.name, posts, every
        if key not in self._cases:
            self._cases[key] = list(self._each_case(program, posts, every))
        return self._cases[key]

    def _each_case(self, program: Program, posts: tuple[Post, ...], every: int) -> Iterator[Case]:
        for step in self.each_step(program, every):
            if posts[0].thread not in self.target.living:
                continue
            posted = []
            for post in posts:
                if post.gap:
                    self.target.step(post.gap)
                posted.append(self.post(post))
            yield self.end_of(program, in_sequence(step, posts), posted)

    # -- distances

    @property
    def limits(self) -> dict[str, Checks]:
        """Kind of check -> the declared bound."""
        return {**self.target.bound.as_json(), **self.target.further}

    @property
    def declared(self) -> str:
        """What `late` holds a request against, in words."""
        return f"the declared bound: {in_words(self.limits)}"

    def late(self, case: Case, posted: Posted) -> str:
        """How far a request went, if beyond the bound; "" if within it.

        A thread that ends where the bound still allows a check need not have seen it; one that has not begun may drop it.
        """
        if posted.post.thread and not any(posted.checks.values()):
            return ""
        seen = case.seen(posted)
        went = distance(posted.checks, seen[0].checks if seen else case.checks[posted.post.thread])
        limits = {check: most(limit, case.program.stack) for check, limit in self.limits.items()}
        over = any(limit is not None and went.get(check, 0) > limit for check, limit in limits.items())
        room = any(limit is None or went.get(check, 0) < limit for check, limit in limits.items())
        if not over and (seen or room):
            return ""
        how = (
            f"at {seen[0].site}, after" if seen else f"never; the thread {'ended' if case.end.ended else 'runs'} after"
        )
        return f"{posted.post} {how} {in_words(went)}"
