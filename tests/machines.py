"""A guest program run to its end, by each of three machines: what there is to compare, also if it has several threads."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from safepoint.guest.code import Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import Location
from safepoint.guest.lockstep import QUANTUM
from safepoint.guest.operations.threads import uncaught_text
from safepoint.guest.reference.heap import Raised
from safepoint.guest.reference.world import World
from safepoint.guest.verifier import verify
from safepoint_vm.generate.engine import PLAIN, Variant
from safepoint_vm.memory.heap import SIZE
from safepoint_vm.threads.vm import Vm
from tests import oracle

STACK = 100_000
"""Slots: a generated program does not run out of them, so that CPython can be compared with."""

STEPS = 200_000
"""No generated program needs as many."""


@dataclass(frozen=True)
class Told:
    """`uncaught`: what threads other than the first say of their end, without their numbers, which depend on the order."""

    output: str
    error: str
    message: str
    lines: tuple[tuple[int, str], ...]
    uncaught: tuple[str, ...]


def unnumbered(text: str) -> str:
    return re.sub(r"^Exception in thread Thread-\d+", "Exception in thread", text)


def by_cpython(source: str) -> Told:
    said = oracle.run(source)
    return Told(said.output, said.error, said.message, said.lines, tuple(sorted(map(unnumbered, said.uncaught))))


def lines_of(places: tuple[Location, ...]) -> tuple[tuple[int, str], ...]:
    return tuple((line, function) for _, line, function in places)


@dataclass
class ByReference:
    """A run of the reference machine, of n steps at most.  `ended`: it needed no more."""

    program: Program
    stack: int = STACK
    quantum: int = QUANTUM
    steps: int = STEPS

    def __post_init__(self) -> None:
        verify(self.program)
        self.world = World(self.program, self.stack, self.quantum)
        self.ended = any(not self.world.step() for _ in range(self.steps))

    @property
    def waiting(self) -> list[str]:
        """Who waits for another, for ever."""
        return self.world.waiting() if self.ended else []

    def raised(self, kind: str) -> bool:
        """Was there ever such an exception?"""
        return any(isinstance(thing, Raised) and thing.kind == kind for thing in self.world.state.things)

    @property
    def told(self) -> Told:
        fault = self.world.main.fault
        places = self.world.main.traceback() if fault else ()
        uncaught = [
            uncaught_text(u.thread, u.fault, u.machine.traceback(), self.program.source) for u in self.world.uncaught
        ]
        ending = (fault.kind, fault.message) if fault else ("", "")
        return Told(self.world.output, *ending, lines_of(places), tuple(sorted(map(unnumbered, uncaught))))


def by_reference(source: str | Program, quantum: int = QUANTUM) -> Told:
    program = compile_program(source, oracle.FILE) if isinstance(source, str) else source
    run = ByReference(program, quantum=quantum)
    assert run.ended, "the program does not end"
    assert run.waiting == []
    return run.told


def by_machine_code(
    program: Program, stack: int = STACK, heap: int = SIZE, stress: bool = False, variant: Variant = PLAIN
) -> Told:
    output, errors = io.StringIO(), io.StringIO()
    with Vm(program, output, stack, variant, heap, stress, errors) as vm:
        running = vm.start()
        assert running.done.wait(oracle.PATIENCE), "the main thread does not end"
        outcome = running.outcome()
        for other in vm._living():
            assert other.done.wait(oracle.PATIENCE), "a thread does not end"
        vm.finish()
    ending = (outcome.fault.kind, outcome.fault.message) if outcome.fault else ("", "")
    uncaught = re.split(r"^(?=Exception in thread )", errors.getvalue(), flags=re.MULTILINE)[1:]
    return Told(output.getvalue(), *ending, lines_of(outcome.traceback), tuple(sorted(map(unnumbered, uncaught))))
