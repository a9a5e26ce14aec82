"""What refutes a claim, as data: `safepoint.show.failures` says each in words, with the command that replays it."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.conform.judge import Verdict
from safepoint.differential.compare import Mismatch
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Bound
from safepoint.verify.explore import Decision
from safepoint.verify.rows import MutantRow


@dataclass(frozen=True)
class Unreached:
    """A place of a policy's text that no scope reached: nothing was checked there."""

    policy: str
    place: str


@dataclass(frozen=True)
class Unmet:
    """The name of an interesting kind of state (`SOMETIMES`) that no scope reached."""

    name: str


@dataclass(frozen=True)
class Unattained:
    """A policy declares a bound that no scope attains: the true one is lower."""

    policy: str
    declared: Bound


@dataclass(frozen=True)
class NotInductive:
    """A state that the invariant allows, and a step from it to a state that it does not allow."""

    counterexample: str


@dataclass(frozen=True)
class Survivor:
    """A mutant that no property catches."""

    mutant: MutantRow


@dataclass(frozen=True)
class OtherBound:
    """The interpreter's greatest observed distance is not the bound that its policy declares."""

    policy: str
    declared: Bound
    observed: Bound


@dataclass(frozen=True)
class Unnoticed:
    """A mutant, compiled into the interpreter, that a test does not notice.  `by`: which test."""

    mutant: str
    by: str = "the differential test does not notice it"


@dataclass(frozen=True)
class WrongSchedule:
    """A controlled schedule of the interpreter on which something is wrong.  `by`: what shows it; `string`: what replays it."""

    by: str
    what: str
    string: str


@dataclass(frozen=True)
class WrongFuzzed:
    """A fuzzed program that is neither refused nor runs alike on both machines.  `string`, `mutant`: what replays it."""

    string: str
    what: str
    mutant: str = ""


@dataclass(frozen=True)
class WrongOnCores:
    """Of `requests` requests on real cores, `count` were lost, or else what may not be."""

    what: str
    count: int
    requests: int
    policy: str = FOLDED.name


Failure = (
    Decision
    | Unreached
    | Unmet
    | Unattained
    | NotInductive
    | Survivor
    | Mismatch
    | OtherBound
    | Unnoticed
    | WrongSchedule
    | WrongFuzzed
    | Verdict
    | WrongOnCores
)
