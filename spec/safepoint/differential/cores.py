"""Runs on real cores: what an interpreter offers whose guest threads and requesters race without any lock but the protocol's.

Such a run is not repeatable, so nothing is compared: what holds in every order is counted, and must come out exactly.  The
interpreter reaches `verify` through its target, as `stepped` does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

SEEDED = ("take-before-restore", "second-word-late", "unlocked-take", "unlocked-post", "poison-before-post", "word-forgotten")
"""Mutants of the text that lose requests; a campaign that does not catch each of them has shown nothing."""
Tell = Callable[[int], None]
"""Called now and then with the number of requests made so far."""


@dataclass(frozen=True, kw_only=True)
class Percentiles:
    """Of a duration, in microseconds: upper edges of buckets a quarter wide, so each is at most a quarter too great."""

    p50: float
    p99: float
    max: float
    count: int


@dataclass(kw_only=True)
class CoresRun:
    """What a campaign has counted.  Times are reported, and decide nothing.

    `lost`: requests that no later take covers, or taken and not served; or seen only `patience` checks later.  `coalesced`: posts
    that found their bit set.  `duplicated`: takes that cover no post, one-shots run twice.  `beyond_bound`: seen later than the
    bound and `slack` checks.  `moved`: guest steps while the world was stopped, or while an operation was run by a requester.
    `stuck`: waits that did not end.  `races`: how often each was met; `slack`: of counts read across cores.
    """

    requests: int = 0
    lost: int = 0
    coalesced: int = 0
    duplicated: int = 0
    beyond_bound: int = 0
    moved: int = 0
    stuck: int = 0
    stops: int = 0
    handshakes: int = 0
    births: int = 0
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
        return self.lost + self.duplicated + self.beyond_bound + self.moved + self.stuck

    @property
    def unmet(self) -> list[str]:
        """The races that it did not meet once: about them it shows nothing."""
        return [name for name, met in self.races.items() if not met]


class OnCores(ABC):
    """A target that can be run so.  A mix-in of a `Target`."""

    @abstractmethod
    def race(self, requests: int, seconds: float, seed: int, tell: Tell | None = None) -> CoresRun:
        """At least `requests` requests, in phases that take about `seconds` in all, of the interpreter as it is."""

    @abstractmethod
    def race_mutant(self, mutant: str, requests: int, seconds: float, seed: int) -> CoresRun:
        """The same with a mutant of the text compiled in, until something is wrong.  ValueError: no such mutant."""

    @abstractmethod
    def races(self) -> Mapping[str, str]:
        """The races that a run counts, each with a sentence."""
