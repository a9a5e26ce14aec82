"""Runs a guest program on the reference machine, for `safepoint run --machine reference`."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NamedTuple, TextIO

from safepoint.guest.code import Program
from safepoint.guest.faults import Fault, Place
from safepoint.guest.machine import Machine
from safepoint.guest.sites import Sites
from safepoint.guest.verifier import verify
from safepoint.protocol import INTERRUPT


class Outcome(NamedTuple):
    """How the guest ended: what it raised, and where, outermost call first."""

    fault: Fault | None
    traceback: tuple[Place, ...]


def run(program: Program, output: TextIO, stack: int) -> Outcome:
    """To its end.  Control-C is posted to the guest, which raises KeyboardInterrupt at its next check site."""
    verify(program)
    sites = Sites(stack)
    machine = Machine(program, sites)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        sites.go_on(sites.begin("post", INTERRUPT))

    before, printed = signal.signal(signal.SIGINT, interrupt), 0
    try:
        while machine.step():
            if len(machine.output) > printed:
                output.write(machine.output[printed:])
                printed = len(machine.output)
    finally:
        signal.signal(signal.SIGINT, before)
    return Outcome(machine.fault, machine.traceback() if machine.fault else ())
