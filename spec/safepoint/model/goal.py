"""What must always be reachable, and what is not counted on: the types of `eventually`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from safepoint.model.moves import Transition
from safepoint.model.process import Process
from safepoint.model.system import Model

Goal = Callable[[int], bool]
Named = tuple[str, str, Goal]
"""Property, of whom, and what must be reachable from everywhere."""


def never(_model: Model, _process: Process, _state: int) -> bool:
    return False


@dataclass(frozen=True)
class Assumption:
    """What is not counted on.

    `says`: the condition, for people.  `stays(model, process, state)`: a process that stands so need not go on.  `without`: a case
    that guest code need not choose.  `leaves(process, state, move)`: a move that a process need not make.
    """

    says: str
    stays: Callable[[Model, Process, int], bool] = never
    without: str = ""
    leaves: Callable[[Process, int, Transition], bool] | None = None


FAIR = Assumption("whatever happens")


@dataclass(frozen=True)
class Goals:
    """What must be reachable from everywhere under an assumption."""

    assumption: Assumption
    goals: tuple[Named, ...]


def stands(process: Process, steps: frozenset[int], state: int) -> bool:
    """Does the process stand at one of these steps?"""
    return process.pc.get(state) in steps
