"""The host raises, or nobody catches: who would, and what a traceback says.  `handlers.exceptions` has the other cases.

The exception's trace gets the place of the instruction and those of the calls that the exception leaves, in front of what it
has already.  Nothing changes before the last allocation: without room it can be begun again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from safepoint.guest.code import Handler
from safepoint.guest.faults import Fault
from safepoint.guest.faults import Location as Line
from safepoint.guest.operations.instructions import new_exception
from safepoint.guest.operations.text import message
from safepoint_vm.generate.encoding import SIZE
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.memory.image import Image, Place
from safepoint_vm.memory.view import View

RETURN_TO, CALLER = -2, -1  # the link below a frame, in words


@dataclass(frozen=True)
class Uncaught:
    """`traceback`: outermost call first."""

    fault: Fault
    traceback: tuple[Line, ...]


@dataclass(frozen=True)
class Caught:
    """Where guest code goes on: in `frame`, a number of the stack's."""

    handler: Handler
    frame: int
    place: Place


class Stack:
    """A thread's frames, innermost first."""

    def __init__(self, image: Image, memory: Memory, record: Record) -> None:
        self.image, self.memory, self.record = image, memory, record

    def frames(self) -> list[tuple[int, int]]:
        """(its number in the stack, the address of the instruction that it is at)"""
        pc, frame = self.record.get("pc"), (self.record.get("frame") - self.memory.address) // 8
        found = [(frame, pc)]
        while frame > 0:
            pc = self.memory[frame + RETURN_TO] - SIZE
            frame = (self.memory[frame + CALLER] - self.memory.address) // 8
            found.append((frame, pc))
        return found

    def line(self, pc: int) -> Line:
        place = self.image.place(pc)
        return self.image.program.file, place.instruction.line, place.code.name


def unwind(stack: Stack, view: View, fault: Fault) -> Uncaught | None:
    """Go to the handler of the exception; or say what ends the guest.  NoRoom."""
    passed, caught = _search(stack)
    if stack.image.place(passed[0]).instruction.op == "RERAISE":
        passed = passed[1:]
    if caught is None:
        before = view.trace(fault.ref) if fault.ref else []
        places = [*reversed(passed), *before]
        said = message(view, fault.ref) if fault.ref else fault.message
        return Uncaught(replace(fault, message=said, ref=None), tuple(stack.line(pc) for pc in places))
    exception = new_exception(view, fault)
    trace = view.new_trace([*reversed(passed), *view.trace(exception)])
    view.set_trace(exception, trace)
    first, end = caught.frame + caught.handler.slot, caught.frame + caught.place.code.slots
    stack.memory[first] = exception.number
    for slot in range(first + 1, end):  # intermediate values, which nobody reads again: they keep nothing alive
        stack.memory[slot] = 0
    stack.record.set("pc", caught.place.address(caught.handler.target))
    stack.record.set("frame", stack.memory.address + 8 * caught.frame)
    return None


def _search(stack: Stack) -> tuple[list[int], Caught | None]:
    """The instructions that it goes through, innermost first, and who catches it."""
    passed = []
    for frame, pc in stack.frames():
        passed.append(pc)
        place = stack.image.place(pc)
        for handler in place.code.handlers:
            if handler.start <= place.number < handler.end:
                return passed, Caught(handler, frame, place)
    return passed, None
