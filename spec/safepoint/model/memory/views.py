"""The machine: C11's memory, as RC11 defines it, with threads that run in order.

RC11 (Lahav, Vafeiadis, Kang, Hur, Dreyer: Repairing sequential consistency in C/C++11, PLDI 2017) says which whole executions there
are; this machine makes them a step at a time, with views (Kang, Hur, Lahav, Vafeiadis, Dreyer: A promising semantics for
relaxed-memory concurrency, POPL 2017; without promises, because RC11 has no load buffering).  Its rules:

* The stores of a word have an order, the modification order.  A store is placed anywhere in it behind what its thread has passed, but not
  between a locked operation and the store that it read.
* A load reads any store that its thread has not passed, and passes what is older.  With acquire it passes what the store hands on.
* A store with release hands on what its thread has passed; without, what its thread had passed at its last fence.
* A locked operation reads a store that nothing is attached to yet, and attaches its own to it; what the first hands on, the second does.
* A seq_cst fence passes what seq_cst fences before it had passed, and they all count as one after another.

Exact: all of that, but that a thread's relaxed store is never made before a relaxed load that precedes it, even where RC11 would let it and
nothing goes in a circle (of the shapes of the tests, SB+fences by way of LB).  An approximation: seq_cst accesses are taken to stand in one order as they are executed, each behind the seq_cst
accesses of its word before it.  C11 asks for less between such an access and others that are not seq_cst, or that are of other words:
the machine misses a few of RC11's executions (of the shapes of the tests Z6.U, for one).  Release sequences are C++20's (P0982): what a store
with release hands on, a later store of its thread without release does not, as it does in C11 and RC11; so the machine has a few that these
forbid.  `in_order=False` takes seq_cst
accesses for acquire and release: it has all that RC11 has, and more.

`fence_others` is what membarrier(2) and FlushProcessWriteBuffers do (C++ P1202, asymmetric fences): every other thread makes a seq_cst fence
between two of the caller's.  All at one moment: exact beside one other thread; the fences of several come one after another, which may
show more.  A thread that relies on it has no fence instruction, but its compiler must keep its accesses in their order
(`atomic_signal_fence`).

For the machines of `targets`: `appends`, a store that is made is the newest of its word; `publishes`, a seq_cst access is AArch64's: one that
writes publishes all that its thread has passed, and one that reads has passed all that is published.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from safepoint.graph.ir import FOLD, MODIFIES
from safepoint.graph.orders import ACQUIRE, RELAXED, SEQ_CST, acquires, releases
from safepoint.model.memory.instructions import Compiled
from safepoint.model.memory.normal import Normal
from safepoint.model.memory.states import ANY, Changed, Draft, Memory, Sight, Stored, View, joined, raised


class Access(NamedTuple):
    """By which thread, of which word, what (an access of `graph.ir`), with which operands and order."""

    thread: int
    word: int
    op: str
    operands: tuple[int, ...]
    order: str


class Outcome(NamedTuple):
    """What an access gave, the number of the memory after it, and how many newer stores of the word there were where it read or wrote."""

    result: int
    memory: int
    behind: int


class Machine:
    """The memories that have come up, by their numbers, and what each access makes of each.  The first is number 0."""

    def __init__(
        self,
        initial: Sequence[int],
        readers: Sequence[Collection[int]],
        accessors: Sequence[Collection[int]],
        threads: int,
        *,
        data: Sequence[Collection[int]] = (),
        stale: int | None = None,
        fenced: bool = False,
        in_order: bool = True,
        appends: bool = False,
        publishes: bool = False,
        normal: bool = True,
    ) -> None:
        """initial: the value of each word.  readers, accessors: as in `Normal`.  data: of each item of ghost data who accesses it.
        stale: how many stale stores of a word may be read; None: all.  fenced: are there both fences and relaxed accesses?
        normal: False: memories stay as they are made, for the tests of the normal form.
        """
        who = [*accessors, *data]
        self.normal = Normal(readers, who, stale) if normal else None
        self.words, self.in_order = len(initial), in_order
        self.appends, self.publishes = appends, publishes
        self.nothing: View = (ANY,) * len(who)
        self.memories: list[Memory] = []
        self._numbers: dict[Memory, int] = {}
        self._made: dict[tuple[int, Access], tuple[Outcome, ...]] = {}
        self._touched: dict[tuple[int, int, int], tuple[int, bool]] = {}
        self._fenced: dict[tuple[int, int], int] = {}
        start = [tuple(0 if t in concerned else ANY for concerned in who) for t in range(threads)]
        self.number(
            Draft(
                [[Stored(value, self.nothing, False)] for value in initial],
                [Sight(view, view, view) if fenced else Sight(view, (), ()) for view in start],
                self.nothing,
            )
        )

    def number(self, draft: Draft) -> int:
        """The number of a memory, which is known from now on."""
        if self.normal is not None:
            self.normal.apply(draft)
        memory = draft.freeze()
        number = self._numbers.setdefault(memory, len(self.memories))
        if number == len(self.memories):
            self.memories.append(memory)
        return number

    def newest(self, number: int) -> list[int]:
        """Of each word the value of its last store in modification order."""
        return [stores[-1].value for stores in self.memories[number].words]

    # -- accesses

    def access(self, number: int, made: Access) -> tuple[Outcome, ...]:
        """Everything that an access may do in this memory."""
        found = self._made.get((number, made))
        if found is None:
            memory = self.memories[number]
            how = {"load": self._load, "store": self._store}.get(made.op, self._locked)
            found = self._made[number, made] = tuple(how(number, memory, made))
        return found

    def _first(self, memory: Memory, made: Access) -> int:
        """What the thread has passed; ANY: nothing."""
        now = memory.threads[made.thread].now[made.word]
        return max(now, memory.order[made.word]) if self._orders(made.order) else now

    def _orders(self, order: str) -> bool:
        return order == SEQ_CST and self.in_order

    def _load(self, _number: int, memory: Memory, made: Access) -> list[Outcome]:
        newest = len(memory.words[made.word]) - 1
        return [
            self._read(memory, made, place, memory.words[made.word][place].value)
            for place in range(max(0, self._first(memory, made)), newest + 1)
        ]

    def _read(self, memory: Memory, made: Access, place: int, result: int) -> Outcome:
        draft = Draft.of(memory)
        self._see(draft, made, place)
        if self._orders(made.order):
            draft.order = raised(draft.order, made.word, place)
        return Outcome(result, self.number(draft), len(memory.words[made.word]) - 1 - place)

    def _see(self, draft: Draft, made: Access, place: int) -> None:
        """The thread reads the store in this place."""
        sight, view = draft.threads[made.thread], draft.words[made.word][place].view
        now = raised(sight.now, made.word, place)
        if self.publishes and made.order == SEQ_CST:
            now = joined(now, draft.order)
        if acquires(made.order):
            now = joined(now, view)
        seen = joined(joined(sight.if_fenced, view), now) if sight.if_fenced else ()
        draft.threads[made.thread] = Sight(now, seen, sight.at_fence)

    def _store(self, number: int, memory: Memory, made: Access) -> list[Outcome]:
        stores, outcomes = memory.words[made.word], list[Outcome]()
        for place in range(len(stores) if self.appends else self._first(memory, made) + 1, len(stores) + 1):
            if place == 0:  # below the oldest that any process may read: as if it had been overwritten
                outcomes.append(Outcome(0, self._published(number, made), len(stores)))
            elif place == len(stores) or not stores[place].attached:
                draft = Draft.of(memory)
                self._write(draft, made, place, made.operands[0])
                outcomes.append(Outcome(0, self.number(draft), len(stores) - place))
        return outcomes

    def _published(self, number: int, made: Access) -> int:
        """The memory after a store that no process will read."""
        if not (self.publishes and self._orders(made.order)):
            return number
        draft = Draft.of(self.memories[number])
        draft.order = joined(draft.order, draft.threads[made.thread].now)
        return self.number(draft)

    def _write(self, draft: Draft, made: Access, place: int, value: int, *, attached: bool = False) -> None:
        """The thread's store comes to this place.  `attached`: to the one before it, which a locked operation has read."""
        word = made.word
        draft.make_room(word, place)
        sight = draft.threads[made.thread]
        seen = raised(sight.if_fenced, word, place) if sight.if_fenced else ()
        sight = draft.threads[made.thread] = Sight(raised(sight.now, word, place), seen, sight.at_fence)
        handed_on = sight.now if releases(made.order) else sight.at_fence or self.nothing
        if attached:
            handed_on = joined(handed_on, draft.words[word][place - 1].view)
        draft.words[word].insert(place, Stored(value, handed_on, attached))
        if self._orders(made.order):
            draft.order = joined(draft.order, sight.now) if self.publishes else raised(draft.order, word, place)

    def _locked(self, _number: int, memory: Memory, made: Access) -> list[Outcome]:
        stores, outcomes = memory.words[made.word], list[Outcome]()
        for place in range(len(stores) - 1 if self.appends else max(0, self._first(memory, made)), len(stores)):
            old = stores[place].value
            new, result = _operated(made.op, old, made.operands)
            if new is None:  # a compare that fails has read, and not written
                order = made.order if made.order == SEQ_CST else ACQUIRE if acquires(made.order) else RELAXED
                outcomes.append(self._read(memory, made._replace(order=order), place, result))
            elif place + 1 == len(stores) or not stores[place + 1].attached:
                draft = Draft.of(memory)
                self._see(draft, made, place)
                self._write(draft, made, place + 1, new, attached=True)
                outcomes.append(Outcome(result, self.number(draft), len(stores) - 1 - place))
        return outcomes

    def fence(self, number: int, thread: int) -> int:
        """A seq_cst fence: the number of the memory after it."""
        if (number, thread) not in self._fenced:
            draft = Draft.of(self.memories[number])
            sight = draft.threads[thread]
            view = draft.order = joined(sight.if_fenced or sight.now, draft.order)
            draft.threads[thread] = Sight(view, view, view) if sight.if_fenced else Sight(view, (), ())
            self._fenced[number, thread] = self.number(draft)
        return self._fenced[number, thread]

    def fence_others(self, number: int, thread: int) -> int:
        """A fence of this thread, one of each other, one of this again: the number of the memory after them."""
        others = [t for t in range(len(self.memories[number].threads)) if t != thread]
        for t in (thread, *others, thread):
            number = self.fence(number, t)
        return number

    def compiled(self, number: int, made: Access, to: Compiled) -> Iterator[Outcome]:
        """What an access may do as it is compiled: its order is what that says, with fences before or behind it."""
        for effect, result in ((to.made, None),) if to.made == to.failed else ((to.made, 1), (to.failed, 0)):
            start = self.fence(number, made.thread) if effect.before else number
            for outcome in self.access(start, made._replace(order=effect.order)):
                if result in (None, outcome.result):
                    after = self.fence(outcome.memory, made.thread) if effect.behind else outcome.memory
                    yield outcome._replace(memory=after)

    # -- ghost data

    def knows(self, number: int, thread: int, item: int) -> bool:
        """Has the thread seen the latest access of this item of data?"""
        return self.memories[number].threads[thread].now[self.words + item] != ANY

    def touch(self, number: int, thread: int, item: int) -> tuple[int, bool]:
        """The thread accesses an item of data: the number of the memory after it, and whether it knew the access before."""
        key = number, thread, item
        if key not in self._touched:
            knew, x = self.knows(number, thread, item), self.words + item

            def without(view: View) -> View:
                return view and (*view[:x], ANY, *view[x + 1 :])

            def with_it(view: View) -> View:
                return view and (*view[:x], 0, *view[x + 1 :])

            draft = Draft.of(self.memories[number])
            draft.change_views(Changed(without))
            now, seen, at_fence = draft.threads[thread]
            draft.threads[thread] = Sight(with_it(now), with_it(seen), at_fence)
            self._touched[key] = self.number(draft), knew
        return self._touched[key]


def _operated(op: str, old: int, operands: tuple[int, ...]) -> tuple[int | None, int]:
    """What a locked operation writes, if it does, and what it gives."""
    if op == "cas":
        return (operands[1], 1) if old == operands[0] else (None, 0)
    return (operands[0] if op == "swap" else int(FOLD[MODIFIES[op]](old, operands[0]))), old
