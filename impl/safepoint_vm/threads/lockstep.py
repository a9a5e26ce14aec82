"""Guest threads of the machine code in lockstep: each is entered for n instructions, everything on one OS thread.

They take turns as the reference machine's do (`safepoint.guest.lockstep.Lockstep`), so a program has one order of steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from safepoint.differential.stepped import UNBOUNDED
from safepoint.guest.faults import Fault
from safepoint.guest.heap import ThreadObject
from safepoint.guest.lockstep import MAIN, Lockstep
from safepoint.guest.operations.threads import POSTED, uncaught_text
from safepoint_vm.generate.engine import Engine
from safepoint_vm.language.machine import Exited
from safepoint_vm.memory.image import Image
from safepoint_vm.threads.life import Blocked, ThreadLife, Waits
from safepoint_vm.threads.mutated import made
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import GuestWorld

RESTARTS = (Exited.NEEDS_ROOM, Exited.LOCKED)
"""Machine code was left in the middle of an instruction, which begins again, or raises."""


class LockstepThread:
    """A guest thread that is entered for n instructions at a time.  `number`: of its record."""

    def __init__(
        self, guest: GuestThread, world: LockstepWorld, number: int, thread: ThreadObject | None = None
    ) -> None:
        self.guest, self.thread, self.number, self._world = guest, thread, number, world
        self._life = made(ThreadLife, guest.engine)(guest, self)
        self._waits: Waits | None = None  # its work outside machine code, if that waits
        self.blocked: Blocked | None = None
        self._waits_anew = False  # it began to wait at the end of its last turn
        self._restarts = False  # machine code was left for one of RESTARTS …
        self._restart_pc = 0  # … at this instruction
        self._done = 0  # instructions of this turn
        self.over = False
        self.unborn = False

    def birth(self) -> None:
        """Prepare the birth, which its first turn executes."""
        self.unborn = True
        self._waits = self._life.born()
        self._restarts, self._restart_pc = True, self.guest.record.get("pc")

    def advance(self, most: int) -> int:
        """Execute at most `most` instructions.  Returns how many it executed; 0: it has ended, or waits.

        An instruction in which it waits counts when it has finished.  With an unlimited budget the thread runs on its own
        dispatch table, not the stepping one, and each entry into machine code counts as one instruction.
        """
        unlimited = most > UNBOUNDED // 2
        if self.over or self._waits_anew:
            self._world.moved += self._waits_anew  # the reference machine's thread begins to wait in this turn
            self._waits_anew = False
            return 0
        self._done = 0
        if self._waits:
            if not self._go_on():
                return 0
            self._done = 0 if self._begins_again else 1
            if self.unborn:
                self.unborn = False
                self._world.is_born(self)
        while not (self.guest.ended or self._waits) and (self._done < most or self._life.entry != "begin"):
            self._execute(None if unlimited else most - self._done)
        self._waits_anew = self._waits is not None and self._done > 0
        if self.guest.ended and not self._waits:
            self.over = True
            self._world.end(self)
            return max(1, self._done)
        return self._done

    def _execute(self, budget: int | None) -> None:
        """Enter machine code once, and do what it was left for; or go on with that at a poll."""
        self._world.moved += 1
        if self._life.polling:
            self._done, self._restarts = self._done + 1, False
            self._waits = self._life.go_on()
        else:
            why = self._world.enter(self.guest, self._life.entry, budget)
            self._done += 1 if budget is None else budget - self.guest.record.get("steps_left")
            self._restarts, self._restart_pc = why in RESTARTS, self.guest.record.get("pc")
            self._waits = self._life.serve(why)
        if not self._go_on() or self._begins_again:
            self._done -= 1

    def _go_on(self) -> bool:
        """Do the work outside machine code.  False: it waits."""
        assert self._waits is not None
        if self.blocked and self.blocked.ready() and not self.guest.record.get("wake"):
            self.call("awaken")
        for blocked in self._waits:
            self.blocked = blocked
            return False
        self._waits = self.blocked = None
        return True

    @property
    def _begins_again(self) -> bool:
        """Is the instruction executed once more?  False if it raised instead."""
        return self._restarts and self.guest.record.get("pc") == self._restart_pc and not self.guest.ended

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Checks executed at frame pushes, at back-edges and elsewhere, and how many of them failed."""
        record = self.guest.record
        return record.get("frames"), record.get("back_edges"), record.get("elsewhere"), record.get("slow_entries")

    # -- life.Host

    @property
    def guests(self) -> GuestWorld:
        return self._world.world

    def call(self, procedure: str, record: int = 0, resume: int = 0) -> int:
        return self._world.call(procedure, record or self.guest.address, resume=resume)

    def make_room(self) -> bool:
        """Collect without a stop: every guest thread is outside machine code, on this OS thread."""
        return self._world.world.collect(self.guest)

    def write(self, text: str) -> None:
        self._world.output.append(text)

    def room(self) -> bool:
        return self._world.world.room

    def start(self) -> Fault | None:
        return self._world.world.start_for(self.guest, self._world.begin)

    def ended(self, number: int) -> bool:
        return all(other.over for other in self._world.threads if other.guest.number == number)

    def post_to(self, number: int, kind: int) -> None:
        if (other := self._world.living(number)) is not None:
            self._world.post(other, kind)

    def living(self, number: int) -> GuestThread | None:
        other = self._world.living(number)
        return None if other is None else other.guest

    def retry(self) -> Callable[[], bool]:
        return self.guest.acquirable

    def released(self) -> None:
        """A no-op: `acquirable` reads the lock itself."""

    def now(self) -> float:
        """The clock of the instruction that is being executed."""
        return self._world.clock + max(0, self._done - 1)


class LockstepWorld(Lockstep):
    """Guest threads of the machine code, in the order in which the reference machine's take turns.

    `threads`: by the number of their records.  `hook`: address of the function called before each shared access.
    """

    def __init__(self, built: Engine, image: Image, stack: int, stress: bool, quantum: int, hook: int) -> None:
        super().__init__(quantum)
        self.world = made(GuestWorld, built)(built, stress=stress)
        self.output: list[str] = []
        self.uncaught: list[str] = []
        self.error: BaseException | None = None  # the judge's, raised inside a callback
        self.moved = 0
        self._early: dict[LockstepThread, int] = {}  # requests for when it is born: birth drops all
        self._image, self._hook = image, hook
        self.world.record.set("hook", hook)
        variables, heap = image.globals(), self.world.heap
        thread = made(GuestThread, built)
        main = self.world.add(lambda record: thread(built, image, variables, heap, stack, record))
        self.threads = [self._hooked(main, MAIN)]
        self._buried = [0, 0, 0, 0]  # counts of threads that have ended: their records are used again

    def _hooked(self, guest: GuestThread, number: int, thread: ThreadObject | None = None) -> LockstepThread:
        guest.record.set("hook", self._hook)
        return LockstepThread(guest, self, number, thread)

    def begin(self, guest: GuestThread, thread: ThreadObject) -> None:
        """Let a new guest thread be born at its first turn."""
        number = self.world.number(guest)
        self.threads[number : number + 1] = [self._hooked(guest, number, thread)]
        self.threads[number].birth()

    def end(self, thread: LockstepThread) -> None:
        """Take a thread that has ended out of guest code, for good, and keep what ended it."""
        self._buried = [n + m for n, m in zip(self._buried, thread.counts, strict=True)]
        self.world.engine.routine("retire", thread.guest.address)
        self.call("exit_thread", thread.guest.address)
        self.world.remove(thread.guest)
        if thread.thread and thread.guest.fault:
            lines, source = thread.guest.traceback(), self._image.program.source
            self.uncaught.append(uncaught_text(thread.thread, thread.guest.fault, lines, source))

    def living(self, number: int) -> LockstepThread | None:
        """The thread of this number, started and not ended."""
        return next((t for t in self.threads if t.guest.number == number and not t.over), None)

    def post(self, thread: LockstepThread, kinds: int) -> None:
        """Post requests to a thread, once it is born."""
        if thread.unborn:
            self._early[thread] = self._early.get(thread, 0) | kinds
            return
        for kind in POSTED.values():
            if kinds & kind:
                self.call("post", thread.guest.address, kind)

    def is_born(self, thread: LockstepThread) -> None:
        """Post the requests that came before the thread's birth."""
        self.post(thread, self._early.pop(thread, 0))

    @property
    def population(self) -> int:
        return len(self.threads)

    @property
    def moves(self) -> int:
        return self.moved

    def advance(self, number: int, most: int) -> int:
        return self.threads[number].advance(most)

    def alarms(self) -> Iterable[float]:
        return [thread.blocked.until for thread in self.threads if thread.blocked and thread.blocked.until < math.inf]

    @property
    def counts(self) -> list[int]:
        """Frame pushes, back-edges and failed checks, of all threads that there have been."""
        return [sum(each) for each in zip(self._buried, *(t.counts for t in self.threads if not t.over), strict=True)]

    # -- into machine code, whose callbacks may raise

    def enter(self, guest: GuestThread, entry: str, budget: int | None) -> Exited:
        """As `GuestThread.enter`; re-raises what a callback raised."""
        why = guest.enter(entry, budget)
        self._reraise()
        return why

    def call(self, procedure: str, record: int, *args: int, resume: int = 0) -> int:
        """As `Engine.procedure`; re-raises what a callback raised."""
        status = self.world.engine.procedure(procedure, record, *args, resume=resume)
        self.moved += status != resume or not resume
        self._reraise()
        return status

    def failed(self, error: BaseException) -> None:
        """Keep an exception of a callback, which cannot pass through machine code, and end all threads."""
        self.error = error
        for thread in self.threads:
            thread.guest.abandon()
            thread.over = True

    def _reraise(self) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
