"""What there is to say of one move: who made it, where it stands in the text, and what it does."""

from __future__ import annotations

from dataclasses import dataclass


def statement(source: str) -> str:
    """A statement as it stands in the text, without its comment."""
    return source.split("  #", maxsplit=1)[0].rstrip(":").strip()


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
    step: int = -1  # the number of the step that is made, behind the choices; -1: a store reaches memory
    happens: tuple[str, ...] = ()  # what the text calls `eventually`, and is true here
