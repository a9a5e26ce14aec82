"""Unwind for an exception that the host raises, or that is uncaught.  `handlers.exceptions` has the other cases.

The instruction and the calls that the exception leaves are prepended to the exception's trace.  Nothing changes before the
last allocation, so unwinding can be retried after a collection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from safepoint.guest.code import Handler
from safepoint.guest.faults import Fault
from safepoint.guest.faults import Location as Line
from safepoint.guest.heap import WORK
from safepoint.guest.operations.instructions import new_exception, raises_again
from safepoint.guest.operations.text import message
from safepoint_vm.generate.assembler import SIZE
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.memory.heap_view import HeapView
from safepoint_vm.memory.image import CodeAddress, Image

RETURN_TO, CALLER = -2, -1  # the link below a frame, in words


@dataclass(frozen=True)
class UncaughtFault:
    """The exception ends the thread.  `traceback`: outermost call first."""

    fault: Fault
    traceback: tuple[Line, ...]


@dataclass(frozen=True)
class Caught:
    """The exception handler, and the call it is in.  `frame`: index of the frame's first slot in the stack."""

    handler: Handler
    frame: int
    code_address: CodeAddress


class Stack:
    """A thread's frames, innermost first."""

    def __init__(self, image: Image, memory: Memory, record: Record) -> None:
        self.image, self.memory, self.record = image, memory, record

    def frames(self) -> list[tuple[int, int]]:
        """For each frame: (index of its first slot in the stack, address of its current instruction)."""
        pc, frame = self.record.get("pc"), (self.record.get("frame") - self.memory.address) // 8
        found = [(frame, pc)]
        while frame > 0:
            pc = self.memory[frame + RETURN_TO] - SIZE
            frame = (self.memory[frame + CALLER] - self.memory.address) // 8
            found.append((frame, pc))
        return found


def unwind(stack: Stack, view: HeapView, fault: Fault) -> UncaughtFault | None:
    """Go on at the exception's handler, or return what ends the thread.  NoRoom: the trace does not fit in the heap."""
    passed, caught = _search(stack)
    if raises_again(stack.image.code_address(passed[0]).instruction.op, fault):
        passed = passed[1:]
    if caught is None:
        before = view.trace(fault.ref) if fault.ref else []
        text = message(view, fault.ref) if fault.ref else fault.message
        lines = tuple(stack.image.line(pc) for pc in [*reversed(passed), *before][-WORK:])
        return UncaughtFault(replace(fault, message=text, ref=None), lines)
    exception = new_exception(view, fault)
    trace = view.new_trace([*reversed(passed), *view.trace(exception)])
    view.set_trace(exception, trace)
    first, end = caught.frame + caught.handler.slot, caught.frame + caught.code_address.code.slots
    stack.memory[first] = exception.number
    for slot in range(first + 1, end):  # intermediate values: dead, and no longer roots
        stack.memory[slot] = 0
    stack.record.set("pc", caught.code_address.address(caught.handler.target))
    stack.record.set("frame", stack.memory.address + 8 * caught.frame)
    return None


def _search(stack: Stack) -> tuple[list[int], Caught | None]:
    """The instructions that the exception leaves, innermost first, and its handler."""
    passed = []
    for frame, pc in stack.frames():
        passed.append(pc)
        at = stack.image.code_address(pc)
        for handler in at.code.handlers:
            if handler.start <= at.number < handler.end:
                return passed, Caught(handler, frame, at)
    return passed, None
