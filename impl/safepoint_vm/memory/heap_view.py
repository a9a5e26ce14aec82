"""`safepoint.guest.heap.Heap` over machine memory: how the guest's definitions see tagged words and the heap.

A view is valid for one instruction of a running thread.  Nothing moves meanwhile: a Ref's number is the tagged word.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from safepoint.guest.code import UNSET
from safepoint.guest.faults import KINDS
from safepoint.guest.heap import NEW, STARTED, NoRoom, ThreadObject
from safepoint.guest.values import Function, Ref, Value
from safepoint_vm.language import words
from safepoint_vm.language.layout import Record, fields
from safepoint_vm.language.tagged import float_of_word, float_word, from_bits, word_of
from safepoint_vm.language.vocabulary import Struct
from safepoint_vm.memory import objects as encoded
from safepoint_vm.memory.heap import GuestHeap, HeapError
from safepoint_vm.memory.image import Image

KINDS_OF_REFS = {words.EXCEPTION_KIND: "exception", words.THREAD_KIND: "thread", words.LOCK_KIND: "lock"}


def get(word: int, struct: type[Struct], name: str) -> int:
    """Read a field of the object that a tagged word points to."""
    return ctypes.c_int64.from_address(word + fields(struct)[name].offset).value


def put(word: int, struct: type[Struct], name: str, value: int) -> None:
    """Write a field of the object that a tagged word points to."""
    ctypes.c_int64.from_address(word + fields(struct)[name].offset).value = value


def row(word: int, struct: type[Struct], name: str, count: int) -> ctypes.Array[ctypes.c_int64]:
    """The first `count` words of a row of the object that a tagged word points to, in place."""
    return (ctypes.c_int64 * count).from_address(word + fields(struct)[name].offset)


class HeapView:
    """The `safepoint.guest.heap.Heap` of one guest thread."""

    def __init__(self, image: Image, heap: GuestHeap, thread: Record) -> None:
        self._image, self._heap, self._thread = image, heap, thread
        self._statics = encoded.statics()
        self.begin()

    def begin(self) -> None:
        """Begin an instruction, or retry it."""
        self._known: dict[str, int] = {}  # strings that have a tagged word already
        self._taken = 0  # bytes allocated
        self.full = False  # True: allocate from the reserve

    # -- words and values

    def value(self, word: int) -> Value:
        """The value of a tagged word.  HeapError: it has none."""
        if word & 1 == 0:
            return word >> 1
        if word & 0b11 == 0b01:
            return float_of_word(word)
        match word & words.TAG_MASK:
            case words.LIST:
                return Ref("list", word)
            case words.FUNCTION:
                return self._image.function(word)
            case words.OBJECT:
                return self._object(word)
        if word not in words.CONSTANTS:
            raise HeapError(f"{word:#x} is not a value")
        constant: Value = words.CONSTANTS[word]  # type: ignore[assignment]
        return constant

    def _object(self, word: int) -> Value:
        match get(word, words.Object, "header") & 0xFF:
            case words.FLOAT_KIND:
                return from_bits(get(word, words.BoxedFloat, "bits"))
            case words.STRING_KIND:
                return self._string(word)
            case kind if kind in KINDS_OF_REFS:
                return Ref(KINDS_OF_REFS[kind], word)
        raise HeapError(f"the object at {word:#x} is not a value")

    def _string(self, word: int) -> str:
        length = get(word, words.String, "length") >> 1
        image = ctypes.string_at(word + fields(words.String)["characters"].offset, 4 * length)
        text = image.decode(encoded.UTF32, encoded.SURROGATES)
        self._known.setdefault(text, word)
        return text

    def word(self, value: Value) -> int:
        """The tagged word of a value.  Strings and boxed floats that have none yet are copied into the heap.  NoRoom."""
        match value:
            case Ref():
                return value.number
            case Function():
                return self._image.function_word(value)
            case str():
                return self._string_word(value)
            case float():
                packed = float_word(value)
                return self._boxed(value) if packed is None else packed
        return word_of(value)

    def _string_word(self, text: str) -> int:
        if len(text) == 1 and ord(text) < words.CHARACTERS:
            return self._statics.characters[ord(text)]
        if text not in self._known:
            self._known[text] = self._new(encoded.string_object(text)) + words.OBJECT
        return self._known[text]

    def _boxed(self, number: float) -> int:
        if repr(number) == "0.0":
            return self._statics.zero
        return self._new(encoded.float_object(number)) + words.OBJECT

    # -- making objects

    def _new(self, image: bytes) -> int:
        address = self._room(len(image))
        ctypes.memmove(address, image, len(image))
        return address

    def _room(self, size: int) -> int:
        """Allocate.  On NoRoom the instruction will be retried, so `wanted` includes what it has allocated in vain."""
        try:
            address = self._heap.allocate_reserve(size) if self.full else self._heap.allocate(self._thread, size)
        except NoRoom:
            self._thread.set("wanted", self._taken + size)
            raise
        self._taken += size
        return address

    def text_room(self, count: int) -> None:
        self._expect(encoded.string_bytes(count))

    def list_room(self, count: int) -> None:
        self._expect(encoded.list_bytes(count))

    def _expect(self, size: int) -> None:
        if not self.full and not self._heap.room(self._thread, size):
            self._thread.set("wanted", self._taken + size)
            raise NoRoom

    # -- lists

    def new_list(self, items: Sequence[Value]) -> Ref:
        tagged = [self.word(item) for item in items]
        address = self._room(encoded.list_bytes(len(tagged)))
        image = encoded.list_object(address, tagged)
        ctypes.memmove(address, image, len(image))
        return Ref("list", address + words.LIST)

    def length(self, ref: Ref) -> int:
        """At most the capacity of the backing, which other threads may be replacing."""
        return len(self._elements(ref))

    def items(self, ref: Ref) -> Sequence[Value]:
        return [self.value(word) for word in self._elements(ref)]

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
        self.set_items(ref, [*self.items(ref), value])

    def set_items(self, ref: Ref, items: Sequence[Value]) -> None:
        tagged = [self.word(item) for item in items]
        backing = get(ref.number, words.List, "backing")
        capacity = get(backing, words.Backing, "capacity") >> 1
        if len(tagged) > capacity:
            backing = self._new(encoded.backing_object(tagged)) + words.OBJECT
            put(ref.number, words.List, "backing", backing)
        else:
            unused = [0] * (capacity - len(tagged))
            row(backing, words.Backing, "elements", capacity)[:] = [*tagged, *unused]
        put(ref.number, words.List, "length", word_of(len(tagged)))

    # -- exceptions

    def new_exception(self, kind: str, args: tuple[Value, ...]) -> Ref:
        argument = self.word(args[0]) if args else words.UNSET_WORD
        return Ref("exception", self._new(encoded.exception_object(KINDS.index(kind), argument)) + words.OBJECT)

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
        return Ref("thread", address + words.OBJECT)

    def thread(self, ref: Ref) -> ThreadObject:
        """A copy.  `state` is NEW or STARTED: its world knows when it ends."""
        number, started = get(ref.number, words.Startable, "number") >> 1, get(ref.number, words.Startable, "started")
        args = self.items(Ref("list", get(ref.number, words.Startable, "args")))
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
        return Ref("lock", self._new(encoded.lock_object()) + words.OBJECT)

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
        """Make a trace.  Returns its tagged word.  In the reserve, a trace that is too long keeps its innermost calls."""
        if self.full:
            pcs = pcs[-max(0, self._heap.reserve_left // 8 - 8) :]
        return self._new(encoded.trace_object(pcs)) + words.OBJECT

    def set_trace(self, ref: Ref, trace: int) -> None:
        """Write the trace of an exception, a tagged word."""
        put(ref.number, words.Raisable, "trace", trace)
