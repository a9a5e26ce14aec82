"""The format of an instruction, the assembler, and the IR that decodes operands and dispatches.

64-bit instructions of 16-bit fields, each loaded where it is used: opcode, a, b, c; or opcode, a and a 32-bit b.  A jump's
distance is stored in bytes from the jump itself: one addition, on the critical path of a short loop.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llvmlite import ir

from safepoint_vm.language import machine

I8, I16, I32, I64, POINTER = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.PointerType()
SIZE = 8  # bytes of an instruction
HANDLER = ir.FunctionType(ir.VoidType(), [POINTER] * 4)
"""The type of a handler.  Its arguments stay in registers: pc, frame, thread, table."""

WIDE = (machine.Small, machine.Constant, machine.Global, machine.Name, machine.FarJump)
UNSIGNED = (machine.Slot, machine.Count, machine.Builtin, machine.Kind)
TAGGED = (machine.Immediate, machine.Small)
JUMPS = (machine.Jump, machine.FarJump)


@functools.cache
def hints(function: Callable[..., Any]) -> dict[str, type]:
    """The types of a function's parameters and, as `return`, of its result."""
    return typing.get_type_hints(function)


def operand_types(handler: Callable[..., Any]) -> dict[str, type]:
    """The operands of an opcode, by name, in encoding order: the parameters of its handler after the machine."""
    return dict([(name, hint) for name, hint in hints(handler).items() if name != "return"][1:])


def operand_offset(number: int, kind: type) -> tuple[int, ir.IntType]:
    """The offset of operand `number` in the instruction, in bytes, and its type."""
    return (4, I32) if issubclass(kind, WIDE) else (2 + 2 * number, I16)


def operand(build: ir.IRBuilder, pc: ir.Value, number: int, kind: type) -> ir.Value:
    """Load operand `number` of the instruction at `pc`, extended to 64 bits."""
    at, width = operand_offset(number, kind)
    loaded = build.load(build.gep(pc, [I64(at)], source_etype=I8), typ=width)
    return (build.zext if issubclass(kind, UNSIGNED) else build.sext)(loaded, I64)


def following(build: ir.IRBuilder, pc: ir.Value, count: ir.Value) -> ir.Value:
    """The address of the instruction `count` instructions after `pc`."""
    return build.gep(pc, [count], source_etype=ir.IntType(8 * SIZE))


def jump(build: ir.IRBuilder, pc: ir.Value, offset: ir.Value) -> ir.Value:
    """The address `offset` bytes after `pc`."""
    return build.gep(pc, [offset], source_etype=I8)


def dispatch(
    build: ir.IRBuilder, pc: ir.Value, table: ir.Value, racing: bool, instead: Mapping[int, int] | None = None
) -> ir.Value:
    """Load the handler of the instruction at `pc`.  `racing`: requesters may be writing the table.

    `instead`: numbers of superinstructions, to those of the opcodes that they begin with, which are to be executed instead.
    """
    number = build.load(pc, typ=I16)
    for fused, first in (instead or {}).items():
        number = build.select(build.icmp_unsigned("==", number, I16(fused)), I16(first), number)
    entry = build.gep(table, [build.zext(number, I64)], source_etype=POINTER)
    if racing:
        return build.load_atomic(entry, "unordered", 8, typ=HANDLER.as_pointer())
    return build.load(entry, typ=HANDLER.as_pointer())


def stored(value: int, kind: type, small: dict[int, int]) -> int:
    """The encoding of an operand of the opcode table.  `small`: the tagged words of constants that are not ints."""
    if issubclass(kind, JUMPS):
        return (value + 1) * SIZE
    if kind is machine.Small and value in small:
        return small[value]
    return value * 2 if issubclass(kind, TAGGED) else value


def assemble(number: int, operands: Sequence[int], kinds: Sequence[type], small: dict[int, int]) -> bytes:
    """The bytes of one instruction.  OverflowError: an operand that the verifier should have rejected."""
    image = bytearray(SIZE)
    image[0:2] = number.to_bytes(2, "little")
    for position, (value, kind) in enumerate(zip(operands, kinds, strict=True)):
        at, width = operand_offset(position, kind)
        count, signed = width.width // 8, not issubclass(kind, UNSIGNED)
        image[at : at + count] = stored(value, kind, small).to_bytes(count, "little", signed=signed)
    return bytes(image)
