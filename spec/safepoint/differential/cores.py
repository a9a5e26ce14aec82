"""Runs on real cores: what an interpreter offers whose guest threads and requesters race without any lock but the protocol's.

Such a run is not repeatable, so nothing is compared: what holds in every order is counted, and must come out exactly.  The
interpreter reaches `verify` through its target, as `stepped` does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from safepoint.conform.judge import UnknownTarget, find_target
from safepoint.protocol.policies import FOLDED

SEEDED = (
    "take-before-restore", "second-word-late", "unlocked-take", "unlocked-post", "poison-before-post", "word-forgotten",
    "does-not-wait", "stop-without-park", "no-recheck", "handshake-unclaimed", "handshake-unchecked", "handshake-not-awaited",
)  # fmt: skip
"""Mutants of the text that lose requests, run one twice, or let guest code run while the world is stopped, each soon: a campaign
that does not catch one of them has shown nothing about its like."""
Tell = Callable[[int], None]
"""Called now and then with the number of requests made so far."""


@dataclass(frozen=True, kw_only=True)
class Percentiles:
    """Of a duration, in microseconds: upper edges of buckets a quarter wide, so each is at most a quarter too great.

    `buckets`: of each bucket that is not empty, its upper edge and how many durations it has.
    """

    p50: float
    p99: float
    max: float
    count: int
    buckets: tuple[tuple[float, int], ...] = ()


@dataclass(kw_only=True)
class CoresRun:
    """What a campaign has counted.  Times are reported, and decide nothing.

    `lost`: requests that no later take covers, or taken and not served, or served and not raised; or seen only `patience` checks later.  `coalesced`: posts
    that found their bit set.  `duplicated`: takes that cover no post, one-shots run twice.  `beyond_bound`: seen later than the
    bound and `slack` checks.  `moved`: guest steps while the world was stopped; `overrun`: while a requester ran an operation.
    `stuck`: waits that did not end.  `races`: how often each was met; `slack`: of counts read across cores.  `later`: seen within the
    bound, and after more than one check and `slack`: only a ticker or a budget that has expired shows these.
    """

    requests: int = 0
    lost: int = 0
    coalesced: int = 0
    duplicated: int = 0
    beyond_bound: int = 0
    later: int = 0
    moved: int = 0
    overrun: int = 0
    stuck: int = 0
    stops: int = 0
    handshakes: int = 0
    births: int = 0
    raised: int = 0
    worst: int = 0
    slack: int = 0
    seconds: float = 0.0
    races: Counter[str] = field(default_factory=Counter)
    details: Counter[str] = field(default_factory=Counter)
    entered_us: Percentiles | None = None
    seen_us: Percentiles | None = None
    served_us: Percentiles | None = None
    stopped_us: Percentiles | None = None

    @property
    def wrong(self) -> int:
        """How much of what it counted may not be."""
        return self.lost + self.duplicated + self.beyond_bound + self.moved + self.overrun + self.stuck

    @property
    def unmet(self) -> list[str]:
        """The races that it did not meet once: about them it shows nothing."""
        return [name for name, met in self.races.items() if not met]


@dataclass(frozen=True, kw_only=True)
class LitmusRow:
    """Two loops on two cores, meeting `rounds` times: how often each outcome was seen.

    `mutant`: compiled in; "" for the text as it is.  `forbidden`: how often an outcome that may not be.  `shown`: was every
    interesting outcome seen?  None: there is none.
    """

    name: str
    mutant: str
    rounds: int
    outcomes: Mapping[str, int]
    forbidden: int
    shown: bool | None

    @property
    def blind(self) -> bool:
        """Has it not seen what it must, to show that it can see?"""
        return not self.forbidden if self.mutant else self.shown is False


@dataclass(frozen=True, kw_only=True)
class SeededRow:
    """A mutant of the text that loses requests, compiled in: after how many requests was that noticed?  `caught` False: not at all."""

    name: str
    caught: bool
    requests: int


@dataclass(frozen=True, kw_only=True)
class ConcurrencyRow:
    """The section `concurrency` of `verify --json`.  `schedules`: of controlled runs, which are counted elsewhere: null here."""

    requests: int
    lost: int
    coalesced: int
    duplicated: int
    beyond_bound: int
    schedules: int | None
    latency_us: Mapping[str, float] | None
    moved: int
    overrun: int
    stuck: int
    worst: int
    slack: int
    stops: int
    handshakes: int
    births: int
    seconds: float
    latency_histogram_us: tuple[tuple[float, int], ...]
    latency_to_take_us: Mapping[str, float] | None
    latency_to_served_us: Mapping[str, float] | None
    time_to_stop_us: Mapping[str, float] | None
    races: Mapping[str, int]
    raised: int = 0
    seeded: tuple[SeededRow, ...] = ()
    litmus: tuple[LitmusRow, ...] = ()

    @property
    def met(self) -> int:
        """How many classes of races were met."""
        return sum(map(bool, self.races.values()))

    @property
    def caught(self) -> int:
        """How many of the seeded mutants were caught."""
        return sum(row.caught for row in self.seeded)

    @property
    def blind(self) -> bool:
        """Has it not caught a mutant that it must catch?  Then that it found nothing means nothing."""
        return self.caught < len(self.seeded) or any(row.blind for row in self.litmus)


def concurrency_row(
    run: CoresRun, seeded: tuple[SeededRow, ...] = (), litmus: tuple[LitmusRow, ...] = ()
) -> ConcurrencyRow:
    """What a campaign has counted, as `--json` has it."""

    def shape(found: Percentiles | None) -> dict[str, float] | None:
        return None if found is None else {"p50": found.p50, "p99": found.p99, "max": found.max}

    return ConcurrencyRow(
        requests=run.requests, lost=run.lost, coalesced=run.coalesced, duplicated=run.duplicated,
        beyond_bound=run.beyond_bound, schedules=None, latency_us=shape(run.entered_us), moved=run.moved, overrun=run.overrun, stuck=run.stuck,
        worst=run.worst, slack=run.slack, stops=run.stops, handshakes=run.handshakes, births=run.births, seconds=run.seconds,
        latency_histogram_us=run.entered_us.buckets if run.entered_us else (), latency_to_take_us=shape(run.seen_us), latency_to_served_us=shape(run.served_us),
        time_to_stop_us=shape(run.stopped_us), races=dict(run.races), raised=run.raised, seeded=seeded, litmus=litmus,
    )  # fmt: skip


class OnCores(ABC):
    """A target that can be run so.  A mix-in of a `Target`."""

    @abstractmethod
    def race(
        self, requests: int, seconds: float, seed: int, tell: Tell | None = None, policy: str = FOLDED.name
    ) -> CoresRun:
        """At least `requests` requests, in phases that take about `seconds` in all, of the interpreter as it is, under a policy.

        NotOffered: the machine has one core only; the policy has no machine code, or none that can race.
        """

    @abstractmethod
    def race_mutant(self, mutant: str, requests: int, seed: int, policy: str = FOLDED.name) -> CoresRun:
        """The same with a mutant of the text compiled in, until something is wrong.  ProtocolError: no such mutant."""

    def not_raced(self, policy: str) -> str:
        """What no campaign under a policy has, in words; "": nothing."""
        return ""

    @abstractmethod
    def litmus_tests(self) -> Sequence[tuple[str, str]]:
        """Its litmus tests, by name, each with "" and with each mutant that must show a forbidden outcome."""

    @abstractmethod
    def litmus(self, name: str, mutant: str, rounds: int, most: int, seed: int) -> LitmusRow:
        """One of these: at least `rounds` rounds; up to `most`, until what must be seen has been seen.  NotOffered: as `race`."""

    @abstractmethod
    def races(self) -> Mapping[str, str]:
        """The races that a run counts, each with a sentence."""


def find_on_cores(name: str) -> OnCores:
    """A target that can be run on real cores.  UnknownTarget: there is none of that name, or it cannot."""
    target = find_target(name)
    if not isinstance(target, OnCores):
        raise UnknownTarget(
            f"target {name!r} cannot be run on real cores (derive it from {OnCores.__module__}.OnCores, too)"
        )
    return target
