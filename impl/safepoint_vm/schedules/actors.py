"""What takes part in a controlled run: a guest thread, which is entered an instruction at a time, and a requester."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from safepoint.differential.controlled import Done, Made
from safepoint.guest.faults import Fault
from safepoint.guest.heap import ThreadObject
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.words import INTERRUPT
from safepoint.trace.observe import Said
from safepoint_vm.generate.engine import Engine
from safepoint_vm.language.machine import Exited
from safepoint_vm.schedules.baton import Actor, Baton
from safepoint_vm.schedules.build import Built
from safepoint_vm.schedules.recorder import LOCAL, Recorder
from safepoint_vm.schedules.sites import RESTARTS, events, is_choice, looks
from safepoint_vm.schedules.words import Words
from safepoint_vm.threads.life import Blocked, ThreadLife
from safepoint_vm.threads.mutated import made
from safepoint_vm.threads.thread import WAITS, GuestThread
from safepoint_vm.threads.world import GuestWorld

T = TypeVar("T")
BITS = {name: bit for bit, name in REQUESTS.items()}


class Run(Protocol):
    """What an actor needs of the run that it is in: see `run.ControlledRun`."""

    built: Built
    engine: Engine
    baton: Baton
    recorder: Recorder
    words: Words
    guests: list[GuestActor]
    done: list[Done]
    made: list[Made]
    output: list[str]
    stopped: int
    releases: int
    operating: dict[int, bool]

    @property
    def world(self) -> GuestWorld: ...
    @property
    def all_ended(self) -> bool: ...
    def begin(self, guest: GuestThread, thread: ThreadObject | None) -> None: ...
    def has_ended(self, actor: GuestActor) -> None: ...
    def owed(self, actor: GuestActor) -> str: ...
    def living(self, number: int) -> GuestActor | None: ...
    def call(self, actor: Actor, procedure: str, record: int, *arguments: int, resume: int = 0) -> int: ...
    def wait(self, actor: Actor, status: int, ready: Callable[[], bool] | None = None) -> None: ...
    def finish(self, actor: Actor, procedure: str, record: int) -> None: ...
    def request(self, actor: Actor, kind: str, target: GuestActor) -> None: ...
    def stopping(self, actor: Actor) -> AbstractContextManager[None]: ...


class GuestActor(Actor):
    """A guest thread, and what `life` needs of its driver.  thread: its THREAD object; None: the first."""

    def __init__(self, guest: GuestThread, number: int, run: Run, thread: ThreadObject | None = None) -> None:
        super().__init__(run.recorder.thread(number))
        self.guest, self.record_number, self.thread, self._run = guest, number, thread, run
        self.life = made(ThreadLife, guest.engine)(guest, self)
        self.status = 0  # of the procedure in which it waits
        self.inside = False  # machine code runs an instruction from its beginning …
        self.entered = False  # … and has entered the slow path
        self.op = ""
        self._entry: int | None = None  # that the check reads, if it is one of compiled code
        self._owed = ""  # requests that the check must see
        self._slow = self._masked = self._frames = self._left = 0
        self._told = False  # its check has passed, and is in the trace
        self.born = thread is None
        self.early = 0  # requests for when it is born: birth drops all
        self._said = False  # the instruction under way is in the log

    def where(self) -> str:
        return f"{self.name} at {self.op or 'its beginning'}"

    # -- from birth to end

    def run(self) -> None:
        run = self._run
        if self.thread is not None:
            self._finish(self.life.born())
            self.born = True
            for kind, name in REQUESTS.items():
                if self.early & kind:
                    run.request(self, name, self)
        while not self.guest.ended:
            run.baton.check()
            if self.life.polling:
                self._finish(self.life.go_on())
            else:
                self._instruction()
        run.engine.routine("retire", self.guest.address)
        self.call("exit_thread")
        self.say()  # its last instruction: only now does a JOIN return
        run.has_ended(self)

    def _instruction(self) -> None:
        """Enter machine code once, and do what it was left for."""
        run, record, begins = self._run, self.guest.record, self.life.entry == "begin"
        if begins:
            self.op, self._said = run.built.opcode(record.get("pc")), False
            if is_choice(self.op, run.engine.policy, alone=len(run.guests) == 1):
                run.baton.point(self)
                run.baton.check()
                run.made.append(Made(self.name, "", 0, f"guest code: {self.op}"))
            if run.stopped:
                run.baton.refuse(f"{self.name} runs guest code while the world is stopped")
                run.baton.check()
            if run.operating.get(self.record_number):
                run.baton.refuse(f"{self.name} runs guest code while a requester runs an operation for it")
                run.baton.check()
        self.inside, self.entered, self._slow = begins, False, record.get("slow_entries")
        self._told, self._left = False, record.get("left")
        self._frames = record.get("frames")
        pc, frame = record.get("pc"), record.get("frame")
        self._entry, self._owed = run.built.entry(pc), run.owed(self) if begins else ""
        self.looked.clear()
        why = self.guest.enter(self.life.entry, int(begins))
        run.baton.check()
        run.recorder.settle()
        self._passed()
        self.inside = False
        if run.built.code and (why is Exited.STEPPED or (pc, frame) != (record.get("pc"), record.get("frame"))):
            self._went(why)
        pc, restarts = record.get("pc"), why in RESTARTS
        if why in WAITS:
            self.status = record.get("suspended")
        self._finish(self.life.serve(why))
        again = restarts and record.get("pc") == pc and not self.guest.ended
        if self.life.entry == "begin" and not self.life.polling and not again and not self.guest.ended:
            self.say()

    def _went(self, why: Exited) -> None:
        """Compiled code has executed the instruction and what follows, up to another, which is under way unless `why` says it has not begun."""
        pc = self.guest.record.get("pc")
        self._run.done.append(Done(self.guest.number, until=self._run.built.where(pc)))
        self.op, self._said = self._run.built.opcode(pc), why is Exited.STEPPED

    def say(self, starts: int = 0) -> None:
        """Log the instruction, once: its effect has happened."""
        if not self._said:
            self._said = True
            self._run.done.append(Done(self.guest.number, starts=starts))

    # -- events

    def _passed(self) -> None:
        """Of the instruction that was executed: its check has passed, unless it entered the slow path; and what it masks."""
        frames = self.guest.record.get("frames") - self._frames
        if (
            self.inside
            and not (self.entered or self._told)
            and looks(self.op, self._run.engine.policy, frames, self._left)
        ):
            self._run.recorder.say(self.name, self._events[0])
            if self._owed:
                self._run.baton.refuse(f"{self.name} passes {self.op} with {self._owed} pending")
        self.masks()

    @property
    def _events(self) -> tuple[Said, Said]:
        """What the check of the instruction under way is in a trace."""
        return events(self.op, self._run.engine.policy, self._entry)

    def notices(self, *, counts: bool = False) -> None:
        """Before an access of its own: what has happened since the last one without any.  counts: its check has passed, and stores."""
        if self.inside and not self.entered and self.guest.record.get("slow_entries") != self._slow:
            self.entered = True
            self._run.recorder.say(self.name, self._events[1])
        if counts:
            self._told = True
            self._run.recorder.say(self.name, self._events[0])
        self.masks()

    def masks(self) -> None:
        masked = self.guest.record.get("masked") & INTERRUPT
        if masked != self._masked:
            self._masked = masked
            self._run.recorder.say(self.name, LOCAL["masked" if masked else "unmasked"])

    # -- what waits

    def _finish(self, work: Generator[Blocked | None, None, T]) -> T:
        """Finish the work outside machine code."""
        while True:
            self._run.baton.check()
            try:
                blocked = next(work)
            except StopIteration as end:
                result: T = end.value
                return result
            awake = self.guest.record.get("wake") != 0
            if blocked and not awake and blocked.ready():
                self.call("awaken")
            else:
                self._run.wait(self, self.status, blocked.ready if blocked and not awake else None)

    # -- life.Host

    @property
    def guests(self) -> GuestWorld:
        return self._run.world

    def call(self, procedure: str, record: int = 0, resume: int = 0) -> int:
        if procedure == "block" and not resume:
            self._run.done.append(Done(self.guest.number, waits=True))
        self.status = self._run.call(self, procedure, record or self.guest.address, resume=resume)
        return self.status

    def make_room(self) -> bool:
        return self._finish(self.life.collect(self.guest.record.get("wanted")))

    def look(self) -> None:
        """Its programs have no instruction that works long."""

    def write(self, text: str) -> None:
        self._run.words.drain(self.index)  # a native region is long: its stores have reached memory
        self._run.output.append(text)
        self.say()

    def room(self) -> bool:
        return self._run.world.room

    def start(self) -> Fault | None:
        def go(born: GuestThread, thread: ThreadObject) -> None:
            self.say(starts=thread.number)
            self._run.begin(born, thread)

        return self._run.world.start_for(self.guest, go)

    def ended(self, number: int) -> bool:
        return all(actor.over for actor in self._run.guests if actor.guest.number == number)

    def post_to(self, number: int, kind: int) -> None:
        actor = self._run.living(number)
        if actor is not None:
            if actor.born:
                self._run.request(self, REQUESTS[kind], actor)
            else:
                actor.early |= kind

    def living(self, number: int) -> GuestThread | None:
        actor = self._run.living(number)
        return None if actor is None else actor.guest

    def retry(self) -> Callable[[], bool]:
        before = self._run.releases
        return lambda: self._run.releases != before

    def released(self) -> None:
        self._run.releases += 1

    def now(self) -> float:
        """Every sleep ends at once."""
        return math.inf


class Requester(Actor):
    """Makes its requests one after the other.  asked: as `differential.controlled.Case` has them."""

    def __init__(self, name: str, asked: tuple[str, ...], run: Run) -> None:
        super().__init__(name)
        self._asked, self._run = asked, run
        self._now = ""

    def where(self) -> str:
        return f"{self.name} in {self._now or 'nothing yet'}"

    def run(self) -> None:
        for asked in self._asked:
            self._now = asked
            kind, _, number = asked.partition("/")
            if kind == "STOP":
                self._stop()
                continue
            wanted = int(number or 0)
            if len(self._run.guests) <= wanted:
                self._run.baton.wait(self, lambda wanted=wanted: len(self._run.guests) > wanted or self._run.all_ended)  # type: ignore[misc]
            if len(self._run.guests) > wanted:
                self._run.request(self, kind, self._run.guests[wanted])

    def _stop(self) -> None:
        run = self._run
        run.finish(self, "stop_world", run.world.address)
        with run.stopping(self):
            run.baton.point(self, long=True)
            run.baton.check()
            run.baton.point(self, long=True)
            run.baton.check()
        run.finish(self, "start_world", run.world.address)
