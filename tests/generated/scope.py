"""What a generator of programs knows of the place where it writes."""

from __future__ import annotations

from dataclasses import dataclass

SMALL = 1009
"""Every assignment is taken modulo this, and expressions are shallow: so no result is beyond 63 bits."""


@dataclass
class Function:
    """`cost`: of one call, in very rough steps, for each unit of its first argument.  `logs`: see `Writer.shown`."""

    name: str
    parameters: int
    cost: int
    logs: bool = False


@dataclass
class Scope:
    """`names`: those that have a value here; the first letter says of what kind: lists `l`, strings `s`, floats `d`,
    exceptions `e`, else ints.  `turns`: how often this place is executed at most, per call.
    """

    names: list[str]
    turns: int = 1
    loops: int = 0
    function: Function | None = None
    indent: str = ""
    outer: Scope | None = None
    attempts: int = 0

    def of_kind(self, letters: str) -> list[str]:
        return [n for n in self.names if n[0] in letters]

    @property
    def ints(self) -> list[str]:
        return [n for n in self.names if n[0] not in "lsde"]

    def inner(self, turns: int = 1, loop: bool = False) -> Scope:
        names, indent = list(self.names), self.indent + "    "
        return Scope(names, self.turns * turns, self.loops + loop, self.function, indent, self, self.attempts)
