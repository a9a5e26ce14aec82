"""An engine: handlers and the protocol's text, each compiled apart, and loaded together in one variant.

So a mutant of the text costs only the compilation of the text; and no handler can depend on what a procedure does.  An
engine is loaded once per variant and process.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from dataclasses import dataclass

from llvmlite import ir

from safepoint.guest.code import SMALL, Instruction
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy
from safepoint_vm.generate.compiler import ModuleCompiler, Switches, parameters_of
from safepoint_vm.generate.counted import add_count_hook
from safepoint_vm.generate.instruction import HANDLER, assemble, operand_types
from safepoint_vm.generate.ir_values import CALLING_CONVENTION, HandlerError
from safepoint_vm.generate.mutated import emitter_of
from safepoint_vm.generate.object_code import Part, object_file
from safepoint_vm.generate.page_faults import load_checked
from safepoint_vm.generate.procedures import LOGGING, PROCEDURES, SAMPLING
from safepoint_vm.generate.protocol import HostedEmitter, ProcedureEmitter, add_protocol
from safepoint_vm.generate.sampling import add_profiled_protocol
from safepoint_vm.generate.substitutes import UNCHECKED, Substitutes, Unchecked, in_place
from safepoint_vm.generate.tracing import add_traced_protocol
from safepoint_vm.generate.triggers import FUSED_NUMBERS, NUMBERS
from safepoint_vm.handlers import ENTRANCES, ROUTINES, opcodes
from safepoint_vm.handlers.fused import FUSED, fused_at
from safepoint_vm.handlers.shared.checks import CHECK_MUTANTS, COUNTED, MECHANISMS
from safepoint_vm.language.layout import Memory
from safepoint_vm.language.tagged import word_of
from safepoint_vm.language.words import TABLE_WORDS
from safepoint_vm.mutants import part_of

OPERANDS = {name: tuple(operand_types(handler).values()) for name, handler in opcodes().items()}
SMALL_WORDS = {number: word_of(value) for number, value in SMALL.items()}


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
            "LOGS_LOOPS": "back-edge" in policy.sites and not policy.period,
            "LOGS_PUSHES": "push" in policy.sites and policy.trigger not in COUNTED,
            "CHECK_MUTANT": self.mutant,
        }

    def further(self, mutant: str = "") -> list[Part]:
        """The parts that call these: the back-edges that check nothing, if the others do; and what a mutant of the handlers adds."""
        switches = tuple(self.switches().items())
        parts: list[Part] = [] if self.policy.trigger == FOLDED.trigger else [Unchecked(switches)]
        return [*parts, *([Substitutes(mutant, switches)] if part_of(mutant) == "handlers" else [])]

    def generate(self) -> ir.Module:
        """HandlerError: a handler cannot be compiled."""
        module = ir.Module("handlers")
        compiler = ModuleCompiler(module, self.switches())
        for handler in (*opcodes().values(), *ENTRANCES):
            compiler.handler(handler)
        for sequence in FUSED:
            compiler.fused(sequence, opcodes())
        for routine in ROUTINES:
            compiler.routine(routine)
        add_enter(module)
        return module


@dataclass(frozen=True)
class Procedures:
    """What decides the code of the protocol's procedures.  `trigger`: the mechanism, a file of `protocol.triggers`.

    `fused`: loops may end in superinstructions, whose entries are to be poisoned.
    """

    hooked: bool
    hosted: bool
    mutant: str
    traced: bool = False
    trigger: str = FOLDED.trigger
    profiled: bool = False
    fused: bool = False

    def generate(self) -> ir.Module:
        """ProtocolError: an unknown mutant.  ProtocolCodeError: the text cannot be compiled."""
        module = ir.Module("procedures")
        if self.hooked and self.trigger in COUNTED:
            add_count_hook(module, self.trigger)
        if self.traced:
            add_traced_protocol(module, self.mutant, self.trigger)
        elif self.profiled:
            add_profiled_protocol(module, self.mutant, self.trigger, self.fused)
        else:
            emitter = emitter_of(HostedEmitter if self.hosted else ProcedureEmitter, self.mutant)
            add_protocol(module, self.mutant, self.hooked, emitter, self.trigger, self.fused)
        return module


@dataclass(frozen=True)
class Variant:
    """What is decided when an engine is compiled."""

    counting: bool = False  # count the checks that each thread executes
    hooked: bool = False  # call the host before each shared access of the protocol's code
    hosted: bool = False  # and have it make each of them
    policy: Policy = FOLDED  # where and how threads check, and what requesters poison
    protocol: bool = True  # False: no protocol at all, also for comparison
    mutant: str = ""  # of the protocol's text, or of the interpreter (`safepoint_vm.mutants`)
    collector_mutant: str = ""  # of the collector
    traced: bool = False  # log every event of a trace; not hooked then
    profiled: bool = False  # sample threads that ask for it; neither hooked nor traced then
    fused: bool = True  # False: programs are loaded without superinstructions, for comparison

    def handlers(self) -> Handlers:
        """What decides the code of its handlers."""
        return Handlers(
            self.counting,
            self.policy,
            self.protocol,
            self.collector_mutant,
            self.traced,
            self.profiled,
            self.hooked and self.policy.trigger in COUNTED,
            self.mutant if self.mutant in CHECK_MUTANTS else "",
        )

    @property
    def fuses_loops(self) -> bool:
        """May a superinstruction end in a back-edge?  Not where each access of the protocol is seen, as the text has it."""
        return self.fused and not (self.hooked or self.hosted or self.traced)

    def parts(self) -> list[Part]:
        """What is compiled apart, in the order of loading: handlers call procedures."""
        handlers, part = self.handlers(), part_of(self.mutant)
        parts: list[Part] = [handlers]
        if self.protocol:
            mutant = self.mutant if part == "procedures" else ""
            trigger = self.policy.trigger
            fused = self.fuses_loops
            parts = [Procedures(self.hooked, self.hosted, mutant, self.traced, trigger, self.profiled, fused), handlers]
        return [*parts, *handlers.further(self.mutant)]


PLAIN = Variant()


@dataclass(frozen=True)
class Engine:
    """Machine code.  `images`: its object files, with a section `.text.NAME` for each function; `addresses`: of functions."""

    variant: Variant
    images: tuple[bytes, ...]
    addresses: dict[str, int]
    stepping: Memory  # a dispatch table whose every entry is `step`
    code: object  # owns the memory

    def assemble(self, instructions: Sequence[Instruction]) -> list[bytes]:
        """The bytes of each instruction of a code.  OverflowError: an operand that the verifier should have rejected."""
        return [self._assembled(instructions, number) for number in range(len(instructions))]

    def _assembled(self, instructions: Sequence[Instruction], number: int) -> bytes:
        fused = fused_at(instructions, number, self.variant.fuses_loops) if self.variant.fused else None
        op, operands = instructions[number].op, instructions[number].operands
        return assemble(FUSED_NUMBERS[fused.name] if fused else NUMBERS[op], operands, OPERANDS[op], SMALL_WORDS)

    @functools.cached_property
    def table(self) -> ctypes.Array[ctypes.c_int64]:
        """The address of the handler of each opcode and superinstruction."""
        names = (*NUMBERS, *FUSED_NUMBERS)
        return (ctypes.c_int64 * len(names))(*(self.addresses[name] for name in names))

    @functools.cached_property
    def base(self) -> ctypes.Array[ctypes.c_int64]:
        """As `table`, of handlers that check nothing if they are back-edges."""
        names = (*NUMBERS, *FUSED_NUMBERS)
        return (ctypes.c_int64 * len(names))(
            *(self.addresses.get(UNCHECKED + name, self.addresses[name]) for name in names)
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
        """The C functions that the host calls: routines, and procedures of the protocol if there is one."""
        counts = {routine.__name__: len(parameters_of(routine)) for routine in ROUTINES}
        if self.variant.protocol:
            called = PROCEDURES | (LOGGING if self.variant.traced else {}) | (SAMPLING if self.variant.profiled else {})
            counts |= {name: parameters + 2 for name, parameters in called.items()}
        return {
            name: ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(self.addresses[name])
            for name, count in counts.items()
        }


def add_enter(module: ir.Module) -> None:
    """Add `enter`, the only way into machine code: a C function that calls a handler."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [HANDLER.as_pointer(), *HANDLER.args]), "enter")
    build = ir.IRBuilder(function.append_basic_block())
    handler, *registers = function.args
    build.call(handler, registers, cconv=CALLING_CONVENTION)
    build.ret_void()


@functools.cache
def engine(variant: Variant = PLAIN) -> Engine:
    """The engine of a variant, loaded into this process.  Errors: as a part's `generate`; OverflowError: as `load`."""
    images = tuple(object_file(part) for part in variant.parts())  # the same bytes are loaded and compared
    code, loaded = load_checked(images)
    addresses = in_place(loaded, variant.mutant)
    stepping = Memory(TABLE_WORDS, [addresses["step"]] * TABLE_WORDS)
    return Engine(variant, images, addresses, stepping, code)
