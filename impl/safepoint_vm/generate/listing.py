"""The machine code of a part of an engine, as assembly; and the fast path through a handler, in instructions."""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Sequence

import llvmlite.binding as llvm

from safepoint_vm.generate.object_code import Part, emitted


@functools.cache
def assembly(part: Part) -> str:
    """Compiled for this, once: of the engine there are object files only."""
    return zlib.decompress(emitted(part, "assembly", _packed)).decode()


def _packed(machine: llvm.TargetMachine, module: llvm.ModuleRef) -> bytes:
    return zlib.compress(machine.emit_assembly(module).encode())


def listing(parts: Sequence[Part], name: str) -> list[str]:
    """A function's instructions and labels (`.LBB1_2:`).  KeyError: no part has it."""
    for part in parts:
        if found := re.search(rf"^{name}:.*?\n(.*?)^\.Lfunc_end", assembly(part), re.DOTALL | re.MULTILINE):
            lines = (" ".join(line.split("#")[0].split()) for line in found[1].splitlines())
            return [line for line in lines if line and (line.endswith(":") or not line.startswith("."))]
    raise KeyError(name)


def instructions(lines: Sequence[str]) -> list[str]:
    """Without the labels."""
    return [line for line in lines if not line.endswith(":")]


def fast_path(lines: Sequence[str]) -> list[str]:
    """The instructions that are executed when no conditional jump is taken, up to the dispatch of the next instruction.

    What leads to a slow handler is unlikely, and LLVM lays the likely way out as a fall-through.  ValueError: it has no dispatch.
    """
    path: list[str] = []
    at = 0
    while len(path) <= len(lines):
        line = lines[at]
        at += 1
        if line.endswith(":"):
            continue
        path.append(line)
        if line.startswith("jmpq *"):
            return path
        if line.startswith("jmp .L"):
            at = lines.index(f"{line.removeprefix('jmp ')}:")
    raise ValueError(f"no dispatch: {lines}")
