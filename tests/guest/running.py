"""A guest program on the reference machine: how it ends, as the oracle says it, how many steps it takes, and its traceback."""

from __future__ import annotations

from dataclasses import dataclass

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import format_traceback
from safepoint.guest.reference.machine import Machine
from safepoint.guest.reference.sites import Sites
from safepoint.guest.verifier import verify
from tests import oracle

MANY = 100_000  # steps; no program here needs as many


@dataclass(frozen=True)
class Result:
    opinion: oracle.Opinion
    steps: int
    traceback: str


def run(source: str, stack: int = 4096) -> Result:
    program = compile_program(source, oracle.FILE)
    verify(program)
    sites = Sites(stack)
    machine = Machine(program, sites)
    steps = 0
    while machine.step():
        steps += 1
        assert steps < MANY, "the program does not end"
    fault = machine.fault
    lines = tuple((line, function) for _, line, function in machine.traceback()) if fault else ()
    ending = (fault.kind, fault.message) if fault else ("", "")
    opinion = oracle.Opinion(machine.output, *ending, lines, sites.frames, sites.back_edges)
    return Result(opinion, steps, format_traceback(fault, machine.traceback(), source) if fault else "")
