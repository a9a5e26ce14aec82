"""Machine code that runs wherever it lies: an image of it, which a file may keep, and the image in the memory of this process.

No LLVM is needed to load one.  Nothing in it is an address of a process: `externals` are words that the loader fills.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import NamedTuple

from safepoint_vm.language.pages import EXECUTABLE, SYSTEM, protect

MATHEMATICS = "libm.so.6"
"""Where functions of the C library are that a process need not have loaded."""
WORD = 8


class CodeImage(NamedTuple):
    """Machine code.  All places are offsets from the first byte of `code`; both parts are whole pages.

    code: functions and what they read.  data: what comes behind it, and is written.
    symbols: the functions and variables.  externals: the functions of the C library that it calls, each to the word for its address.
    tables: of checks that load from a page, from the first to the end: see `language.signals.Check`.
    """

    code: bytes
    data: bytes
    symbols: dict[str, int]
    externals: dict[str, int]
    tables: tuple[tuple[int, int], ...]


class EngineCode(NamedTuple):
    """An image, and what the host has to know of it.

    operands: the types of each opcode's operands, names in `language.machine`, in the order of their encoding.
    arities: the C functions that the host calls, and how many words each takes.
    """

    image: CodeImage
    operands: dict[str, tuple[str, ...]]
    arities: dict[str, int]


class MappedCode:
    """An image in memory, for as long as this object lives.  `addresses`: of its functions and variables.

    tables: as in the image, as addresses.  OSError: the system gives no memory for code, or has no such function.
    """

    def __init__(self, image: CodeImage) -> None:
        self._memory = mmap.mmap(-1, len(image.code) + len(image.data), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._memory.write(image.code + image.data)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        for name, place in image.externals.items():
            ctypes.c_uint64.from_address(base + place).value = address_of(name)
        protect(base, EXECUTABLE, len(image.code))
        self.addresses = {name: base + place for name, place in image.symbols.items()}
        self.tables = [(base + first, base + end) for first, end in image.tables]


def address_of(name: str) -> int:
    """The address of a function of the C library.  OSError: it has none of this name."""
    for library in (SYSTEM, None):
        found = getattr(library or ctypes.CDLL(MATHEMATICS), name, None)
        if found is not None:
            return ctypes.cast(found, ctypes.c_void_p).value or 0
    raise OSError(f"the C library has no function {name}")
