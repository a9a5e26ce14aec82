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

from safepoint.model.memory.states import ANY, Draft, Sight, Stored, View, joined

BEYOND = 1 << 20
"""Further than any process comes: the least of no places."""


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

    def apply(self, draft: Draft) -> None:
        """Bring a memory into its normal form."""
        oldest = [self._oldest(draft, word) for word in self.words]
        if any(oldest):
            self._drop(draft, oldest)
        self._move_on(draft)
        known = [min((draft.threads[t].now[x] for t in who), default=BEYOND) for x, who in enumerate(self.accessors)]
        self._forget(draft, known)
        for word, stores in enumerate(draft.words):
            for place, stored in enumerate(stores):
                if stored.view != self.nothing or (stored.attached and place == 0):
                    stores[place] = self._lightened(draft, word, place, stored, known)

    def _oldest(self, draft: Draft, word: int) -> int:
        """The place of the first store of a word that is kept."""
        most = len(draft.words[word]) - 1
        if most == 0:
            return 0
        oldest = max(0, min((draft.threads[t].now[word] for t in self.readers[word]), default=most))
        if self.stale is not None and most - oldest > self.stale:
            self.was_bounded = True
            return most - self.stale
        return oldest

    def _drop(self, draft: Draft, oldest: list[int]) -> None:
        """Drop what is older, and count anew."""
        room = [
            max((n for n in range(1, oldest[word] + 1) if not draft.words[word][n].attached), default=0)
            for word in self.words
        ]

        def counted(view: View) -> View:
            if not view:
                return view
            places = [
                at - first if at >= first else (ANY if at < below else 0)
                for at, first, below in zip(view, oldest, room, strict=False)
            ]
            return (*places, *view[len(places) :])

        draft.words = [stores[first:] for stores, first in zip(draft.words, oldest, strict=True)]
        draft.change_views(counted)

    def _move_on(self, draft: Draft) -> None:
        """A reader never sees less than the oldest store that is left."""
        for t, sight in enumerate(draft.threads):
            behind = [word for word in self.words if sight.now[word] < 0 and t in self.readers[word]]
            if behind:
                least = tuple(0 if x in behind else ANY for x in range(len(self.nothing)))
                seen = joined(sight.if_fenced, least) if sight.if_fenced else ()
                draft.threads[t] = Sight(joined(sight.now, least), seen, sight.at_fence)

    def _forget(self, draft: Draft, known: list[int]) -> None:
        """A thread that a word does not concern carries for others what they do not know yet, and nothing else."""

        def rest(view: View) -> View:
            return tuple([ANY if at <= there else at for at, there in zip(view, known, strict=True)])

        for t, sight in enumerate(draft.threads):
            now = tuple(
                [
                    ANY if at <= there and t not in who else at
                    for at, there, who in zip(sight.now, known, self.accessors, strict=True)
                ]
            )
            if sight.if_fenced:
                draft.threads[t] = Sight(now, joined(sight.if_fenced, now), rest(sight.at_fence))
            else:
                draft.threads[t] = Sight(now, (), ())
        draft.order = rest(draft.order)

    def _lightened(self, draft: Draft, word: int, place: int, stored: Stored, known: list[int]) -> Stored:
        """A store hands on only what a process that may read it does not know."""
        view, attached = stored.view, stored.attached and place > 0
        readers = [sight.now for t in self.readers[word] if (sight := draft.threads[t]).now[word] <= place]
        if not readers:
            return Stored(stored.value, self.nothing, attached)
        least = map(min, *readers) if len(readers) > 1 else readers[0]
        lighter = [
            ANY if at <= there or at <= theirs or x == word else at
            for x, (at, there, theirs) in enumerate(zip(view, known, least, strict=True))
        ]
        return Stored(stored.value, tuple(lighter), attached)
