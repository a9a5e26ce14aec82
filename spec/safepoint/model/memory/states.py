"""A memory of the machine: of each word the stores that may still be read, of each thread what it may read.

A *view* has a number for each word: the place, among the word's stores, of the oldest one that may be read; what is older
has been passed.  ANY: nothing has been passed.  Behind the words a view has a component for each item of *ghost data*: 0 if it
includes the latest access of that item, ANY if it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

View = tuple[int, ...]
ANY = -1


def joined(a: View, b: View) -> View:
    """What both of them have passed."""
    return tuple(map(max, a, b))


def raised(view: View, word: int, place: int) -> View:
    """The view that has also come to this place of the word."""
    return view if view[word] >= place else (*view[:word], place, *view[word + 1 :])


class Stored(NamedTuple):
    """A store.  `view`: what who reads it with acquire learns.  `attached`: a locked operation wrote it, having read the one
    before: nothing comes between the two.
    """

    value: int
    view: View
    attached: bool


class Sight(NamedTuple):
    """What a thread has seen.

    now: what it has passed.  if_fenced: what it will have passed if a fence comes, because it read without acquire.  at_fence: what it
    had passed at its last fence, which is what a store without release hands on.  The last two are () where no fence can make
    a difference: where nothing is relaxed, or there is no fence.
    """

    now: View
    if_fenced: View
    at_fence: View


class Memory(NamedTuple):
    """words: of each its stores, in modification order.  order: of each word how far accesses and fences that are seq_cst have come."""

    words: tuple[tuple[Stored, ...], ...]
    threads: tuple[Sight, ...]
    order: View


class Changed(dict[View, View]):
    """What becomes of views by one change, each made once."""

    def __init__(self, change: Callable[[View], View]) -> None:
        super().__init__()
        self.change = change

    def __missing__(self, view: View) -> View:
        made = self[view] = self.change(view)
        return made


@dataclass
class Draft:
    """A memory while an access is made."""

    words: list[list[Stored]]
    threads: list[Sight]
    order: View

    @classmethod
    def of(cls, memory: Memory) -> Draft:
        return cls([list(stores) for stores in memory.words], list(memory.threads), memory.order)

    def freeze(self) -> Memory:
        return Memory(tuple(map(tuple, self.words)), tuple(self.threads), self.order)

    def make_room(self, word: int, place: int) -> None:
        """A store comes to this place of the word: what stands there, and behind it, moves on by one."""
        if place == len(self.words[word]):
            return

        def moved(view: View) -> View:
            return view if not view or view[word] < place else (*view[:word], view[word] + 1, *view[word + 1 :])

        self.change_views(Changed(moved))

    def change_views(self, changed: Changed) -> None:
        """Every view there is."""
        self.words = [[Stored(s.value, changed[s.view], s.attached) for s in stores] for stores in self.words]
        self.threads = [Sight(*[changed[view] for view in sight]) for sight in self.threads]
        self.order = changed[self.order]
