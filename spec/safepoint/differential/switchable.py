"""What an interpreter offers whose optimisations can be switched off: what each brings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from safepoint.guest.code import Program

ONE_BY_ONE, INTERPRETED, COMPILED = "one by one", "interpreted", "compiled"
"""Ways to run a program: each instruction dispatched; with superinstructions; and hot functions compiled."""
STEPS = {"superinstructions": (INTERPRETED, ONE_BY_ONE), "compiled code": (COMPILED, INTERPRETED)}
"""Optimisation, to the ways with it and without it."""


@dataclass(frozen=True)
class Timed:
    """A run.  seconds: of CPU time, without start-up and compilation.  fault: the exception that has ended it; "": none."""

    seconds: float
    output: str
    fault: str = ""


class Switchable(ABC):
    """A target that runs programs in each of the ways of STEPS.  A mix-in of a `Target`."""

    @abstractmethod
    def timed(self, program: Program, way: str) -> Timed:
        """Run a program to its end, on OS threads.  What must be made first, once for all programs, is in no time."""
