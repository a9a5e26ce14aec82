"""What the handler compiler works on: typed IR values, memory places, errors, and LLVM types of the handler language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from safepoint_vm.generate.instruction import I64, POINTER
from safepoint_vm.language.records import Thread
from safepoint_vm.language.vocabulary import Bytecode, Float, Struct, Table
from safepoint_vm.language.words import Frame

I1, VOID, DOUBLE = ir.IntType(1), ir.VoidType(), ir.DoubleType()
CALLING_CONVENTION = "preserve_nonecc"
REGISTERS: dict[str, type[Struct]] = {"pc": Bytecode, "frame": Frame, "thread": Thread, "table": Table}


@dataclass(frozen=True)
class IrValue:
    """A value of the generated code, and its type in the handler language."""

    ir: ir.Value
    type: type


@dataclass(frozen=True)
class Operation:
    """A bound operation such as `x.at` or `vm.next`, before its call."""

    owner: Any
    name: str


@dataclass(frozen=True)
class MemoryPlace:
    """A word in memory.  `racing`: other threads write it, too; `published`: stored with release order."""

    address: ir.Value
    width: ir.IntType | ir.PointerType
    type: type
    racing: bool = False
    published: bool = False


class HandlerError(Exception):
    """A handler uses Python beyond the handler language: `file:line:column: what (write instead: …)`."""


class Builder(ir.IRBuilder):
    """llvmlite's builder, with atomic stores through opaque pointers."""

    def atomic_store(self, value: ir.Value, where: ir.Value, order: str) -> None:
        """Store 8 bytes.  llvmlite's store_atomic fails: it needs the pointee type of an opaque pointer."""
        self._insert(ir.instructions.StoreAtomicInstr(self.block, value, where, order, 8))


def role_of(function: object) -> str | None:
    """How `vocabulary` marked a function: opcode, slow, inline, routine, procedure; None: it did not."""
    return getattr(function, "role", None)


def inlined(function: Callable[..., Any]) -> str:
    """The name of a helper in the IR module, with its file's: two files may each have a `clear`."""
    return f"inline.{function.__module__.rpartition('.')[2]}.{function.__name__}"


def ir_type(kind: type) -> ir.IntType | ir.PointerType | ir.DoubleType:
    """The LLVM type of a type of the handler language."""
    if kind is bool:
        return I1
    if kind is Float:
        return DOUBLE
    return POINTER if issubclass(kind, Struct) else I64
