"""What the litmus tests race: the protocol's procedures as the interpreter has them, and of trigger `ticker` two of its own.

One thing is added: the operation that a requester runs looks whether the guest has made a step.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from safepoint.graph import ir as graph
from safepoint.graph.gather import without_roles
from safepoint.graph.instance import Instance
from safepoint.graph.lower import compile_graph
from safepoint.protocol.policies import FOLDED
from safepoint_vm.cores.litmus.loops import LITMUS_LOOPS, PERIOD
from safepoint_vm.cores.litmus.meet import Meet
from safepoint_vm.cores.primitives import declare_primitives
from safepoint_vm.cores.tally import graphs
from safepoint_vm.generate.compiler import ModuleCompiler, Switches
from safepoint_vm.generate.instruction import I64, POINTER
from safepoint_vm.generate.procedures import PROCEDURES, declare
from safepoint_vm.generate.protocol import ProcedureEmitter
from safepoint_vm.language.layout import fields

TICKER = {"back_edge": 0, "post": 1}
"""The procedures of trigger `ticker` that are compiled, as `ticker_NAME`; and how many parameters each has."""


@dataclass(frozen=True)
class LitmusText:
    """A part of an engine: the procedures.  `mutant`: of the text that has it."""

    mutant: str = ""

    def generate(self) -> ir.Module:
        """ProtocolError: neither text has the mutant."""
        module = ir.Module("litmus text")
        ticking = without_roles("ticker")
        other = self.mutant in ticking.mutants and self.mutant not in without_roles(FOLDED.trigger).mutants
        for name, procedure in graphs("" if other else self.mutant).items():
            WatchedEmitter(declare(module, name, PROCEDURES[name]), procedure).emit()
        instance = Instance(threads=None, mutant=self.mutant if self.mutant in ticking.mutants else "")
        for name, parameters in TICKER.items():
            TickerEmitter(declare(module, f"ticker_{name}", parameters), compile_graph(ticking, name, instance)).emit()
        for function in module.functions:
            function.attributes.add("noinline")
        return module


class WatchedEmitter(ProcedureEmitter):
    """Looks, where a requester runs the operation, whether the guest has made a step."""

    def tree(self, t: graph.Tree, at: int | None = None) -> None:
        match t:
            case graph.Ghost("ran") if self.procedure.record == "Thread":
                meet = self.builder.load(self.own("hook"), typ=POINTER)
                step = self.builder.load_atomic(self.word(meet, fields(Meet)["guest"].offset), "acquire", 8, typ=I64)
                self.builder.atomic_store(step, self.word(meet, fields(Meet)["during"].offset), "release")
        super().tree(t, at)


class TickerEmitter(ProcedureEmitter):
    """Of trigger `ticker`, whose period is a constant."""

    def fixed(self, cell: graph.Cell, which: str) -> ir.Value:
        return I64(PERIOD if which == "real" else 0)


@dataclass(frozen=True)
class LitmusLoops:
    """A part of an engine: the loops."""

    def generate(self) -> ir.Module:
        """HandlerError: a loop cannot be compiled."""
        module = ir.Module("litmus loops")
        switches: Switches = {
            "PROTOCOL": True,
            "COUNTING": False,
            "COLLECTOR_MUTANT": "",
        }
        compiler = ModuleCompiler(module, switches)
        declare_primitives(compiler)
        for name, parameters in TICKER.items():
            compiler.functions[f"ticker_{name}"] = declare(module, f"ticker_{name}", parameters)
        for loop in LITMUS_LOOPS:
            compiler.routine(loop)
        return module
