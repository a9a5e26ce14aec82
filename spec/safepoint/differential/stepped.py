"""A target that the judge drives step by step: requests and guest threads share one OS thread, so every run is the same.

Drives the reference machine and the interpreter, which offer five primitives.  Keeps track of the requests under way: stops
that wait for the guest, and guests that wait for a stop to end.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from safepoint.conform.target import ABILITIES, HANDSHAKE, INTERRUPT, STOP, GuestStuck, NotOffered, Target
from safepoint.guest.lockstep import MAIN
from safepoint.protocol.policies import FOLDED
from safepoint.protocol.policy import Policy
from safepoint.protocol.words import INTERRUPT as INTERRUPT_BIT
from safepoint.protocol.words import SAMPLE as SAMPLE_BIT
from safepoint.protocol.words import TERMINATE as TERMINATE_BIT

UNBOUNDED = 1 << 40
SAMPLE, TERMINATE = "SAMPLE", "TERMINATE"
NOTHING = "NOTHING"
"""A poison without a request: the check fails, and the slow path must find nothing to do."""
POSTED: dict[str, tuple[str, *tuple[int, ...]]] = {
    INTERRUPT: ("post", INTERRUPT_BIT),
    SAMPLE: ("post", SAMPLE_BIT),
    TERMINATE: ("post", TERMINATE_BIT),
    NOTHING: ("poison",),
}
"""Kind of request -> the procedure that posts it to a thread, and its arguments."""
GoOn = Callable[[], bool]
"""A procedure under way: runs it as far as it goes.  True: it has returned; False: it waits."""


class Stop:
    """A stop of the world under way: it starts the world again as soon as it has stopped it."""

    procedure = "stop_world"

    def __init__(self, target: Stepped, thread: int) -> None:
        self.target, self.running = target, False
        self.go_on = target.request(self.procedure, thread=thread)

    def forked(self, target: Stepped, go_on: GoOn) -> Stop:
        """The same in a fork of its target."""
        other = object.__new__(type(self))
        other.target, other.running, other.go_on = target, self.running, go_on
        return other

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
    """A handshake under way, which waits for the guest, too."""

    procedure = "handshake"

    def ends(self) -> bool:
        return True


WAITING = {STOP: Stop, HANDSHAKE: Handshake}


class Stepped(Target):
    """Subclasses offer `request`, `advance`, `seen`, `living`, `checks`, and call `watching` before each access of a procedure."""

    offers = frozenset(ABILITIES)
    policy: Policy = FOLDED
    stops: list[Stop]  # and handshakes
    callback: Callable[[], None] | None = None
    busy = False

    @abstractmethod
    def request(self, procedure: str, *args: int, thread: int = MAIN) -> GoOn:
        """Prepare a procedure that a requester runs: post(kind), poison or handshake of a thread, stop_world or start_world of
        the world.
        """

    @abstractmethod
    def advance(self, count: int) -> int:
        """Execute up to `count` guest instructions (UNBOUNDED: any number), until every thread has ended or is blocked; returns
        how many.
        """

    @property
    @abstractmethod
    def seen(self) -> int:
        """How many requests the guest threads have noticed."""

    @property
    @abstractmethod
    def living(self) -> list[int]:
        """The numbers of the threads that have not ended."""

    @abstractmethod
    def checks(self, thread: int = MAIN) -> dict[str, int]:
        """As `Target.checks`."""

    @property
    def ended(self) -> bool:
        return not self.living

    def post(self, kind: str, thread: int = MAIN) -> None:
        """Post a request to a thread; a STOP is for all threads.  Raises ValueError for an unknown kind."""
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
        while not self.ended:
            count -= self.advance(count)
            stuck = not self.ended
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
        """Call the judge's callback; not for accesses that the callback itself makes."""
        if self.callback and not self.busy:
            self.busy = True
            try:
                self.callback()
            finally:
                self.busy = False

    def _poll(self) -> bool:
        """Let every stop under way go on.  True: at least one is over."""
        progress, again = False, True
        while again:
            again = False
            for stop in list(self.stops):
                if not stop.running and stop.advance():
                    self.stops.remove(stop)
                    progress = again = True
        return progress
