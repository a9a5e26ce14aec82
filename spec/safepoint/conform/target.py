"""What a VM must offer to be judged.

A subclass of `Target` is an adapter, 30 to 60 lines for most VMs, registered in the entry-point group `safepoint.targets`.
The judge gives it guest programs of the subset of Python that `safepoint.guest` documents; a VM of another language
translates the few that it is given, or keeps a table of them by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from safepoint.protocol.policy import Bound

STOP, INTERRUPT = "STOP", "INTERRUPT"


class NotOffered(Exception):
    """The target has no such ability; the judge names what it could not check."""


@dataclass(frozen=True)
class Seen:
    """One request as the guest thread saw it: what, at which instruction, after how many checks of each kind."""

    kind: str
    site: str  # "function:instruction", as the target numbers them
    frames: int  # frame-push checks executed since the thread started, this one included
    back_edges: int
    thread: int = 0  # of a program with several: the number of the one that saw it


@dataclass(frozen=True)
class Observation:
    """All that a target tells of its guest thread; of several, the error is the first one's, and checks are of all."""

    ended: bool
    output: str  # what the guest has printed
    error: str  # name of the exception that ended it, or ""
    traceback: tuple[str, ...]  # "function:line", outermost first, or () if there was no exception
    frames: int
    back_edges: int
    seen: tuple[Seen, ...]
    slow_entries: int  # how often a check failed
    words: dict[str, str] = field(default_factory=dict)  # the thread's words: trigger words "real" or "poison"
    others: tuple[str, ...] = ()  # what exceptions that ended other threads print


class Target(ABC):
    """A VM under judgement.  One guest thread at a time; nothing here is called by two threads."""

    name: str
    bound: Bound  # what it declares

    @abstractmethod
    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        """Make `source` the program; `stack`: how many slots the guest's stack has."""

    @abstractmethod
    def start(self) -> None:
        """A fresh thread, before its first instruction."""

    @abstractmethod
    def post(self, kind: str) -> None:
        """Request STOP (park; start again at once) or INTERRUPT (raise at the site), as another thread would."""

    @abstractmethod
    def step(self, count: int = 1) -> bool:
        """Execute up to `count` smallest steps (instructions, if it can).  False: the guest has ended."""

    @abstractmethod
    def observe(self) -> Observation: ...

    def run(self) -> None:
        """Run on at full speed until the guest has ended."""
        while self.step(1 << 40):
            pass

    def watch(self, callback: Callable[[], None] | None) -> None:
        """Call this before each shared access of the protocol's procedures, wherever they run.  It may post or step."""
        raise NotOffered("watch")

    def mutated(self, mutant: str) -> Target:
        """The same target with a mistake in its protocol."""
        raise NotOffered("mutated")
