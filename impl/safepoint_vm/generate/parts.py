"""The parts of an engine, each compiled apart: handlers, and the protocol's text.

So a mutant of the text costs only the compilation of the text; and no handler can depend on what a procedure does.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy
from safepoint_vm.generate.compiler import ModuleCompiler, Switches
from safepoint_vm.generate.counted import add_count_hook
from safepoint_vm.generate.instruction import HANDLER
from safepoint_vm.generate.ir_values import CALLING_CONVENTION, HandlerError
from safepoint_vm.generate.mutated import emitter_of
from safepoint_vm.generate.object_code import Part
from safepoint_vm.generate.protocol import HostedEmitter, ProcedureEmitter, add_protocol
from safepoint_vm.generate.sampling import add_profiled_protocol
from safepoint_vm.generate.substitutes import Substitutes, Superinstructions, Unchecked
from safepoint_vm.generate.tracing import add_traced_protocol
from safepoint_vm.generate.triggers import ENTRY, Widths, widths_of
from safepoint_vm.generate.variant import Variant, logs_loops
from safepoint_vm.handlers.shared.checks import CHECK_MUTANTS, COUNTED, DISPATCHED, MECHANISMS
from safepoint_vm.handlers.table import ENTRANCES, ROUTINES, opcodes
from safepoint_vm.mutants import part_of


@dataclass(frozen=True)
class Handlers:
    """What decides the code of the handlers, their routines and `enter`: the switches in `language.machine`.

    `hooked`: a check that stores calls the hook before.  `mutant`: of the text's checks.
    """

    counting: bool
    policy: Policy
    protocol: bool
    collector_mutant: str
    traced: bool = False
    profiled: bool = False
    hooked: bool = False
    mutant: str = ""

    def switches(self) -> Switches:
        """The values of the switches."""
        policy = self.policy
        if policy.trigger not in MECHANISMS:
            raise HandlerError(
                f"policy {policy.name}: handlers have no checks for trigger {policy.trigger} (they have: {', '.join(MECHANISMS)})"
            )
        return {
            "PROTOCOL": self.protocol,
            "COUNTING": self.counting,
            "TRIGGER": policy.trigger,
            "CHECKS_PUSHES": "push" in policy.sites,
            "CHECKS_BACK_EDGES": "back-edge" in policy.sites,
            "CHECKS_ELSEWHERE": policy.elsewhere,
            "LIMIT_IS_POISONED": "limit" in policy.words,
            "BASE": policy.base,
            "UNCHECKED": False,
            "COLLECTOR_MUTANT": self.collector_mutant,
            "TRACED": self.traced,
            "PROFILED": self.profiled,
            "HOOKED": self.hooked,
            "LOGS_LOOPS": logs_loops(policy),
            "LOGS_PUSHES": "push" in policy.sites and policy.trigger not in COUNTED,
            "CHECK_MUTANT": self.mutant,
        }

    def further(self, mutant: str = "", *, fused: bool = True) -> list[Part]:
        """The parts that call these: superinstructions; the back-edges that check nothing, if the others do; and what a mutant of the handlers adds."""
        switches = tuple(self.switches().items())
        parts: list[Part] = [Superinstructions(switches)] if fused else []
        if self.policy.trigger not in DISPATCHED:
            parts.append(Unchecked(switches))
        return [*parts, *([Substitutes(mutant, switches)] if part_of(mutant) == "handlers" else [])]

    def generate(self) -> ir.Module:
        """HandlerError: a handler cannot be compiled."""
        module = ir.Module("handlers")
        compiler = ModuleCompiler(module, self.switches())
        for handler in (*opcodes().values(), *ENTRANCES):
            compiler.handler(handler)
        for routine in ROUTINES:
            compiler.routine(routine)
        add_enter(module)
        return module


@dataclass(frozen=True)
class Procedures:
    """What decides the code of the protocol's procedures.  `trigger`: the mechanism, a file of `protocol.triggers`.

    `widths`: of the text's rows of trigger words (`triggers.widths_of`).
    """

    hooked: bool
    hosted: bool
    mutant: str
    traced: bool = False
    trigger: str = FOLDED.trigger
    profiled: bool = False
    widths: Widths = (ENTRY,)

    def generate(self) -> ir.Module:
        """ProtocolError: an unknown mutant.  ProtocolCodeError: the text cannot be compiled."""
        module = ir.Module("procedures")
        if self.hooked and self.trigger in COUNTED:
            add_count_hook(module, self.trigger)
        if self.traced:
            add_traced_protocol(module, self.mutant, self.trigger)
        elif self.profiled:
            add_profiled_protocol(module, self.mutant, self.trigger, self.widths)
        else:
            emitter = emitter_of(HostedEmitter if self.hosted else ProcedureEmitter, self.mutant)
            add_protocol(module, self.mutant, self.hooked, emitter, self.trigger, self.widths)
        return module


def add_enter(module: ir.Module) -> None:
    """Add `enter`, the only way into machine code: a C function that calls a handler."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [HANDLER.as_pointer(), *HANDLER.args]), "enter")
    build = ir.IRBuilder(function.append_basic_block())
    handler, *registers = function.args
    build.call(handler, registers, cconv=CALLING_CONVENTION)
    build.ret_void()


def handlers_of(variant: Variant) -> Handlers:
    """What decides the code of a variant's handlers."""
    return Handlers(
        variant.counting,
        variant.policy,
        variant.protocol,
        variant.collector_mutant,
        variant.traced,
        variant.profiled,
        variant.hooked and variant.policy.trigger in COUNTED,
        variant.mutant if variant.mutant in CHECK_MUTANTS else "",
    )


def parts_of(variant: Variant) -> list[Part]:
    """What is compiled apart, in the order of the image: procedures, and the handlers that call them."""
    handlers, part = handlers_of(variant), part_of(variant.mutant)
    parts: list[Part] = [handlers]
    if variant.protocol:
        mutant = variant.mutant if part == "procedures" else ""
        trigger, widths = variant.policy.trigger, widths_of(variant)
        parts = [
            Procedures(variant.hooked, variant.hosted, mutant, variant.traced, trigger, variant.profiled, widths),
            handlers,
        ]
    return [*parts, *handlers.further(variant.mutant, fused=variant.superinstructions)]
