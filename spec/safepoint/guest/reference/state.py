"""A guest thread between two instructions, as an immutable value: forks of a run share it, and runs are compared by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from safepoint.guest.code import Code, Handler, Instruction, Program
from safepoint.guest.faults import Fault, Location
from safepoint.guest.lockstep import MAIN
from safepoint.guest.operations import instructions as operations
from safepoint.guest.operations.text import message
from safepoint.guest.operations.values import truth
from safepoint.guest.reference.copying import changed
from safepoint.guest.reference.heap import ReferenceHeap, Things, alike, alike_values
from safepoint.guest.values import Ref, Value


class Frame(NamedTuple):
    """start: the stack slot where the frame begins.  base: the slot of the caller's frame that receives the result."""

    code: Code
    start: int
    slots: tuple[Value, ...]
    pc: int = 0
    caller: Frame | None = None
    base: int = 0

    @property
    def instruction(self) -> Instruction:
        return self.code.instructions[self.pc]

    @property
    def handler(self) -> Handler | None:
        """The handler of what the instruction raises, if this frame has one."""
        return next((h for h in self.code.handlers if h.start <= self.pc < h.end), None)

    def write(self, slot: int, *new: Value) -> Frame:
        slots = (*self.slots[:slot], *new, *self.slots[slot + len(new) :])
        return Frame(self.code, self.start, slots, self.pc, self.caller, self.base)

    def next(self, offset: int = 0) -> Frame:
        code, start, slots, pc, caller, base = self
        return Frame(code, start, slots, pc + 1 + offset, caller, base)


@dataclass(frozen=True, eq=False)
class State:
    """A guest thread between two instructions.  Globals, things (the heap) and output are its world's.

    native: outside guest code, in an instruction that prints, blocks, or makes a request.  thread: its number.
    until: when its sleep ends.  polls: that the instruction has passed; polling: it stands at the next.  trace: the locations that an uncaught fault passed through, outermost call first.
    """

    program: Program
    frame: Frame
    globals: tuple[Value, ...]
    things: Things
    output: str = ""
    fault: Fault | None = None
    trace: tuple[Location, ...] = ()
    ended: bool = False
    native: bool = False
    thread: int = MAIN
    until: float | None = None
    polls: int = 0
    polling: bool = False

    def __getitem__(self, slot: int) -> Value:
        return self.frame.slots[slot]

    def integer(self, slot: int) -> int:
        """The int in a slot; an earlier instruction has made sure that it is one."""
        value = self[slot]
        assert isinstance(value, int)
        return value

    def truth(self, slot: int) -> bool:
        return truth(ReferenceHeap(self.things), self[slot])

    def heap(self) -> ReferenceHeap:
        """The heap for what the instruction computes."""
        return ReferenceHeap(self.things, self.polls)

    def ends(self, site: str, src: int) -> bool:
        """Whether a critical section ends at an UNMASK of the slot, or an unwinding at an UNWOUND of it."""
        return self[src] is False if site == "unmask" else operations.terminates(ReferenceHeap(self.things), self[src])

    def computed(self) -> tuple[Value | Fault, State]:
        """The instruction's result, and the state with its changes of the heap."""
        heap = self.heap()
        result = operations.result(self.program, self.frame.instruction, self.__getitem__, heap)
        is_same = isinstance(result, Fault) or heap.things is self.things
        return result, self if is_same else changed(self, things=heap.things)

    def on_object(self, method: Callable[[ReferenceHeap, Ref], None], src: int) -> State:
        """Call a method of the heap on the object in a slot, and go on to the next instruction."""
        heap, ref = ReferenceHeap(self.things), self[src]
        assert isinstance(ref, Ref)
        method(heap, ref)
        return changed(self, things=heap.things).skip()

    def done(self, dst: int, value: Value | Fault) -> State:
        """Write dst = value and go on to the next instruction; or raise, if the value is a fault."""
        if isinstance(value, Fault):
            return self.failed(value)
        code, start, slots, pc, caller, base = self.frame
        slots = (*slots[:dst], value, *slots[dst + 1 :])
        return changed(self, frame=Frame(code, start, slots, pc + 1, caller, base))

    def skip(self, offset: int = 0) -> State:
        """Go on at the instruction `offset` behind the next one."""
        return changed(self, frame=self.frame.next(offset))

    def failed(self, fault: Fault) -> State:
        """Raise a fault: go on at the handler of the innermost frame that has one; without one, the thread ends here."""
        heap = ReferenceHeap(self.things)
        exception = operations.new_exception(heap, fault)
        frame = self.frame
        places = [] if operations.raises_again(frame.instruction.op, fault) else [self.place(frame)]
        while (handler := frame.handler) is None and frame.caller is not None:
            frame = frame.caller
            places.append(self.place(frame))
        heap.trace(exception, places[::-1])
        if handler:
            caught = frame.write(handler.slot, exception)._replace(pc=handler.target)
            return changed(self, frame=caught, things=heap.things)
        uncaught = Fault(fault.kind, message(heap, exception), exception)
        return changed(self, things=heap.things, fault=uncaught, trace=heap.raised(exception).trace, ended=True)

    def place(self, frame: Frame) -> Location:
        return self.program.file, frame.instruction.line, frame.code.name


def own(s: State) -> tuple[object, ...]:
    """The parts of a state that are compared by `==`."""
    return s.output, s.fault, s.trace, s.ended, s.native, s.thread, s.until, s.polls, s.polling


def same(a: State, b: State) -> bool:
    """Whether two states of one program behave alike from here on.  Frames that both share are not compared again."""
    if own(a) != own(b):
        return False
    if not alike_values(a.globals, b.globals) or not alike(a.things, b.things):
        return False
    x: Frame | None = a.frame
    y: Frame | None = b.frame
    while x is not y:
        if x is None or y is None:
            return False
        if (x.code, x.start, x.pc, x.base) != (y.code, y.start, y.pc, y.base) or not alike_values(x.slots, y.slots):
            return False
        x, y = x.caller, y.caller
    return True
