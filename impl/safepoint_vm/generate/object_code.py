"""From LLVM IR to object files, and from object files to code in this process.

Each function has a section of its own, so that the bytes of the same function in two object files can be compared.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Protocol

import llvmlite
import llvmlite.binding as llvm
from llvmlite import ir

from safepoint_vm.generate import cache
from safepoint_vm.generate.page_checks import SECTION

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
REACH = 2**31
"""Bytes that a call of the small code model reaches."""


class Part(Protocol):
    """A part of an engine that is compiled apart.  Its `repr` is all that decides its code, beside the sources."""

    def generate(self) -> ir.Module:
        """The LLVM IR, before optimization."""

    def __hash__(self) -> int: ...


@functools.cache
def prepare_llvm() -> None:
    """Initialize LLVM once; its options are global to the process."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()
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


def optimized(part: Part) -> llvm.ModuleRef:
    """The optimized LLVM IR of a part.  Errors: as its `generate`."""
    prepare_llvm()
    module = part.generate()
    for function in module.functions:
        if not function.is_declaration:
            function.section = TEXT + function.name
    module.triple = llvm.get_process_triple()
    parsed = llvm.parse_assembly(str(module))
    parsed.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_unrolling = False
    passes = llvm.create_pass_builder(target_machine(), tuning)
    passes.getModulePassManager().run(parsed, passes)
    return parsed


def object_file(part: Part) -> bytes:
    """The object file of a part, cached on disk: it contains no address of this process.  Errors: as `optimized`."""
    prepare_llvm()
    versions = (llvmlite.__version__, llvm.llvm_version_info, llvm.get_process_triple(), LLVM_OPTIONS)
    name = cache.key((part, *versions, CPU, features()))
    if (kept := cache.load(name)) is not None:
        return kept
    image = target_machine().emit_object(optimized(part))
    cache.keep(name, image)
    return image


def load(images: Sequence[bytes], may_fault: bool = False) -> tuple[llvm.ExecutionEngine, dict[str, int]]:
    """Link object files in this process: the owner of the code, and the address of each function.

    `may_fault`: the caller sees to their checks of trigger page; else ValueError if there are any.

    An image that calls another's functions comes after it: its calls are then direct, without a stub of the linker's.
    OverflowError: the functions do not lie within each other's reach.
    """
    if not may_fault and any(name.startswith(SECTION) for image in images for name in sections(image)):
        raise ValueError("a failed check of this code faults: load it with page_faults.load_checked")
    code = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    for image in images:
        code.add_object_file(llvm.ObjectFileRef.from_data(image))
    code.finalize_object()
    addresses = {name: code.get_function_address(name) for image in images for name in functions(image)}
    within_reach(addresses.values())
    return code, addresses


def functions(image: bytes) -> list[str]:
    """The functions of an object file."""
    return [section.removeprefix(TEXT) for section in sections(image) if section.startswith(TEXT)]


def sections(image: bytes) -> dict[str, int]:
    """The sections of an object file, and how many bytes each has."""
    return {(s.name() or b"").decode(): len(s.data()) for s in llvm.ObjectFileRef.from_data(image).sections()}


def within_reach(addresses: Iterable[int]) -> None:
    """OverflowError: two of the addresses are too far apart.  LLVM's linker would write a wrong distance, and not say so."""
    found = sorted(addresses)
    if found[-1] - found[0] >= REACH:
        raise OverflowError(f"machine code at {found[0]:#x} and {found[-1]:#x}: too far apart for the small code model")
