"""Where the bytecode of a program lies whose functions are compiled, and their machine code: near each other, and near the engine's.

A region: bytecode, behind it a word for each instruction (`words.BESIDE`), and another (`words.Heat`); then machine code, which may be
executed there, and be written at other addresses.  Memory that is not used costs nothing.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from safepoint_vm.language.layout import Memory
from safepoint_vm.language.pages import SYSTEM
from safepoint_vm.language.words import BESIDE, PAGE_BYTES

CODE_BYTES = 1 << 22
NEAR = (1 << 31) - (1 << 26)
"""A distance in bytes that a jump can go, whatever of the two regions it leads from and to."""
MOST = BESIDE // 8
"""Instructions of a function that has room here."""
NORESERVE, AT_THIS_ADDRESS = 0x4000, 0x100000
"""MAP_NORESERVE of Linux: no memory is set aside for what is never written.  MAP_FIXED_NOREPLACE: there, or nowhere."""
IN_ITS_PLACE = 0x10
"""MAP_FIXED: in the place of what is there."""
REGION_BYTES = 3 * BESIDE + CODE_BYTES
FAILED = ctypes.c_void_p(-1).value
_mmap = SYSTEM.mmap
_mmap.restype = ctypes.c_void_p


class Words(Memory):
    """Words of a region, which keeps them."""

    def __init__(self, address: int, words: int, region: object) -> None:  # not the memory of its own that `Memory` has
        self._region, self.address, self.words = region, address, words
        self._row = (ctypes.c_int64 * words).from_address(address)


class Region:
    """Memory near an address, freed with this object.  OSError: as `CodeMemory`."""

    def __init__(self, near: int) -> None:
        start = near // PAGE_BYTES * PAGE_BYTES
        distances = range(REGION_BYTES, NEAR - REGION_BYTES, REGION_BYTES)
        candidates = (start + sign * distance for distance in distances for sign in (-1, 1))
        found = next((address for address in candidates if _taken(address)), None)
        if found is None:
            raise OSError("no memory for compiled code is near enough to the interpreter")
        self.address = found
        freed = weakref.finalize(self, SYSTEM.munmap, ctypes.c_void_p(found), ctypes.c_size_t(REGION_BYTES))
        freed.atexit = False  # a process may end while guest threads execute what is here


def _taken(address: int) -> bool:
    """Take the memory at an address, if nothing is there."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE | AT_THIS_ADDRESS
    writable = mmap.PROT_READ | mmap.PROT_WRITE
    size, nowhere = ctypes.c_size_t(REGION_BYTES), ctypes.c_long(0)
    found: int | None = _mmap(ctypes.c_void_p(address), size, writable, flags, -1, nowhere)
    if found == address:
        return True
    if found not in (None, FAILED):  # a system that does not know the flag has put it elsewhere
        SYSTEM.munmap(ctypes.c_void_p(found), size)
    return False


def mmap_of_code(at: int) -> mmap.mmap:
    """Memory for machine code, which is executed at an address; returns it as it is written.  OSError: the system gives none."""
    with _file_of_code() as file:
        _map(file, at, mmap.PROT_READ | mmap.PROT_EXEC)
        return mmap.mmap(file, CODE_BYTES)


@contextmanager
def _file_of_code() -> Iterator[int]:
    file = os.memfd_create("safepoint")
    try:
        os.ftruncate(file, CODE_BYTES)
        yield file
    finally:
        os.close(file)


def _map(file: int, at: int, protection: int) -> None:
    """Map a file in the place of what is at an address."""
    size, start = ctypes.c_size_t(CODE_BYTES), ctypes.c_long(0)
    if _mmap(ctypes.c_void_p(at), size, protection, mmap.MAP_SHARED | IN_ITS_PLACE, file, start) != at:
        raise OSError(ctypes.get_errno(), "mmap of machine code")


class CodeMemory:
    """Room for instructions, 128 K of them in each region, and for 4 MB of machine code in the first.  `near`: an address that it must be near to.

    OSError: the system gives no memory, or none that is near.
    """

    def __init__(self, near: int) -> None:
        self._near, self._region = near, Region(near)
        self._first = self._region  # which has the machine code
        self.code = self._first.address + 3 * BESIDE
        self._file = mmap_of_code(self.code)
        self._writable = ctypes.addressof(ctypes.c_char.from_buffer(self._file))
        self._instructions = self._bytes = 0
        ALIVE.add(self)

    def copy(self) -> None:
        """Have machine code of its own at the same addresses: what is mapped twice is shared with the process that this one comes from."""
        with _file_of_code() as file:
            os.pwrite(file, ctypes.string_at(self._writable, self._bytes), 0)
            _map(file, self.code, mmap.PROT_READ | mmap.PROT_EXEC)
            _map(file, self._writable, mmap.PROT_READ | mmap.PROT_WRITE)

    def text(self, instructions: int) -> Words:
        """Room for the instructions of a code, in a further region if need be.  OSError: there is none, or they are more than MOST."""
        if instructions > MOST:
            raise OSError(f"a function of more than {MOST:,} instructions has no room for compiled code")
        if self._instructions + instructions > MOST:
            self._region, self._instructions = Region(self._near), 0
        at = self._region.address + 8 * self._instructions
        self._instructions += instructions
        return Words(at, instructions, self._region)

    def beside(self, text: Memory, rows: int = 1) -> Words:
        """The words beside instructions; `rows`: 2 for their heat."""
        return Words(text.address + rows * BESIDE, text.words, self._region)

    @property
    def next(self) -> int:
        """Where the next machine code goes."""
        return self.code + self._bytes

    @property
    def room(self) -> int:
        """Bytes that are left for machine code."""
        return CODE_BYTES - self._bytes

    def write(self, code: bytes) -> int:
        """Add machine code, at `next`, to which it must fit.  Returns its address."""
        assert len(code) <= self.room
        at = self.next
        self.overwrite(at, code)
        self._bytes += -(-len(code) // 64) * 64
        return at

    def read(self, at: int, size: int) -> bytes:
        """Bytes of machine code.  ValueError: none is there."""
        if not self.code <= at <= self.next - size:
            raise ValueError(f"{at:#x} is outside of compiled code")
        return ctypes.string_at(at, size)

    def overwrite(self, at: int, code: bytes) -> None:
        """Write machine code in the place of other, which no thread may be executing."""
        ctypes.memmove(self.writable(at), code, len(code))

    def writable(self, at: int) -> int:
        """Where the byte of machine code at an address can be written."""
        return self._writable + at - self.code


ALIVE: weakref.WeakSet[CodeMemory] = weakref.WeakSet()


def _copy_all() -> None:
    for memory in list(ALIVE):
        memory.copy()


os.register_at_fork(after_in_child=_copy_all)
