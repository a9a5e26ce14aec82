"""Helpers of the tests of guest threads: worlds of the reference machine."""

from __future__ import annotations

from safepoint.guest.compiler.program import compile_program
from safepoint.guest.lockstep import MAIN, QUANTUM
from safepoint.guest.reference.world import World
from safepoint.guest.verifier import verify

MANY = 300_000  # steps; no program here needs as many
IMPORTS = "from threading import Lock, Thread\nfrom time import sleep\n"


def world(source: str, quantum: int = QUANTUM, stack: int = 4096) -> World:
    """Compiled and verified, before its first instruction."""
    program = compile_program(source, "f.py")
    verify(program)
    return World(program, stack, quantum)


def finish(w: World) -> World:
    """Run to the end, or until no thread can go on."""
    for _ in range(MANY):
        if not w.step():
            return w
    raise AssertionError("does not end")


def ended(source: str, quantum: int = QUANTUM) -> str:
    """The output of a program whose threads all end by themselves."""
    w = finish(world(source, quantum))
    assert w.waiting() == []
    return w.output


def until(w: World, line: int, thread: int = MAIN) -> World:
    """Run on until a thread is blocked at this line."""
    for _ in range(MANY):
        if len(w.machines) > thread and w.machines[thread].blocks:
            machine = w.machines[thread]
            if machine.state.frame.instruction.line == line:
                return w
        w.step()
    raise AssertionError("does not come there")
