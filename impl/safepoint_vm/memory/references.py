"""Refs that stay in use across a poll in the middle of an instruction: roots of a collection, which gives them new words."""

from __future__ import annotations

from typing import Protocol
from weakref import WeakValueDictionary

from safepoint.guest.heap import WORK, Poll
from safepoint.guest.values import Ref
from safepoint_vm.language.layout import Memory


class PollRaised(Exception):
    """The outcome of a poll in the middle of an instruction, which is raised there."""

    def __init__(self, outcome: int) -> None:
        self.outcome = outcome


class Waiter(Protocol):
    """The driver of a thread that can wait in the middle of an instruction, as an OS thread can."""

    def look(self) -> None:
        """Visit the check site of a POLL.  PollRaised: its outcome is not GO."""

    def make_room(self) -> bool:
        """Collect.  Is there room now for the bytes that the thread wants?"""


class InUse:
    """What a `HeapView` knows of polls.  `waiter`: None: a poll ends the instruction, which is then done again.

    `waits`: the waiter, while an instruction is being done: its thread holds no lock of the host, so it may wait.  `moves`: collections so far.  `polls`: that the instruction has passed.  `units`: of its work since the last one.
    """

    def __init__(self) -> None:
        self.waiter: Waiter | None = None
        self.waits: Waiter | None = None
        self.moves = self.polls = self.units = 0
        self._refs: WeakValueDictionary[int, Ref] = WeakValueDictionary()  # in use, by `id`
        self._held: list[Ref] = []  # those whose words are in `_words`, which `roots` makes
        self._words: Memory

    def work(self, units: int) -> None:
        self.units += units
        while self.units > WORK:
            self.units -= WORK
            if self.waits:
                self.waits.look()
            elif self.polls:
                self.polls -= 1
            else:
                raise Poll

    def copied(self, units: int) -> None:
        """Count what this view does by itself, beside what the guest's definitions count."""
        if self.waits:
            self.work(units)

    def ref(self, kind: str, word: int) -> Ref:
        ref = Ref(kind, word)
        self._refs[id(ref)] = ref
        return ref

    def roots(self) -> tuple[int, int]:
        """The words of the Refs in use, for a collection."""
        self._held = [ref for weak in self._refs.valuerefs() if (ref := weak()) is not None]
        self._words = Memory(max(1, len(self._held)), [ref.number for ref in self._held])
        return self._words.address, self._words.address + 8 * len(self._held)

    def has_moved(self) -> None:
        """Give the Refs in use the words that the collection has left there."""
        for index, ref in enumerate(self._held):
            object.__setattr__(ref, "number", self._words[index])
        self._held.clear()
        self.moves += 1
