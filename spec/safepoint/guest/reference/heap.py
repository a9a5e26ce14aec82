"""The reference machine's heap: a persistent vector of persistent objects, and the writer that an instruction uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from safepoint.guest.faults import Location
from safepoint.guest.heap import ENDED, MOST_ELEMENTS, STARTED, WORK, NoRoom, Part, Poll, ThreadObject
from safepoint.guest.reference import vector as persistent
from safepoint.guest.reference.vector import Vector
from safepoint.guest.values import Ref, Value, same

MOST = 1 << 24
"""Most elements of a list or string; this heap is never collected."""


class Raised(NamedTuple):
    """An exception.  trace: the locations that it was raised at and passed through, outermost first."""

    kind: str
    args: tuple[Value, ...]
    trace: tuple[Location, ...] = ()


class Lock(NamedTuple):
    locked: bool = False


Thing = Vector[Value] | Raised | ThreadObject | Lock
Things = Vector[Thing]
"""A heap: a Ref's number is an index into it."""


class ReferenceHeap:
    """Implements `heap.Heap`.  things: the heap with all writes so far; the one that it was given is unchanged."""

    def __init__(self, things: Things, polls: int = 0) -> None:
        """polls: that the instruction has passed."""
        self.things, self._polls, self._units = things, polls, 0

    def work(self, units: int) -> None:
        self._units += units
        while self._units > WORK:
            if not self._polls:
                raise Poll
            self._units, self._polls = self._units - WORK, self._polls - 1

    def _make(self, kind: str, thing: Thing) -> Ref:
        self.things = self.things.append(thing)
        return Ref(kind, len(self.things) - 1)

    def _list(self, ref: Ref) -> Vector[Value]:
        thing = self.things[ref.number]
        assert isinstance(thing, Vector)
        return thing

    def new_list(self, items: Sequence[Value]) -> Ref:
        self.list_room(len(items))
        return self._make("list", Vector.of(items))

    def length(self, ref: Ref) -> int:
        return len(self._list(ref))

    def items(self, ref: Ref, first: int = 0, end: int = MOST_ELEMENTS) -> Sequence[Value]:
        return self._list(ref).part(first, end)

    def item(self, ref: Ref, number: int) -> Value:
        return self._list(ref)[number]

    def set_item(self, ref: Ref, number: int, value: Value) -> None:
        self.things = self.things.set(ref.number, self._list(ref).set(number, value))

    def append(self, ref: Ref, value: Value) -> None:
        self.list_room(self.length(ref) + 1)
        self.things = self.things.set(ref.number, self._list(ref).append(value))

    def gather(self, parts: Sequence[Part], times: int = 1) -> Ref:
        self.list_room(times * sum(max(0, end - first) for _, first, end in parts))
        items = [item for of, first, end in parts for item in self._part(of, first, end)]
        return self.new_list(items * times)

    def _part(self, of: Ref | str, first: int, end: int) -> Sequence[Value]:
        return self.items(of, first, end) if isinstance(of, Ref) else of[first:end]

    def become(self, ref: Ref, other: Ref) -> None:
        self.things = self.things.set(ref.number, self._list(other))

    def text_room(self, count: int) -> None:
        if count > MOST:
            raise NoRoom

    list_room = text_room

    # -- exceptions

    def raised(self, ref: Ref) -> Raised:
        thing = self.things[ref.number]
        assert isinstance(thing, Raised)
        return thing

    def new_exception(self, kind: str, args: tuple[Value, ...]) -> Ref:
        return self._make("exception", Raised(kind, args))

    def exception(self, ref: Ref) -> tuple[str, tuple[Value, ...]]:
        raised = self.raised(ref)
        return raised.kind, raised.args

    def trace(self, ref: Ref, places: Sequence[Location]) -> None:
        """Put the locations that an exception has passed through, outermost first, in front of its trace, as far as WORK allows."""
        raised = self.raised(ref)
        self.things = self.things.set(ref.number, raised._replace(trace=(*places, *raised.trace)[-WORK:]))

    # -- threads and locks

    def new_thread(self, target: Value, args: tuple[Value, ...]) -> Ref:
        before = sum(isinstance(thing, ThreadObject) for thing in self.things)
        return self._make("thread", ThreadObject(before + 1, target, args))

    def thread(self, ref: Ref) -> ThreadObject:
        thing = self.things[ref.number]
        assert isinstance(thing, ThreadObject)
        return thing

    def started(self, ref: Ref) -> None:
        self.things = self.things.set(ref.number, self.thread(ref)._replace(stage=STARTED))

    def ended(self, ref: Ref) -> None:
        self.things = self.things.set(ref.number, self.thread(ref)._replace(stage=ENDED))

    def new_lock(self) -> Ref:
        return self._make("lock", Lock())

    def locked(self, ref: Ref) -> bool:
        thing = self.things[ref.number]
        assert isinstance(thing, Lock)
        return thing.locked

    def lock(self, ref: Ref) -> None:
        self.things = self.things.set(ref.number, Lock(True))

    def unlock(self, ref: Ref) -> bool:
        had = self.locked(ref)
        self.things = self.things.set(ref.number, Lock(False))
        return had


def alike(a: Things, b: Things) -> bool:
    """Whether two heaps hold the same."""
    """Whether two heaps hold the same."""
    return persistent.alike(a, b, _alike)


def _alike(a: Thing, b: Thing) -> bool:
    match a, b:
        case Vector(), Vector():
            return persistent.alike(a, b, same)
        case Raised(), Raised():
            return (a.kind, a.trace) == (b.kind, b.trace) and alike_values(a.args, b.args)
        case ThreadObject(), ThreadObject():
            return (a.number, a.stage) == (b.number, b.stage) and alike_values((a.target, *a.args), (b.target, *b.args))
        case Lock(), Lock():
            return a == b
    return False


def alike_values(a: tuple[Value, ...], b: tuple[Value, ...]) -> bool:
    """Whether values and their types are the same: True is not 1."""
    return len(a) == len(b) and all(x is y or same(x, y) for x, y in zip(a, b, strict=True))
