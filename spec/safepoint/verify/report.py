"""The result of `safepoint verify`: its sections and what refutes a claim; and the interface that shows progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from safepoint.conform.judge import TargetRow, Verdict
from safepoint.differential.compare import Mismatch
from safepoint.differential.cores import ConcurrencyRow
from safepoint.verify.explore import Decision
from safepoint.verify.failures import Failure
from safepoint.verify.rows import (
    CompiledMutantRow,
    DifferentialRow,
    InductionRow,
    MutantRow,
    SchedulesRow,
    ScopeRow,
    UnderRow,
    as_json,
)


class Progress(Protocol):
    """Shows how far each section is."""

    def section(self, name: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
        """Begin a section of `total` items; call the result after each item, with a word about it."""
        ...


class Quiet:
    """A `Progress` that shows nothing."""

    def section(self, name: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
        return nullcontext(lambda _: None)


@dataclass
class Report:
    """All sections.  `failures`: what refutes a claim.  `left_out`: what was not decided or not run -> why."""

    protocol: list[ScopeRow] = field(default_factory=list)
    induction: InductionRow | None = None
    mutants: list[MutantRow] = field(default_factory=list)
    differential: DifferentialRow | None = None
    schedules: SchedulesRow | None = None
    under: list[UnderRow] = field(default_factory=list)
    concurrency: ConcurrencyRow | None = None
    implementation_mutants: list[CompiledMutantRow] | None = None
    targets: list[TargetRow] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def not_run(self) -> list[str]:
        """The sections that ought to have run, and could not."""
        sections = (
            "protocol", "induction", "mutants", "differential", "schedules", "concurrency", "implementation_mutants",
        )  # fmt: skip
        blind = self.concurrency is not None and self.concurrency.blind
        idle = ["concurrency"] * blind + [f"threads under {row.policy}" for row in self.under if row.blind]
        idle += [f"target {row.name}" for row in self.targets if not row.claims]
        return [name for name in sections if not getattr(self, name)] + idle

    @property
    def verdict(self) -> str:
        """One of "refuted", "holds", or "no verdict": what was run holds, but not all was."""
        if self.failures:
            return "refuted"
        return "no verdict" if self.not_run else "holds"

    def _concurrency(self) -> dict[str, Any] | None:
        """Real cores, and controlled schedules: how many, and more of them."""
        if self.concurrency is None and self.schedules is None:
            return None
        found = {} if self.concurrency is None else asdict(self.concurrency)
        if self.schedules is not None:
            found |= {"schedules": self.schedules.schedules, "controlled": asdict(self.schedules)}
        found["under"] = [asdict(row) for row in self.under]
        return found

    def as_json(self) -> dict[str, Any]:
        """The sections as `--json` writes them; null: not run, and `left_out` says why."""
        compiled = self.implementation_mutants
        return {
            "protocol": [as_json(row) for row in self.protocol],
            "induction": asdict(self.induction) if self.induction else None,
            "mutants": [asdict(row) for row in self.mutants],
            "differential": as_json(self.differential) if self.differential else None,
            "concurrency": self._concurrency(),
            "implementation_mutants": None if compiled is None else [asdict(row) for row in compiled],
            "targets": [asdict(row) for row in self.targets],
            "failures": [_as_json(failure) for failure in self.failures],
            "left_out": self.left_out,
            "verdict": self.verdict,
        }


def _as_json(failure: Failure) -> dict[str, Any]:
    """Its kind, and what replays it."""
    match failure:
        case Decision():
            found = asdict(failure.row()) | asdict(failure.refutation())
        case Verdict():
            found = {"claim": failure.claim.name, "report": failure.report}
        case Mismatch():
            found = {
                "program": failure.program,
                "differs": {name: repr(pair) for name, pair in failure.differs.items()},
                "again": failure.again,
            }
        case _:
            found = asdict(failure)
    return {"kind": type(failure).__name__, **found}
