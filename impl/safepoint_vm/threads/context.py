"""The context of a guest thread: its record, its stack, its two dispatch tables, the way into machine code, and where it stands."""

from __future__ import annotations

import ctypes

from safepoint.guest.code import LINK
from safepoint.guest.faults import Fault
from safepoint.guest.faults import Location as Line
from safepoint.guest.lockstep import MAIN
from safepoint.guest.values import Value
from safepoint_vm.generate.engine import Engine
from safepoint_vm.generate.triggers import NAMES
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.records import Thread
from safepoint_vm.memory.heap import GuestHeap
from safepoint_vm.memory.heap_view import HeapView
from safepoint_vm.memory.image import CodeAddress, Image
from safepoint_vm.threads.beginning import begin
from safepoint_vm.threads.unwind import CALLER, RETURN_TO, Stack


class ThreadContext:
    """Record (words), stack and dispatch tables.  A new one stands before the module's first instruction.

    `stack`: slots of its stack.  `record`: reuse that of an ended thread, whose requests may still be pending in it.
    `number`: the one in its name, Thread-1.
    """

    def __init__(
        self,
        engine: Engine,
        image: Image,
        variables: Memory,
        heap: GuestHeap,
        stack: int,
        record: Record | None = None,
        number: int = MAIN,
    ) -> None:
        self.engine, self.image, self.heap = engine, image, heap
        self.world, self.record = heap.world, record or Record(Thread)
        self.number, self.slots = number, stack
        whole = Memory(LINK + max(stack, *(code.slots for code in image.program.codes)))
        self.stack = whole.after(LINK)  # below it: the link of the first frame
        whole[LINK + RETURN_TO], whole[LINK + CALLER] = image.halt, self.stack.address
        self.fault: Fault | None = None
        self.ended, self.polls = False, 0  # polls: that the instruction being executed by the host has passed
        self._lines: tuple[Line, ...] = ()
        self._view = HeapView(image, heap, self.record)
        self._frames = Stack(image, self.stack, self.record)
        begin(self.record, image, self.world, self.stack, stack, used=record is not None)
        self.use(variables)

    def use(self, variables: Memory) -> None:
        """Use these variables, and the tables of the image as they are now.  It is outside guest code, and stays there meanwhile."""
        self.variables = variables
        self.record.set("globals", variables.address)
        self.record.set("constants", self.image.constants.address)
        self.record.set("landings", self.image.landings.address)

    @property
    def address(self) -> int:
        """The address of the record: the first argument of the protocol's procedures."""
        return self.record.address

    @property
    def pending(self) -> int:
        """The kinds of request that its owner has not taken: bits of a word of their own, or of the limit if that has them."""
        if base := self.engine.policy.base:
            limit = self.record.get("limit")
            return limit if 0 <= limit < base else 0
        return self.record.get("pending")

    # -- into machine code

    def enter(self, handler: str = "begin", budget: int | None = None) -> Exited:
        """Run on the calling OS thread until machine code is left.  `budget`: at most that many instructions."""
        table = self.record.at("table") if budget is None else (self.image.tier or self.engine).stepping.address
        self.record.set("steps_left", max(budget or 0, 0))
        entry = self.engine.addresses[handler]
        self.engine.enter(entry, self.record.get("pc"), self.record.get("frame"), self.address, table)
        return Exited(self.record.get("status"))

    def abandon(self) -> None:
        """End the thread from inside a callback: machine code is left at the next instruction, for good."""
        self.stop()
        self.ended = True

    def make_templates(self) -> None:
        """Make what compiled code is made of, unless it is there, or cannot be made."""
        assert self.image.tier is not None
        self.image.tier.make_templates()

    def stop(self) -> None:
        """Make machine code leave at the next instruction, now and whenever it is entered.  Any OS thread may call this."""
        for number in range(len(NAMES)):
            self.record.set("table", self.engine.addresses["step"], number)
            self.record.set("base", self.engine.addresses["step"], number)
        self.record.set("limit_real", self.record.get("limit_poison"))
        self.record.set("limit", self.record.get("limit_poison"))  # for an instruction that works long, in its middle
        if self.image.tier:
            self.image.tier.stop(self.record)  # LIMIT-BEFORE-CODE
        self.record.set("steps_left", 0)

    # -- where it is

    def code_address(self) -> CodeAddress:
        """The instruction at which machine code was left."""
        return self.image.code_address(self.record.get("pc"))

    def _top(self) -> int:
        """The number of the current frame's first slot."""
        return (self.record.get("frame") - self.stack.address) // 8

    def slot(self, number: int) -> Value:
        """The value in a slot of the frame in which machine code was left."""
        return self._view.value(self.stack[self._top() + number])

    def _set_slot(self, number: int, word: int) -> None:
        self.stack[self._top() + number] = word

    def traceback(self) -> tuple[Line, ...]:
        """The traceback of the exception that ended the thread; else its calls.  Outermost first: (file, line, function)."""
        if self.fault:
            return self._lines
        return tuple(self.image.line(pc) for _, pc in reversed(self._frames.frames()))

    def has_moved(self) -> None:
        """A collection has forwarded its `roots`."""
        self._view.has_moved()

    def roots(self) -> tuple[tuple[int, int], ...]:
        """The root ranges: its stack, and what the host uses.  (first, end) addresses.  The thread must be outside machine code.

        Slots above the top frame are dead, those of its callers' frames included.  They are cleared here rather than by each
        push, so every slot that a later frame includes holds a value or a word of a link (to the collector, an int).
        """
        if self.ended:
            return (((frame := self.record.get("frame")), frame),)
        end = self._top() + self.code_address().code.slots
        above = self.stack.address + 8 * end
        ctypes.memset(above, 0, 8 * (self.stack.words - end))
        return (self.stack.address, above), self._view.roots()
