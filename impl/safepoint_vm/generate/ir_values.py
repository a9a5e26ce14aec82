"""What the compiler of handlers is made of: staged values, errors with a place, and LLVM types of the handler language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from safepoint_vm.generate.instruction import I64, POINTER
from safepoint_vm.language.vocabulary import Bytecode, Float, Struct, Table
from safepoint_vm.language.words import Frame, Thread

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
    """`x.at`, `vm.next`: an operation waiting for its arguments."""

    owner: Any
    name: str


@dataclass(frozen=True)
class MemoryPlace:
    """A word in memory.  `racing`: others write it too; `published`: what a store of it points to must be visible before."""

    address: ir.Value
    width: ir.IntType | ir.PointerType
    type: type
    racing: bool = False
    published: bool = False


class HandlerError(Exception):
    """A handler uses Python that the language does not have: `file:line:column: what (write instead: …)`."""


class Builder(ir.IRBuilder):
    def atomic_store(self, value: ir.Value, where: ir.Value, order: str) -> None:
        """llvmlite's own store_atomic asks an opaque pointer for what it points to, and fails."""
        self._insert(ir.instructions.StoreAtomicInstr(self.block, value, where, order, 8))


def role_of(function: object) -> str | None:
    return getattr(function, "role", None)


def inlined(function: Callable[..., Any]) -> str:
    """The name of a helper in the module: two files may each have a `clear`."""
    return f"inline.{function.__module__.rpartition('.')[2]}.{function.__name__}"


def ir_type(kind: type) -> ir.IntType | ir.PointerType | ir.DoubleType:
    if kind is bool:
        return I1
    if kind is Float:
        return DOUBLE
    return POINTER if issubclass(kind, Struct) else I64
