"""One move of a process: what it does to a state, and how it is told."""

from __future__ import annotations

from typing import NamedTuple

from safepoint.graph.ir import Step


def statement(source: str) -> str:
    """A statement as it stands in the text, without its comment."""
    return source.split("  #", maxsplit=1)[0].rstrip(":").strip()


class Move(NamedTuple):
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


class Transition(NamedTuple):
    """What a move does to the bits of a footprint, and what there is to say of it."""

    delta: int
    move: Move
    claims: tuple[str, ...]  # claims of the text that it breaks
    step: int = -1  # the number of the step that is made first, behind the choices; -1: a store reaches memory
    happens: tuple[str, ...] = ()  # what the text calls `eventually`, and is true here


class Begun(NamedTuple):
    """What has been made of a move: the step that names it, the cases it chose, at which choices, and what has been said.

    claims: those that it broke.  happened: what the text calls `eventually`.
    """

    step: Step | None = None
    cases: str = ""
    choices: frozenset[int] = frozenset()
    claims: tuple[str, ...] = ()
    happened: tuple[str, ...] = ()
