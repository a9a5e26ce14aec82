"""The machine code of an engine: as assembly, as bytes where it runs, and compared with another engine's."""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Sequence

from safepoint_vm.generate.engine import Engine, Variant
from safepoint_vm.generate.object_code import Part, optimized, target_machine
from tests.impl.object_file import MachineFunction, functions_of


def functions(engine: Engine) -> dict[str, MachineFunction]:
    """The functions of the object files that were loaded."""
    return {name: function for image in engine.images for name, function in functions_of(image).items()}


@functools.cache
def assembly(part: Part) -> str:
    """Compiled for this: the engine's object files may have come from the cache."""
    return target_machine().emit_assembly(optimized(part))


def listing(variant: Variant, name: str) -> list[str]:
    """A function's instructions, as assembly without labels and directives."""
    found = (
        re.search(rf"^{name}:.*?\n(.*?)^\.Lfunc_end", assembly(p), re.DOTALL | re.MULTILINE) for p in variant.parts()
    )
    body = next(filter(None, found), None)
    assert body is not None, f"this engine has no function {name}"
    lines = (" ".join(line.split("#")[0].split()) for line in body[1].splitlines())
    return [line for line in lines if line and not line.endswith(":") and not line.startswith(".")]


def bytes_in_memory(engine: Engine, name: str) -> bytes:
    """A function's machine code where it runs; relocated."""
    return ctypes.string_at(engine.addresses[name], len(functions(engine)[name].code))


def difference(one: Engine, other: Engine, names: Sequence[str]) -> dict[str, tuple[MachineFunction, MachineFunction]]:
    """Functions whose bytes or relocations differ between two engines, and what they are in each."""
    pairs = {name: (functions(one)[name], functions(other)[name]) for name in names}
    return {name: (mine, others) for name, (mine, others) in pairs.items() if mine != others}
