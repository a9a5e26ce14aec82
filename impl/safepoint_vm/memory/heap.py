"""The guest's heap: two spaces, the TLABs that threads take from one of them, and collections, done by machine code.

A TLAB is the part of a space in which one thread allocates.  The coordinator of a collection has stopped the world
(`threads.world`); nothing here does.
"""

from __future__ import annotations

import ctypes
import mmap
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from safepoint.guest.heap import NoRoom
from safepoint_vm.generate.engine import Engine
from safepoint_vm.language.layout import Record
from safepoint_vm.language.words import STALE

SIZE = 64 << 20  # bytes of each space
SMALLEST = 64 << 10  # … at least
TLAB = 32 << 10  # bytes of a TLAB, at most
RESERVE = 256 << 10  # bytes kept for the exceptions that a full heap raises, at most


class HeapError(Exception):
    """The heap is corrupt: a bug of this interpreter."""


@dataclass
class Statistics:
    """The collections of a world.  Times in seconds."""

    collections: int = 0
    copied: int = 0  # bytes
    pauses: float = 0.0  # sum of the collections
    longest_pause: float = 0.0
    stopping: float = 0.0  # sum of the times from the decision to collect to the stopped world
    longest_stop: float = 0.0

    def stopped(self, took: float) -> None:
        """Count a stop of the world that took this long."""
        self.stopping += took
        self.longest_stop = max(self.longest_stop, took)

    def __str__(self) -> str:
        return (
            f"{self.collections} collections copied {self.copied / 2**20:.1f} MiB; "
            f"pauses: {1e3 * self.pauses:.2f} ms, the longest {1e3 * self.longest_pause:.2f} ms; "
            f"time to stop: {1e3 * self.stopping:.2f} ms, the longest {1e3 * self.longest_stop:.2f} ms"
        )

    def collected(self, copied: int, took: float) -> None:
        """Count a collection."""
        self.collections += 1
        self.copied += copied
        self.pauses += took
        self.longest_pause = max(self.longest_pause, took)


class Space:
    """Zeroed memory; a page costs nothing before it is touched.  `start`, `end`: addresses."""

    def __init__(self, size: int) -> None:
        self._map = mmap.mmap(-1, size)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.end = self.start + size


Ranges = Sequence[tuple[int, int]]
"""Ranges of values: (first, end) addresses."""


class GuestHeap:
    """The heap of the world with this record.  `size`: bytes of each of its two spaces; objects are in one of them.

    `stress`: every allocation collects, from-space is overwritten, and the heap is verified before and after.
    ValueError: `size` is less than SMALLEST.
    """

    def __init__(self, engine: Engine, world: Record, size: int = SIZE, stress: bool = False) -> None:
        if size < SMALLEST:
            raise ValueError(f"a heap of {size} bytes is too small (the smallest: {SMALLEST})")
        size &= -4096
        self.engine, self.world, self.stress = engine, world, stress
        self.statistics = Statistics()
        self._numbers = count(1)
        self._reserve_lock = threading.Lock()
        self._spaces = Space(size), Space(size)
        self._reserve = min(RESERVE, size // 16)
        self._tlab = min(TLAB, size // 16)
        world.set("tlab_bytes", 0 if stress else self._tlab)
        self._use(self._spaces[0].start)

    # -- the space in use

    def _use(self, filled: int) -> None:
        """Allocate in the first space from address `filled` on."""
        end = self._spaces[0].end - self._reserve
        self.world.set("heap_next", filled)
        self.world.set("heap_end", end)
        self._packed = filled  # objects without gaps up to here
        self._reserve_top = max(end, filled)

    def allocate(self, thread: Record, size: int) -> int:
        """Take `size` bytes of the thread's TLAB, which the caller must fill at once.  Returns their address.  NoRoom."""
        if not self.room(thread, size):
            raise NoRoom
        address = thread.get("heap_top")
        thread.set("heap_top", address + size)
        return address

    def room(self, thread: Record, size: int) -> bool:
        """Would `allocate` succeed?"""
        if thread.get("heap_limit_real") - thread.get("heap_top") >= size:
            return True
        thread.set("wanted", size)
        return self.engine.routine("refill", thread.address) != 0

    def allocate_reserve(self, size: int) -> int:
        """Take `size` bytes of the reserve.  Returns their address.  NoRoom."""
        with self._reserve_lock:  # several threads may raise at the same time
            address = self._reserve_top
            if address + size > self._spaces[0].end:
                raise NoRoom
            self._reserve_top += size
            return address

    @property
    def reserve_left(self) -> int:
        """Bytes that `allocate_reserve` still has."""
        return self._spaces[0].end - self._reserve_top

    def grant(self, thread: Record) -> bool:
        """Give a thread a TLAB with room for its `wanted` bytes, in a stopped world.  False: there is no room."""
        wanted, first = thread.get("wanted"), self.world.get("heap_next")
        free = self.world.get("heap_end") - first
        if wanted > free:
            return False
        size = wanted if self.stress else min(max(wanted, self._tlab), free)
        self.engine.routine("retire", thread.address)
        self.engine.routine("use_tlab", thread.address, first, first + size)
        self.world.set("heap_next", first + size)
        if self.engine.variant.profiled:
            self.engine.procedure("begin_tlab", thread.address)
        return True

    def next_thread(self) -> int:
        """The number of a new THREAD object."""
        return next(self._numbers)

    # -- collecting

    def collect(self, threads: Sequence[Record], roots: Ranges) -> None:
        """Copy what `roots` reach to the other space.  `threads`: all records; each thread loses its TLAB."""
        began = time.perf_counter()
        for thread in threads:
            self.engine.routine("retire", thread.address)
        if self.stress:
            self._has_roots_of(threads, roots)
            self.verify(roots)
        from_space, to_space = self._spaces
        self.world.set("from_start", from_space.start)
        self.world.set("from_bytes", from_space.end - from_space.start)
        self.world.set("copied", to_space.start)
        for first, end in roots:
            self.engine.routine("forward", self.world.address, first, end)
        self.engine.routine("scan", self.world.address, to_space.start)
        garbage = self._filled()
        self._spaces = to_space, from_space
        self._use(self.world.get("copied"))
        if self.stress:
            for first, end in garbage:
                self.engine.routine("fill", first, end, STALE)
            self.verify(roots)
        self.statistics.collected(self._packed - to_space.start, time.perf_counter() - began)

    @staticmethod
    def _has_roots_of(threads: Sequence[Record], roots: Ranges) -> None:
        """HeapError: a thread's stack is missing, which would keep pointers into from-space."""
        for number, thread in enumerate(threads):
            frame = thread.get("frame")
            if not any(first <= frame <= end for first, end in roots):
                raise HeapError(f"the roots lack the stack of thread {number}, whose frame is at {frame:#x}")

    def verify(self, roots: Ranges) -> None:
        """HeapError: an object or a root is unsound.  The world is stopped, and all threads have retired their TLABs."""
        idle = self._spaces[1]
        other = idle.start, idle.end - idle.start
        for first, last in self._filled():
            self._sound(self.engine.routine("unsound_object", first, last, *other))
        for first, last in roots:
            self._sound(self.engine.routine("unsound_value", first, last, *other))

    def _filled(self) -> Ranges:
        """Where objects are: what threads have taken, and the used part of the reserve."""
        end = self.world.get("heap_end")
        taken = max(self._packed, min(self.world.get("heap_next"), end))
        return (self._spaces[0].start, taken), (max(end, self._packed), self._reserve_top)

    @staticmethod
    def _sound(bad: int) -> None:
        if bad:
            word = ctypes.c_uint64.from_address(bad).value
            raise HeapError(f"the word {word:#x} at {bad:#x} is not a valid value or header")

    def spaces(self) -> tuple[int, int]:
        """The start addresses of the space in use and of the other one."""
        return self._spaces[0].start, self._spaces[1].start

    @property
    def used(self) -> int:
        """Bytes taken: objects, TLABs and the gaps between them."""
        return min(self.world.get("heap_next"), self.world.get("heap_end")) - self._spaces[0].start
