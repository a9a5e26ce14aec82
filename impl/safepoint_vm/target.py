"""The interpreter under judgement: one guest thread, driven step by step, everything on one OS thread.

The engine is hooked and counts; it is stepped through a second table, whose handlers dispatch through the one that
requesters poison.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

from safepoint.conform.stepped import HANDSHAKE, SAMPLE, UNBOUNDED, GoOn, Stepped
from safepoint.conform.target import INTERRUPT, STOP, Observation, Seen
from safepoint.guest import compiler
from safepoint.guest.code import Program
from safepoint.policy import FOLDED
from safepoint.protocol import HANDSHAKE as HANDSHAKE_BIT
from safepoint.protocol import INTERRUPT as INTERRUPT_BIT
from safepoint.protocol import SAMPLE as SAMPLE_BIT
from safepoint.protocol import STOP as STOP_BIT
from safepoint_vm.engine import Variant, engine
from safepoint_vm.image import Image
from safepoint_vm.machine import Exited
from safepoint_vm.protocol_code import OWNED_BY_WORLD
from safepoint_vm.thread import WAITS, GuestThread
from safepoint_vm.triggers import TRIGGERS
from safepoint_vm.world import GuestWorld

HOOK = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)
KINDS = {STOP_BIT: STOP, INTERRUPT_BIT: INTERRUPT, SAMPLE_BIT: SAMPLE, HANDSHAKE_BIT: HANDSHAKE}


def in_turn(procedures: Iterator[GoOn]) -> GoOn:
    """One procedure under way, made of several."""
    current: GoOn | None = next(procedures)

    def go_on() -> bool:
        nonlocal current
        while current and current():
            current = next(procedures, None)
        return current is None

    return go_on


class NotSteppable(Exception):
    """The guest's next instruction needs another guest thread, or time: here is one thread, and no clock."""


class FoldedTarget(Stepped):
    """Our interpreter with the `folded` policy.  `mutant`: a mistake of the protocol's text that is compiled in; `stress`: every
    allocation collects.
    """

    name = "folded"
    bound = FOLDED.declared

    def __init__(self, mutant: str = "", stress: bool = False) -> None:
        self._stress = stress
        self._engine = engine(Variant(counting=True, hooked=True, mutant=mutant))
        self._hook = HOOK(self._hooked)  # kept: ctypes does not

    def mutated(self, mutant: str) -> FoldedTarget:
        return FoldedTarget(mutant, self._stress)

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        self.load_program(compiler.compile_program(source, file), stack)

    def load_program(self, program: Program, stack: int = 4096) -> None:
        """As `load`, for code that is compiled already."""
        self._image, self._stack = Image(self._engine, program), stack

    def start(self) -> None:
        world = GuestWorld(self._engine, stress=self._stress)
        variables = self._image.globals()
        thread = world.add(
            lambda record: GuestThread(self._engine, self._image, variables, world.heap, self._stack, record)
        )
        for record in (world.record, thread.record):
            record.set("hook", ctypes.cast(self._hook, ctypes.c_void_p).value or 0)
        self._world, self._thread = world, thread
        self._output: list[str] = []
        self._seen: list[Seen] = []
        self._waiting: tuple[GoOn, str] | None = None  # a procedure of the guest's, and where to enter then
        self._inside = False
        self._error: BaseException | None = None
        self.stops = []

    # -- what the driver is built on

    def request(self, procedure: str, *args: int, resume: int = 0) -> GoOn:
        record = (self._world if procedure in OWNED_BY_WORLD else self._thread).address
        status = resume

        def go_on() -> bool:
            nonlocal status
            status = self._engine.procedure(procedure, record, *args, resume=status)
            self._reraise()
            return status == 0

        return go_on

    def advance(self, count: int) -> int:
        """An instruction whose check site waits is counted when it is through."""
        if self._inside:
            raise RuntimeError("the guest is inside machine code: its own slow path cannot step it")
        left, handler = count, "begin"
        if self._waiting:
            go_on, handler = self._waiting
            if not go_on():
                return 0
            self._waiting, left = None, left - 1
        while not (self.ended or self.waits) and (left > 0 or handler != "begin"):
            left, handler = self._execute(handler, left), "begin"
        return count - left

    def _execute(self, handler: str, budget: int) -> int:
        """Enter machine code once, and do what it was left for; what is left of the budget."""
        if handler == "skip":
            self._thread.skip()
            return budget
        free = budget >= UNBOUNDED // 2
        self._inside = True
        why = self._thread.enter(handler, None if free else budget)
        self._inside = False
        self._reraise()
        left = budget if free else self._thread.record.get("budget")
        place = self._thread.record.get("pc")
        if self._thread.serve(why, self._make_room):
            if self.ended:
                self.request("leave")()  # a thread that has ended is outside guest code
            if why is Exited.NEEDS_ROOM and place == self._thread.record.get("pc"):
                return left if free else left + 1  # it begins again
        elif why is Exited.PRINT:
            self._print()
        elif why in WAITS:
            procedure, after = WAITS[why]
            self._waiting = self.request(procedure, resume=self._thread.record.get("suspended")), after
        elif why is Exited.COLLECTS:
            self._skip_after(in_turn(self._collect()))
        elif why is Exited.ASKS:
            self._ask()
        elif why in (Exited.THREADING, Exited.LOCKED, Exited.RELEASED):
            raise NotSteppable(
                f"{self._thread.place()}: a program with other threads, or that sleeps, is not steppable"
            )
        return left + 1 if self.waits and not free else left

    def _ask(self) -> None:
        """Of a thread that nobody has started: it hears nothing of an INTERRUPT, and a HANDSHAKE is over at once."""
        if (fault := self._thread.refused()) is not None:
            self._thread.throw(fault, self._make_room)
        elif self._thread.place().instruction.op == "INTERRUPT":
            self._thread.skip()
        else:
            self.request("leave")()
            self._skip_after(self.request("reenter"))

    def _make_room(self) -> bool:
        """Everything is on one OS thread, and the guest is outside machine code: nobody is to be stopped."""
        return self._world.collect(self._thread)

    def _print(self) -> None:
        text = self._thread.printed(self._make_room)
        if text is None:
            return
        self.request("leave")()
        self._output.append(text)
        self._skip_after(self.request("reenter"))

    def _skip_after(self, go_on: GoOn) -> None:
        if go_on():
            self._thread.skip()
        else:
            self._waiting = go_on, "skip"

    def _collect(self) -> Iterator[GoOn]:
        """The procedures of a COLLECT, one after the other."""
        yield self.request("stop_world_from")
        self._world.collect(self._thread)
        yield self.request("start_world")
        yield self.request("reenter")

    @property
    def waits(self) -> bool:
        return self._waiting is not None

    @property
    def ended(self) -> bool:
        return self._thread.ended

    # -- what the judge sees

    def observe(self) -> Observation:
        thread = self._thread
        return Observation(
            ended=self.ended,
            output="".join(self._output),
            error=thread.fault.kind if thread.fault else "",
            traceback=tuple(f"{function}:{line}" for _, line, function in thread.traceback()) if thread.fault else (),
            frames=thread.record.get("frames"),
            back_edges=thread.record.get("back_edges"),
            seen=tuple(self._seen),
            slow_entries=thread.record.get("slow_entries"),
            words=self._words(),
        )

    def _words(self) -> dict[str, str]:
        thread, world = self._thread.record, self._world.record
        triggers = {t.word: "poison" if t.is_poisoned(thread) else "real" for t in TRIGGERS.values()}
        return {
            **triggers,
            **{word: str(thread.get(word)) for word in ("pending", "state", "operation", "wake")},
            **{word: str(world.get(word)) for word in ("stop", "lock")},
        }

    # -- callbacks from machine code: no exception may cross it

    def _hooked(self, _record: int, step: int) -> None:
        """Before a shared access of any procedure (its step); or where a request is served (minus its kind)."""
        if self._error is not None:
            return
        try:
            if step < 0:
                self._served(KINDS[-step])
            else:
                self.watching()
        except BaseException as error:  # noqa: BLE001  -- raised again by `_reraise`
            self._error = error
            self._thread.abandon()

    def _served(self, kind: str) -> None:
        record = self._thread.record
        self._seen.append(Seen(kind, str(self._thread.place()), record.get("frames"), record.get("back_edges")))

    def _reraise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
