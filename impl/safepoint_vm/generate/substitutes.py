"""Parts of an engine that are linked to its handlers: superinstructions; back-edges that check nothing; and the handlers of a mutant, which
take the place of the right ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from safepoint.guest.code import BACK_EDGES, OPCODES
from safepoint_vm.generate.compiler import ModuleCompiler, returned, signature
from safepoint_vm.generate.instruction import HANDLER
from safepoint_vm.generate.ir_values import CALLING_CONVENTION
from safepoint_vm.generate.variant import UNCHECKED
from safepoint_vm.handlers import mutated
from safepoint_vm.handlers.fused import FUSED
from safepoint_vm.handlers.table import opcodes


class LinkingCompiler(ModuleCompiler):
    """Compiles what stands in `handlers.mutated`, or has a prefix; other handlers and routines it declares."""

    def handler(self, function: Callable[..., Any], prefix: str = "") -> ir.Function:
        name = function.__name__
        if prefix or function.__module__ == mutated.__name__:
            return super().handler(function, prefix)
        if name not in self.functions:
            self.functions[name] = ir.Function(self.module, HANDLER, name)
            self.functions[name].calling_convention = CALLING_CONVENTION
        return self.functions[name]

    def routine(self, function: Callable[..., Any]) -> tuple[ir.Function, type]:
        name = function.__name__
        if name not in self.functions:
            self.functions[name] = ir.Function(self.module, signature(function), name)
        return self.functions[name], returned(function)


@dataclass(frozen=True)
class Superinstructions:
    """The handlers of sequences of opcodes.  `switches`: as `parts.Handlers.switches`, in pairs."""

    switches: tuple[tuple[str, bool | int | str], ...]

    def generate(self) -> ir.Module:
        """HandlerError: one cannot be compiled."""
        module = ir.Module("superinstructions")
        compiler = LinkingCompiler(module, dict(self.switches))
        for sequence in FUSED:
            compiler.fused(sequence, opcodes())
        return module


@dataclass(frozen=True)
class Unchecked:
    """The handlers of check sites as they are executed after `slow_path`.  `switches`: as `parts.Handlers.switches`, in pairs."""

    switches: tuple[tuple[str, bool | int | str], ...]

    def generate(self) -> ir.Module:
        """HandlerError: one cannot be compiled."""
        module = ir.Module("unchecked")
        compiler, handlers = LinkingCompiler(module, {**dict(self.switches), "UNCHECKED": True}), opcodes()
        elsewhere = dict(self.switches)["CHECKS_ELSEWHERE"]
        for name in (*BACK_EDGES, *(name for name, opcode in OPCODES.items() if opcode.site == elsewhere != "")):
            compiler.handler(handlers[name], UNCHECKED)
        return module


@dataclass(frozen=True)
class Substitutes:
    """What decides the code of a mutant's handlers.  `switches`: as those of `Unchecked`."""

    mutant: str
    switches: tuple[tuple[str, bool | int | str], ...]

    def generate(self) -> ir.Module:
        """HandlerError: one cannot be compiled."""
        module = ir.Module("substitutes")
        compiler = LinkingCompiler(module, dict(self.switches))
        for function in mutated.SUBSTITUTES[self.mutant].values():
            compiler.handler(function)
        return module


def in_place(symbols: Mapping[str, int], mutant: str) -> dict[str, int]:
    """Where an image's functions lie, with a mutant's substitutes in the place of the right ones.

    A superinstruction that has a right one in it, or that the image has not, is replaced by the opcode that it begins with.
    """
    instead = mutated.SUBSTITUTES.get(mutant, {})
    found = {**symbols, **{name: symbols[function.__name__] for name, function in instead.items()}}
    return {
        **found,
        **{each.name: found[each.first] for each in FUSED if each.name not in found or instead.keys() & {*each.ops}},
    }
