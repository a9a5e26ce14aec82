"""An engine: handlers and the protocol's text, in one variant, as executable code.

An engine is loaded once per variant and process, from an image of machine code. Where that is kept, no LLVM is needed, and none of what
compiles: this module and what it imports are what `safepoint run` loads (a test says what that is), so they import none of it.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from safepoint.guest.code import SMALL, Instruction
from safepoint.protocol.policy import Policy
from safepoint_vm.generate import kept
from safepoint_vm.generate.assembler import assemble
from safepoint_vm.generate.code_image import EngineCode, MappedCode
from safepoint_vm.generate.page_faults import map_checked
from safepoint_vm.generate.triggers import FUSED_NUMBERS, NAMES, NUMBERS
from safepoint_vm.generate.variant import PLAIN, UNCHECKED, Variant
from safepoint_vm.handlers.fused import fused_at
from safepoint_vm.language import machine
from safepoint_vm.language.layout import Memory
from safepoint_vm.language.records import TABLE_WORDS
from safepoint_vm.language.tagged import word_of

__all__ = ["PLAIN", "SMALL_WORDS", "Engine", "Variant", "engine"]
SMALL_WORDS = {number: word_of(value) for number, value in SMALL.items()}


@dataclass(frozen=True)
class Engine:
    """Machine code in memory.  `addresses`: of its functions; `stepping`: a dispatch table whose every entry is `step`."""

    variant: Variant
    code: MappedCode
    operands: dict[str, tuple[str, ...]]
    arities: dict[str, int]
    stepping: Memory

    @classmethod
    def of(cls, variant: Variant, made: EngineCode) -> Self:
        """Load a variant's code into this process.  Errors: as `page_faults.map_checked`."""
        code = map_checked(made.image)
        stepping = Memory(TABLE_WORDS, [code.addresses["step"]] * TABLE_WORDS)
        return cls(variant, code, made.operands, made.arities, stepping)

    @property
    def addresses(self) -> dict[str, int]:
        return self.code.addresses

    def assemble(self, instructions: Sequence[Instruction]) -> list[bytes]:
        """The bytes of each instruction of a code.  OverflowError: an operand that the verifier should have rejected."""
        return [self._assembled(instructions, number) for number in range(len(instructions))]

    def _assembled(self, instructions: Sequence[Instruction], number: int) -> bytes:
        fused = fused_at(instructions, number) if self.variant.superinstructions else None
        op, operands = instructions[number].op, instructions[number].operands
        return assemble(FUSED_NUMBERS[fused.name] if fused else NUMBERS[op], operands, self.kinds[op], SMALL_WORDS)

    @functools.cached_property
    def kinds(self) -> dict[str, tuple[type, ...]]:
        """The types of each opcode's operands, in the order of their encoding."""
        return {op: tuple(vars(machine)[kind] for kind in kinds) for op, kinds in self.operands.items()}

    @functools.cached_property
    def table(self) -> ctypes.Array[ctypes.c_int64]:
        """The address of each handler of NAMES."""
        return (ctypes.c_int64 * len(NAMES))(*(self.addresses[name] for name in NAMES))

    @functools.cached_property
    def base(self) -> ctypes.Array[ctypes.c_int64]:
        """As `table`, of handlers that check nothing if they are back-edges."""
        return (ctypes.c_int64 * len(NAMES))(
            *(self.addresses.get(UNCHECKED + name, self.addresses[name]) for name in NAMES)
        )

    @property
    def policy(self) -> Policy:
        """Where and how its threads check."""
        return self.variant.policy

    @functools.cached_property
    def enter(self) -> ctypes._CFunctionType:
        """enter(handler, pc, frame, thread, table).  Releases the GIL."""
        return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5)(self.addresses["enter"])

    def procedure(self, name: str, record: int, *arguments: int, resume: int = 0) -> int:
        """Call a procedure of the protocol's text, or resume one (without arguments).  0: it returned; else its status."""
        call = self._functions[name]
        assert call.argtypes is not None
        absent = (0,) * (len(call.argtypes) - 2) if resume else ()
        status: int = call(record, *(absent or arguments), resume)
        return status

    def routine(self, name: str, *arguments: int) -> int:
        """Call a routine of the handler language.  The result of one without a value is undefined."""
        result: int = self._functions[name](*arguments)
        return result

    @functools.cached_property
    def _functions(self) -> dict[str, ctypes._CFunctionType]:
        """The C functions that the host calls."""
        return {
            name: ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(self.addresses[name])
            for name, count in self.arities.items()
        }


@functools.cache
def engine(variant: Variant = PLAIN) -> Engine:
    """The engine of a variant, loaded into this process.  Errors: as `build.engine_code`, and `Engine.of`."""
    if variant.mutant or variant.collector_mutant:  # hundreds, each for few processes, which compile their texts anyway
        return Engine.of(variant, _compiled(variant))
    return Engine.of(variant, kept.code(variant, lambda: _compiled(variant)))


def _compiled(variant: Variant) -> EngineCode:
    from safepoint_vm.generate.build import engine_code  # noqa: PLC0415  -- LLVM and all compilers: for what is not kept

    return engine_code(variant)
