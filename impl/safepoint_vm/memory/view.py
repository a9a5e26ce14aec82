"""The guest's values over real memory: what the guest's definitions see of a thread's words and of its heap.

A view is good for one instruction of a running thread: nothing moves meanwhile, so a Ref's number is the tagged word itself.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from safepoint.guest.code import UNSET
from safepoint.guest.faults import EXCEPTIONS
from safepoint.guest.heap import NEW, STARTED, NoRoom, ThreadObject
from safepoint.guest.values import Function, Ref, Value
from safepoint_vm.language.layout import Record, fields
from safepoint_vm.language.vocabulary import Struct
from safepoint_vm.language.words import (
    CHARACTERS,
    CONSTANTS,
    EXCEPTION_KIND,
    FLOAT_KIND,
    FREE,
    FUNCTION,
    LIST,
    LOCK_KIND,
    OBJECT,
    STRING_KIND,
    TAG_MASK,
    THREAD_KIND,
    THREAD_WORDS,
    TRACE_KIND,
    UNSET_WORD,
    Backing,
    BoxedFloat,
    List,
    Lock,
    Object,
    Raisable,
    Startable,
    String,
    Trace,
    float_of_word,
    float_word,
    from_bits,
    word_of,
)
from safepoint_vm.memory import objects as encoded
from safepoint_vm.memory.heap import GuestHeap, HeapError
from safepoint_vm.memory.image import Image

KINDS_OF_REFS = {EXCEPTION_KIND: "exception", THREAD_KIND: "thread", LOCK_KIND: "lock"}


def get(word: int, struct: type[Struct], name: str) -> int:
    """A field of the object that a tagged word points to."""
    return ctypes.c_int64.from_address(word + fields(struct)[name].offset).value


def put(word: int, struct: type[Struct], name: str, value: int) -> None:
    ctypes.c_int64.from_address(word + fields(struct)[name].offset).value = value


def row(word: int, struct: type[Struct], name: str, count: int) -> ctypes.Array[ctypes.c_int64]:
    """The words behind an object's fields."""
    return (ctypes.c_int64 * count).from_address(word + fields(struct)[name].offset)


class View:
    """The `safepoint.guest.heap.Heap` of one guest thread."""

    def __init__(self, image: Image, heap: GuestHeap, thread: Record) -> None:
        self._image, self._heap, self._thread = image, heap, thread
        self._statics = encoded.statics()
        self.begin()

    def begin(self) -> None:
        """An instruction begins, perhaps again."""
        self._known: dict[str, int] = {}  # strings that have a word already
        self._taken = 0
        self.full = False  # True: the spare room may be used

    # -- words and values

    def value(self, word: int) -> Value:
        if word & 1 == 0:
            return word >> 1
        if word & 0b11 == 0b01:
            return float_of_word(word)
        match word & TAG_MASK:
            case tag if tag == LIST:
                return Ref("list", word)
            case tag if tag == FUNCTION:
                return self._image.function(word)
            case tag if tag == OBJECT:
                return self._object(word)
        if word not in CONSTANTS:
            raise HeapError(f"{word:#x} is no value")
        constant: Value = CONSTANTS[word]  # type: ignore[assignment]
        return constant

    def _object(self, word: int) -> Value:
        match get(word, Object, "header") & 0xFF:
            case kind if kind == FLOAT_KIND:
                return from_bits(get(word, BoxedFloat, "bits"))
            case kind if kind == STRING_KIND:
                return self._string(word)
            case kind if kind in KINDS_OF_REFS:
                return Ref(KINDS_OF_REFS[kind], word)
        raise HeapError(f"the object at {word:#x} is no value")

    def _string(self, word: int) -> str:
        length = get(word, String, "length") >> 1
        image = ctypes.string_at(word + fields(String)["characters"].offset, 4 * length)
        text = image.decode(encoded.UTF32, encoded.HALVES)
        self._known.setdefault(text, word)
        return text

    def word(self, value: Value) -> int:
        """Strings and boxed floats that have no word yet are copied into the heap.  NoRoom."""
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
        if len(text) == 1 and ord(text) < CHARACTERS:
            return self._statics.characters[ord(text)]
        if text not in self._known:
            self._known[text] = self._new(encoded.string_object(text)) + OBJECT
        return self._known[text]

    def _boxed(self, number: float) -> int:
        if repr(number) == "0.0":
            return self._statics.zero
        return self._new(encoded.float_object(number)) + OBJECT

    # -- making objects

    def _new(self, image: bytes) -> int:
        address = self._room(len(image))
        ctypes.memmove(address, image, len(image))
        return address

    def _room(self, size: int) -> int:
        """What an instruction has taken in vain it will want again, in one piece."""
        try:
            address = self._heap.allocate_spare(size) if self.full else self._heap.allocate(self._thread, size)
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
        words = [self.word(item) for item in items]
        address = self._room(encoded.list_bytes(len(words)))
        image = encoded.list_object(address, words)
        ctypes.memmove(address, image, len(image))
        return Ref("list", address + LIST)

    def length(self, ref: Ref) -> int:
        """No more than the backing has, if other threads change the list just now."""
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
        backing = get(ref.number, List, "backing")
        count = min(get(ref.number, List, "length"), get(backing, Backing, "capacity")) >> 1
        return row(backing, Backing, "elements", count)

    def append(self, ref: Ref, value: Value) -> None:
        """Not on the fast path."""
        self.set_items(ref, [*self.items(ref), value])

    def set_items(self, ref: Ref, items: Sequence[Value]) -> None:
        words = [self.word(item) for item in items]
        backing = get(ref.number, List, "backing")
        capacity = get(backing, Backing, "capacity") >> 1
        if len(words) > capacity:
            backing = self._new(encoded.backing_object(words)) + OBJECT
            put(ref.number, List, "backing", backing)
        else:
            unused = [0] * (capacity - len(words))
            row(backing, Backing, "elements", capacity)[:] = [*words, *unused]
        put(ref.number, List, "length", word_of(len(words)))

    # -- exceptions

    def new_exception(self, kind: str, args: tuple[Value, ...]) -> Ref:
        argument = self.word(args[0]) if args else UNSET_WORD
        return Ref("exception", self._new(encoded.exception_object(EXCEPTIONS.index(kind), argument)) + OBJECT)

    def exception(self, ref: Ref) -> tuple[str, tuple[Value, ...]]:
        argument = self.value(get(ref.number, Raisable, "argument"))
        return EXCEPTIONS[get(ref.number, Raisable, "kind") >> 1], () if argument is UNSET else (argument,)

    # -- threads and locks

    def new_thread(self, target: Value, args: tuple[Value, ...]) -> Ref:
        """It gets its number when nothing can fail any more."""
        words = self.word(target), self.new_list(args).number
        address = self._room(8 * THREAD_WORDS)
        image = encoded.thread_object(self._heap.next_thread(), *words)
        ctypes.memmove(address, image, len(image))
        return Ref("thread", address + OBJECT)

    def thread(self, ref: Ref) -> ThreadObject:
        """When it ends, its world knows."""
        number, started = get(ref.number, Startable, "number") >> 1, get(ref.number, Startable, "started")
        args = self.items(Ref("list", get(ref.number, Startable, "args")))
        return ThreadObject(
            number, self.value(get(ref.number, Startable, "target")), tuple(args), STARTED if started else NEW
        )

    def call_of(self, ref: Ref) -> tuple[int, list[int]]:
        """The words of its target and of the arguments."""
        target, args = get(ref.number, Startable, "target"), get(ref.number, Startable, "args")
        return target, list(self._elements(Ref("list", args)))

    def set_started(self, ref: Ref, started: bool) -> None:
        put(ref.number, Startable, "started", word_of(int(started)))

    def new_lock(self) -> Ref:
        return Ref("lock", self._new(encoded.lock_object()) + OBJECT)

    def locked(self, ref: Ref) -> bool:
        return get(ref.number, Lock, "owner") != FREE

    def unlock(self, ref: Ref) -> bool:
        """Who waits for it will look again by itself."""
        return self._heap.engine.routine("unlock", ref.number) != FREE

    # -- traces

    def trace(self, ref: Ref) -> list[int]:
        """Addresses of instructions, outermost first."""
        trace = get(ref.number, Raisable, "trace")
        if trace == UNSET_WORD:
            return []
        if trace & TAG_MASK != OBJECT or get(trace, Object, "header") & 0xFF != TRACE_KIND:
            raise HeapError(f"the exception at {ref.number:#x} has no trace at {trace:#x}")
        return list(row(trace, Trace, "places", get(trace, Trace, "length") >> 1))

    def new_trace(self, places: Sequence[int]) -> int:
        """Its tagged word.  In the spare room a trace that is too long keeps its end."""
        if self.full:
            places = places[-max(0, self._heap.spare // 8 - 8) :]
        return self._new(encoded.trace_object(places)) + OBJECT

    def set_trace(self, ref: Ref, trace: int) -> None:
        put(ref.number, Raisable, "trace", trace)
