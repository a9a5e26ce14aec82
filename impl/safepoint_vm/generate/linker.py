"""Link object files (ELF, x86-64) to one image of machine code that runs wherever it lies: see `code_image`.

LLVM makes position-independent code of the small model: a section names a place elsewhere by its distance, in 32 bits, so that
nothing is left to be done when the image is loaded. What the image has not, a function of the C library, is called by way of a
stub, which jumps to the address in a word that the loader fills.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from safepoint_vm.generate.code_image import CodeImage
from safepoint_vm.generate.page_checks import SECTION
from safepoint_vm.language.words import PAGE_BYTES

TEXT = ".text."
"""Before the name of a function: the section that it has for itself."""
CONTENTS, SYMBOLS, RELOCATIONS, ZEROS = 1, 2, 4, 8
"""Types of sections; sections of other types, and of unwinding, are left out: nothing unwinds through machine code."""
UNWINDING = ".eh_frame"
WRITABLE, LOADED = 1, 2
"""Flags of sections."""
DISTANCES = {2: struct.Struct("<i"), 4: struct.Struct("<i"), 24: struct.Struct("<q")}
"""Kinds of relocation: R_X86_64_PC32, R_X86_64_PLT32, R_X86_64_PC64.  All are a distance from where it is written."""
LOCAL = 0
"""The binding of a symbol that its own object file alone means."""
LINE, STUB_BYTES, WORD = 64, 16, 8
JUMP, JUMP_OPCODE = struct.Struct("<2si"), b"\xff\x25"  # jmp *distance(%rip)
HEADER = struct.Struct(
    "<40xQ10xHHH"
)  # where the table of sections is, size and number of its rows, which has the names
ROW = struct.Struct("<IIQQQQIIQQ")  # name, type, flags, address, offset, size, link, info, alignment, size of an entry
SYMBOL = struct.Struct("<IBBHQQ")  # name, type and binding, visibility, section, value, size
RELOCATION = struct.Struct("<QQq")  # where, symbol << 32 | kind, what to add


class LinkError(Exception):
    """The object files make no image.  One line: which, and why."""


class Section(NamedTuple):
    """A section.  `link`, `info`: numbers of other sections, as its type has it."""

    name: str
    type: int
    flags: int
    content: bytes
    size: int
    link: int
    info: int
    alignment: int

    @property
    def is_loaded(self) -> bool:
        """Does it become part of an image?"""
        return bool(self.flags & LOADED) and self.type in (CONTENTS, ZEROS) and self.name != UNWINDING

    @property
    def bytes(self) -> bytes:
        return bytes(self.size) if self.type == ZEROS else self.content


class Symbol(NamedTuple):
    """A symbol.  `section`: the number of the one that it lies in, at `value`; 0: another object file has it, or none."""

    name: str
    binding: int
    type: int
    section: int
    value: int


def sections(file: bytes) -> list[Section]:
    """The sections of an object file, by number."""
    table, size, count, names = HEADER.unpack_from(file)
    rows = [ROW.unpack_from(file, table + size * number) for number in range(count)]
    texts = _part(file, rows[names])
    return [
        Section(_text(texts, row[0]), row[1], row[2], _part(file, row), row[5], row[6], row[7], max(1, row[8]))
        for row in rows
    ]


def _part(file: bytes, row: tuple[int, ...]) -> bytes:
    return b"" if row[1] == ZEROS else file[row[4] : row[4] + row[5]]


def _text(table: bytes, start: int) -> str:
    return table[start : table.index(b"\0", start)].decode()


def symbols(of: Sequence[Section]) -> list[Symbol]:
    """The symbols of an object file, by number."""
    (table,) = (section for section in of if section.type == SYMBOLS)
    texts = of[table.link].content
    return [
        Symbol(_text(texts, name), about >> 4, about & 15, section, value)
        for name, about, _, section, value, _ in SYMBOL.iter_unpack(table.content)
    ]


def functions(file: bytes) -> list[str]:
    """The functions of an object file."""
    return [section.name.removeprefix(TEXT) for section in sections(file) if section.name.startswith(TEXT)]


class _File:
    """An object file while it is linked.  `places`: number of a section -> where it lies in the image."""

    def __init__(self, content: bytes) -> None:
        self.sections = sections(content)
        self.symbols = symbols(self.sections)
        self.places: dict[int, int] = {}

    def place(self, symbol: Symbol) -> int:
        """Where one of its symbols lies.  LinkError: in a section that is left out."""
        if symbol.section not in self.places:
            raise LinkError(f"{symbol.name}: lies in a section that no image has")
        return self.places[symbol.section] + symbol.value

    def relocations(self) -> Iterator[tuple[int, int, Symbol, int]]:
        """Where in the image, of which kind, of which symbol, and what to add."""
        for section in self.sections:
            if section.type == RELOCATIONS and section.info in self.places:
                for offset, about, addend in RELOCATION.iter_unpack(section.content):
                    at = self.places[section.info] + offset
                    yield at, about & 0xFFFFFFFF, self.symbols[about >> 32], addend


def link(files: Sequence[bytes]) -> CodeImage:
    """Link object files, whose code will lie in this order.

    LinkError: two of them define a name, or one has what this linker does not know.  OverflowError: the image is too large for
    the small code model.
    """
    linking = [_File(file) for file in files]
    code, data = bytearray(), bytearray()
    _lay(linking, code, writable=False)
    stubs = _stubs(linking, code)
    code += bytes(-len(code) % PAGE_BYTES)
    externals = {name: len(code) + WORD * number for number, name in enumerate(stubs)}
    data += bytes(WORD * len(stubs))
    _lay(linking, data, writable=True, base=len(code))
    data += bytes(-len(data) % PAGE_BYTES)
    defined = _defined(linking)
    for name, stub in stubs.items():
        JUMP.pack_into(code, stub, JUMP_OPCODE, externals[name] - (stub + JUMP.size))
    for file in linking:
        for at, kind, symbol, addend in file.relocations():
            target = file.place(symbol) if symbol.section else {**stubs, **defined}[symbol.name]
            write(code, at, kind, target + addend - at)
    tables = tuple(
        (file.places[number], file.places[number] + section.size - WORD)
        for file in linking
        for number, section in enumerate(file.sections)
        if section.name.startswith(SECTION)
    )
    return CodeImage(bytes(code), bytes(data), _named(linking, defined), externals, tables)


def write(code: bytearray, at: int, kind: int, distance: int) -> None:
    """Write a distance into code.  LinkError: this kind of relocation is none.  OverflowError: it does not fit."""
    if kind not in DISTANCES:
        raise LinkError(f"a relocation of kind {kind} (this linker knows: {', '.join(map(str, DISTANCES))})")
    try:
        DISTANCES[kind].pack_into(code, at, distance)
    except struct.error as error:
        raise OverflowError(
            f"machine code: a distance of {distance} bytes, too far for the small code model"
        ) from error


def _lay(files: Sequence[_File], out: bytearray, *, writable: bool, base: int = 0) -> None:
    """Lay out sections, each at a cache line's boundary; `base`: where `out` will lie in the image."""
    for file in files:
        for number, section in enumerate(file.sections):
            if section.is_loaded and bool(section.flags & WRITABLE) == writable:
                out += bytes(-len(out) % max(LINE, section.alignment))
                file.places[number] = base + len(out)
                out += section.bytes


def _defined(files: Sequence[_File]) -> dict[str, int]:
    """The symbols that are seen by other object files.  LinkError: one is defined twice."""
    found: dict[str, int] = {}
    for file in files:
        for symbol in file.symbols:
            if symbol.section in file.places and symbol.binding != LOCAL:
                if symbol.name in found:
                    raise LinkError(f"{symbol.name}: two object files define it")
                found[symbol.name] = file.place(symbol)
    return found


def _stubs(files: Sequence[_File], code: bytearray) -> dict[str, int]:
    """Make room for a stub for each name that no object file defines."""
    found = {symbol.name for file in files for symbol in file.symbols if symbol.section}
    used = [symbol for file in files for _, _, symbol, _ in file.relocations()]
    missing = {symbol.name: 0 for symbol in used if not symbol.section and symbol.name not in found}
    for name in missing:
        code += bytes(-len(code) % STUB_BYTES)
        missing[name] = len(code)
        code += bytes(STUB_BYTES)
    return missing


def _named(files: Sequence[_File], defined: dict[str, int]) -> dict[str, int]:
    """Where each function lies, also one that its own object file alone calls."""
    local = {
        symbol.name: file.place(symbol)
        for file in files
        for symbol in file.symbols
        if symbol.section in file.places and file.sections[symbol.section].name == TEXT + symbol.name
    }
    return {**local, **defined}
