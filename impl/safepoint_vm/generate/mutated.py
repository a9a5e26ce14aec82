"""Mistakes in how the protocol's text is compiled, which `safepoint_vm.mutants` names: where its words lie, and what a hook is told."""

from __future__ import annotations

from typing import TypeVar

from llvmlite import ir

from safepoint.graph import ir as graph
from safepoint_vm.generate.instruction import I64
from safepoint_vm.generate.protocol import ProcedureEmitter
from safepoint_vm.generate.triggers import LOOP_ENTRIES, TRIGGERS
from safepoint_vm.mutants import worn

E = TypeVar("E", bound=ProcedureEmitter)


class PoisonsTheBase(ProcedureEmitter):
    """poison-in-the-base-table"""

    def cell(self, cell: graph.Cell) -> ir.Value:
        if not cell.word.startswith("entry["):
            return super().cell(cell)
        return self.word(self.record(cell.owner), TRIGGERS[cell.word].real)


class LeavesCompiledLoops(ProcedureEmitter):
    """compiled-loop-unpoisoned"""

    def access(self, s: graph.Step, where: ir.Value, values: list[ir.Value]) -> None:
        match s.cell, s.operands:
            case graph.Cell(word=word), (graph.Fixed(which="poison"),) if TRIGGERS.get(word) in LOOP_ENTRIES:
                return
        super().access(s, where, values)


class HooksNoLocked(ProcedureEmitter):
    """hook-misses-locked"""

    def call_hook(self, what: int, *words: ir.Value) -> ir.Value:
        if what >= 0 and not self.hosted and self.procedure.steps[self.at].op not in ("load", "store"):
            return I64(0)
        return super().call_hook(what, *words)


class HooksLate(ProcedureEmitter):
    """hook-comes-late"""

    late: tuple[int, tuple[ir.Value, ...]] | None = None

    def call_hook(self, what: int, *words: ir.Value) -> ir.Value:
        if what < 0 or self.hosted:
            return super().call_hook(what, *words)
        self.late = what, words
        return I64(0)

    def access(self, s: graph.Step, where: ir.Value, values: list[ir.Value]) -> None:
        super().access(s, where, values)
        if self.late is not None:
            (what, words), self.late = self.late, None
            super().call_hook(what, *words)


EMITTERS: dict[str, type[ProcedureEmitter]] = {
    "poison-in-the-base-table": PoisonsTheBase,
    "compiled-loop-unpoisoned": LeavesCompiledLoops,
    "hook-misses-locked": HooksNoLocked,
    "hook-comes-late": HooksLate,
}
"""Mutant -> what an emitter of procedures does otherwise."""


def emitter_of(kind: type[E], mutant: str) -> type[E]:
    """The emitter that compiles an engine's procedures."""
    return worn(kind, EMITTERS.get(mutant))
