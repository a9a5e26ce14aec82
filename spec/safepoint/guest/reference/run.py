"""Run a guest program on the reference machine: `safepoint run --machine reference`."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NamedTuple, TextIO

from safepoint.guest.code import Program
from safepoint.guest.faults import Deadlock, Fault, Location
from safepoint.guest.features import refuse
from safepoint.guest.operations.threads import uncaught_text
from safepoint.guest.reference.world import World
from safepoint.guest.verifier import verify
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy


class Outcome(NamedTuple):
    """How the guest's first thread ended: what it raised, if anything, and its traceback, outermost call first."""

    fault: Fault | None
    traceback: tuple[Location, ...]


def run(program: Program, output: TextIO, stack: int, policy: Policy = FOLDED) -> Outcome:
    """Run a program until all its threads have ended.  Control-C raises KeyboardInterrupt in the first.

    stack: slots for each thread.  policy: where and how they check.  An exception that ends another thread is printed to standard
    error.  Raises BadCode, Deadlock, NotWrittenFor.
    """
    verify(program)
    refuse(program, policy)
    world = World(program, stack, policy=policy)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        world.interrupt()

    before = signal.signal(signal.SIGINT, interrupt)
    printed = 0
    more = 1
    try:
        while more:
            more = world.step()
            if len(world.output) > printed:
                output.write(world.output[printed:])
                printed = len(world.output)
            for thread, fault, machine in world.uncaught:
                sys.stderr.write(uncaught_text(thread, fault, machine.traceback(), program.source))
            world.uncaught.clear()
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting := world.waiting():
        raise Deadlock(waiting)
    return Outcome(world.main.fault, world.main.traceback() if world.main.fault else ())
