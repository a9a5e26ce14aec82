"""What each opcode means: one function an opcode, from one immutable state to the next.

The check sites are not here: `machine` visits them before the effect.  A function bears its opcode's name, and its
parameters are the opcode's operands.
"""

# ruff: noqa: N802

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from safepoint.guest import values
from safepoint.guest.code import LINK, UNSET, Code, Instruction, Program
from safepoint.guest.faults import Fault, name_fault, unbound_fault
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

    def write(self, slot: int, *new: Value) -> Frame:
        return self._replace(slots=(*self.slots[:slot], *new, *self.slots[slot + len(new) :]))

    def next(self, offset: int = 0) -> Frame:
        return self._replace(pc=self.pc + 1 + offset)


@dataclass(frozen=True, eq=False)
class State:
    """A guest thread between two instructions.  `native`: it has printed, and is not yet back in guest code."""

    program: Program
    frame: Frame
    globals: tuple[Value, ...]
    output: str = ""
    fault: Fault | None = None
    ended: bool = False
    native: bool = False

    def __getitem__(self, slot: int) -> Value:
        return self.frame.slots[slot]

    def integer(self, slot: int) -> int:
        """A slot that holds an int, as an earlier instruction has seen to."""
        value = self[slot]
        assert isinstance(value, int)
        return value

    def done(self, dst: int, value: Value | Fault) -> State:
        """dst = value, and on to the next instruction; or end with a fault."""
        if isinstance(value, Fault):
            return self.failed(value)
        return replace(self, frame=self.frame.write(dst, value).next())

    def skip(self, offset: int = 0) -> State:
        """On to the instruction `offset` after the next."""
        return replace(self, frame=self.frame.next(offset))

    def failed(self, fault: Fault) -> State:
        return replace(self, fault=fault, ended=True)


def alike(a: tuple[Value, ...], b: tuple[Value, ...]) -> bool:
    """Equal values of equal types: True is not 1."""
    return a == b and all(type(x) is type(y) for x, y in zip(a, b, strict=True))


def same(a: State, b: State) -> bool:
    """Do two states of one program go on alike?  Callers that both runs share are compared by identity, not again."""
    if (a.output, a.fault, a.ended, a.native) != (b.output, b.fault, b.ended, b.native) or not alike(
        a.globals, b.globals
    ):
        return False
    x: Frame | None = a.frame
    y: Frame | None = b.frame
    while x is not y:
        if x is None or y is None:
            return False
        if (x.code, x.start, x.pc, x.base) != (y.code, y.start, y.pc, y.base) or not alike(x.slots, y.slots):
            return False
        x, y = x.caller, y.caller
    return True


# ---------------------------------------------------------------------------------------------- opcodes: moving values


def LOADK(s: State, dst: int, value: int) -> State:
    return s.done(dst, values.small(value))


def CONSTANT(s: State, dst: int, constant: int) -> State:
    return s.done(dst, values.constant(s.program, constant))


def MOVE(s: State, dst: int, src: int) -> State:
    return s.done(dst, s[src])


def GLOBAL(s: State, dst: int, name: int) -> State:
    value = s.globals[name]
    return s.done(dst, name_fault(s.program.globals[name]) if value is UNSET else value)


def SET_GLOBAL(s: State, src: int, name: int) -> State:
    return replace(s, globals=(*s.globals[:name], s[src], *s.globals[name + 1 :])).skip()


def BOUND(s: State, src: int, name: int) -> State:
    return s.failed(unbound_fault(s.program.names[name])) if s[src] is UNSET else s.skip()


# ---------------------------------------------------------------------------------------------- opcodes: operators


def ADDI(s: State, dst: int, left: int, right: int) -> State:
    return s.done(dst, values.binary("ADDI", s[left], right))


Effect = Callable[..., State]


def binary(op: str) -> Effect:
    return lambda s, dst, left, right: s.done(dst, values.binary(op, s[left], s[right]))


def unary(op: str) -> Effect:
    return lambda s, dst, src: s.done(dst, values.unary(op, s[src]))


def compare(op: str) -> Effect:
    return lambda s, dst, left, right: s.done(dst, values.compare(op, s[left], s[right]))


# ---------------------------------------------------------------------------------------------- opcodes: jumps


def JUMP(s: State, offset: int) -> State:
    return s.skip(offset)


def FALSE_JUMP(s: State, condition: int, offset: int) -> State:
    return s.skip(0 if values.truth(s[condition]) else offset)


def TRUE_JUMP(s: State, condition: int, offset: int) -> State:
    return s.skip(offset if values.truth(s[condition]) else 0)


def LESS_JUMP_BACK(s: State, left: int, right: int, offset: int) -> State:
    less = values.compare("LESS", s[left], s[right])
    return s.failed(less) if isinstance(less, Fault) else s.skip(offset if less else 0)


def FOR_PREPARE(s: State, loop: int, offset: int) -> State:
    match values.range_values(s[loop], s[loop + 1], s[loop + 2]):
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


# ---------------------------------------------------------------------------------------------- opcodes: calls


def call_end(s: State, base: int, count: int) -> int | Fault:
    """Where the callee's frame would end; or why there is no callee."""
    callee = s[base]
    if fault := values.call_fault(callee, count):
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


def printed(s: State, first: int, count: int) -> State:
    """What PRINT does in native code, between `leave` and `reenter`; it stays at the instruction."""
    line = " ".join(values.text(v) for v in s.frame.slots[first : first + count])
    return replace(s, output=f"{s.output}{line}\n", native=True)


def PRINT(s: State, _first: int, _count: int) -> State:
    """Back in guest code, after `printed`."""
    return replace(s, native=False).skip()


def HALT(s: State) -> State:
    return replace(s, ended=True)


EFFECTS: dict[str, Effect] = {
    **{f.__name__: f for f in (LOADK, CONSTANT, MOVE, GLOBAL, SET_GLOBAL, BOUND, ADDI)},
    **{op: binary(op) for op in values.BINARY},
    **{op: unary(op) for op in (*values.UNARY, "NOT")},
    **{op: compare(op) for op in (*values.ORDER, "EQUAL", "NOT_EQUAL", "IS", "IS_NOT")},
    **{f.__name__: f for f in (JUMP, FALSE_JUMP, TRUE_JUMP, LESS_JUMP_BACK, FOR_PREPARE, FOR_RANGE)},
    **{f.__name__: f for f in (CALL, RETURN, PRINT, HALT)},
    "JUMP_BACK": JUMP,
    "TRUE_JUMP_BACK": TRUE_JUMP,
}
