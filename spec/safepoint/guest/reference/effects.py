"""What each opcode does to a guest thread: `EFFECTS`, opcode -> function from one immutable state to the next.

A function in capitals is one opcode's own and takes that opcode's operands; an opcode that only computes a value shares
`into_first` or `no_result`, and its value is one line of `operations.instructions.RESULTS`, for both machines.  The check
sites are not here: `machine` visits them before the effect.
"""

# ruff: noqa: N802

from __future__ import annotations

from collections.abc import Callable

from safepoint.guest.code import LINK, UNSET
from safepoint.guest.faults import Fault, name_fault
from safepoint.guest.heap import ThreadObject
from safepoint.guest.operations import instructions as operations
from safepoint.guest.operations import sequences
from safepoint.guest.operations.text import printed
from safepoint.guest.operations.values import truth
from safepoint.guest.reference.copying import changed
from safepoint.guest.reference.heap import ReferenceHeap
from safepoint.guest.reference.state import Frame, State
from safepoint.guest.values import Function

# ---------------------------------------------------------------------------------------------- opcodes: moving values


def into_first(s: State, dst: int, *_: int) -> State:
    """Write what the instruction computes into the slot that its first operand names."""
    value, after = s.computed()
    return after.done(dst, value)


def no_result(s: State, *_: int) -> State:
    """Keep what the instruction did to the heap, or raise; it writes no slot."""
    value, after = s.computed()
    return after.failed(value) if isinstance(value, Fault) else after.skip()


def GLOBAL(s: State, dst: int, name: int) -> State:
    value = s.globals[name]
    return s.done(dst, name_fault(s.program.globals[name]) if value is UNSET else value)


def SET_GLOBAL(s: State, src: int, name: int) -> State:
    return changed(s, globals=(*s.globals[:name], s[src], *s.globals[name + 1 :])).skip()


# ---------------------------------------------------------------------------------------------- opcodes: jumps


def JUMP(s: State, offset: int) -> State:
    return s.skip(offset)


def FALSE_JUMP(s: State, condition: int, offset: int) -> State:
    return s.skip(0 if s.truth(condition) else offset)


def TRUE_JUMP(s: State, condition: int, offset: int) -> State:
    return s.skip(offset if s.truth(condition) else 0)


def LESS_JUMP_BACK(s: State, _left: int, _right: int, offset: int) -> State:
    less, _ = s.computed()
    if isinstance(less, Fault):
        return s.failed(less)
    return s.skip(offset if less else 0)


def FOR_PREPARE(s: State, loop: int, offset: int) -> State:
    match sequences.range_values(ReferenceHeap(s.things), s[loop], s[loop + 1], s[loop + 2]):
        case Fault() as fault:
            return s.failed(fault)
        case prepared:
            return changed(s, frame=s.frame.write(loop, *prepared)).skip(offset)


def FOR_RANGE(s: State, dst: int, loop: int, offset: int) -> State:
    """The last `value + step` may exceed 63 bits; it is never read."""
    value, turns, step = s.integer(loop), s.integer(loop + 1), s.integer(loop + 2)
    if turns == 0:
        return s.skip()
    return changed(s, frame=s.frame.write(loop, value + step, turns - 1).write(dst, value)).skip(offset)


def EACH_PREPARE(s: State, loop: int, offset: int) -> State:
    first, _ = s.computed()
    if isinstance(first, Fault):
        return s.failed(first)
    return changed(s, frame=s.frame.write(loop + 1, first)).skip(offset)


def FOR_EACH(s: State, dst: int, loop: int, offset: int) -> State:
    number = s.integer(loop + 1)
    found = sequences.turn(ReferenceHeap(s.things), s[loop], number)
    if not found:
        return s.skip()
    return changed(s, frame=s.frame.write(loop + 1, number + 1).write(dst, *found)).skip(offset)


# ---------------------------------------------------------------------------------------------- opcodes: calls


def call_end(s: State, base: int, count: int) -> int | Fault:
    """The first slot behind the callee's frame, or the fault of a value that cannot be called."""
    callee = s[base]
    if fault := operations.call_fault(ReferenceHeap(s.things), callee, count):
        return fault
    assert isinstance(callee, Function)
    return s.frame.start + base + LINK + s.program.codes[callee.number].slots


def CALL(s: State, base: int, count: int) -> State:
    """Push the frame; `call_end` and the check site have already let it through."""
    callee = s[base]
    assert isinstance(callee, Function)
    code, first = s.program.codes[callee.number], base + LINK
    slots = (*s.frame.slots[first : first + count], *[UNSET] * (code.slots - count))
    return changed(s, frame=Frame(code, s.frame.start + first, slots, 0, s.frame, base))


def RETURN(s: State, src: int) -> State:
    """A thread's first function returns to the module's HALT."""
    caller, module = s.frame.caller, s.program.codes[0]
    if caller is None:
        halt = next(number for number, i in enumerate(module.instructions) if i.op == "HALT")
        return changed(s, frame=Frame(module, 0, (), halt))
    return changed(s, frame=caller.write(s.frame.base, s[src]).next())


def to_print(s: State, first: int, count: int) -> str | Fault:
    """The text that PRINT or PRINT_END writes in its native region."""
    shown = s.frame.slots[first : first + count]
    if s.frame.instruction.op == "PRINT_END":
        return printed(s.heap(), shown[:-1], shown[-1])
    return printed(s.heap(), shown)


def return_to_guest(s: State, *_: int) -> State:
    """In guest code again, after the machine has done it outside."""
    return changed(s, native=False).skip()


# ---------------------------------------------------------------------------------------------- opcodes: threads


def born(s: State, thread: ThreadObject) -> State:
    """A new thread of the same world, before its target's first instruction; ended, if the target cannot be called."""
    module = Frame(s.program.codes[0], 0, ())
    new, heap = State(s.program, module, s.globals, s.things, s.output, thread=thread.number), ReferenceHeap(s.things)
    if not truth(heap, thread.target):
        return changed(new, ended=True)  # CPython calls only what is true
    if fault := operations.call_fault(heap, thread.target, len(thread.args)):
        return changed(new, fault=fault, ended=True)
    assert isinstance(thread.target, Function)
    code = s.program.codes[thread.target.number]
    slots = (*thread.args, *[UNSET] * (code.slots - len(thread.args)))
    return changed(new, frame=Frame(code, 0, slots))


def ACQUIRE(s: State, src: int) -> State:
    """Take the lock; the machine has waited until it was free."""
    return s.on_object(ReferenceHeap.lock, src)


def skip(s: State, *_: int) -> State:
    """Go to the next instruction: the machine has done all of it at the check site."""
    return s.skip()


def HALT(s: State) -> State:
    return changed(s, ended=True)


EFFECTS: dict[str, Callable[..., State]] = {
    **dict.fromkeys(operations.RESULTS, into_first),  # but for those that follow
    **dict.fromkeys(
        ("BOUND", "STORE_INDEX", "DELETE_INDEX", "APPEND", "RAISE", "RERAISE", "UNWINDS", "UNWOUND", "RELEASE"),
        no_result,
    ),
    **{f.__name__: f for f in (GLOBAL, SET_GLOBAL, JUMP, FALSE_JUMP, TRUE_JUMP, LESS_JUMP_BACK, ACQUIRE)},
    **{f.__name__: f for f in (FOR_PREPARE, FOR_RANGE, EACH_PREPARE, FOR_EACH, CALL, RETURN, HALT)},
    "JUMP_BACK": JUMP,
    "TRUE_JUMP_BACK": TRUE_JUMP,
    **dict.fromkeys(("PRINT", "PRINT_END", "START", "COLLECT", "INTERRUPT", "TERMINATE", "HANDSHAKE"), return_to_guest),
    **dict.fromkeys(("POLL", "JOIN", "SLEEP", "MASK", "UNMASK"), skip),
}
"""Opcode -> its effect, called with the state and the instruction's operands."""
