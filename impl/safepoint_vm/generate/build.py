"""Compile the parts of an engine, those that are in no file yet, and link them to an image."""

from __future__ import annotations

from collections.abc import Sequence

from safepoint_vm.generate.code_image import EngineCode
from safepoint_vm.generate.compiler import parameters_of
from safepoint_vm.generate.instruction import operand_types
from safepoint_vm.generate.linker import link
from safepoint_vm.generate.object_code import Part, object_file
from safepoint_vm.generate.parts import parts_of
from safepoint_vm.generate.procedures import LOGGING, PROCEDURES, SAMPLING
from safepoint_vm.generate.substitutes import in_place
from safepoint_vm.generate.variant import Variant
from safepoint_vm.handlers.table import ROUTINES, opcodes


def engine_code(variant: Variant) -> EngineCode:
    """The code of a variant.  Errors: as a part's `generate`."""
    return linked(parts_of(variant), variant)


def linked(parts: Sequence[Part], variant: Variant) -> EngineCode:
    """Parts of an engine, in the order of the image.  `variant`: what the host is to take it for.  Errors: as a part's `generate`."""
    image = link([object_file(part) for part in parts])
    operands = {name: tuple(kind.__name__ for kind in operand_types(each).values()) for name, each in opcodes().items()}
    return EngineCode(image._replace(symbols=in_place(image.symbols, variant.mutant)), operands, arities(variant))


def arities(variant: Variant) -> dict[str, int]:
    """What the host calls: routines, and procedures of the protocol if there is one; and how many words each takes."""
    counts = {routine.__name__: len(parameters_of(routine)) for routine in ROUTINES}
    if variant.protocol:
        called = PROCEDURES | (LOGGING if variant.traced else {}) | (SAMPLING if variant.profiled else {})
        counts |= {name: parameters + 2 for name, parameters in called.items()}
    return counts
