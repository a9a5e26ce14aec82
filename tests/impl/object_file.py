"""Read the functions of an object file (ELF, x86-64): their bytes and their relocations.

Relocations stay symbolic, so that functions of two engines can be compared before they have addresses.
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass

import llvmlite.binding as llvm

PREFIX = ".text."
SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size
RELOCATION = struct.Struct("<QQq")  # offset, symbol << 32 | type, addend
SECTION_SYMBOL = 3


@dataclass(frozen=True)
class Relocation:
    """An entry of a `.rela` section, its symbol by name."""

    offset: int
    kind: int
    symbol: str
    addend: int


@dataclass(frozen=True)
class MachineFunction:
    """The machine code of a function, not relocated."""

    code: bytes
    relocations: tuple[Relocation, ...]


@functools.cache
def functions_of(image: bytes) -> dict[str, MachineFunction]:
    """The functions, by name, of an object file in which each has a section `.text.NAME`."""
    order = [(s.name() or b"").decode() for s in llvm.ObjectFileRef.from_data(image).sections()]  # from section 0 on
    contents = {(s.name() or b"").decode(): s.data() for s in llvm.ObjectFileRef.from_data(image).sections()}
    strings = contents[".strtab"]
    symbols = []
    for name, info, _, section, _, _ in SYMBOL.iter_unpack(contents[".symtab"]):
        text = strings[name : strings.index(b"\0", name)].decode()
        symbols.append(order[section] if info & 15 == SECTION_SYMBOL else text)
    return {
        section.removeprefix(PREFIX): MachineFunction(code, _relocations(contents.get(".rela" + section, b""), symbols))
        for section, code in contents.items()
        if section.startswith(PREFIX)
    }


def _relocations(table: bytes, symbols: list[str]) -> tuple[Relocation, ...]:
    return tuple(
        Relocation(offset, info & 0xFFFFFFFF, symbols[info >> 32], addend)
        for offset, info, addend in RELOCATION.iter_unpack(table)
    )
