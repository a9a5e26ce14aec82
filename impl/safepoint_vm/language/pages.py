"""Pages of memory, and what may be done to them.  Of trigger page every check loads from one of its thread's own."""

from __future__ import annotations

import ctypes
import errno
import mmap

from safepoint_vm.language.words import PAGE_BYTES

PROTECTED, READABLE, EXECUTABLE = 0, mmap.PROT_READ, mmap.PROT_READ | mmap.PROT_EXEC
"""Protections of a page, as `mprotect` takes them: no access, reads, and execution."""
SYSTEM = ctypes.CDLL(None, use_errno=True)
SIGPROCMASK, NO_SUCH_WAY, SET_BYTES = 14, -1, 8
"""The number of that call of the system, and arguments with which it reads a set of signals and changes nothing."""


class Page:
    """A page of zeros, readable.  `address`: of its first byte.  OSError: there is no memory for it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, PAGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        protect(self.address, READABLE)


def protect(page: int, protection: int, size: int = PAGE_BYTES) -> None:
    """Change the protection of the page at an address, or of `size` bytes from there on.  OSError: the system cannot."""
    if SYSTEM.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(size), protection) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")


def is_readable(address: int) -> bool:
    """Can memory be read there?  Asked of the system, which reads it, so nothing faults."""
    SYSTEM.syscall(SIGPROCMASK, NO_SUCH_WAY, ctypes.c_void_p(address), None, SET_BYTES)
    return ctypes.get_errno() != errno.EFAULT
