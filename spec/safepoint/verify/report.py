"""What `safepoint verify` found, as its sections fill it, and who is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

Row = dict[str, Any]


class Progress(Protocol):
    """Somebody who is told how far a section is."""

    def section(self, name: str, total: int) -> AbstractContextManager[Callable[[str], None]]: ...


class Quiet:
    """Tells nobody."""

    def section(self, name: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
        return nullcontext(lambda _: None)


@dataclass
class Report:
    """What was found.  `failures`: what refutes a claim, each with the command that replays it."""

    protocol: list[Row] = field(default_factory=list)
    induction: Row | None = None
    mutants: list[Row] = field(default_factory=list)
    differential: Row | None = None
    concurrency: Row | None = None
    implementation_mutants: list[Row] | None = None
    targets: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> Row:
        return {
            "protocol": self.protocol,
            "induction": self.induction,
            "mutants": self.mutants,
            "differential": self.differential,
            "concurrency": self.concurrency,
            "implementation_mutants": self.implementation_mutants,
            "targets": self.targets,
            "left_out": self.left_out,
        }
