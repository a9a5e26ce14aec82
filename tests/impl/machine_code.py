"""The machine code of an engine: as assembly, as bytes where it runs, and compared with another engine's."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from safepoint_vm.generate.engine import Engine, Variant
from safepoint_vm.generate.listing import instructions
from safepoint_vm.generate.listing import listing as function_listing
from safepoint_vm.generate.object_code import object_file
from safepoint_vm.generate.parts import parts_of
from tests.impl.object_file import MachineFunction, functions_of


def functions(engine: Engine) -> dict[str, MachineFunction]:
    """The functions of the object files that its image is made of."""
    return {name: function for file in object_files(engine.variant) for name, function in functions_of(file).items()}


def object_files(variant: Variant) -> list[bytes]:
    """Of the parts of an engine, in the order of its image."""
    return [object_file(part) for part in parts_of(variant)]


def listing(variant: Variant, name: str) -> list[str]:
    """A function's instructions, as assembly without labels and directives."""
    return instructions(function_listing(parts_of(variant), name))


def bytes_in_memory(engine: Engine, name: str) -> bytes:
    """A function's machine code where it runs; relocated."""
    return ctypes.string_at(engine.addresses[name], len(functions(engine)[name].code))


def difference(one: Engine, other: Engine, names: Sequence[str]) -> dict[str, tuple[MachineFunction, MachineFunction]]:
    """Functions whose bytes or relocations differ between two engines, and what they are in each."""
    pairs = {name: (functions(one)[name], functions(other)[name]) for name in names}
    return {name: (mine, others) for name, (mine, others) in pairs.items() if mine != others}
