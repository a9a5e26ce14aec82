"""One move of a process: what it does to a state, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.graph.ir import Step


@dataclass(frozen=True)
class Move:
    """One atomic step of one thread: who, what the step is called, which cases it chose, and where it stands in the text."""

    who: str
    name: str
    cases: str
    line: int
    source: str
    file: str = ""

    @property
    def place(self) -> str:
        """Where it stands in the text, as file:line; "" if nowhere."""
        return f"{self.file.removesuffix('.py')}:{self.line}" if self.file else ""


@dataclass
class Transition:
    """What a move does to the bits of a footprint, and what there is to say of it."""

    delta: int
    move: Move
    claims: tuple[str, ...]  # claims of the text that it breaks


@dataclass(frozen=True)
class Begun:
    """What has been made of a move: the step that names it, the cases it chose, at which choices, the claims that it broke."""

    step: Step | None = None
    cases: str = ""
    choices: frozenset[int] = frozenset()
    claims: tuple[str, ...] = ()
