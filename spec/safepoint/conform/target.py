"""What a VM must offer to be judged.

A subclass of `Target` is an adapter, 30 to 60 lines for most VMs, registered in the entry-point group `safepoint.targets`.  The
judge makes it without arguments.  It gives it guest programs in the subset of Python that `safepoint.conform.programs` uses; a VM
of another language translates these few, or keeps a table of translations by name.  A VM whose guest runs on a thread of its own
derives from `safepoint.conform.threaded.ThreadedTarget` instead, which has most of an adapter.

A *check* is one test for a request: at a frame push, at a back-edge (a jump backward in a loop), or wherever else the VM looks:
at a return, an allocation, an instruction.  A *step* is the smallest piece of guest execution that the adapter can stop after: an
instruction, if it can.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from safepoint.protocol.policy import Bound, Checks

STOP, INTERRUPT, HANDSHAKE = "STOP", "INTERRUPT", "HANDSHAKE"
KINDS = (STOP, INTERRUPT, HANDSHAKE)
"""The kinds of request that the judge posts."""
ABILITIES = {
    **dict.fromkeys(KINDS, "requests of this kind"),
    "stack": "a bounded stack: `load` heeds `stack`, and a full one is a RecursionError",
    "exceptions": "try, except KeyboardInterrupt, finally",
    "masks": "critical sections: with masked()",
    "locks": "Lock, acquire, and with; a guest that waits for one is blocked",
    "threads": "several guest threads: Thread, start, join, and global variables",
    "watch": "`watch`: a look into the middle of a post and of a slow path",
}
"""What a target may offer -> what it is.  A program or a claim that needs what is not offered is left out, and named."""


class NotOffered(Exception):
    """The target lacks an ability; its argument names it.  The judge leaves out what needs it, and says so."""


class GuestStuck(Exception):
    """The guest does not go on by itself: every thread is blocked, or it has not come back in time.  A post may wake it."""


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
    further: Mapping[str, int] = field(default_factory=dict)
    """Checks of each further kind that the thread had executed, likewise."""

    @property
    def checks(self) -> dict[str, int]:
        """Kind of check -> how many the thread had executed."""
        return {"frames": self.frames, "back_edges": self.back_edges, **self.further}


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
    further: Mapping[str, int] = field(default_factory=dict)
    """Checks of each further kind (`Target.further`) executed since `start`, of all guest threads together."""
    waiting: int | None = None
    """How many requesters still wait for a guest thread: of a STOP that is not over, of a HANDSHAKE that is not answered.
    None: the VM does not tell."""

    @property
    def checks(self) -> dict[str, int]:
        """Kind of check -> how many all guest threads have executed."""
        return {"frames": self.frames, "back_edges": self.back_edges, **self.further}


class Target(ABC):
    """A VM to be judged.  The judge calls it from one OS thread."""

    name: str
    """What reports call it."""
    bound: Bound
    """The bound it declares: the most checks of each kind from a completed post to, and including, the check that notices the
    request: a number, "depth" (as many as frames fit on the stack) or None (no bound)."""
    further: ClassVar[Mapping[str, Checks]] = {}
    """The same for checks that are neither frame pushes nor back-edges: name, in the singular ("return") -> bound."""
    offers: ClassVar[frozenset[str]] = frozenset({STOP, INTERRUPT, "stack"})
    """Which of `ABILITIES` it has.  What turns out only at run time, `load`, `post` and `watch` may refuse with NotOffered."""
    longest_call: float = 60
    """Seconds that one call of a method may take: `conform` and `verify` end the process of an adapter that does not come back."""

    @abstractmethod
    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        """Make `source` the program; `start` runs it, any number of times.

        `file`: the program's name, for tracebacks and tables of translations.  `stack`: the size of the guest's stack in slots, a
        slot holding one local or temporary.  A VM that measures its stack otherwise may choose its own unit, if no frame is
        smaller than one unit.  Raises NotOffered(what the program needs) for a program that the VM cannot run.
        """

    @abstractmethod
    def start(self) -> None:
        """Drop the running guest, if any, and make a new guest thread that stands before its first instruction."""

    @abstractmethod
    def post(self, kind: str, thread: int = 0) -> None:
        """Request something of a guest thread, as another thread would, and return when the post is complete.

        STOP: stop the world, and start it as soon as it has stopped; the guest goes on as if nothing had been.  The call does not
        wait for the guest, which stands still meanwhile: the stop happens during the steps that follow.  INTERRUPT: raise
        KeyboardInterrupt at the check that notices it.  HANDSHAKE: have the thread run one empty operation at a check; if it is
        blocked, the requester runs it.  Any kind may be posted while others are pending.  To a thread that has ended, or has
        not begun, a post does nothing.  Raises NotOffered(kind) for a kind that the VM does not have, at every such call.

        `thread`: given only if "threads" is offered.
        """

    @abstractmethod
    def step(self, count: int = 1) -> bool:
        """Execute up to `count` steps (count ≥ 1), fewer only if the guest ends.  False: it has ended, now or earlier.

        With a STOP pending the guest runs to the check that notices it, parks, is started again and goes on, all within the
        `count` steps; a parked guest does not count as a step, and `step` does not return while it is parked.  Raises GuestStuck
        if every guest thread is blocked; a later call goes on from there.
        """

    @abstractmethod
    def observe(self) -> Observation:
        """What can be observed now.  Changes nothing; the judge calls it before the first step, between steps, from a `watch`
        callback in the middle of a post or of a slow path, and after the end.
        """

    @property
    def living(self) -> Sequence[int]:
        """The numbers of the guest threads that have been started and have not ended, in the order of their start.

        The first thread is 0.  A number may be given again once its thread has ended.
        """
        return () if self.observe().ended else (0,)

    def checks(self, thread: int = 0) -> Mapping[str, int]:
        """Kind of check -> how many a guest thread has executed; all zero: it has not begun.  See `Seen.checks`."""
        return self.observe().checks

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
