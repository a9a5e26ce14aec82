"""Mistakes in what the host does for guest threads, which `safepoint_vm.mutants` names: methods in the place of the right ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from safepoint.guest.code import BACK_EDGES
from safepoint.protocol.words import ENDED, MANAGED
from safepoint_vm.language.layout import Record
from safepoint_vm.language.machine import Exited
from safepoint_vm.language.records import FIRST_LOOP
from safepoint_vm.threads.life import Blocked, ThreadLife, Waits
from safepoint_vm.threads.thread import WAITS, GuestThread
from safepoint_vm.threads.world import GuestWorld
from safepoint_vm.tier.install import Loaded, Tier
from safepoint_vm.tier.stitch import Stitched, Stitcher, Unit
from safepoint_vm.tier.template import Hole

LOW = 24
"""Slots above the beginning of the stack where `poison-too-high` puts the poison."""


class ReentersUnasked(ThreadLife):
    """reenters-unasked"""

    def _call(self, procedure: str, why: Blocked | None = None, status: int = 0, record: int = 0) -> Waits:
        if procedure == "reenter":
            self.guest.record.set("state", MANAGED)
            return
        yield from super()._call(procedure, why, status, record)


class BornUnasked(ThreadLife):
    """born-unasked"""

    def born(self) -> Waits:
        self.guest.record.set("state", MANAGED)
        yield from ()


class SwallowsAsleep(ThreadLife):
    """sleeper-swallows"""

    def _block(self, blocked: Blocked) -> Generator[Blocked | None, None, bool]:
        while not (self.stopped or blocked.ready()):
            yield from self._call("block", blocked)
            yield from self._call("look_again", blocked)
        return False


class BlocksInside(ThreadLife):
    """blocks-inside"""

    def _block(self, blocked: Blocked) -> Generator[Blocked | None, None, bool]:
        while not (self.stopped or blocked.ready()):
            yield blocked
        return False


class ForgetsWhy(ThreadLife):
    """parked-forgets-why"""

    def _serve(self, why: Exited) -> Waits:
        yield from super()._serve(why)
        if why in WAITS:
            self.entry = "begin"


class StartsTooSoon(ThreadLife):
    """starts-before-collecting"""

    def collect(self, wanted: int = 0) -> Generator[Blocked | None, None, bool]:
        yield from self._call("stop_world_from")
        yield from self._call("start_world_from")
        self.guest.record.set("wanted", wanted)
        room = self.host.guests.make_room(self.guest, -1)
        self.host.guests.has_reentered(self.guest)
        return room


class ReleasesSilently(ThreadLife):
    """release-wakes-no-thread"""

    def _serve(self, why: Exited) -> Waits:
        if why is Exited.RELEASED:
            self.guest.skip()
        else:
            yield from super()._serve(why)


class SetsNoAlarm(ThreadLife):
    """sleeps-without-alarm"""

    def _sleeping(self) -> Blocked:
        return replace(super()._sleeping(), until=math.inf)


class KeepsNoRecord(GuestWorld):
    """target-not-kept"""

    @contextmanager
    def keeping(self, find: Callable[[], GuestThread | None]) -> Iterator[GuestThread | None]:
        yield found if (found := find()) in self.threads else None


class CountsNoNewborn(GuestWorld):
    """newborn-not-counted"""

    def add(self, make: Callable[[Record | None], GuestThread]) -> GuestThread:
        before = self.record.get("population")
        thread = super().add(make)
        self.record.set("population", max(1, before))
        return thread


class PostsSilently(GuestWorld):
    """post-wakes-no-thread"""

    def post(self, thread: GuestThread, kind: int) -> bool:
        if not thread.ended:
            self.engine.procedure("post", thread.address, kind)
        return not thread.ended


class CollectsItsOwn(GuestWorld):
    """collects-its-own-roots"""

    def collect(self, thread: GuestThread) -> bool:
        every, self.threads = self.threads, [thread]
        try:
            return super().collect(thread)
        finally:
            self.threads = every


class ForgetsNewborns(GuestWorld):
    """newborn-is-no-root"""

    def collect(self, thread: GuestThread) -> bool:
        every = self.threads
        self.threads = [each for each in every if each.record.get("state") != ENDED]
        try:
            return super().collect(thread)
        finally:
            self.threads = every


class RootsOfTheTop(GuestThread):
    """roots-of-the-top-frame"""

    def roots(self) -> tuple[tuple[int, int], ...]:
        (_, end), *rest = super().roots()
        return ((self.record.get("frame"), end), *rest)


class PoisonTooHigh(GuestThread):
    """poison-too-high"""

    def enter(self, handler: str = "begin", budget: int | None = None) -> Exited:
        self.record.set("limit_poison", self.stack.address + 8 * LOW)
        return super().enter(handler, budget)


class WaitedForBeforeBirth(GuestThread):
    """waited-for-before-birth"""

    def child(self, record: Record | None, number: int, target: int, args: list[int]) -> GuestThread:  # type: ignore[override]
        born = super().child(record, number, target, args)
        born.record.set("state", MANAGED)
        return born


class JumpsStraight(Tier):
    """compiled-loop-jumps-straight"""

    def _stitched(self, stitcher: Stitcher) -> Stitched:
        straight = StraightStitcher(stitcher.context, stitcher.code, stitcher.text, stitcher.loops)
        return super()._stitched(straight)


class StraightStitcher(Stitcher):
    """Falls through to a back-edge, or jumps to it."""

    def _is_loop(self, number: int) -> bool:
        return number in self.loops and self.code.instructions[number].op in BACK_EDGES

    def _copy(self, unit: Unit) -> Sequence[Hole]:
        if not (unit.last and self._is_loop(unit.leads_to(unit.last.name))):
            return super()._copy(unit)
        self.out += unit.template.code
        return unit.template.holes

    def _exit(self, number: int) -> int:
        return self.entries[number] if self._is_loop(number) else super()._exit(number)


class InstallsReal(Tier):
    """install-makes-real"""

    def _install(self, loaded: Loaded, records: Sequence[Record], world: Record | None) -> None:
        super()._install(loaded, records, world)
        for record in records:
            for loop in range(self._used):
                record.set("table", self._entries[loop], FIRST_LOOP + loop)


INSTEAD: dict[str, type] = {
    "reenters-unasked": ReentersUnasked,
    "born-unasked": BornUnasked,
    "sleeper-swallows": SwallowsAsleep,
    "blocks-inside": BlocksInside,
    "parked-forgets-why": ForgetsWhy,
    "starts-before-collecting": StartsTooSoon,
    "release-wakes-no-thread": ReleasesSilently,
    "sleeps-without-alarm": SetsNoAlarm,
    "target-not-kept": KeepsNoRecord,
    "newborn-not-counted": CountsNoNewborn,
    "post-wakes-no-thread": PostsSilently,
    "collects-its-own-roots": CollectsItsOwn,
    "newborn-is-no-root": ForgetsNewborns,
    "roots-of-the-top-frame": RootsOfTheTop,
    "poison-too-high": PoisonTooHigh,
    "waited-for-before-birth": WaitedForBeforeBirth,
    "compiled-loop-jumps-straight": JumpsStraight,
    "install-makes-real": InstallsReal,
}
"""Mutant -> the class whose methods its host has."""
