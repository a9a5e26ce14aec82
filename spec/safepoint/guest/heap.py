"""What the definitions of the guest's operations want of a heap, whichever machine's it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from safepoint.guest.values import Ref, Value


class NoRoom(Exception):
    """The heap cannot hold what was asked for now.

    The machine may collect and begin the instruction again: so no operation has an effect before its last allocation.
    """


class Heap(Protocol):
    """Lists and exceptions.  Whatever makes something raises NoRoom, and then has changed nothing."""

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

    def text_room(self, count: int) -> None:
        """A string of so many characters is about to be made."""
        ...
