"""A target whose every move is the judge's: requests and guest share one OS thread, so that each run is the same.

The reference machine and the interpreter are both driven by this class; they offer five primitives, and the book-keeping of
requests under way, of stops that wait for the guest and guests that wait for a stop to end, stands here once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from safepoint.conform.target import INTERRUPT, STOP, Target
from safepoint.protocol import INTERRUPT as INTERRUPT_BIT
from safepoint.protocol import SAMPLE as SAMPLE_BIT

UNBOUNDED = 1 << 40
SAMPLE, HANDSHAKE = "SAMPLE", "HANDSHAKE"
NOTHING = "NOTHING"
"""A poison without a request: the check fails, and the slow path must find nothing to do."""
GoOn = Callable[[], bool]
"""A procedure under way: run it as far as it goes.  True: it is through; False: it waits."""


class GuestStuck(Exception):
    """The guest waits for something that nobody is about to do: a request was lost, or a stop never ends."""


class Stop:
    """A stop of the world under way: stop, and start again at once."""

    procedure = "stop_world"

    def __init__(self, target: Stepped) -> None:
        self.target, self.running = target, False
        self.go_on = target.request(self.procedure)

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
    """Subclasses offer `request`, `advance`, `waits`, `ended`, and call `watching` before each shared access of a procedure."""

    stops: list[Stop]  # and handshakes
    callback: Callable[[], None] | None = None
    busy = False

    @abstractmethod
    def request(self, procedure: str, *args: int) -> GoOn:
        """Prepare a procedure of the protocol's text that anybody may run: post(kind), poison, handshake, stop_world, start_world."""

    @abstractmethod
    def advance(self, count: int) -> int:
        """Execute up to `count` guest instructions, until the guest ends or waits; how many it was (UNBOUNDED: any number)."""

    @property
    @abstractmethod
    def waits(self) -> bool:
        """The guest is inside a procedure that waits."""

    @property
    @abstractmethod
    def ended(self) -> bool: ...

    def post(self, kind: str) -> None:
        if self.ended:
            return
        if kind == INTERRUPT:
            self.request("post", INTERRUPT_BIT)()
        elif kind == SAMPLE:
            self.request("post", SAMPLE_BIT)()
        elif kind == NOTHING:
            self.request("poison")()
        elif kind in WAITING:
            stop = WAITING[kind](self)
            self.stops.append(stop)
            self._poll()
        else:
            raise ValueError(f"no kind of request {kind!r}")

    def step(self, count: int = 1) -> bool:
        while not self.ended:
            count -= self.advance(count)
            if self.ended or self.waits:
                progress = self._poll()
                if self.waits and not progress:
                    if any(s.running for s in self.stops):
                        return True  # nested in that stop's own step: it goes on when we return
                    raise GuestStuck("the guest waits, and nobody is about to wake it")
            elif count <= 0:
                return True
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
