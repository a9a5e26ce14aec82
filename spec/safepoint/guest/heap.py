"""What the definitions of the guest's operations want of a heap, whichever machine's it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from safepoint.guest.values import Ref, Value


class NoRoom(Exception):
    """The heap cannot hold what was asked for now.

    The machine may collect and begin the instruction again: so no operation has an effect before its last allocation.
    """


NEW, STARTED, ENDED = "new", "started", "ended"


class ThreadObject(NamedTuple):
    """number: in its name, `Thread-1` and so on, in the order in which they are made.  stage: NEW, STARTED or ENDED."""

    number: int
    target: Value
    args: tuple[Value, ...]
    stage: str = NEW


class Heap(Protocol):
    """Lists, exceptions, threads and locks.  Whatever makes something raises NoRoom, and then has changed nothing."""

    def new_list(self, items: Sequence[Value]) -> Ref: ...

    def length(self, ref: Ref) -> int: ...

    def items(self, ref: Ref) -> Sequence[Value]:
        """A copy."""
        ...

    def item(self, ref: Ref, number: int) -> Value:
        """Raises IndexError unless 0 <= number < length at this moment: another thread may have shortened the list."""
        ...

    def set_item(self, ref: Ref, number: int, value: Value) -> None:
        """Raises IndexError as `item` does."""
        ...

    def append(self, ref: Ref, value: Value) -> None: ...

    def set_items(self, ref: Ref, items: Sequence[Value]) -> None:
        """The whole content anew."""
        ...

    def new_exception(self, kind: str, args: tuple[Value, ...]) -> Ref:
        """Never raised so far: with an empty trace."""
        ...

    def exception(self, ref: Ref) -> tuple[str, tuple[Value, ...]]:
        """Its kind, and what it was made with: nothing or one value."""
        ...

    def new_thread(self, target: Value, args: tuple[Value, ...]) -> Ref: ...

    def thread(self, ref: Ref) -> ThreadObject: ...

    def new_lock(self) -> Ref:
        """Nobody has it."""
        ...

    def locked(self, ref: Ref) -> bool: ...

    def unlock(self, ref: Ref) -> bool:
        """False: nobody had it.  One step, whoever else does the same."""
        ...

    def text_room(self, count: int) -> None:
        """A string of so many characters is about to be made."""
        ...

    def list_room(self, count: int) -> None:
        """A list of so many elements is about to be made, or a list to become so long."""
        ...
