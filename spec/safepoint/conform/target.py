"""What a VM must offer to be judged.

A subclass of `Target` is an adapter, 30 to 60 lines for most VMs, registered in the entry-point group `safepoint.targets`.  The
judge makes it without arguments.  It gives it guest programs in the subset of Python that `safepoint.conform.programs` uses; a VM
of another language translates these few, or keeps a table of translations by name.

A *check* is one test for a request: at a frame push, or at a back-edge (a jump backward in a loop).  A *step* is the smallest
piece of guest execution that the adapter can stop after: an instruction, if it can.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from safepoint.protocol.policy import Bound

STOP, INTERRUPT = "STOP", "INTERRUPT"


class NotOffered(Exception):
    """The target lacks an ability; its argument names it.  The judge reports the claim as not judged, not as refuted."""


@dataclass(frozen=True)
class Seen:
    """One request, as a check of the guest thread noticed it."""

    kind: str
    """As it was given to `post`."""
    site: str
    """Where: "function:instruction", as the target numbers instructions.  The judge prints it, and compares it with nothing."""
    frames: int
    """Frame pushes that the thread had executed since it started, the one that noticed the request included."""
    back_edges: int
    """Back-edges that the thread had executed since it started, the one that noticed the request included."""
    thread: int = 0
    """The number of the guest thread; 0 is the first."""


@dataclass(frozen=True)
class Observation:
    """What can be observed of the guest between two steps, since `start`."""

    ended: bool
    """Has every guest thread ended?"""
    output: str
    """What the guest has printed, newlines included."""
    error: str
    """The name of the exception that ended the first guest thread, spelt as in Python: "RecursionError" for a full stack,
    "KeyboardInterrupt" for an INTERRUPT; "" if it has not ended, or without an exception."""
    traceback: tuple[str, ...]
    """Where that exception was raised: "function:line" for each frame, outermost first; () if there was none."""
    frames: int
    """Frame pushes executed since `start`, of all guest threads together.  A check in its slow path is counted already."""
    back_edges: int
    """Back-edges executed since `start`, of all guest threads together."""
    seen: tuple[Seen, ...]
    """Every request that a guest thread has noticed, in order."""
    slow_entries: int
    """How many checks of all guest threads have failed, and so entered the slow path."""
    words: dict[str, str] = field(default_factory=dict)
    """The first thread's protocol words, by name, as text; a trigger word is "real" or "poison".  {}: the VM does not tell."""
    others: tuple[str, ...] = ()
    """What exceptions that ended other guest threads print, one text each."""


class Target(ABC):
    """A VM to be judged.  The judge calls it from one OS thread."""

    name: str
    """What reports call it."""
    bound: Bound
    """The bound it declares: the most checks of each kind from a completed post to, and including, the check that notices the
    request: a number, "depth" (as many as frames fit on the stack) or None (no bound)."""

    @abstractmethod
    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        """Make `source` the program; `start` runs it, any number of times.

        `file`: the program's name, for tracebacks.  `stack`: the size of the guest's stack in slots, a slot holding one local or
        temporary.  A VM that measures its stack otherwise may choose its own unit, if no frame is smaller than one unit.
        """

    @abstractmethod
    def start(self) -> None:
        """Drop the running guest, if any, and make a new guest thread that stands before its first instruction."""

    @abstractmethod
    def post(self, kind: str) -> None:
        """Request something of the guest thread, as another thread would, and return when the post is complete.

        STOP: stop the world, and start it as soon as it has stopped; the guest goes on as if nothing had been.  The call does not
        wait for the guest, which stands still meanwhile: the stop happens during the steps that follow.  INTERRUPT: raise
        KeyboardInterrupt at the check that notices it.  Any kind may be posted while others are pending.  After the guest has
        ended a post does nothing.  Raises NotOffered(kind) for a kind that the VM does not have, at every such call.
        """

    @abstractmethod
    def step(self, count: int = 1) -> bool:
        """Execute up to `count` steps (count ≥ 1), fewer only if the guest ends.  False: it has ended, now or earlier.

        With a STOP pending the guest runs to the check that notices it, parks, is started again and goes on, all within the
        `count` steps; a parked guest does not count as a step, and `step` does not return while it is parked.
        """

    @abstractmethod
    def observe(self) -> Observation:
        """What can be observed now.  Changes nothing; the judge calls it before the first step, between steps, from a `watch`
        callback in the middle of a post or of a slow path, and after the end.
        """

    def run(self) -> None:
        """Run on at full speed until the guest has ended."""
        while self.step(1 << 40):
            pass

    def watch(self, callback: Callable[[], None] | None) -> None:
        """Call `callback` before each shared access of the protocol, in `post` and in slow paths; None: stop doing so.

        The callback may call `observe` and `post`, and the accesses of that inner post must not call it again.  Raises NotOffered
        ("watch") if the VM cannot: then what happens in the middle of a slow path is not judged.
        """
        raise NotOffered("watch")

    def mutated(self, mutant: str) -> Target:
        """A new target like this one, with a mutant of the protocol's text compiled in, for `safepoint replay --mutant`.

        Raises NotOffered ("mutated") if the protocol is not generated from that text.
        """
        raise NotOffered("mutated")
