"""OS threads of which one runs at a time: who has the baton decides, with the scheduler, who has it next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from safepoint.differential.schedulers import Scheduler

PATIENCE = (
    60.0  # seconds that an OS thread waits for the baton: beyond it this program is wrong, not the one under test
)
MOST = 20_000
"""Choice points of a run, at most: one that is longer does not end."""


class Aborted(Exception):
    """The run is over: an actor in the middle of something ends."""


class Actor:
    """Has an OS thread.  index: in the order of their beginning.  ready: None, or it cannot go on before this holds.

    looked: the accesses that its procedure has made: number of the step, address, and what it found.
    """

    index = 0

    def __init__(self, name: str) -> None:
        self.name = name
        self.looked: list[tuple[int, int, int]] = []
        self.over = False
        self.ready: Callable[[], bool] | None = None
        self.turn = threading.Lock()
        self.turn.acquire()

    def run(self) -> None:
        """What it does.  May raise Aborted."""
        raise NotImplementedError

    def where(self) -> str:
        """Where it waits, in words."""
        return self.name


class Baton:
    """flush: has the oldest late store of an actor reach memory; stores: the actors that have one."""

    def __init__(self, scheduler: Scheduler, stores: Callable[[], list[int]], flush: Callable[[int], None]) -> None:
        self.actors: list[Actor] = []
        self.current: Actor
        self.points = 0
        self.choices: list[tuple[int, int]] = []
        self.wrong = ""
        self.aborted = False
        self.error: BaseException | None = None
        self._scheduler, self._stores, self._flush = scheduler, stores, flush
        self._done = threading.Event()
        self._threads: list[threading.Thread] = []

    def add(self, actor: Actor) -> None:
        """Begin an actor, which waits for its first turn."""
        actor.index = len(self.actors)
        self.actors.append(actor)
        self._threads.append(threading.Thread(target=self._main, args=(actor,), name=actor.name, daemon=True))
        self._threads[-1].start()

    def run(self) -> None:
        """Until every actor is over.  Re-raises what broke on the way."""
        first = self._scheduler.choose(0, range(len(self.actors)), 0, preempts=False)
        self.choices += [(0, first)] if first else []
        self.points = 1
        self._hand(self.actors[first])
        if not self._done.wait(PATIENCE):
            raise TimeoutError("the actors of a controlled run do not end")
        for thread in self._threads:
            thread.join(PATIENCE)
        if self.error is not None:
            raise self.error

    def _main(self, actor: Actor) -> None:
        try:
            self._await(actor)
            self.check()
            actor.run()
        except Aborted:
            pass
        except BaseException as error:  # noqa: BLE001  -- re-raised by `run`
            self.fail(error)
        while actor.index in self._stores():  # an OS thread that ends has none left
            self._flush(actor.index)
        actor.over = True
        if not self.aborted:
            try:
                self._choose(actor)
                return
            except Aborted:
                pass
        self._drain()

    def _drain(self) -> None:
        """Aborted: one after the other ends."""
        for other in self.actors:
            if not other.over:
                self._hand(other)
                return
        self._done.set()

    # -- for the actor that has the baton

    def point(self, actor: Actor, *, long: bool = False) -> None:
        """A choice point: it may go on, or another.  long: what it does takes long, so that another that goes on preempts nothing.

        Does not raise: machine code may stand below.
        """
        if not self.aborted:
            with suppress(Aborted):
                self._choose(actor, long=long)

    def wait(self, actor: Actor, ready: Callable[[], bool]) -> None:
        """It cannot go on before `ready()`.  Raises Aborted."""
        self.check()
        actor.ready = ready
        self._choose(actor)
        actor.ready = None
        self.check()

    def check(self) -> None:
        """Raises Aborted if the run is over."""
        if self.aborted:
            raise Aborted

    def refuse(self, wrong: str) -> None:
        """Something is wrong; the first one counts.  The run is over."""
        self.wrong = self.wrong or wrong
        self.aborted = True

    def fail(self, error: BaseException) -> None:
        """This program is wrong."""
        self.error = self.error or error
        self.aborted = True

    def _choose(self, actor: Actor, *, long: bool = False) -> None:
        """Hand the baton on, and come back when it is this actor's turn again (not if it is over).  Raises Aborted."""
        while True:
            able = [other.index for other in self.actors if not other.over and (other.ready is None or other.ready())]
            moves = able + [-1 - index for index in self._stores()]
            if not moves:
                return self._ends(actor)
            if self.points == MOST:
                self.refuse(f"no end after {MOST} choice points: {self._standing()}")
                raise Aborted
            goes_on = actor.index in able
            default = actor.index if goes_on else moves[0]
            move = self._scheduler.choose(self.points, moves, default, preempts=goes_on and not long)
            if move != default:
                self.choices.append((self.points, move))
            self.points += 1
            if move >= 0:
                break
            self._flush(-1 - move)
        if move != actor.index:
            self._hand(self.actors[move])
            if not actor.over:
                self._await(actor)
        return None

    def _ends(self, actor: Actor) -> None:
        if all(other.over for other in self.actors):
            self._done.set()
            return
        self.refuse(f"no actor can go on: {self._standing()}")
        raise Aborted

    def _standing(self) -> str:
        return ", ".join(other.where() for other in self.actors if not other.over)

    def _hand(self, actor: Actor) -> None:
        self.current = actor
        actor.turn.release()

    def _await(self, actor: Actor) -> None:
        if not actor.turn.acquire(timeout=PATIENCE):
            self.fail(TimeoutError(f"{actor.name} never had its turn"))
            raise Aborted
        if self.aborted and actor.ready is not None:
            raise Aborted
