"""One memory for all those that no thread can tell apart; and the bound on stale stores.

Exact: a store that every reader has passed is dropped, and the others are counted anew; what a view says of a word, or of an item of
data, is forgotten where every thread that it concerns has passed that already.  A thread that only writes a word may still place a
store below the oldest one that is left, where no thread will ever read it, if there is a place there: not between a locked operation
and the store that it read.  That is all that is kept of it: ANY if there is one.

Bounded: of each word at most `stale` stores are kept beside the newest, and readers that were further behind are moved on.  That only
takes away what may happen: a counterexample is real, and a verdict holds for up to K stale stores.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from safepoint.model.memory.states import ANY, Changed, Draft, Sight, Stored, View, joined

BEYOND = 1 << 20
"""Further than any process comes: the least of no places."""


class Passed(NamedTuple):
    """What threads have passed.  least: what else of each, as stores are left out that it has not passed; () if none are.  known:
    of each word, and item of data, what every thread has that it concerns.  now: what is kept of each.
    """

    least: tuple[View, ...]
    known: View
    now: tuple[View, ...]


@dataclass
class Normal:
    """readers: of each word the threads that load it, or operate on it.  accessors: of each word, and then of each item of data,
    the threads that access it at all.  stale: stores of a word that are kept beside the newest; None: all.
    """

    readers: Sequence[Collection[int]]
    accessors: Sequence[Collection[int]]
    stale: int | None

    def __post_init__(self) -> None:
        self.words = range(len(self.readers))
        self.nothing: View = (ANY,) * len(self.accessors)
        self.was_bounded = False
        # many memories have such parts in common: each is worked out once, from all that it depends on
        self._passed: dict[tuple[View, ...], Passed] = {}
        self._counted: dict[tuple[tuple[int, ...], tuple[int, ...]], Changed] = {}
        self._light: dict[tuple[int, bool, Stored, View, tuple[View, ...]], Stored] = {}

    def apply(self, draft: Draft) -> None:
        """Bring a memory into its normal form."""
        oldest = tuple([self._oldest(draft, n) if len(stores) > 1 else 0 for n, stores in enumerate(draft.words)])
        if any(oldest):
            self._drop(draft, oldest)
        views = tuple([sight.now for sight in draft.threads])
        if (passed := self._passed.get(views)) is None:
            passed = self._passed[views] = self._passed_by(views)
        self._forget(draft, passed)
        for word, stores in enumerate(draft.words):
            for place, stored in enumerate(stores):
                if stored.view != self.nothing or (stored.attached and place == 0):
                    stores[place] = self._lightened(word, place, stored, passed)

    def _oldest(self, draft: Draft, word: int) -> int:
        """The place of the first store of a word that is kept."""
        most = len(draft.words[word]) - 1
        oldest = max(0, min((draft.threads[t].now[word] for t in self.readers[word]), default=most))
        if self.stale is not None and most - oldest > self.stale:
            self.was_bounded = True
            return most - self.stale
        return oldest

    def _drop(self, draft: Draft, oldest: tuple[int, ...]) -> None:
        """Drop what is older, and count anew."""
        room = tuple(
            [
                max([n for n in range(1, first + 1) if not stores[n].attached], default=0) if first else 0
                for stores, first in zip(draft.words, oldest, strict=True)
            ]
        )
        if (counted := self._counted.get((oldest, room))) is None:
            counted = self._counted[oldest, room] = Changed(partial(_counted, oldest, room))
        draft.words = [stores[first:] for stores, first in zip(draft.words, oldest, strict=True)]
        draft.change_views(counted)

    def _passed_by(self, views: tuple[View, ...]) -> Passed:
        """`views`: what each thread has passed.  A reader never sees less than the oldest store that is left; a thread that a word does
        not concern carries for others what they do not know yet, and nothing else.
        """
        least: list[View] = []
        for t, now in enumerate(views):
            behind = [word for word in self.words if now[word] < 0 and t in self.readers[word]]
            least.append(tuple(0 if x in behind else ANY for x in range(len(now))) if behind else ())
        moved = [joined(now, at_least) if at_least else now for now, at_least in zip(views, least, strict=True)]
        known = tuple(min((moved[t][x] for t in who), default=BEYOND) for x, who in enumerate(self.accessors))
        kept = tuple(
            tuple(
                ANY if at <= there and t not in who else at
                for at, there, who in zip(view, known, self.accessors, strict=True)
            )
            for t, view in enumerate(moved)
        )
        return Passed(tuple(least), known, kept)

    def _forget(self, draft: Draft, passed: Passed) -> None:
        """What every thread knows need not be said."""

        def rest(view: View) -> View:
            return tuple([ANY if at <= there else at for at, there in zip(view, passed.known, strict=True)])

        for t, (sight, least, now) in enumerate(zip(draft.threads, passed.least, passed.now, strict=True)):
            if sight.if_fenced:
                seen = joined(sight.if_fenced, least) if least else sight.if_fenced
                draft.threads[t] = Sight(now, joined(seen, now), rest(sight.at_fence))
            else:
                draft.threads[t] = Sight(now, (), ())
        draft.order = rest(draft.order)

    def _lightened(self, word: int, place: int, stored: Stored, passed: Passed) -> Stored:
        """A store hands on only what a process that may read it does not know."""
        readers = tuple([now for t in self.readers[word] if (now := passed.now[t])[word] <= place])
        key = word, place > 0, stored, passed.known, readers
        if (found := self._light.get(key)) is None:
            found = self._light[key] = self._lighter(*key)
        return found

    def _lighter(self, word: int, is_behind: bool, stored: Stored, known: View, readers: tuple[View, ...]) -> Stored:
        """`is_behind`: is there a store before it?"""
        attached = stored.attached and is_behind
        if not readers:
            return Stored(stored.value, self.nothing, attached)
        least = map(min, *readers) if len(readers) > 1 else readers[0]
        lighter = [
            ANY if at <= there or at <= theirs or x == word else at
            for x, (at, there, theirs) in enumerate(zip(stored.view, known, least, strict=True))
        ]
        return Stored(stored.value, tuple(lighter), attached)


def _counted(oldest: tuple[int, ...], room: tuple[int, ...], view: View) -> View:
    """The view, where these stores of each word are the first that are left.  `room`: of those before, the last that nothing is attached to."""
    if not view:
        return view
    places = [
        at - first if at >= first else (ANY if at < below else 0)
        for at, first, below in zip(view, oldest, room, strict=False)
    ]
    return (*places, *view[len(places) :])
