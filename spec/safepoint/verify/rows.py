"""The records of `safepoint verify`, one class a section: their fields, in order, are the JSON of `--json`.

Plain dataclasses: this program writes that JSON, and never reads it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from safepoint.model.path import Change
from safepoint.protocol.policy import FURTHER, Bound

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def as_json(row: DataclassInstance) -> dict[str, Any]:
    """Its fields; a bound has those kinds of check that it is claimed for."""
    return asdict(row) | {name: value.as_json() for name, value in vars(row).items() if isinstance(value, Bound)}


@dataclass(frozen=True, kw_only=True)
class AnyNumber:
    """Does a world of one thread decide a scope for every number of threads?  `reasons`: why not."""

    holds: bool
    argument: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ScopeRow:
    """One explored scope.

    `policy`: None for a custom text.  `depth`: steps from the initial state to the farthest one.  `bound`: None if a property is broken,
    under C11 or on a machine, or for a custom text without check sites.  `any_number`: None if it was not asked.
    """

    policy: str | None
    memory: str
    threads: int
    scope: str
    states: int
    transitions: int
    depth: int
    seconds: float
    verdict: str
    bound: Bound | None
    any_number: AnyNumber | None = None

    def as_json(self) -> dict[str, Any]:
        return as_json(self)

    @property
    def elsewhere(self) -> str:
        """The site that is neither a push nor a back-edge and has a bound; "": there is none."""
        bounds = self.bound.of_kinds() if self.bound else {}
        return next((site for kind, site in FURTHER.items() if bounds.get(kind) is not None), "")


@dataclass(frozen=True)
class PathStep:
    """One step of a path: who makes it, where it stands in the text (line 0: the processor's own), and the words that it changes."""

    who: str
    file: str
    line: int
    statement: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Refutation:
    """A counterexample.  `loop`: after this many steps the rest goes round for ever.  `replay`: the path as a string; `again`: the command that
    walks it.  A bound that is worse than declared, and finite, has no path: `detail` says both.
    """

    property: str
    detail: str = ""
    path: tuple[PathStep, ...] = ()
    loop: int | None = None
    replay: str = ""
    again: str = ""


@dataclass(frozen=True, kw_only=True)
class InductionRow:
    """The proof for any number of threads.  `steps`: how many were checked; `counterexample`: "" if it holds."""

    holds: bool
    steps: int
    vacuous: tuple[str, ...]
    counterexample: str
    covers: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class MutantRow:
    """One mutant of the text: the property that catches it (None: no property does), where, and after how many steps.

    `policy`: the one whose text it is a mistake of; `folded` for the core's.
    """

    name: str
    rule: str
    property: str | None
    caught: bool
    steps: int
    memory: str
    scope: str
    policy: str = "folded"

    def label(self) -> str:
        """Its name, with the policy where there may be another of that name."""
        return mutant_label(self.policy, self.name)


def mutant_label(policy: str, name: str) -> str:
    """A mutant's name for people: that of another policy's trigger says whose it is."""
    return name if policy == "folded" else f"{policy}: {name}"


@dataclass(frozen=True, kw_only=True)
class DifferentialRow:
    """The interpreter against the reference machine.  `worst`: the greatest distances from a post to its being seen."""

    programs: int
    interrupts: int
    mismatches: int
    worst: Bound


@dataclass(frozen=True, kw_only=True)
class CompiledMutantRow:
    """One mutant compiled into the interpreter.  `differential`: does that test notice it?  None: not tried.

    `controlled`: do controlled schedules, and in how many (`schedules`); None: `why_not_controlled`.  `shown`: by the run itself, its
    trace, or its result; `again`: the command that repeats it.  `real_cores`: does a campaign.

    `of`: "text", or "interpreter" for a mistake in what is not generated from the text: there `what` it is, `like` which real one,
    what it `swaps`, and how soon each way showed it: `requests` of the differential test, `schedules`, requests `raced` on real cores.
    """

    name: str
    rule: str
    differential: bool | None
    controlled: bool | None = None
    real_cores: bool | None = None
    schedules: int | None = None
    shown: str = ""
    again: str = ""
    why_not_controlled: str = ""
    of: str = "text"
    what: str = ""
    like: str = ""
    swaps: str = ""
    requests: int | None = None
    raced: int | None = None
    why_not_differential: str = ""
    why_not_real_cores: str = ""


@dataclass(frozen=True, kw_only=True)
class UnderMutantRow:
    """A mutant compiled into the interpreter under another policy than folded.

    `schedules`: how many controlled ones it took, `raced`: how many requests on real cores; None: it was not tried so, or did not show.
    `shown`, `again`: as `CompiledMutantRow`.  `missed`: the ways that were tried, and did not show it.
    """

    name: str
    schedules: int | None = None
    raced: int | None = None
    shown: str = ""
    again: str = ""
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class UnderRow:
    """Threads under another policy than folded: its controlled schedules, and its campaign on real cores.

    `cases`: that its text is written for, of `all_cases`; `exhausted`, `wrong`: as `SchedulesRow`.  `campaign`: what `CoresRun` has counted, by
    name; None: there was none.  `worst`: the greatest distance, of which `later` were shown by an expiry alone.  `unmet`: races that the
    campaign did not meet.  `not_raced`: what no campaign under this policy has.
    """

    policy: str
    bound: Bound
    cases: int
    all_cases: int
    schedules: int
    exhausted: int
    wrong: int
    mutants: tuple[UnderMutantRow, ...] = ()
    campaign: dict[str, int] | None = None
    unmet: tuple[str, ...] = ()
    not_raced: str = ""

    @property
    def blind(self) -> bool:
        """Has a way missed a mutant that it must show?  Then that it found nothing means nothing."""
        return any(mutant.missed for mutant in self.mutants)


@dataclass(frozen=True, kw_only=True)
class SchedulesRow:
    """Controlled schedules of the text as it is.  `exhausted`: cases of which every schedule with at most `preemptions` preemptions was run.

    `probability`: with which one of the random runs finds a mistake of that `depth`, at least, in the case where that is least.
    `compiled`: schedules of the `compiled_cases`, whose guest is executed by compiled code.
    """

    schedules: int
    cases: int
    exhausted: int
    preemptions: int
    depth: int
    probability: float
    wrong: int
    compiled: int
    compiled_cases: int
