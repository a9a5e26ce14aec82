"""Tagged words as the guest's definitions see them, and back.

A Ref's number is the tagged word; what a poll in the middle of an instruction does to it is in `references`.
"""

from __future__ import annotations

import ctypes

from safepoint.guest.heap import WORK, NoRoom
from safepoint.guest.values import Function, Ref, Value
from safepoint_vm.language import words
from safepoint_vm.language.layout import Record, fields
from safepoint_vm.language.tagged import float_of_word, float_word, from_bits, word_of
from safepoint_vm.language.vocabulary import Struct
from safepoint_vm.memory import objects as encoded
from safepoint_vm.memory.heap import GuestHeap, HeapError
from safepoint_vm.memory.image import Image
from safepoint_vm.memory.references import InUse

CHARACTERS = fields(words.String)["characters"].offset
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


class ValueView(InUse):
    """The half of a `HeapView` that other objects than lists and exceptions need."""

    def __init__(self, image: Image, heap: GuestHeap, thread: Record) -> None:
        self._image, self._heap, self._thread = image, heap, thread
        self._statics = encoded.statics()
        super().__init__()
        self.begin()

    def begin(self, polls: int | None = None) -> None:
        """Begin an instruction, or do it again; it has passed `polls` polls.  None: it has no polls."""
        self.polls, self.units = polls or 0, 0
        self.waits = None if polls is None else self.waiter
        self._known: dict[str, int] = {}  # strings that have a tagged word already
        self._taken = 0  # bytes allocated
        self.full = False  # True: allocate from the reserve

    def has_moved(self) -> None:
        super().has_moved()
        self._known.clear()

    # -- words and values

    def value(self, word: int) -> Value:
        """The value of a tagged word.  HeapError: it has none."""
        if word & 1 == 0:
            return word >> 1
        if word & 0b11 == 0b01:
            return float_of_word(word)
        match word & words.TAG_MASK:
            case words.LIST:
                return self.ref("list", word)
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
                return self.ref(KINDS_OF_REFS[kind], word)
        raise HeapError(f"the object at {word:#x} is not a value")

    def _string(self, word: int) -> str:
        ref, length = self.ref("string", word), get(word, words.String, "length") >> 1
        parts = []
        for at in range(0, length, WORK):
            count = min(WORK, length - at)
            image = ctypes.string_at(ref.number + CHARACTERS + 4 * at, 4 * count)
            parts.append(image.decode(encoded.UTF32, encoded.SURROGATES))
            self.copied(count)
        text = "".join(parts)
        self._known.setdefault(text, ref.number)
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
            self._known[text] = self._new_string(text)
        return self._known[text]

    def _new_string(self, text: str) -> int:
        size = encoded.string_bytes(len(text))
        address = self._room(size)
        ref = self.ref("string", address + words.OBJECT)
        ctypes.memset(address + size - 16, 0, 16)  # the padding
        head = encoded.string_head(len(text))
        ctypes.memmove(address, head, len(head))
        for at in range(0, len(text), WORK):
            image = text[at : at + WORK].encode(encoded.UTF32, encoded.SURROGATES)
            ctypes.memmove(ref.number + CHARACTERS + 4 * at, image, len(image))
            self.copied(len(image) // 4)
        return ref.number

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
        while not self.full and not self._heap.room(self._thread, size):
            self._thread.set("wanted", size + (0 if self.waits else self._taken))
            if not (self.waits and self.waits.make_room()):
                raise NoRoom
