"""The part of an engine that a mutant of the handlers adds: its handlers, which take the place of the right ones.

The right ones are compiled as ever, in a part of their own, and what a substitute calls is linked to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from safepoint_vm.generate.compiler import ModuleCompiler, returned, signature
from safepoint_vm.generate.instruction import HANDLER
from safepoint_vm.generate.ir_values import CALLING_CONVENTION
from safepoint_vm.handlers import mutated


class LinkingCompiler(ModuleCompiler):
    """Compiles what stands in `handlers.mutated`; other handlers and routines it declares."""

    def handler(self, function: Callable[..., Any]) -> ir.Function:
        name = function.__name__
        if function.__module__ == mutated.__name__:
            return super().handler(function)
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
class Substitutes:
    """What decides their code.  `switches`: as `engine.Handlers.switches`, in pairs."""

    mutant: str
    switches: tuple[tuple[str, bool | str], ...]

    def generate(self) -> ir.Module:
        """HandlerError: one cannot be compiled."""
        module = ir.Module("substitutes")
        compiler = LinkingCompiler(module, dict(self.switches))
        for function in mutated.SUBSTITUTES[self.mutant].values():
            compiler.handler(function)
        return module


def in_place(addresses: Mapping[str, int], mutant: str) -> dict[str, int]:
    """The addresses of an engine's functions, with a mutant's substitutes in the place of the right ones."""
    instead = mutated.SUBSTITUTES.get(mutant, {})
    return {**addresses, **{name: addresses[function.__name__] for name, function in instead.items()}}
