"""Samples of guest threads: what machine code needs for it, and what becomes of what it has written.

By time: on an OS thread of its own machine code posts SAMPLE to a thread as often as that has used so much of the CPU; one that
sleeps is left in peace.  By allocation: each thread does it for itself.  Python drains the rings, and names the calls.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Self

from safepoint.guest.lockstep import MAIN
from safepoint.guest.profile import BYTES, CUT, MICROSECONDS, Frame, Profile, Stack
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.samples import CUT as CUT_BIT
from safepoint_vm.language.samples import HEAD, Samples, Ticker
from safepoint_vm.memory.image import Image
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import GuestWorld

DEPTH = 128
"""Calls of a sample, at most: the innermost ones."""
RING = 1 << 15
"""Words of a thread's ring, a power of two."""
DRAINED = 200_000
"""Microseconds from one draining of all rings to the next, unless one is half full before; more if samples are rarer."""
LOOKS = 10_000
"""Microseconds from one look at the rings to the next, by allocation."""


@dataclass
class Sampled:
    """A guest thread that is sampled.

    `stacks`: what was drained: (the words of a sample's calls, as bytes; is it cut?) -> weight.
    """

    guest: GuestThread
    name: str
    samples: Record
    ring: Memory
    row: memoryview  # the words of the ring
    stacks: Counter[tuple[bytes, bool]] = field(default_factory=Counter)


class Sampler:
    """Samples the threads of one world; `with sampler` asks and drains meanwhile, on an OS thread of its own.

    `ring`: words of a thread's ring, a power of two; `depth`: calls of a sample, at most.
    """

    def __init__(self, world: GuestWorld, image: Image, profile: Profile, ring: int = RING, depth: int = DEPTH) -> None:
        self._world, self._image, self._profile = world, image, profile
        self._ring, self._depth = ring, depth
        self._every = profile.every
        self._random = Random(1)
        self._lock = threading.Lock()  # of what follows, and of draining
        self._threads: dict[int, Sampled] = {}  # by the address of their record
        self._kept: list[Record] = []  # of threads that have ended: the ticker may still look at one
        self._start = cache(lambda pc: image.code_address(pc).start)  # of the function that an instruction is in
        self._is_over = False
        self._ticker = self._new_ticker()
        self._os_thread = threading.Thread(target=self._main, name="sampler", daemon=True)
        self._error: BaseException | None = None

    def _new_ticker(self) -> Record:
        """For `tick`: it asks by time; by allocation it only looks whether it is time to drain."""
        ticker, by_time = Record(Ticker), self._every.unit == MICROSECONDS
        every = self._every.amount if by_time else LOOKS
        for name, word in {
            "world": self._world.address, "every": 1000 * every, "least": 1000 * every // 2 if by_time else 0,
            "ticks": max(1, DRAINED // every), "seed": self._seed(),
        }.items():  # fmt: skip
            ticker.set(name, word)
        return ticker

    def _seed(self) -> int:
        return self._random.randrange(1, 1 << 62)

    def attach(self, guest: GuestThread) -> None:
        """Sample a thread that has not begun yet, until `detach`."""
        ring, samples = Memory(self._ring), Record(Samples)
        every = self._every.amount if self._every.unit == BYTES else 0
        gap = self._random.randint(every // 2, every * 3 // 2)
        for name, word in {
            "ring": ring.address, "mask": self._ring - 1, "depth": self._depth, "first": guest.stack.address,
            "every": every, "gap": gap, "due": gap, "seed": self._seed(),
        }.items():  # fmt: skip
            samples.set(name, word)
        function = self._frame(guest.record.get("pc")).name
        name = "MainThread" if guest.number == MAIN else f"Thread-{guest.number} ({function})"
        row = memoryview((ctypes.c_int64 * self._ring).from_address(ring.address)).cast("B").cast("q")
        with self._lock:
            self._threads[guest.address] = Sampled(guest, name, samples, ring, row)
            self._kept.append(samples)
            guest.record.set("samples", samples.address)

    def begins(self, guest: GuestThread) -> None:
        """A thread begins on this OS thread, whose CPU time is its own from here on."""
        if (sampled := self._threads.get(guest.address)) is not None:
            clock = time.pthread_getcpuclockid(threading.get_ident())
            used = time.clock_gettime_ns(clock)
            for name, word in {"asked": used, "taken": used, "clock": clock}.items():
                sampled.samples.set(name, word)

    def detach(self, guest: GuestThread) -> None:
        """A thread has ended: what it has been sampled with belongs to the profile."""
        with self._lock:
            if not self._is_over and (sampled := self._threads.pop(guest.address, None)) is not None:
                sampled.samples.set("clock", 0)
                guest.record.set("samples", 0)
                self._keep(sampled)

    def __enter__(self) -> Self:
        self._os_thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Raises what has gone wrong on its OS thread."""
        self._ticker.set("over", 1)
        self._os_thread.join()
        with self._lock:
            self._is_over = True  # a thread that has not ended keeps its ring
            for sampled in self._threads.values():
                self._keep(sampled)
        if self._error is not None:
            raise self._error

    # -- draining

    def _main(self) -> None:
        try:
            while not self._ticker.get("over"):
                self._world.engine.procedure("tick", self._ticker.address)
                with self._lock:
                    for sampled in self._threads.values():
                        self._drain(sampled)
        except BaseException as error:  # noqa: BLE001  -- raised by `__exit__`
            self._error = error
        finally:
            self._profile.spent += time.thread_time()

    def _drain(self, sampled: Sampled) -> None:
        samples, row, size = sampled.samples, sampled.row, self._ring
        at, written = samples.get("drained"), samples.get("written")
        while at != written:
            weight, head = row[at & size - 1], row[at + 1 & size - 1]
            count, first = head & CUT_BIT - 1, at + HEAD & size - 1
            calls = row[first : first + count].tobytes()
            if first + count > size:
                calls += row[: first + count - size].tobytes()
            is_cut = head & CUT_BIT != 0
            sampled.stacks[calls, is_cut] += weight
            self._profile.samples += 1
            self._profile.cut += is_cut
            at += HEAD + count
        samples.set("drained", at)

    def _keep(self, sampled: Sampled) -> None:
        """Drain a thread, and put what it was sampled with into the profile."""
        self._drain(sampled)
        self._profile.dropped += sampled.samples.get("dropped")
        self._profile.lost += self._in_unit(sampled.samples.get("lost"))
        self._profile.add(sampled.name, self._stacks(sampled))

    def _stacks(self, sampled: Sampled) -> Iterator[tuple[Stack, int]]:
        """Calls of the same functions are one stack, wherever in them they are."""
        found: Counter[tuple[tuple[int, ...], bool]] = Counter()
        for (calls, is_cut), weight in sampled.stacks.items():
            found[tuple(map(self._start, memoryview(calls).cast("q"))), is_cut] += weight
        for (starts, is_cut), weight in found.items():
            frames = tuple(map(self._frame, reversed(starts)))
            yield ((CUT, *frames) if is_cut else frames), self._in_unit(weight)

    def _in_unit(self, weight: int) -> int:
        """Machine code counts nanoseconds."""
        return weight if self._every.unit == BYTES else weight // 1000

    def _frame(self, pc: int) -> Frame:
        """The function that an instruction is in."""
        code = self._image.code_address(pc).code
        return Frame(code.name, self._image.program.file, code.line)
