"""`safepoint.guest.heap.Heap` over machine memory: how the guest's definitions see the heap."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from safepoint.guest.code import UNSET
from safepoint.guest.faults import KINDS
from safepoint.guest.heap import MOST_ELEMENTS, NEW, STARTED, WORK, Part, ThreadObject
from safepoint.guest.values import Ref, Value
from safepoint_vm.language import words
from safepoint_vm.language.tagged import header, word_of
from safepoint_vm.memory import objects as encoded
from safepoint_vm.memory.heap import HeapError
from safepoint_vm.memory.value_view import ValueView, get, put, row

CHUNK = 4096
"""Elements that are copied at once."""


class HeapView(ValueView):
    """The `safepoint.guest.heap.Heap` of one guest thread."""

    # -- lists

    def new_list(self, items: Sequence[Value]) -> Ref:
        tagged = [self.word(item) for item in items]
        address = self._room(encoded.list_bytes(len(tagged)))
        image = encoded.list_object(address, tagged)
        ctypes.memmove(address, image, len(image))
        return self.ref("list", address + words.LIST)

    def length(self, ref: Ref) -> int:
        """At most the capacity of the backing, which other threads may be replacing."""
        return len(self._elements(ref))

    def items(self, ref: Ref, first: int = 0, end: int = MOST_ELEMENTS) -> Sequence[Value]:
        found: list[Value] = []
        moves = -1
        while self.moves != moves:  # the words that are left are old ones: read them again
            moves = self.moves
            for word in self._elements(ref)[first + len(found) : end]:
                found.append(self.value(word))
                if self.moves != moves:
                    break
        return found

    def item(self, ref: Ref, number: int) -> Value:
        return self.value(self._elements(ref)[self._within(ref, number)])

    def set_item(self, ref: Ref, number: int, value: Value) -> None:
        self._elements(ref)[self._within(ref, number)] = self.word(value)

    def _within(self, ref: Ref, number: int) -> int:
        if not 0 <= number < self.length(ref):
            raise IndexError
        return number

    def _elements(self, ref: Ref) -> ctypes.Array[ctypes.c_int64]:
        backing = get(ref.number, words.List, "backing")
        count = min(get(ref.number, words.List, "length"), get(backing, words.Backing, "capacity")) >> 1
        return row(backing, words.Backing, "elements", count)

    def append(self, ref: Ref, value: Value) -> None:
        self.become(ref, self.gather([(ref, 0, self.length(ref)), (self.new_list([value]), 0, 1)]))

    def gather(self, parts: Sequence[Part], times: int = 1) -> Ref:
        once = sum(max(0, end - first) for _, first, end in parts)
        new, at = self._zeros(once * times), 0
        for of, first, end in parts if times else ():
            for start in range(first, end, CHUNK):
                at = self._put(new, at, self._part(of, start, min(end, start + CHUNK)))
        once = at  # less, if another thread has shortened a list
        while at < once * times:
            start = at % once
            at = self._put(new, at, self._row(new)[start : min(at, start + CHUNK, start + once * times - at)])
        put(new.number, words.List, "length", word_of(at))
        return new

    def _part(self, of: Ref | str, first: int, end: int) -> list[int]:
        """The words of elements first … end-1."""
        if isinstance(of, Ref):
            return self._elements(of)[first:end]
        while True:
            moves, found = self.moves, [self.word(character) for character in of[first:end]]
            if self.moves == moves:
                return found

    def _put(self, new: Ref, at: int, elements: list[Any]) -> int:
        """Write elements of a list from number `at` on.  Returns the number behind them."""
        row(get(new.number, words.List, "backing"), words.Backing, "elements", at + len(elements))[at:] = elements
        self.copied(len(elements))
        return at + len(elements)

    def _zeros(self, capacity: int) -> Ref:
        """An empty list whose backing has this capacity.  Until all of it is zero, it is a filler, which no collector scans."""
        size = encoded.list_bytes(capacity)
        self.list_room(capacity)
        address = self._room(size)
        ctypes.c_int64.from_address(address).value = header(words.FILLER_HEADER, size // 8)
        ref = self.ref("filler", address + words.OBJECT)
        for at in range(8, size, 8 * CHUNK):
            count = min(8 * CHUNK, size - at)
            ctypes.memset(ref.number - words.OBJECT + at, 0, count)
            self.copied(count // 8)
        address = ref.number - words.OBJECT
        head = encoded.list_head(address, 0, capacity)
        ctypes.memmove(address, head, len(head))
        return self.ref("list", address + words.LIST)

    def _row(self, ref: Ref) -> ctypes.Array[ctypes.c_int64]:
        """All elements of a list's backing."""
        backing = get(ref.number, words.List, "backing")
        return row(backing, words.Backing, "elements", get(backing, words.Backing, "capacity") >> 1)

    def become(self, ref: Ref, other: Ref) -> None:
        put(ref.number, words.List, "backing", get(other.number, words.List, "backing"))
        put(ref.number, words.List, "length", get(other.number, words.List, "length"))

    # -- exceptions

    def new_exception(self, kind: str, args: tuple[Value, ...]) -> Ref:
        argument = self.word(args[0]) if args else words.UNSET_WORD
        return self.ref("exception", self._new(encoded.exception_object(KINDS.index(kind), argument)) + words.OBJECT)

    def exception(self, ref: Ref) -> tuple[str, tuple[Value, ...]]:
        argument = self.value(get(ref.number, words.Raisable, "argument"))
        return KINDS[get(ref.number, words.Raisable, "kind") >> 1], () if argument is UNSET else (argument,)

    # -- threads and locks

    def new_thread(self, target: Value, args: tuple[Value, ...]) -> Ref:
        """Its number is drawn last, when nothing can fail any more."""
        tagged = self.word(target), self.new_list(args).number
        address = self._room(8 * words.THREAD_WORDS)
        image = encoded.thread_object(self._heap.next_thread(), *tagged)
        ctypes.memmove(address, image, len(image))
        return self.ref("thread", address + words.OBJECT)

    def thread(self, ref: Ref) -> ThreadObject:
        """A copy.  `state` is NEW or STARTED: its world knows when it ends."""
        number, started = get(ref.number, words.Startable, "number") >> 1, get(ref.number, words.Startable, "started")
        args = self.items(self.ref("list", get(ref.number, words.Startable, "args")))
        return ThreadObject(
            number, self.value(get(ref.number, words.Startable, "target")), tuple(args), STARTED if started else NEW
        )

    def call_of(self, ref: Ref) -> tuple[int, list[int]]:
        """The tagged words of a THREAD object's target and arguments."""
        target, args = get(ref.number, words.Startable, "target"), get(ref.number, words.Startable, "args")
        return target, list(self._elements(Ref("list", args)))

    def set_started(self, ref: Ref, started: bool) -> None:
        """Write `started` of a THREAD object."""
        put(ref.number, words.Startable, "started", word_of(int(started)))

    def new_lock(self) -> Ref:
        return self.ref("lock", self._new(encoded.lock_object()) + words.OBJECT)

    def locked(self, ref: Ref) -> bool:
        return get(ref.number, words.Lock, "state") != words.FREE

    def unlock(self, ref: Ref) -> bool:
        """False: machine code frees locks, and leaves to the host only the RELEASE of one that it found free."""
        return False

    # -- traces

    def trace(self, ref: Ref) -> list[int]:
        """The trace of an exception: addresses of instructions, outermost call first."""
        trace = get(ref.number, words.Raisable, "trace")
        if trace == words.UNSET_WORD:
            return []
        if trace & words.TAG_MASK != words.OBJECT or get(trace, words.Object, "header") & 0xFF != words.TRACE_KIND:
            raise HeapError(f"the exception at {ref.number:#x} has no trace at {trace:#x}")
        return list(row(trace, words.Trace, "pcs", get(trace, words.Trace, "length") >> 1))

    def new_trace(self, pcs: Sequence[int]) -> int:
        """Make a trace.  Returns its tagged word.  One that is too long, for WORK or for the reserve, keeps its innermost calls."""
        pcs = pcs[-WORK:]
        if self.full:
            pcs = pcs[-max(0, self._heap.reserve_left // 8 - 8) :]
        return self._new(encoded.trace_object(pcs)) + words.OBJECT

    def set_trace(self, ref: Ref, trace: int) -> None:
        """Write the trace of an exception, a tagged word."""
        put(ref.number, words.Raisable, "trace", trace)
