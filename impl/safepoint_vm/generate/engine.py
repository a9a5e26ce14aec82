"""Handlers, the protocol's code and a variant -> an executable engine.

An engine is compiled once for each variant and process.  Each function has a section of its own, so that the bytes of the
same handler in two engines can be compared.
"""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import llvmlite
import llvmlite.binding as llvm
from llvmlite import ir

from safepoint.guest.code import SMALL, Instruction
from safepoint_vm.generate import cache
from safepoint_vm.generate.compiler import ModuleCompiler, parameters_of
from safepoint_vm.generate.instruction import HANDLER, assemble, operand_types
from safepoint_vm.generate.ir_values import CALLING_CONVENTION
from safepoint_vm.generate.object_file import MachineFunction, functions_of
from safepoint_vm.generate.protocol import PROCEDURES, add_protocol
from safepoint_vm.generate.triggers import NUMBERS
from safepoint_vm.handlers import ENTRANCES, ROUTINES, opcodes
from safepoint_vm.language.layout import Memory
from safepoint_vm.language.words import TABLE_WORDS, word_of

# Every path of a handler keeps its own dispatch: no jump to a shared tail, and one predictor entry each.
# Handlers begin at cache lines, so that placement does not differ between engines that are compared.
LLVM_OPTIONS = (
    "-align-all-functions=6",
    "-enable-tail-merge=0",
    "-sink-common-insts=0",
    "-tail-dup-placement-threshold=12",
    "-tail-dup-size=12",
    "-disable-loop-idiom-all",  # a loop that clears or copies stays one: no call of the C library's
)
CPU = "x86-64-v2"
OPERANDS = {name: tuple(operand_types(handler).values()) for name, handler in opcodes().items()}
SMALL_WORDS = {number: word_of(value) for number, value in SMALL.items()}


@dataclass(frozen=True)
class Variant:
    """What is decided when an engine is compiled."""

    counting: bool = False  # check sites are counted
    hooked: bool = False  # the host is called before each shared access of the protocol's code
    checks_flag: bool = False  # back-edges test a flag: for comparison
    protocol: bool = True  # False: as if the protocol did not exist; also for comparison
    mutant: str = ""  # a mistake of the protocol's text
    collector_mutant: str = ""  # … and one of the collector's

    def switches(self) -> dict[str, bool | str]:
        """The constants of `machine` that handlers are compiled with."""
        return {
            "PROTOCOL": self.protocol,
            "COUNTING": self.counting,
            "CHECKS_FLAG": self.checks_flag,
            "COLLECTOR_MUTANT": self.collector_mutant,
        }


PLAIN = Variant()


@dataclass(frozen=True)
class Engine:
    """Machine code.  `functions`: as the object file has them; `addresses`: where they are."""

    variant: Variant
    functions: dict[str, MachineFunction]
    addresses: dict[str, int]
    stepping: Memory  # the table that counts down
    code: object  # owns the memory

    @functools.cached_property
    def assembly(self) -> str:
        """What the object file was made of; made once more, since that may have come from the cache."""
        return target_machine().emit_assembly(optimized(self.variant))

    def assemble(self, instruction: Instruction) -> bytes:
        number, kinds = NUMBERS[instruction.op], OPERANDS[instruction.op]
        return assemble(number, instruction.operands, kinds, SMALL_WORDS)

    @functools.cached_property
    def table(self) -> ctypes.Array[ctypes.c_int64]:
        """The address of each opcode's handler."""
        return (ctypes.c_int64 * len(NUMBERS))(*(self.addresses[name] for name in NUMBERS))

    @functools.cached_property
    def enter(self) -> ctypes._CFunctionType:
        """enter(handler, pc, frame, thread, table).  Releases the GIL."""
        return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5)(self.addresses["enter"])

    def procedure(self, name: str, record: int, *arguments: int, resume: int = 0) -> int:
        """Call a procedure of the protocol's text, or resume one (then without arguments); 0, or the status of its wait."""
        call = self._procedures[name]
        assert call.argtypes is not None
        absent = (0,) * (len(call.argtypes) - 2) if resume else ()
        status: int = call(record, *(absent or arguments), resume)
        return status

    @functools.cached_property
    def _procedures(self) -> dict[str, ctypes._CFunctionType]:
        counts = {"push_failed": 3, "post": 3}
        return {
            name: ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * counts.get(name, 2))(self.addresses[name])
            for name in PROCEDURES
        }

    def routine(self, name: str, *arguments: int) -> int:
        """Call a routine of the handler language; 0 if it gives nothing."""
        result: int = self._routines[name](*arguments)
        return result

    @functools.cached_property
    def _routines(self) -> dict[str, ctypes._CFunctionType]:
        return {
            routine.__name__: ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(parameters_of(routine)))(
                self.addresses[routine.__name__]
            )
            for routine in ROUTINES
        }

    def listing(self, name: str) -> list[str]:
        """A function's instructions, as assembly without labels and directives."""
        body = re.search(rf"^{name}:.*?\n(.*?)^\.Lfunc_end", self.assembly, re.DOTALL | re.MULTILINE)
        if body is None:
            raise KeyError(f"this engine has no function {name}")
        lines = (" ".join(line.split("#")[0].split()) for line in body[1].splitlines())
        return [line for line in lines if line and not line.endswith(":") and not line.startswith(".")]

    def bytes_in_memory(self, name: str) -> bytes:
        """A function's machine code where it runs; relocated."""
        return ctypes.string_at(self.addresses[name], len(self.functions[name].code))


def generate(variant: Variant) -> ir.Module:
    module = ir.Module("engine")
    compiler = ModuleCompiler(module, variant.switches())
    for handler in (*opcodes().values(), *ENTRANCES):
        compiler.handler(handler)
    for routine in ROUTINES:
        compiler.routine(routine)
    if variant.protocol:
        add_protocol(compiler.declare, variant.mutant, variant.hooked)
    add_enter(module)
    for function in module.functions:
        if not function.is_declaration:
            function.section = ".text." + function.name
    return module


def add_enter(module: ir.Module) -> None:
    """The one way in: call a handler as C would."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [HANDLER.as_pointer(), *HANDLER.args]), "enter")
    build = ir.IRBuilder(function.append_basic_block())
    handler, *registers = function.args
    build.call(handler, registers, cconv=CALLING_CONVENTION)
    build.ret_void()


@functools.cache
def prepare_llvm() -> None:
    """Once: options are the process's."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for option in LLVM_OPTIONS:
        llvm.set_option("", option)


def target_machine() -> llvm.TargetMachine:
    """No AVX: one 256-bit store would cost a `vzeroupper` (and switching AVX off by name is not enough: FMA, F16C and others
    bring it back).  A plain CPU's code also runs elsewhere.  The small model makes jumps to slow handlers direct.
    """
    return llvm.Target.from_default_triple().create_target_machine(
        opt=3, cpu=CPU, features=features(), codemodel="small", reloc="pic"
    )


def features() -> str:
    return "-slow-3ops-lea" + ",+bmi2" * llvm.get_host_cpu_features().get("bmi2", False)


def optimized(variant: Variant) -> llvm.ModuleRef:
    """Raises ProtocolError for an unknown mutant, HandlerError and ProtocolCodeError for what cannot be compiled."""
    prepare_llvm()
    module = generate(variant)
    module.triple = llvm.get_process_triple()
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_unrolling = False
    passes = llvm.create_pass_builder(target_machine(), tuning)
    passes.getModulePassManager().run(parsed, passes)
    return parsed


def object_file(variant: Variant) -> bytes:
    """From the cache, or made and kept there: no address of this process is in it."""
    prepare_llvm()
    target = target_machine()
    versions = (llvmlite.__version__, llvm.llvm_version_info, llvm.get_process_triple(), LLVM_OPTIONS)
    name = cache.key((variant, *versions, CPU, features()))
    if (kept := cache.load(name)) is not None:
        return kept
    made = target.emit_object(optimized(variant))
    cache.keep(name, made)
    return made


@functools.cache
def engine(variant: Variant = PLAIN) -> Engine:
    """Raises as `optimized` does."""
    image = object_file(variant)  # what runs is the very object file that is compared
    code = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    code.add_object_file(llvm.ObjectFileRef.from_data(image))
    code.finalize_object()
    functions = functions_of(image)
    addresses = {name: code.get_function_address(name) for name in functions}
    stepping = Memory(TABLE_WORDS, [addresses["step"]] * TABLE_WORDS)
    return Engine(variant, functions, addresses, stepping, code)


def difference(one: Engine, other: Engine, names: Sequence[str]) -> list[str]:
    """Functions whose bytes, or what they refer to, are not the same in two engines."""
    return [name for name in names if one.functions[name] != other.functions[name]]
