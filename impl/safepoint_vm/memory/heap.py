"""The guest's heap: two spaces, the pieces that threads take of one of them, and collections, whose work is machine code.

Nothing here stops anybody: whoever collects has stopped the world (`world.make_room`).
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
SMALLEST = 64 << 10
CHUNK = 32 << 10  # bytes of a thread's piece
RESERVE = 256 << 10  # at most: for the exceptions that a full heap raises


class HeapError(Exception):
    """The heap is not what it must be: a bug of this interpreter."""


@dataclass
class Statistics:
    """Of a world's collections.  Times in seconds."""

    collections: int = 0
    copied: int = 0  # bytes
    pauses: float = 0.0  # in all, from the stopped world to its start
    longest_pause: float = 0.0
    stopping: float = 0.0  # in all, until the world stood
    longest_stop: float = 0.0

    def stopped(self, took: float) -> None:
        self.stopping += took
        self.longest_stop = max(self.longest_stop, took)

    def __str__(self) -> str:
        return (
            f"{self.collections} collections copied {self.copied / 2**20:.1f} MiB; "
            f"pauses: {1e3 * self.pauses:.2f} ms, the longest {1e3 * self.longest_pause:.2f} ms; "
            f"time to stop: {1e3 * self.stopping:.2f} ms, the longest {1e3 * self.longest_stop:.2f} ms"
        )

    def collected(self, copied: int, took: float) -> None:
        self.collections += 1
        self.copied += copied
        self.pauses += took
        self.longest_pause = max(self.longest_pause, took)


class Space:
    """Zeroed memory that costs nothing before it is touched."""

    def __init__(self, size: int) -> None:
        self._map = mmap.mmap(-1, size)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.end = self.start + size


Ranges = Sequence[tuple[int, int]]
"""Where values are that are alive by themselves: (first, end) addresses."""


class GuestHeap:
    """Of one world, whose record it keeps.  `size`: bytes of each space, of which one is in use.

    `stress`: every allocation collects; what was left is overwritten, and all is verified, before and after.
    ValueError: too small.
    """

    def __init__(self, engine: Engine, world: Record, size: int = SIZE, stress: bool = False) -> None:
        if size < SMALLEST:
            raise ValueError(f"a heap of {size} bytes is too small (the smallest: {SMALLEST})")
        size &= -4096
        self.engine, self.world, self.stress = engine, world, stress
        self.statistics = Statistics()
        self._births = count(1)
        self._sparing = threading.Lock()
        self._spaces = Space(size), Space(size)
        self._reserve = min(RESERVE, size // 16)
        self._chunk = min(CHUNK, size // 16)
        world.set("chunk", 0 if stress else self._chunk)
        self._use(self._spaces[0].start)

    # -- the space in use

    def _use(self, filled: int) -> None:
        """The first space, filled up to there."""
        end = self._spaces[0].end - self._reserve
        self.world.set("heap_next", filled)
        self.world.set("heap_end", end)
        self._packed = filled  # without gaps up to here
        self._spare = max(end, filled)

    def allocate(self, thread: Record, size: int) -> int:
        """The address of `size` bytes, which are the caller's to fill at once.  NoRoom."""
        if thread.get("heap_limit") - thread.get("heap_top") < size:
            thread.set("wanted", size)
            if not self.engine.routine("refill", thread.address):
                raise NoRoom
        address = thread.get("heap_top")
        thread.set("heap_top", address + size)
        return address

    def room(self, thread: Record, size: int) -> bool:
        """Would `allocate` succeed?"""
        if thread.get("heap_limit") - thread.get("heap_top") >= size:
            return True
        thread.set("wanted", size)
        return self.engine.routine("refill", thread.address) != 0

    def allocate_reserve(self, size: int) -> int:
        """From what is kept for the exceptions of a full heap.  NoRoom."""
        with self._sparing:  # threads raise at the same time
            address = self._spare
            if address + size > self._spaces[0].end:
                raise NoRoom
            self._spare += size
            return address

    @property
    def spare(self) -> int:
        """Bytes that `allocate_reserve` still has."""
        return self._spaces[0].end - self._spare

    def grant(self, thread: Record) -> bool:
        """A piece with room for `wanted` bytes, for a thread that has waited for it; the world is stopped.  False: none."""
        wanted, first = thread.get("wanted"), self.world.get("heap_next")
        free = self.world.get("heap_end") - first
        if wanted > free:
            return False
        size = wanted if self.stress else min(max(wanted, self._chunk), free)
        self.engine.routine("retire", thread.address)
        thread.set("heap_top", first)
        thread.set("heap_limit", first + size)
        self.world.set("heap_next", first + size)
        return True

    def next_thread(self) -> int:
        """The number of a new THREAD object."""
        return next(self._births)

    # -- collecting

    def collect(self, threads: Sequence[Record], roots: Ranges) -> None:
        """Copy what is alive.  `threads`: all of them; each takes a new piece afterwards."""
        began = time.perf_counter()
        for thread in threads:
            self.engine.routine("retire", thread.address)
        if self.stress:
            self._has_roots_of(threads, roots)
            self.verify(roots)
        old, new = self._spaces
        for name, word in {"from_start": old.start, "from_bytes": old.end - old.start, "copied": new.start}.items():
            self.world.set(name, word)
        for first, end in roots:
            self.engine.routine("forward", self.world.address, first, end)
        self.engine.routine("scan", self.world.address, new.start)
        left = self._filled()
        self._spaces = new, old
        self._use(self.world.get("copied"))
        if self.stress:
            for first, end in left:
                self.engine.routine("fill", first, end, STALE)
            self.verify(roots)
        self.statistics.collected(self._packed - new.start, time.perf_counter() - began)

    @staticmethod
    def _has_roots_of(threads: Sequence[Record], roots: Ranges) -> None:
        """Whoever is left out would go on with a stack full of what has moved."""
        for number, thread in enumerate(threads):
            frame = thread.get("frame")
            if not any(first <= frame <= end for first, end in roots):
                raise HeapError(f"the roots lack the stack of thread {number}, whose frame is at {frame:#x}")

    def verify(self, roots: Ranges) -> None:
        """Every object and every root is sound.  The world is stopped, and the threads have given up their pieces."""
        gone = self._spaces[1]
        other = gone.start, gone.end - gone.start
        for first, last in self._filled():
            self._sound(self.engine.routine("unsound_object", first, last, *other))
        for first, last in roots:
            self._sound(self.engine.routine("unsound_value", first, last, *other))

    def _filled(self) -> Ranges:
        """Where objects are: what threads have taken, and of the spare room."""
        end = self.world.get("heap_end")
        taken = max(self._packed, min(self.world.get("heap_next"), end))
        return (self._spaces[0].start, taken), (max(end, self._packed), self._spare)

    @staticmethod
    def _sound(bad: int) -> None:
        if bad:
            word = ctypes.c_uint64.from_address(bad).value
            raise HeapError(f"the word {word:#x} at {bad:#x} is no value, or no header")

    def spaces(self) -> tuple[int, int]:
        """Where the space in use begins, and the other one."""
        return self._spaces[0].start, self._spaces[1].start

    @property
    def used(self) -> int:
        """Bytes that are taken: objects, pieces and what is lost between them."""
        return min(self.world.get("heap_next"), self.world.get("heap_end")) - self._spaces[0].start
