"""The IR that decodes operands and dispatches; `assembler` has the format."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Mapping
from typing import Any

from llvmlite import ir

from safepoint_vm.generate.assembler import SIZE, UNSIGNED, operand_place
from safepoint_vm.language.words import BESIDE

I8, I16, I32, I64, POINTER = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.PointerType()
HANDLER = ir.FunctionType(ir.VoidType(), [POINTER] * 4)
"""The type of a handler.  Its arguments stay in registers: pc, frame, thread, table."""


@functools.cache
def hints(function: Callable[..., Any]) -> dict[str, type]:
    """The types of a function's parameters and, as `return`, of its result."""
    return typing.get_type_hints(function)


def operand_types(handler: Callable[..., Any]) -> dict[str, type]:
    """The operands of an opcode, by name, in encoding order: the parameters of its handler after the machine."""
    return dict([(name, hint) for name, hint in hints(handler).items() if name != "return"][1:])


def operand(build: ir.IRBuilder, pc: ir.Value, number: int, kind: type) -> ir.Value:
    """Load operand `number` of the instruction at `pc`, extended to 64 bits."""
    at, size = operand_place(number, kind)
    loaded = build.load(build.gep(pc, [I64(at)], source_etype=I8), typ=ir.IntType(8 * size))
    return (build.zext if issubclass(kind, UNSIGNED) else build.sext)(loaded, I64)


def following(build: ir.IRBuilder, pc: ir.Value, count: ir.Value) -> ir.Value:
    """The address of the instruction `count` instructions after `pc`."""
    return build.gep(pc, [count], source_etype=ir.IntType(8 * SIZE))


def jump(build: ir.IRBuilder, pc: ir.Value, offset: ir.Value) -> ir.Value:
    """The address `offset` bytes after `pc`."""
    return build.gep(pc, [offset], source_etype=I8)


def compiled(build: ir.IRBuilder, pc: ir.Value) -> ir.Value:
    """Load where the compiled code of the instruction at `pc` begins; if it has none, what dispatches it begins there."""
    return build.load(build.gep(pc, [I64(BESIDE)], source_etype=I8), typ=HANDLER.as_pointer())


def dispatch(
    build: ir.IRBuilder, pc: ir.Value, table: ir.Value, racing: bool, instead: Mapping[int, int] | None = None
) -> ir.Value:
    """Load the handler of the instruction at `pc`.  `racing`: requesters may be writing the table.

    `instead`: numbers of superinstructions, to those of the opcodes that they begin with, which are to be executed instead.
    """
    number = build.load(pc, typ=I16)
    for fused, first in (instead or {}).items():
        number = build.select(build.icmp_unsigned("==", number, I16(fused)), I16(first), number)
    return entry_of(build, table, build.zext(number, I64), racing)


def entry_of(build: ir.IRBuilder, table: ir.Value, number: ir.Value, racing: bool) -> ir.Value:
    """Load the entry with this number of a dispatch table.  `racing`: as `dispatch`."""
    entry = build.gep(table, [number], source_etype=POINTER)
    if racing:
        return build.load_atomic(entry, "unordered", 8, typ=HANDLER.as_pointer())
    return build.load(entry, typ=HANDLER.as_pointer())
