"""The reference machine: one guest thread, instruction by instruction.

Slow and obvious: it is there to be right, to be forked at any step, and to be compared with.  What it knows of safepoints
is where the check sites are; `sites` runs the protocol there.  `world` has several such threads; `Alone` is a world of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Protocol, Self

from safepoint.guest.code import BACK_EDGES, OPCODES, UNSET, Program
from safepoint.guest.faults import KEYBOARD_INTERRUPT, RECURSION, TERMINATED, Fault, Location
from safepoint.guest.heap import NoRoom, Poll, ThreadObject
from safepoint.guest.operations import threads
from safepoint.guest.operations.values import NO_MEMORY
from safepoint.guest.reference.copying import changed
from safepoint.guest.reference.effects import EFFECTS, call_end, to_print
from safepoint.guest.reference.heap import ReferenceHeap
from safepoint.guest.reference.state import Frame, State
from safepoint.guest.reference.vector import Vector
from safepoint.guest.values import Ref
from safepoint.protocol.words import GO, RAISE_INTERRUPT, RAISE_OVERFLOW, RAISE_TERMINATE

RAISED = {RAISE_INTERRUPT: KEYBOARD_INTERRUPT, RAISE_OVERFLOW: RECURSION, RAISE_TERMINATE: TERMINATED}
"""Outcome of a check site -> what the guest raises there."""


class Sites(Protocol):
    """The check sites of one guest thread.  Outcome None: the thread waits there, until `resume` returns another."""

    here: str

    def copy(self) -> Self: ...
    @property
    def suspended(self) -> bool: ...
    def call(self, procedure: str, *args: int) -> int | None: ...
    def resume(self) -> int | None: ...
    def checks_at(self, site: str) -> bool: ...


class Others(Protocol):
    """What a thread needs of its world."""

    def room(self) -> bool:
        """Whether another thread can be started."""

    def start(self, ref: Ref, thread: ThreadObject) -> None:
        """Start a thread, if there is room."""

    def now(self) -> float:
        """The time, in microseconds."""

    def post_to(self, ref: Ref, kind: int) -> None: ...

    def handshake(self, by: int, ref: Ref) -> bool:
        """Ask thread `ref` for a handshake, or wait for it, as thread `by`.  False: the operation has not run yet."""


class Alone:
    """A world of one thread, in which every sleep ends at once."""

    def room(self) -> bool:
        return False

    def start(self, ref: Ref, thread: ThreadObject) -> None: ...

    def now(self) -> float:
        return math.inf

    def post_to(self, ref: Ref, kind: int) -> None:
        """No thread was ever started."""

    def handshake(self, by: int, ref: Ref) -> bool:
        return True


class Machine:
    """A guest thread: a state, its check sites, and the step to the next state."""

    def __init__(
        self,
        program: Program,
        sites: Sites,
        others: Others | None = None,
        state: State | None = None,
        unborn: bool = False,
    ) -> None:
        """program: verified.  state: None: before the first instruction.  unborn: the first step is `start_thread`."""
        module = program.codes[0]
        self.sites, self.others, self.unborn = sites, others or Alone(), unborn
        frame = Frame(module, 0, (UNSET,) * module.slots)
        self.state = state or State(program, frame, (UNSET,) * len(program.globals), Vector())

    def fork(self, sites: Sites, others: Others | None = None) -> Machine:
        """A copy of the thread with other sites, which are a copy of its own; both run independently."""
        return Machine(self.state.program, sites, others or self.others, self.state, self.unborn)

    def step(self) -> bool:
        """Execute one instruction.  False: the thread has ended, or waits at this instruction's check site."""
        if self.unborn and self._visit("start_thread") is None:
            return False
        self.unborn = False
        if self.ended:
            return False
        try:
            outcome = self._poll() if self.state.polling else self._check()
            if outcome is None:
                return False
            if isinstance(outcome, Fault):
                after = self.state.failed(outcome)
            elif outcome in RAISED:
                after = self.state.failed(RAISED[outcome])
            else:
                after = self._effect()
        except Poll:
            self.state = changed(self.state, polling=True)
        else:
            self.state = changed(after, polls=0) if after.polls else after
        return True

    def _poll(self) -> int | Fault | None:
        """The instruction has done its WORK: the check site of a POLL; then it begins again, and passes that poll."""
        if (outcome := self._visit("back_edge", BACK_EDGES.index("POLL"))) is None:
            return None
        self.state = changed(self.state, polls=self.state.polls + 1, polling=False)
        site = OPCODES[self.state.frame.instruction.op].site
        return outcome if outcome != GO or site == "back_edge" else self._check()

    def _effect(self) -> State:
        instruction = self.state.frame.instruction
        try:
            return EFFECTS[instruction.op](self.state, *instruction.operands)
        except NoRoom:
            return self.state.failed(NO_MEMORY)

    def _check(self) -> int | Fault | None:
        """Visit the instruction's check site, if it has one.  An instruction that raises at once visits none."""
        instruction = self.state.frame.instruction
        match OPCODES[instruction.op].site:
            case "":  # most instructions
                return self._mask(*instruction.operands) if instruction.op == "MASK" else GO
            case "back_edge":
                return self._visit("back_edge", BACK_EDGES.index(instruction.op))
            case "frame_push":
                end = call_end(self.state, *instruction.operands)
                return end if isinstance(end, Fault) else self._visit("frame_push", end)
            case "return" | "allocation" as site:
                return self._visit("elsewhere") if self.sites.checks_at(site) else GO
            case "native":
                if self.state.native:
                    return self._visit("reenter")
                if instruction.op == "START" or instruction.op in threads.POSTED:
                    return self._native(instruction.op, *instruction.operands)
                return self._print(*instruction.operands)
            case "block":
                return self._block(instruction.op, *instruction.operands)
            case "handshake":
                return self._handshake(*instruction.operands)
            case "collect":
                return self._collect()
            case site:
                assert site in ("unmask", "unwound")
                return self._visit(site) if self.state.ends(site, *instruction.operands) else GO

    def _collect(self) -> int | None:
        """Stop the world, and start it.  Nothing is collected: no guest could tell the difference."""
        if not self.state.native:
            if self._visit("stop_world_from") is None:
                return None
            self.state = changed(self.state, native=True)
        return self._visit("start_world_from")

    def _handshake(self, src: int) -> int | Fault | None:
        """Wait outside guest code, so that of two threads that ask each other, each can run the other's operation."""
        value = self.state[src]
        if not self.state.native:
            if fault := threads.refused(ReferenceHeap(self.state.things), "HANDSHAKE", value, self.state.thread):
                return fault
            self._visit("leave")
            self.state = changed(self.state, native=True)
        assert isinstance(value, Ref)
        if not (self.sites.suspended or self.others.handshake(self.state.thread, value)):
            return None
        return self._visit("reenter")

    def _mask(self, dst: int) -> int:
        before = self._visit("mask")
        self.state = changed(self.state, frame=self.state.frame.write(dst, before != 0))
        return GO

    def _native(self, op: str, src: int) -> int | Fault | None:
        """START, at a check site, or INTERRUPT or TERMINATE, in a native region.  One that is refused visits no site."""
        value = self.state[src]
        if fault := threads.refused(ReferenceHeap(self.state.things), op, value, self.state.thread):
            return fault
        if op == "START" and not self.others.room():
            return threads.NO_THREAD
        assert isinstance(value, Ref)
        if op == "START":
            self.state = self._started(value)
            return self._outside(lambda: self.state)
        return self._outside(partial(self._posted, value, threads.POSTED[op]))

    def _started(self, ref: Ref) -> State:
        """Start a thread, which then stands before its first instruction."""
        heap = ReferenceHeap(self.state.things)
        heap.started(ref)
        self.others.start(ref, heap.thread(ref))
        return changed(self.state, things=heap.things)

    def _posted(self, ref: Ref, kind: int) -> State:
        self.others.post_to(ref, kind)
        return self.state

    def _block(self, op: str, src: int) -> int | Fault | None:
        """Block outside guest code until it can be done.  Requests are served first; one that raises leaves it undone."""
        if not (self.sites.suspended or self.state.native):
            value, in_with = self.state[src], self.state.frame.instruction.augmented
            if fault := threads.refused(ReferenceHeap(self.state.things), op, value, self.state.thread, in_with):
                return fault
            if op == "SLEEP":
                self.state = changed(self.state, until=self.others.now() + threads.seconds(value) * 10**6)
        outcome: int | None = GO
        while outcome == GO and (self.sites.suspended or not self.ready):
            outcome = self._sleep()
        if outcome is not None:
            self.state = changed(self.state, until=None)
        return outcome

    def _sleep(self) -> int | None:
        """Sleep until woken, and serve the requests, if any.  Returns their outcome; None: still asleep."""
        if not self.state.native:
            if self._visit("block") is None:
                return None
            self.state = changed(self.state, native=True)
        outcome = self._visit("look_again")
        if outcome is not None:
            self.state = changed(self.state, native=False)
        return outcome

    @property
    def ready(self) -> bool:
        """Whether the instruction that it blocks in can be done now."""
        instruction, until = self.state.frame.instruction, self.state.until
        if until is not None:
            return self.others.now() >= until
        return threads.ready(ReferenceHeap(self.state.things), instruction.op, self.state[instruction.operands[0]])

    @property
    def blocks(self) -> bool:
        """Whether it waits in an instruction that blocks."""
        site = OPCODES[self.state.frame.instruction.op].site
        return site == "block" and self.sites.suspended and not self.unborn

    def _print(self, first: int, count: int) -> int | Fault | None:
        """PRINT or PRINT_END, in a native region.  A value that cannot be printed visits no site."""
        line = to_print(self.state, first, count)
        if isinstance(line, Fault):
            return line
        return self._outside(lambda: changed(self.state, output=self.state.output + line))

    def _outside(self, native: Callable[[], State]) -> int | None:
        """Leave guest code, do `native`, and return to guest code."""
        outcome = self._visit("leave")
        if outcome != GO:
            return outcome
        self.state = changed(native(), native=True)
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
        """The exception that ended the thread, if any."""
        return self.state.fault

    @property
    def output(self) -> str:
        """All that the world has printed."""
        return self.state.output

    def location(self) -> str:
        """The next instruction, or the one that ended the thread, as "function:number"."""
        return f"{self.state.frame.code.name}:{self.state.frame.pc}"

    def traceback(self) -> tuple[Location, ...]:
        """The traceback of `fault`, outermost call first; `faults.format_traceback` makes text of it."""
        return self.state.trace
