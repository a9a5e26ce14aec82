"""The reference machine: one thread of a guest program, instruction by instruction.

Slow and obvious: it is there to be right, to be forked at any step, and to be compared with.  What it knows of safepoints
is where the check sites are; `sites` runs the protocol there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, Self

from safepoint.guest.code import BACK_EDGES, OPCODES, UNSET, Program
from safepoint.guest.faults import KEYBOARD_INTERRUPT, RECURSION, Fault, Place
from safepoint.guest.heap import NoRoom
from safepoint.guest.persistent import Vector
from safepoint.guest.semantics import EFFECTS, Frame, State, call_end, to_print
from safepoint.guest.values import NO_MEMORY
from safepoint.protocol import GO, RAISE_INTERRUPT, RAISE_OVERFLOW

RAISED = {RAISE_INTERRUPT: KEYBOARD_INTERRUPT, RAISE_OVERFLOW: RECURSION}
"""Outcome of a check site -> what the guest raises there."""


class Sites(Protocol):
    """The check sites of one guest thread.  None as an outcome: the thread waits there, until `resume` gives one."""

    here: str

    def copy(self) -> Self: ...
    @property
    def suspended(self) -> bool: ...
    def call(self, procedure: str, *args: int) -> int | None: ...
    def resume(self) -> int | None: ...


class Machine:
    """A guest thread: a state, its check sites, and the way from one state to the next."""

    def __init__(self, program: Program, sites: Sites) -> None:
        """`program` is verified; a fresh thread stands before its first instruction."""
        module = program.codes[0]
        self.sites = sites
        frame = Frame(module, 0, (UNSET,) * module.slots)
        self.state = State(program, frame, (UNSET,) * len(program.globals), Vector())

    def fork(self) -> Machine:
        """The same thread again; both go on on their own."""
        other = Machine(self.state.program, self.sites.copy())
        other.state = self.state
        return other

    def step(self) -> bool:
        """Execute one instruction.  False: the guest has ended, or waits at this instruction's check site."""
        if self.ended:
            return False
        outcome = self._check()
        if outcome is None:
            return False
        match outcome:
            case Fault() as fault:
                self.state = self.state.failed(fault)
            case _ if outcome in RAISED:
                self.state = self.state.failed(RAISED[outcome])
            case _:
                self.state = self._effect()
        return True

    def _effect(self) -> State:
        instruction = self.state.frame.instruction
        try:
            return EFFECTS[instruction.op](self.state, *instruction.operands)
        except NoRoom:
            return self.state.failed(NO_MEMORY)

    def _check(self) -> int | Fault | None:
        """Visit the check site of the instruction, if it has one.  A call that cannot be made visits none."""
        instruction = self.state.frame.instruction
        match OPCODES[instruction.op].site:
            case "back_edge":
                return self._visit("back_edge", BACK_EDGES.index(instruction.op))
            case "frame_push":
                end = call_end(self.state, *instruction.operands)
                return end if isinstance(end, Fault) else self._visit("frame_push", end)
            case "native":
                return self._native(*instruction.operands)
            case _:
                return GO

    def _native(self, first: int, count: int) -> int | Fault | None:
        """Leave guest code, print, come back.  What cannot be printed visits no site."""
        if not self.state.native:
            line = to_print(self.state, first, count)
            if isinstance(line, Fault):
                return line
            outcome = self._visit("leave")
            if outcome != GO:
                return outcome
            self.state = replace(self.state, output=self.state.output + line, native=True)
        return self._visit("reenter")

    def _visit(self, procedure: str, *args: int) -> int | None:
        if self.sites.suspended:
            return self.sites.resume()
        self.sites.here = self.location()
        return self.sites.call(procedure, *args)

    @property
    def ended(self) -> bool:
        return self.state.ended

    @property
    def fault(self) -> Fault | None:
        """What ended the guest, if it was an exception."""
        return self.state.fault

    @property
    def output(self) -> str:
        """All that it has printed."""
        return self.state.output

    def location(self) -> str:
        """The next instruction, or the one that ended the guest: "function:number"."""
        return f"{self.state.frame.code.name}:{self.state.frame.pc}"

    def traceback(self) -> tuple[Place, ...]:
        """Of the fault that ended it, outermost call first; `faults.format_traceback` makes text of it."""
        return self.state.trace
