"""What an interpreter offers whose superinstructions can be switched off: what they bring."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from safepoint.guest.code import Program


@dataclass(frozen=True)
class Timed:
    """A run.  seconds: of CPU time, without start-up and compilation.  fault: the exception that has ended it; "": none."""

    seconds: float
    output: str
    fault: str = ""


class Switchable(ABC):
    """A target that runs programs with superinstructions and without.  A mix-in of a `Target`."""

    @abstractmethod
    def timed(self, program: Program, *, fused: bool) -> Timed:
        """Run a program to its end, on OS threads.  fused: with superinstructions.  What must be compiled first is in no time."""
