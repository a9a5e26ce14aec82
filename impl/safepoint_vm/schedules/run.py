"""One controlled run: the world, its actors, and what machine code calls before each shared access of the protocol."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from safepoint.conform.target import Observation
from safepoint.differential.controlled import INSTALLS, Case, Done, Made, Ran
from safepoint.differential.schedulers import Scheduler
from safepoint.guest.heap import ThreadObject
from safepoint.guest.operations.threads import uncaught_text
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.words import ENDED, NOTHING
from safepoint_vm.generate.hooks import CHECK, HEARD
from safepoint_vm.schedules.actors import BITS, GuestActor, Requester
from safepoint_vm.schedules.baton import Actor, Baton
from safepoint_vm.schedules.build import build
from safepoint_vm.schedules.recorder import LOCAL, Recorder
from safepoint_vm.schedules.words import Words
from safepoint_vm.threads.mutated import made
from safepoint_vm.threads.thread import GuestThread
from safepoint_vm.threads.world import GuestWorld

HOOK = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)
HEAP = 1 << 20  # bytes
POSTED = BITS["INTERRUPT"] | BITS["TERMINATE"] | BITS["SAMPLE"]
"""Requests that one `post` makes, and that no other procedure takes back."""
REQUESTS_OF = ("post", "poison", "awaken", "handshake", "stop_world", "start_world")
"""What a requester runs; a guest thread that does is one under another name, as docs/trace.md has it."""


class Stops(GuestWorld):
    """A world whose collections are choice points, too."""

    run: ControlledRun

    def make_room(self, thread: GuestThread, collections: int) -> bool:
        actor = self.run.baton.current
        with self.run.stopping(actor):
            self.run.baton.point(actor, long=True)
            self.run.baton.check()
            room = super().make_room(thread, collections)
            self.run.baton.point(actor, long=True)
            self.run.baton.check()
        return room

    def compile(self, thread: GuestThread) -> None:
        actor = self.run.baton.current
        with self.run.stopping(actor):
            self.run.baton.point(actor, long=True)
            self.run.baton.check()
            super().compile(thread)
            self.run.made.append(Made(actor.name, "", 0, "compiled code: installed"))
            self.run.baton.point(actor, long=True)
            self.run.baton.check()


class ControlledRun:
    """stopped: stops that believe that the world is stopped.  operating: records for which a requester runs an operation.

    releases: of contended locks.  built: what it shares with others.
    """

    def __init__(self, case: Case, scheduler: Scheduler, mutant: str) -> None:
        self.case, self._mutant = case, mutant
        self.built = build(case.source, case.program, mutant, case.late, case.policy, case.code).fresh()
        self.engine = self.built.engine
        self.world = made(Stops, self.engine)(self.engine, HEAP, case.full)
        self.world.run = self
        self.words = Words(self.world.record)
        self.recorder = Recorder(self.words, self.engine.policy, self.built.entries)
        self.baton = Baton(scheduler, lambda: self.words.waiting, self.words.flush)
        self.guests: list[GuestActor] = []
        self.done: list[Done] = []
        self.made: list[Made] = []
        self.output: list[str] = []
        self.uncaught: list[str] = []
        self.stopped = self.releases = 0
        self.operating: dict[int, bool] = {}
        self._asked: dict[int, int] = {}  # actor -> the record of which it is asking something
        self._operations: Counter[tuple[str, int]] = Counter()
        self._sites: list[tuple[str, str, int]] = []
        self._hook = HOOK(self._hooked)  # an attribute, because ctypes does not keep it alive
        self._address = ctypes.cast(self._hook, ctypes.c_void_p).value or 0
        self.world.record.set("hook", self._address)

    def run(self) -> Ran:
        """Until all actors have ended, or something is wrong.  Re-raises what broke on the way."""
        image, heap = self.built.image, self.world.heap
        variables = image.globals()

        def add() -> GuestThread:
            return self.world.add(
                lambda record: made(GuestThread, self.engine)(
                    self.engine, image, variables, heap, self.case.stack, record
                )
            )

        self.begin(add(), None)
        for late in [add() for _ in range(self.case.records)]:  # a trace names every record in its header
            late.record.set("state", ENDED)
            self.words.add(self.world.number(late), late.record)
            self.recorder.thread(self.world.number(late))
            late.record.set("hook", self._address)
            self.world.remove(late)
        for number, asked in enumerate(self.case.requesters, 1):
            self.baton.add(Requester(f"R{number}", asked, self))
        self.baton.run()
        return self._ran()

    def _ran(self) -> Ran:
        main = self.guests[0].guest
        asked, ran = (sum(n for (op, _), n in self._operations.items() if op == what) for what in ("asked", "ran"))
        if not self.baton.wrong and asked != ran:
            self.baton.refuse(f"{asked} operations were asked for, and {ran} were run")
        observation = Observation(
            ended=True,
            output="".join(self.output),
            error=main.fault.kind if main.fault else "",
            traceback=tuple(f"{function}:{line}" for _, line, function in main.traceback()) if main.fault else (),
            frames=0, back_edges=0, seen=(), slow_entries=0, others=tuple(self.uncaught),
        )  # fmt: skip
        baton = self.baton
        ran_ = Ran(self.case, tuple(baton.choices), baton.points, len(baton.actors), len(self.guests))
        ran_.wrong, ran_.done, ran_.observation = baton.wrong, self.done, observation
        ran_.sites, ran_.made = tuple(self._sites), self.made
        if not (self.case.late or self.case.code == INSTALLS) and len(self.recorder.names) == 1 + self.case.records:
            ran_.events, ran_.header = self.recorder.events, self.recorder.header()
        return ran_

    # -- guest threads

    def begin(self, guest: GuestThread, thread: ThreadObject | None) -> None:
        """A guest thread begins, in the record that it has."""
        number = self.world.number(guest)
        if guest.address in self._asked.values():
            self.baton.refuse(f"a thread begins in record {number}, of which another actor is asking something")
        guest.record.set("hook", self._address)
        self.words.add(number, guest.record)
        actor = GuestActor(guest, number, self, thread)
        self.guests.append(actor)
        self.baton.add(actor)

    def has_ended(self, actor: GuestActor) -> None:
        guest, thread = actor.guest, actor.thread
        self.world.remove(guest)
        if thread is not None and guest.fault is not None:
            lines, source = guest.traceback(), self.built.image.program.source
            self.uncaught.append(uncaught_text(thread, guest.fault, lines, source))

    def living(self, number: int) -> GuestActor | None:
        """The started guest thread of this number, if it has not ended."""
        return next((a for a in self.guests if a.thread is not None and a.guest.number == number and not a.over), None)

    @property
    def all_ended(self) -> bool:
        return all(actor.over for actor in self.guests)

    def owed(self, actor: GuestActor) -> str:
        """What a thread's next check must see, where no trace says so: requests whose `post` has returned.  Not where stores come late."""
        record = actor.guest.record
        if self.case.code != INSTALLS or self.case.late or actor.guest.address in self._asked.values():
            return ""
        bits = record.get("pending") & ~(record.get("masked") | record.get("ending"))
        return " and ".join(name for bit, name in REQUESTS.items() if bits & POSTED & bit)

    # -- procedures

    def call(self, actor: Actor, procedure: str, record: int, *arguments: int, resume: int = 0) -> int:
        """Run a procedure as far as it goes; 0: it has returned, else its status.  Raises Aborted."""
        self.baton.check()
        actor.looked.clear()
        if procedure in ("post", "handshake"):
            self._asked[actor.index] = record
        status = self.engine.procedure(procedure, record, *arguments, resume=resume)
        self.baton.check()
        self.recorder.settle()
        if not status:
            self._asked.pop(actor.index, None)
        return status

    def wait(self, actor: Actor, status: int, ready: Callable[[], bool] | None = None) -> None:
        """Its procedure waits: until a word that it has looked at since it stood there differs, or `ready`.  Raises Aborted."""
        self.words.drain(actor.index)
        at, looked = (status >> 8) - 1, actor.looked
        first = max((n for n, (number, _, _) in enumerate(looked) if number == at), default=0)
        seen, get = [(address, found) for _, address, found in looked[first:]], self.words.get
        self.baton.wait(
            actor, lambda: (ready is not None and ready()) or any(get(address) != found for address, found in seen)
        )

    def finish(self, actor: Actor, procedure: str, record: int) -> None:
        """Run a procedure to its end.  Raises Aborted."""
        status = self.call(actor, procedure, record)
        while status:
            self.wait(actor, status)
            status = self.call(actor, procedure, record, resume=status)

    def request(self, actor: Actor, kind: str, target: GuestActor) -> None:
        """Request something of a guest thread, unless it has ended, or is not born.  Raises Aborted."""
        with self.world.keeping(lambda: target.guest) as kept:
            if kept is None or not target.born:
                return
            if kind == "HANDSHAKE":
                self.finish(actor, "handshake", kept.address)
            elif self.call(actor, "post", kept.address, BITS[kind]):
                self.baton.refuse(f"{actor.name} waits in a post of {kind}")
                self.baton.check()

    @contextmanager
    def stopping(self, actor: Actor) -> Iterator[None]:
        """The world is stopped."""
        self.recorder.say(actor.name, LOCAL["stop-reached"])
        self.stopped += 1
        try:
            yield
        finally:
            self.stopped -= 1

    # -- callbacks from machine code: no exception may cross it

    def _hooked(self, record: int, what: int, word: int, a: int, b: int) -> int:
        try:
            if what < 0:
                return self._heard(HEARD[-what], word)
            return self._access(what, word, a, b)
        except BaseException as error:  # noqa: BLE001  -- re-raised by `Baton.run`
            self.baton.fail(error)
            return 0

    def _access(self, what: int, word: int, a: int, b: int) -> int:
        """Before an access, or in its place: a choice point."""
        actor, words = self.baton.current, self.words
        procedure, step = self.built.step(what, self._mutant)
        late = self.case.late and procedure != CHECK  # the handler makes that store itself
        op = "swap" if step.publishes else step.op  # it waits in no store buffer
        if self.baton.aborted:
            return words.access(actor.index, op, word, a, b) if late else 0
        by = actor.name
        if not late:
            self.recorder.settle(step)
        if procedure in REQUESTS_OF:
            by = f"{by} asks" if isinstance(actor, GuestActor) else by
        elif isinstance(actor, GuestActor):
            actor.notices(counts=procedure == CHECK)
        if word not in words.cells:
            self.baton.refuse(f"{by} makes an access of {procedure} to {word:#x}, where no word of the text is")
            return 0
        cell = words.cells[word]
        assert isinstance(cell.owner, int | str)
        operates = procedure == "handshake" and step.where[-1] == "operate"
        if operates:
            self.operating[int(cell.owner)] = True
        self.baton.point(actor, long=operates)
        if cell.word == "operation" and step.op == "store" and a == NOTHING:
            self.operating.pop(int(cell.owner), None)
        self.made.append(Made(by, step.file, step.line, step.source))
        found = words.access(actor.index, op, word, a, b) if late else words.get(word)
        actor.looked.append((step.number, word, found if step.op == "load" else words.get(word)))
        if not (late or self.baton.aborted):
            self.recorder.begin(by, step, cell, found, word)
        return found

    def _heard(self, op: str, kind: int) -> int:
        """What the text says beside its accesses."""
        if self.baton.aborted:
            return 0
        actor = self.baton.current
        self.recorder.ghost(op, kind)
        if op in ("asked", "ran"):
            self._operations[op, 0] += 1
            if self._operations["ran", 0] > self._operations["asked", 0]:
                self.baton.refuse("an operation is run twice")
        elif op == "served" and REQUESTS[kind] in ("INTERRUPT", "TERMINATE") and isinstance(actor, GuestActor):
            number = actor.guest.number
            self.done.append(Done(number, REQUESTS[kind]))
            self._sites.append((REQUESTS[kind], str(actor.guest.code_address()), number))
        return 0
