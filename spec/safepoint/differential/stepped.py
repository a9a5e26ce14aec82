"""A target whose every move is the judge's: requests and guest threads share one OS thread, so that each run is the same.

The reference machine and the interpreter are both driven by this class; they offer four primitives, and the book-keeping of
requests under way, of stops that wait for the guest and guests that wait for a stop to end, stands here once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from safepoint.conform.target import INTERRUPT, STOP, NotOffered, Target
from safepoint.guest.lockstep import MAIN
from safepoint.protocol.words import INTERRUPT as INTERRUPT_BIT
from safepoint.protocol.words import SAMPLE as SAMPLE_BIT

UNBOUNDED = 1 << 40
SAMPLE, HANDSHAKE = "SAMPLE", "HANDSHAKE"
NOTHING = "NOTHING"
"""A poison without a request: the check fails, and the slow path must find nothing to do."""
POSTED: dict[str, tuple[str, *tuple[int, ...]]] = {
    INTERRUPT: ("post", INTERRUPT_BIT),
    SAMPLE: ("post", SAMPLE_BIT),
    NOTHING: ("poison",),
}
"""Kind -> the procedure that asks a thread for it, and its arguments."""
GoOn = Callable[[], bool]
"""A procedure under way: run it as far as it goes.  True: it is through; False: it waits."""


class GuestStuck(Exception):
    """It cannot go on: it waits for something that nobody is about to do, as a request was lost, or a stop never ends."""


class Stop:
    """A stop of the world under way: stop, and start again at once."""

    procedure = "stop_world"

    def __init__(self, target: Stepped, thread: int) -> None:
        self.target, self.running = target, False
        self.go_on = target.request(self.procedure, thread=thread)

    def advance(self) -> bool:
        """True: it is over."""
        self.running = True
        try:
            return self.go_on() and self.ends()
        finally:
            self.running = False

    def ends(self) -> bool:
        return self.target.request("start_world")()


class Handshake(Stop):
    """… or a handshake, which waits for the guest, too."""

    procedure = "handshake"

    def ends(self) -> bool:
        return True


WAITING = {STOP: Stop, HANDSHAKE: Handshake}


class Stepped(Target):
    """Subclasses offer `request`, `advance`, `living`, `checks`, and call `watching` before each access of a procedure."""

    stops: list[Stop]  # and handshakes
    callback: Callable[[], None] | None = None
    busy = False

    @abstractmethod
    def request(self, procedure: str, *args: int, thread: int = MAIN) -> GoOn:
        """Prepare a procedure of the protocol's text that anybody may run: a thread's post(kind), poison or handshake, the
        world's stop_world or start_world.
        """

    @abstractmethod
    def advance(self, count: int) -> int:
        """Execute up to `count` guest instructions, until all threads have ended or nobody can go on; how many it was
        (UNBOUNDED: any number).
        """

    @property
    @abstractmethod
    def living(self) -> list[int]:
        """The numbers of the threads that have not ended."""

    @abstractmethod
    def checks(self, thread: int) -> tuple[int, int]:
        """How many frame pushes and back-edges a thread has executed."""

    @property
    def ended(self) -> bool:
        return not self.living

    def post(self, kind: str, thread: int = MAIN) -> None:
        """`thread`: whom it is for.  A STOP is for all."""
        if kind in WAITING:
            if not self.ended if kind == STOP else thread in self.living:
                self.stops.append(WAITING[kind](self, thread))
                self._poll()
        elif kind in POSTED:
            if thread in self.living:
                procedure, *args = POSTED[kind]
                self.request(procedure, *args, thread=thread)()
        else:
            raise NotOffered(kind)

    def step(self, count: int = 1) -> bool:
        while self.living:
            count -= self.advance(count)
            stuck = bool(self.living)
            if stuck and count <= 0:
                return True
            if not self._poll() and stuck:
                if any(s.running for s in self.stops):
                    return True  # nested in that stop's own step: it goes on when we return
                raise GuestStuck("the guest waits for ever")
        return False

    def watch(self, callback: Callable[[], None] | None) -> None:
        self.callback = callback

    def watching(self) -> None:
        """Tell the judge; what the judge then does itself is not told again."""
        if self.callback and not self.busy:
            self.busy = True
            try:
                self.callback()
            finally:
                self.busy = False

    def _poll(self) -> bool:
        """Let every stop under way go on; whether any got through."""
        progress, again = False, True
        while again:
            again = False
            for stop in list(self.stops):
                if not stop.running and stop.advance():
                    self.stops.remove(stop)
                    progress = again = True
        return progress
