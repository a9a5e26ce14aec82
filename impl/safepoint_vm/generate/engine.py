"""Compile the handlers and the protocol's text, in one variant, to an executable engine.

An engine is compiled once per variant and process.  Each function has a section of its own, so that the bytes of the same
handler in two engines can be compared.
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

import llvmlite
import llvmlite.binding as llvm
from llvmlite import ir

from safepoint.guest.code import SMALL, Instruction
from safepoint_vm.generate import cache
from safepoint_vm.generate.compiler import ModuleCompiler, parameters_of
from safepoint_vm.generate.instruction import HANDLER, assemble, operand_types
from safepoint_vm.generate.ir_values import CALLING_CONVENTION
from safepoint_vm.generate.protocol import PROCEDURES, add_protocol
from safepoint_vm.generate.triggers import NUMBERS
from safepoint_vm.handlers import ENTRANCES, ROUTINES, opcodes
from safepoint_vm.language.layout import Memory
from safepoint_vm.language.tagged import word_of
from safepoint_vm.language.words import TABLE_WORDS

# Each path of a handler ends in its own dispatch: no jump to a shared tail, and one branch-predictor entry each.
# Handlers begin at cache lines, so that alignment does not differ between engines that are compared.
LLVM_OPTIONS = (
    "-align-all-functions=6",
    "-enable-tail-merge=0",
    "-sink-common-insts=0",
    "-tail-dup-placement-threshold=12",
    "-tail-dup-size=12",
    "-disable-loop-idiom-all",  # a loop that clears or copies stays a loop: no call of memset or memcpy
)
CPU = "x86-64-v2"
TEXT = ".text."  # prefix of the section of each function
OPERANDS = {name: tuple(operand_types(handler).values()) for name, handler in opcodes().items()}
SMALL_WORDS = {number: word_of(value) for number, value in SMALL.items()}


@dataclass(frozen=True)
class Variant:
    """What is decided when an engine is compiled."""

    counting: bool = False  # count the checks that each thread executes
    hooked: bool = False  # call the host before each shared access of the protocol's code
    checks_flag: bool = False  # back-edges also test a flag: for comparison
    protocol: bool = True  # False: no protocol at all, also for comparison
    mutant: str = ""  # of the protocol's text
    collector_mutant: str = ""  # of the collector

    def switches(self) -> dict[str, bool | str]:
        """The values of the switches in `language.machine`."""
        return {
            "PROTOCOL": self.protocol,
            "COUNTING": self.counting,
            "CHECKS_FLAG": self.checks_flag,
            "COLLECTOR_MUTANT": self.collector_mutant,
        }


PLAIN = Variant()


@dataclass(frozen=True)
class Engine:
    """Machine code.  `image`: its object file, with a section `.text.NAME` for each function; `addresses`: of functions."""

    variant: Variant
    image: bytes
    addresses: dict[str, int]
    stepping: Memory  # a dispatch table whose every entry is `step`
    code: object  # owns the memory

    def assemble(self, instruction: Instruction) -> bytes:
        """The bytes of an instruction.  OverflowError: an operand that the verifier should have rejected."""
        return assemble(NUMBERS[instruction.op], instruction.operands, OPERANDS[instruction.op], SMALL_WORDS)

    @functools.cached_property
    def table(self) -> ctypes.Array[ctypes.c_int64]:
        """The address of each opcode's handler."""
        return (ctypes.c_int64 * len(NUMBERS))(*(self.addresses[name] for name in NUMBERS))

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
            counts |= dict.fromkeys(PROCEDURES, 2) | {"push_failed": 3, "post": 3}
        return {
            name: ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(self.addresses[name])
            for name, count in counts.items()
        }


def generate(variant: Variant) -> ir.Module:
    """The LLVM IR of a variant, before optimization.  Errors: as `optimized`."""
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
            function.section = TEXT + function.name
    return module


def add_enter(module: ir.Module) -> None:
    """Add `enter`, the only way into machine code: a C function that calls a handler."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [HANDLER.as_pointer(), *HANDLER.args]), "enter")
    build = ir.IRBuilder(function.append_basic_block())
    handler, *registers = function.args
    build.call(handler, registers, cconv=CALLING_CONVENTION)
    build.ret_void()


@functools.cache
def prepare_llvm() -> None:
    """Initialize LLVM once; its options are global to the process."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for option in LLVM_OPTIONS:
        llvm.set_option("", option)


def target_machine() -> llvm.TargetMachine:
    """No AVX: one 256-bit store would cost a `vzeroupper` (and switching AVX off by name is not enough: FMA, F16C and others
    bring it back).  A plain CPU's code also runs elsewhere.  The small model makes jumps to slow handlers direct.
    """
    prepare_llvm()
    return llvm.Target.from_default_triple().create_target_machine(
        opt=3, cpu=CPU, features=features(), codemodel="small", reloc="pic"
    )


def features() -> str:
    """CPU features beyond `CPU`, as LLVM writes them."""
    return "-slow-3ops-lea" + ",+bmi2" * llvm.get_host_cpu_features().get("bmi2", False)


def optimized(variant: Variant) -> llvm.ModuleRef:
    """ProtocolError: an unknown mutant.  HandlerError, ProtocolCodeError: a handler or the text cannot be compiled."""
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
    """The object file of a variant, cached on disk: it contains no address of this process.  Errors: as `optimized`."""
    prepare_llvm()
    target = target_machine()
    versions = (llvmlite.__version__, llvm.llvm_version_info, llvm.get_process_triple(), LLVM_OPTIONS)
    name = cache.key((variant, *versions, CPU, features()))
    if (kept := cache.load(name)) is not None:
        return kept
    image = target.emit_object(optimized(variant))
    cache.keep(name, image)
    return image


@functools.cache
def engine(variant: Variant = PLAIN) -> Engine:
    """The engine of a variant, loaded into this process.  Errors: as `optimized`."""
    image = object_file(variant)  # the same bytes are loaded and compared
    code = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    code.add_object_file(llvm.ObjectFileRef.from_data(image))
    code.finalize_object()
    sections = [(section.name() or b"").decode() for section in llvm.ObjectFileRef.from_data(image).sections()]
    functions = [section.removeprefix(TEXT) for section in sections if section.startswith(TEXT)]
    addresses = {name: code.get_function_address(name) for name in functions}
    stepping = Memory(TABLE_WORDS, [addresses["step"]] * TABLE_WORDS)
    return Engine(variant, image, addresses, stepping, code)
