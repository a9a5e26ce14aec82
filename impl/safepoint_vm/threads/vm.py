"""Run a guest program: guest threads on OS threads of their own, while the host waits for them.

Guest code never runs on Python's main thread: that one waits, so that signal handlers run there, as always in Python.
A plain engine never calls Python: work for the host leaves machine code first.  Guest threads end before the host does.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol, Self, TextIO

from safepoint.guest.code import Program
from safepoint.guest.faults import Fault, format_stack
from safepoint.guest.features import NotWrittenFor, refuse
from safepoint.guest.heap import ThreadObject
from safepoint.guest.operations import threads
from safepoint.protocol import trigger_file
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import ENDED
from safepoint_vm.generate.engine import PLAIN, Engine, Variant, engine
from safepoint_vm.handlers.shared.checks import MECHANISMS
from safepoint_vm.language.layout import Record
from safepoint_vm.memory.heap import SIZE
from safepoint_vm.memory.image import Image
from safepoint_vm.threads.mutated import made
from safepoint_vm.threads.mutated_drivers import driver
from safepoint_vm.threads.os_thread import GLANCE, OsThread, Outcome
from safepoint_vm.threads.signals import signals_handed_to
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import GuestWorld
from safepoint_vm.tier.install import Tier, compiling, fits

if TYPE_CHECKING:
    from safepoint.guest.profile import Profile
    from safepoint_vm.threads.sampling import Sampler

STACK = 1 << 16  # slots
MAIN_NAME = "MainThread"
GRACE = 1.0  # seconds that interrupted guest threads have to end, before they are stopped


class Writer(Protocol):
    """Takes the output of guest threads, from one OS thread at a time."""

    def write(self, text: str, /) -> object:
        """Write it whole."""


class Vm:
    """A loaded program.  The host starts guest threads that run the module; they may start others.

    `with Vm(…) as vm` ends them all.  `stack`: slots of each thread's stack; `heap`: bytes of each space; `stress`: see
    `heap.GuestHeap`; `errors`: gets the traceback of a thread, not the host's, that an exception ended, and a line if hot functions cannot be compiled,
    whose reason is then in `uncompiled`.  `guests`: its threads' class.
    BadCode: the verifier rejects the program.  ValueError: the heap is too small.
    """

    guests: ClassVar[type[GuestThread]] = GuestThread

    def __init__(
        self,
        program: Program,
        output: Writer,
        stack: int = STACK,
        variant: Variant = PLAIN,
        heap: int = SIZE,
        stress: bool = False,
        errors: Writer | None = None,
    ) -> None:
        self._output, self._errors = output, errors or sys.stderr
        self._writing, self._showing = threading.Lock(), threading.Lock()
        self.uncompiled = ""  # why no function is compiled, although the variant compiles hot ones
        self._engine = self._make_engine(variant)
        self._image = Image(self._engine, program, self._make_tier())
        self._variables = self._image.globals()
        self._stack = stack
        self._wanted = False  # the stacks
        self.world = self._make_world(heap, stress)
        self.running: list[OsThread] = []  # those that the host started
        self._started: dict[int, OsThread] = {}  # those that the guest started and that have not ended, by number
        self._ending = False  # True: no further thread starts
        self._pressed = 0  # how often Control-C was pressed after the end of the threads of the host
        self._failures: list[BaseException] = []  # errors of the host on the OS threads of `_started`

    def _make_engine(self, variant: Variant) -> Engine:
        return engine(variant)

    def _make_tier(self) -> Tier | None:
        if not self._engine.variant.loops:
            return None
        try:
            return made(Tier, self._engine)(self._engine, tell=self._leave_uncompiled)
        except OSError as error:  # some 300 VMs have taken the memory near the engine
            self._leave_uncompiled(str(error))
            return None

    def _leave_uncompiled(self, why: str) -> None:
        """Say that functions are not compiled: a line of `errors`."""
        self.uncompiled = " ".join(why.split())
        with self._writing:
            self._errors.write(f"safepoint: the interpreter executes all code, none is compiled: {self.uncompiled}\n")

    def _make_world(self, heap: int, stress: bool) -> GuestWorld:
        return made(GuestWorld, self._engine)(self._engine, heap, stress)

    def start(self) -> OsThread:
        """Start a guest thread that runs the module from its beginning, and shares its variables with the others."""
        self.running.append(driver(self._engine)(self.world.add(self._thread), self))
        self.running[-1].go()
        return self.running[-1]

    def sample(self, profile: Profile) -> Sampler:
        """Sample its threads, those that are not started yet; `with` what this returns.  The engine: a profiled one."""
        from safepoint_vm.threads.sampling import Sampler  # noqa: PLC0415  -- a profiled run's alone

        self.world.sampler = sampler = Sampler(self.world, self._image, profile)
        return sampler

    def _thread(self, record: Record | None) -> GuestThread:
        thread = made(self.guests, self._engine)(
            self._engine, self._image, self._variables, self.world.heap, self._stack, record
        )
        thread.record.set("state", ENDED)  # until birth no coordinator waits for it
        return thread

    # -- os_thread.Supervisor

    def start_for(self, guest: GuestThread) -> Fault | None:
        def go(born: GuestThread, thread: ThreadObject) -> None:
            if self._ending:
                raise RuntimeError("the VM is shutting down")
            running = self._started[thread.number] = driver(self._engine)(born, self, thread)
            try:
                running.go()
            except RuntimeError:
                del self._started[thread.number]
                raise

        return self.world.start_for(guest, go)

    def post_to(self, number: int, kind: int) -> None:
        if thread := self._started.get(number):
            with self.world.keeping(lambda: thread.guest) as kept:  # its record is not used again before the post
                if kept is not None:
                    thread.ask(kind)

    def living(self, number: int) -> GuestThread | None:
        return thread.guest if (thread := self._started.get(number)) else None

    def ended(self, number: int) -> bool:
        return number not in self._started

    def write(self, text: str) -> None:
        with self._writing:
            self._output.write(text)

    def has_ended(self, thread: OsThread) -> None:
        guest, started = thread.guest, thread.thread
        self.world.remove(guest)
        if started is None:
            return
        if thread.error is not None:
            self._failures.append(thread.error)
        elif guest.fault is not None:
            text = threads.uncaught_text(started, guest.fault, guest.traceback(), self._image.sources)
            with self._writing:
                self._errors.write(text)
        self._started.pop(started.number)  # after its traceback was written: a JOIN returns from here on
        self.world.notify()

    # -- what the host requests

    def interrupt(self) -> None:
        """Control-C: the host's threads raise KeyboardInterrupt; if they have ended, all that still run, and the second time all end."""
        hosts = [thread for thread in self.running if not thread.done.is_set()]
        self._pressed += not hosts
        for thread in hosts or self._living():
            thread.interrupt()

    def show_stacks(self) -> None:
        """SIGQUIT: write the stack of each guest thread, as its operation of a handshake finds it.  Never waits, as `interrupt`."""
        self._wanted = True
        with suppress(RuntimeError):  # no more OS threads: then the next one does it
            threading.Thread(target=self._show_stacks, name="stacks", daemon=True).start()

    def _show_stacks(self) -> None:
        while self._wanted and self._showing.acquire(blocking=False):  # else another one looks again when it is done
            try:
                self._wanted = False
                texts = [self._stack_text(thread) for thread in self._living()]
                with self._writing:
                    self._errors.write("".join(texts) or "No guest thread runs.\n")
            finally:
                self._showing.release()

    def _stack_text(self, thread: OsThread) -> str:
        name = threads.name(thread.thread) if thread.thread else MAIN_NAME
        with self.world.keeping(lambda: thread.guest) as kept:
            if kept is None:
                return ""
            lines = [self._image.line(pc) for pc in reversed(self.world.stack(kept))]
        return format_stack(name, lines, self._image.sources)

    def _living(self) -> list[OsThread]:
        return [thread for thread in (*self.running, *list(self._started.values())) if not thread.done.is_set()]

    @property
    def all_ended(self) -> bool:
        """Does no guest thread run any more?"""
        return not self._living()

    def finish(self) -> None:
        """Wait for all threads, as Python does at its end.  Re-raises an error of the host on an OS thread of theirs."""
        if any(thread.interrupted for thread in self.running):
            self._end()
        while living := self._living():
            if self._pressed > 1 and not self._ending:  # some thread catches what it is to end by, or masks it
                self._end()
            living[0].done.wait(GLANCE)
            self.check()
        self.check()

    def check(self) -> None:
        if self._failures:
            raise self._failures[0]
        if self.world.recording and self.world.recording.over and not self._ending:
            self._end(grace=0)

    def _end(self, grace: float = GRACE) -> None:
        """Interrupt every thread; after `grace` seconds stop those still running; abandon those blocked in output."""
        self._ending = True
        if grace:
            self._ask_to_end(lambda thread: thread.interrupt(), grace)
        self._ask_to_end(lambda thread: thread.stop(), GRACE)

    def _ask_to_end(self, ask: Callable[[OsThread], None], seconds: float) -> None:
        """Ask every thread, again and again, since others may be born; once at least, however long that takes on a busy machine."""
        until, asked = time.monotonic() + seconds, False
        while (living := self._living()) and (not asked or time.monotonic() < until):
            for thread in living:
                ask(thread)
            asked = True
            living[0].done.wait(GLANCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()


def run(
    program: Program,
    output: TextIO,
    stack: int = STACK,
    heap: int = SIZE,
    stress: bool = False,
    errors: TextIO | None = None,
    trace: BinaryIO | None = None,
    trace_limit: int | None = None,
    profile: Profile | None = None,
    policy: Policy = FOLDED,
    compiles: bool = True,
) -> Outcome:
    """Run a program until all its threads have ended.  Returns how the main thread ended.

    On Python's main thread, Control-C becomes the guest's KeyboardInterrupt, and SIGQUIT writes all stacks.  Arguments and errors: as
    `Vm`.  `trace`: gets a trace of the run, whose machine code is the traced variant; TraceFull: it has reached `trace_limit`, in bytes, where
    the run was ended (None: `safepoint.trace.files.LIMIT`).  `profile`: is filled; the machine code is the profiled variant; ValueError: both
    are given.  `compiles`: hot functions are compiled, in a run without either,
    unless one has more than 128 K instructions.  `policy`: where and how its threads check; NotWrittenFor: its text has not what the
    program needs, or the interpreter not its checks.
    """
    if trace is not None and profile is not None:
        raise ValueError("either a trace or a profile of a run: each is a variant of the machine code")
    refuse(program, policy)
    if policy.trigger not in MECHANISMS:
        raise NotWrittenFor(
            f"policy {policy.name}: the interpreter has no checks for trigger {trigger_file(policy.trigger).stem} (use --machine reference)"
        )
    variant = Variant(traced=trace is not None, profiled=profile is not None, policy=policy)
    if compiles and trace is None and profile is None and fits(program):
        variant = compiling(variant)
    with (
        Vm(program, output, stack, variant, heap, stress, errors) as vm,
        signals_handed_to(vm.interrupt, vm.show_stacks),
        vm.sample(profile) if profile is not None else nullcontext(),
    ):
        if trace_limit is not None and vm.world.recording is not None:
            vm.world.recording.limit(trace_limit)
        outcome = vm.start().outcome()
        vm.finish()
    if trace is not None and vm.world.recording is not None:
        vm.world.recording.write(trace, "safepoint_vm")
    return outcome
