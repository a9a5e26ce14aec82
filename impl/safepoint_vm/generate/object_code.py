"""From LLVM IR to object files, and from object files to code in this process.

Each function has a section of its own, so that the bytes of the same function in two object files can be compared.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import llvmlite
import llvmlite.binding as llvm
from llvmlite import ir

from safepoint_vm.generate import cache
from safepoint_vm.generate.code_image import MappedCode
from safepoint_vm.generate.host_cpu import has_bmi2
from safepoint_vm.generate.linker import TEXT, link

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
PASSES = Path(__file__).read_bytes()
"""This file as it was imported, which decides what becomes of a text; it may change while the process lives."""


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
    return "-slow-3ops-lea" + ",+bmi2" * has_bmi2()


def optimized(part: Part) -> llvm.ModuleRef:
    """The optimized LLVM IR of a part.  Errors: as its `generate`."""
    return _optimized(_text(part))


def _text(part: Part) -> str:
    """The LLVM IR, before optimization."""
    prepare_llvm()
    module = part.generate()
    for function in module.functions:
        if not function.is_declaration:
            function.section = TEXT + function.name
    module.triple = llvm.get_process_triple()
    return str(module)


def _optimized(text: str) -> llvm.ModuleRef:
    parsed = llvm.parse_assembly(text)
    parsed.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_unrolling = False
    passes = llvm.create_pass_builder(target_machine(), tuning)
    passes.getModulePassManager().run(parsed, passes)
    return parsed


def object_file(part: Part) -> bytes:
    """The object file of a part, cached on disk: it contains no address of this process.  Errors: as `optimized`."""
    return _kept(cache.key((part, *_compiler())), lambda: by_text(part))


def emitted(part: Part, form: str, emit: Callable[[llvm.TargetMachine, llvm.ModuleRef], bytes]) -> bytes:
    """What else is emitted for a part, cached on disk by its sources alone: what makes it stands in another file.

    `form`: names what `emit` makes of the optimized part.
    """
    return _kept(cache.key((part, form, *_compiler())), lambda: emit(target_machine(), optimized(part)))


def by_text(part: Part) -> bytes:
    """The same, found by its LLVM IR: whatever else has changed in the sources, what makes the same text need not be compiled again."""
    text = _text(part)
    name = cache.digest("text", PASSES, text, *_compiler())
    return _kept(name, lambda: target_machine().emit_object(_optimized(text)))


def _compiler() -> tuple[object, ...]:
    """What decides what LLVM makes of a text, beside this file."""
    prepare_llvm()
    return (llvmlite.__version__, llvm.llvm_version_info, llvm.get_process_triple(), LLVM_OPTIONS, CPU, features())


def _kept(name: str, make: Callable[[], bytes]) -> bytes:
    if (kept := cache.load(name)) is not None:
        return kept
    made = make()
    if cache.unchanged():
        cache.keep(name, made)
    return made


def load(files: Sequence[bytes]) -> tuple[MappedCode, dict[str, int]]:
    """Link object files in this process: the owner of the code, and the address of each function.  Errors: as `link`; and

    ValueError: they have checks of trigger page, for which `page_faults` has a table.
    """
    image = link(files)
    if image.tables:
        raise ValueError("a failed check of this code faults: load it with page_faults.map_checked")
    code = MappedCode(image)
    return code, code.addresses
