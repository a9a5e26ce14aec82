"""`Heap`, what the guest's operations need of a machine's heap: each of the two machines implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from safepoint.guest.values import Ref, Value


class NoRoom(Exception):
    """The heap cannot hold the new object now.

    The machine may collect and start the instruction again, so no operation changes anything before its last allocation.
    """


class Poll(Exception):
    """The instruction has done its WORK: it ends here, and goes on from its check site, with the polls that it has passed."""


MOST_ELEMENTS = 2**31
"""Of a string or list; one more is a MemoryError."""
WORK = 1 << 14
"""Units of work that an instruction does between two polls, at most: items of lists and characters of strings that it looks at or makes."""

NEW, STARTED, ENDED = "new", "started", "ended"


class ThreadObject(NamedTuple):
    """A `Thread` of the guest.  number: n in its name `Thread-n`, in order of creation.  stage: NEW, STARTED or ENDED."""

    number: int
    target: Value
    args: tuple[Value, ...]
    stage: str = NEW


Part = tuple[Ref | str, int, int]
"""A list or string, and which of its items: first … end-1."""


class Heap(Protocol):
    """Lists, exceptions, threads and locks.  A method that allocates may raise NoRoom; it has then changed nothing."""

    def new_list(self, items: Sequence[Value]) -> Ref:
        """Allocate a list with these items."""

    def length(self, ref: Ref) -> int:
        """The number of a list's items."""

    def items(self, ref: Ref, first: int = 0, end: int = MOST_ELEMENTS) -> Sequence[Value]:
        """A copy of a list's items first … end-1, as far as it has them."""

    def item(self, ref: Ref, number: int) -> Value:
        """Raises IndexError unless 0 <= number < length at this moment: another thread may have shortened the list."""

    def set_item(self, ref: Ref, number: int, value: Value) -> None:
        """Raises IndexError as `item` does."""

    def append(self, ref: Ref, value: Value) -> None:
        """Add one item to a list's end; allocates if the list must grow."""

    def gather(self, parts: Sequence[Part], times: int = 1) -> Ref:
        """Allocate a list of the items of all parts, one after another, the whole `times` times."""

    def become(self, ref: Ref, other: Ref) -> None:
        """Give a list all items of another, which is not used any more."""

    def new_exception(self, kind: str, args: tuple[Value, ...]) -> Ref:
        """Allocate an exception that has not been raised: its trace is empty.  args: at most one value."""

    def exception(self, ref: Ref) -> tuple[str, tuple[Value, ...]]:
        """The kind and args of an exception."""

    def new_thread(self, target: Value, args: tuple[Value, ...]) -> Ref:
        """Allocate a thread that has not been started, with the next number."""

    def thread(self, ref: Ref) -> ThreadObject:
        """A thread's state at this moment."""

    def new_lock(self) -> Ref:
        """Allocate a lock that is free."""

    def locked(self, ref: Ref) -> bool:
        """Whether some thread holds the lock."""

    def unlock(self, ref: Ref) -> bool:
        """Free a lock, in one atomic step.  False: it was free already."""

    def work(self, units: int) -> None:
        """Count what the instruction is about to do: a check site after each WORK units.  It has had no effect yet.

        Raises what ends the instruction there: Poll, or what the machine raises for the outcome of the site.
        """

    def text_room(self, count: int) -> None:
        """Raise NoRoom unless a string of `count` characters can be made."""

    def list_room(self, count: int) -> None:
        """Raise NoRoom unless a list of `count` elements can be made, or a list can grow to that length."""
