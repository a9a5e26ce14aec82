"""What each opcode means: one function an opcode, from one immutable state to the next.

The check sites are not here: `machine` visits them before the effect.  A function bears its opcode's name, and its
parameters are the opcode's operands.  What an operation computes is said in `operations`, for both machines.
"""

# ruff: noqa: N802

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from safepoint.guest import operations, sequences, values
from safepoint.guest.code import LINK, UNSET, Code, Handler, Instruction, Program
from safepoint.guest.comparing import COMPARE
from safepoint.guest.faults import Fault, Place, name_fault
from safepoint.guest.objects import Objects, Things, alike, alike_values
from safepoint.guest.operators import BINARY, IN_PLACE, UNARY
from safepoint.guest.text import message, printed
from safepoint.guest.values import Function, Value


class Frame(NamedTuple):
    """`start`: the stack slot where it begins.  `base`: the slot of the caller's frame that wants the result."""

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
        """Who wants what the instruction raises."""
        return next((h for h in self.code.handlers if h.start <= self.pc < h.end), None)

    def write(self, slot: int, *new: Value) -> Frame:
        return self._replace(slots=(*self.slots[:slot], *new, *self.slots[slot + len(new) :]))

    def next(self, offset: int = 0) -> Frame:
        return self._replace(pc=self.pc + 1 + offset)


@dataclass(frozen=True, eq=False)
class State:
    """A guest thread between two instructions.  `native`: it has printed, and is not yet back in guest code.

    trace: what a fault that nobody has caught has come through, outermost call first.
    """

    program: Program
    frame: Frame
    globals: tuple[Value, ...]
    things: Things
    output: str = ""
    fault: Fault | None = None
    trace: tuple[Place, ...] = ()
    ended: bool = False
    native: bool = False

    def __getitem__(self, slot: int) -> Value:
        return self.frame.slots[slot]

    def integer(self, slot: int) -> int:
        """A slot that holds an int, as an earlier instruction has seen to."""
        value = self[slot]
        assert isinstance(value, int)
        return value

    def truth(self, slot: int) -> bool:
        return values.truth(Objects(self.things), self[slot])

    def computed(self) -> tuple[Value | Fault, State]:
        """What the instruction gives, and the state with what it did to the heap."""
        heap = Objects(self.things)
        result = operations.result(self.program, self.frame.instruction, self.__getitem__, heap)
        return result, self if isinstance(result, Fault) else replace(self, things=heap.things)

    def done(self, dst: int, value: Value | Fault) -> State:
        """dst = value, and on to the next instruction; or a fault."""
        if isinstance(value, Fault):
            return self.failed(value)
        return replace(self, frame=self.frame.write(dst, value).next())

    def skip(self, offset: int = 0) -> State:
        """On to the instruction `offset` after the next."""
        return replace(self, frame=self.frame.next(offset))

    def failed(self, fault: Fault) -> State:
        """The instruction raises: on at the handler of the innermost frame that has one, or the guest ends here."""
        heap = Objects(self.things)
        exception = operations.new_exception(heap, fault)
        frame, again = self.frame, self.frame.instruction.op == "RERAISE"
        places = [] if again else [self.place(frame)]
        while (handler := frame.handler) is None and frame.caller is not None:
            frame = frame.caller
            places.append(self.place(frame))
        heap.trace(exception, places[::-1])
        if handler:
            caught = frame.write(handler.slot, exception)._replace(pc=handler.target)
            return replace(self, frame=caught, things=heap.things)
        uncaught = Fault(fault.kind, message(heap, exception), exception)
        return replace(self, things=heap.things, fault=uncaught, trace=heap.raised(exception).trace, ended=True)

    def place(self, frame: Frame) -> Place:
        return self.program.file, frame.instruction.line, frame.code.name


def same(a: State, b: State) -> bool:
    """Do two states of one program go on alike?  Callers that both runs share are compared by identity, not again."""
    if (a.output, a.fault, a.trace, a.ended, a.native) != (b.output, b.fault, b.trace, b.ended, b.native):
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


# ---------------------------------------------------------------------------------------------- opcodes: moving values


Effect = Callable[..., State]


def into_first(s: State, dst: int, *_: int) -> State:
    """The first operand is the slot for what the instruction computes."""
    value, after = s.computed()
    return after.done(dst, value)


def nowhere(s: State, *_: int) -> State:
    """All that the instruction does, it does to the heap; or it raises."""
    value, after = s.computed()
    return after.failed(value) if isinstance(value, Fault) else after.skip()


def GLOBAL(s: State, dst: int, name: int) -> State:
    value = s.globals[name]
    return s.done(dst, name_fault(s.program.globals[name]) if value is UNSET else value)


def SET_GLOBAL(s: State, src: int, name: int) -> State:
    return replace(s, globals=(*s.globals[:name], s[src], *s.globals[name + 1 :])).skip()


# ---------------------------------------------------------------------------------------------- opcodes: jumps


def JUMP(s: State, offset: int) -> State:
    return s.skip(offset)


def FALSE_JUMP(s: State, condition: int, offset: int) -> State:
    return s.skip(0 if s.truth(condition) else offset)


def TRUE_JUMP(s: State, condition: int, offset: int) -> State:
    return s.skip(offset if s.truth(condition) else 0)


def LESS_JUMP_BACK(s: State, _left: int, _right: int, offset: int) -> State:
    less, _ = s.computed()
    return s.failed(less) if isinstance(less, Fault) else s.skip(offset if less else 0)


def FOR_PREPARE(s: State, loop: int, offset: int) -> State:
    match sequences.range_values(Objects(s.things), s[loop], s[loop + 1], s[loop + 2]):
        case Fault() as fault:
            return s.failed(fault)
        case prepared:
            return replace(s, frame=s.frame.write(loop, *prepared)).skip(offset)


def FOR_RANGE(s: State, dst: int, loop: int, offset: int) -> State:
    """The last `value + step` may be beyond the range of an int; nobody reads it."""
    value, turns, step = s.integer(loop), s.integer(loop + 1), s.integer(loop + 2)
    if turns == 0:
        return s.skip()
    return replace(s, frame=s.frame.write(loop, value + step, turns - 1).write(dst, value)).skip(offset)


def EACH_PREPARE(s: State, loop: int, offset: int) -> State:
    first, _ = s.computed()
    if isinstance(first, Fault):
        return s.failed(first)
    return replace(s, frame=s.frame.write(loop + 1, first)).skip(offset)


def FOR_EACH(s: State, dst: int, loop: int, offset: int) -> State:
    number = s.integer(loop + 1)
    found = sequences.turn(Objects(s.things), s[loop], number)
    if not found:
        return s.skip()
    return replace(s, frame=s.frame.write(loop + 1, number + 1).write(dst, *found)).skip(offset)


# ---------------------------------------------------------------------------------------------- opcodes: calls


def call_end(s: State, base: int, count: int) -> int | Fault:
    """Where the callee's frame would end; or why there is no callee."""
    callee = s[base]
    if fault := operations.call_fault(Objects(s.things), callee, count):
        return fault
    assert isinstance(callee, Function)
    return s.frame.start + base + LINK + s.program.codes[callee.number].slots


def CALL(s: State, base: int, count: int) -> State:
    """The push itself; that it is possible, `call_end` and the check site have said."""
    callee = s[base]
    assert isinstance(callee, Function)
    code, first = s.program.codes[callee.number], base + LINK
    slots = (*s.frame.slots[first : first + count], *[UNSET] * (code.slots - count))
    return replace(s, frame=Frame(code, s.frame.start + first, slots, 0, s.frame, base))


def RETURN(s: State, src: int) -> State:
    caller = s.frame.caller
    assert caller is not None
    return replace(s, frame=caller.write(s.frame.base, s[src]).next())


def to_print(s: State, first: int, count: int) -> str | Fault:
    """What PRINT or PRINT_END prints in native code."""
    shown = s.frame.slots[first : first + count]
    if s.frame.instruction.op == "PRINT_END":
        return printed(Objects(s.things), shown[:-1], shown[-1])
    return printed(Objects(s.things), shown)


def PRINT(s: State, _first: int, _count: int) -> State:
    """Back in guest code, after it was printed."""
    return replace(s, native=False).skip()


def HALT(s: State) -> State:
    return replace(s, ended=True)


EFFECTS: dict[str, Effect] = {
    **dict.fromkeys(("LOADK", "CONSTANT", "MOVE", "ADDI", *BINARY, *IN_PLACE, *UNARY, "NOT", *COMPARE), into_first),
    **dict.fromkeys(("LIST", "INDEX", "SLICE", "LEN", "POP", "POP_AT", "FORMAT", "BUILTIN"), into_first),
    **dict.fromkeys(("EXCEPTION", "MATCHES"), into_first),
    **dict.fromkeys(("BOUND", "STORE_INDEX", "DELETE_INDEX", "APPEND", "RAISE", "RERAISE"), nowhere),
    **{f.__name__: f for f in (GLOBAL, SET_GLOBAL, JUMP, FALSE_JUMP, TRUE_JUMP, LESS_JUMP_BACK)},
    **{f.__name__: f for f in (FOR_PREPARE, FOR_RANGE, EACH_PREPARE, FOR_EACH, CALL, RETURN, PRINT, HALT)},
    "JUMP_BACK": JUMP,
    "TRUE_JUMP_BACK": TRUE_JUMP,
    "PRINT_END": PRINT,
}
