"""A guest thread: what it begins with, and what it leaves machine code for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from safepoint.guest.code import Instruction
from safepoint.guest.faults import KEYBOARD_INTERRUPT, RECURSION, TERMINATED, TERMINATION, Fault
from safepoint.guest.heap import NoRoom, ThreadObject
from safepoint.guest.operations import threads
from safepoint.guest.operations.instructions import call_fault, raised, terminates
from safepoint.guest.operations.values import NO_MEMORY
from safepoint.guest.values import Function, Ref, Value
from safepoint.protocol.words import ENDED, RAISE_INTERRUPT, RAISE_TERMINATE
from safepoint_vm.generate.assembler import SIZE
from safepoint_vm.language.layout import Record
from safepoint_vm.language.machine import Exited
from safepoint_vm.memory.references import PollRaised, Waiter
from safepoint_vm.threads.context import ThreadContext
from safepoint_vm.threads.host_operations import WITH_RESULT, InternalError, distance, result, text_of
from safepoint_vm.threads.unwind import UncaughtFault, unwind

WAITS: dict[Exited, tuple[str, str]] = {
    Exited.PUSH_WAITS: ("push_failed", "after_push"),
    Exited.BACK_EDGE_WAITS: ("slow_path", "after_back_edge"),
    Exited.ELSEWHERE_WAITS: ("slow_path", "after_elsewhere"),
    Exited.UNMASK_WAITS: ("unmask", "after_unmask"),
    Exited.UNWOUND_WAITS: ("unwound", "after_unmask"),
}
"""Why machine code was left -> the procedure that waits, and the handler to enter at when it has returned."""

RAISED: dict[Exited, Fault] = {
    Exited.INTERRUPTED: KEYBOARD_INTERRUPT,
    Exited.OVERFLOWED: RECURSION,
    Exited.TERMINATED: TERMINATED,
}
"""Why machine code was left -> what the check site raises."""

OUTCOMES: dict[int, Exited] = {RAISE_INTERRUPT: Exited.INTERRUPTED, RAISE_TERMINATE: Exited.TERMINATED}
"""Outcome of a check site outside machine code -> why machine code would have been left there."""


class GuestThread(ThreadContext):
    """A guest thread: its context, and what is done for it outside machine code."""

    def child(self, record: Record | None, number: int, target: int, args: Sequence[int]) -> GuestThread:
        """A new thread of the same world that will call `target` with `args`, all of them tagged words."""
        born = type(self)(self.engine, self.image, self.variables, self.heap, self.slots, record, number)
        born.record.set("state", ENDED)  # until birth no coordinator waits for it
        born.begin_with(target, args)
        return born

    def begin_with(self, target: int, args: Sequence[int]) -> None:
        """Call `target` instead of the module.  A target that cannot be called ends the thread with a fault."""
        self._view.begin()
        function = self._view.value(target)
        fault = call_fault(self._view, function, len(args))
        if fault is not None:
            self.fault, self.ended = fault, True
            return
        assert isinstance(function, Function)
        self.record.set("pc", self.image.start_of(function))
        for number, word in enumerate(args):
            self.stack[number] = word

    def waits_in(self, waiter: Waiter) -> None:
        """From now on a poll in the middle of an instruction waits there."""
        self._view.waiter = waiter

    # -- what machine code was left for

    def serve(self, why: Exited, make_room: Callable[[], bool]) -> bool:
        """Do it, and be ready to enter at `begin`, or ended.  False: `ThreadLife` does it (PRINT, a wait, a spent budget).

        `make_room`: collects, and returns whether there is room for `wanted` bytes now.
        """
        match why:
            case Exited.FINISHED:
                self.ended = True
            case Exited.INTERRUPTED | Exited.OVERFLOWED | Exited.TERMINATED:
                self.throw(RAISED[why], make_room)
            case Exited.FAULT | Exited.HOSTED:
                self._attempt(lambda: self._execute(why, make_room), make_room)
            case Exited.NEEDS_ROOM:
                if not make_room():
                    self.throw(self._without_room(), make_room)
            case _:
                return False
        return True

    def printed(self, make_room: Callable[[], bool]) -> str | None:
        """The output of the PRINT at which machine code was left.  None: it has raised.  Poll: as `Heap.work`."""
        self._view.begin(self.polls)
        try:
            found = text_of(self.code_address().instruction, self.slot, self._view)
        except PollRaised as poll:
            found = RAISED[OUTCOMES[poll.outcome]]
        if isinstance(found, str):
            return found
        self.throw(found, make_room)
        return None

    def skip(self, instructions: int = 1) -> None:
        """Advance past the instruction, which the host has executed."""
        self.record.set("pc", self.record.get("pc") + SIZE * instructions)

    def throw(self, fault: Fault, make_room: Callable[[], bool]) -> None:
        """Raise a fault at the instruction at which machine code was left."""
        self._attempt(lambda: self._raise(fault), make_room, fault)

    def _attempt(self, effect: Callable[[], None], make_room: Callable[[], bool], raises: Fault | Value = None) -> None:
        """Retry an effect after a collection while that makes room; then raise MemoryError, from the heap's reserve: but a TERMINATE,
        if it `raises` that, which no other exception may replace.
        """
        while True:
            self._view.begin(self.polls)
            try:
                return effect()
            except NoRoom:
                if not make_room():
                    break
            except PollRaised as poll:
                return self.throw(RAISED[OUTCOMES[poll.outcome]], make_room)
        self._view.begin()  # without polls: what is raised now is the last thing that there is room for
        self._view.full = True
        last = raises if isinstance(raises, Fault) and raises.kind == TERMINATION else NO_MEMORY
        try:
            self._raise(last)
        except NoRoom:  # the exceptions that the guest keeps alive fill the reserve: this one ends the thread
            self.fault, self._lines, self.ended = replace(last, ref=None), self.traceback(), True

    def _without_room(self) -> Fault:
        """What machine code raises where there is no room: it may have been about to raise a TERMINATE again."""
        self._view.begin()
        instruction = self.code_address().instruction
        if instruction.op == "RERAISE" and terminates(self._view, value := self.slot(instruction.operands[0])):
            return raised(self._view, value)
        return NO_MEMORY

    def _execute(self, why: Exited, make_room: Callable[[], bool]) -> None:
        instruction = self.code_address().instruction
        found = result(self.image.program, instruction, self.slot, self._view)
        if why is Exited.FAULT and not isinstance(found, Fault):
            raise InternalError(f"{instruction} left machine code as a fault, but gives {found!r}")
        self._attempt(lambda: self._finish(instruction, found), make_room, found)  # without computing it again

    def _finish(self, instruction: Instruction, found: Value | Fault) -> None:
        if isinstance(found, Fault):
            self._raise(found)
            return
        if instruction.op in WITH_RESULT:
            self._set_slot(instruction.operands[0], self._view.word(found))
        self.skip(distance(instruction, found))

    def _raise(self, fault: Fault) -> None:
        match unwind(self._frames, self._view, fault):
            case UncaughtFault(said, lines):
                self.fault, self._lines, self.ended = said, lines, True

    # -- threads

    def operand(self) -> Value:
        """The operand of the instruction on a thread, a lock or a time at which machine code was left."""
        self._view.begin()
        return self.slot(self.code_address().instruction.operands[0])

    def refused(self) -> Fault | None:
        """The fault that this instruction raises at once, if any.  None: the methods below may be called."""
        instruction = self.code_address().instruction
        return threads.refused(self._view, instruction.op, self.operand(), self.number, instruction.augmented)

    def startable(self) -> tuple[ThreadObject, int, list[int]]:
        """The operand of a START, without its arguments, and the tagged words of its target and arguments."""
        ref = self.operand()
        assert isinstance(ref, Ref)
        return self._view.thread(ref)._replace(args=()), *self._view.call_of(ref)

    def joined(self) -> int:
        """The number of the thread that a JOIN or a request names."""
        ref = self.operand()
        assert isinstance(ref, Ref)
        return self._view.thread(ref).number

    def acquirable(self) -> bool:
        """Is the lock of an ACQUIRE free?  Call this only while no collection can move it."""
        return threads.ready(self._view, "ACQUIRE", self.operand())

    def set_started(self, started: bool) -> None:
        """Record in the operand of a START whether its thread has been started."""
        ref = self.operand()
        assert isinstance(ref, Ref)
        self._view.set_started(ref, started)
