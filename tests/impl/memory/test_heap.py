"""The collector: graphs of objects, made at random through the guest's own interface, are the same after it; its mutants are
caught; what it must not find, the verifier finds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.guest.heap import NoRoom
from safepoint.guest.values import Ref, Value
from safepoint_vm.generate.engine import PLAIN, Variant, engine
from safepoint_vm.language.layout import Memory, Record
from safepoint_vm.language.records import Thread, World
from safepoint_vm.language.words import OBJECT
from safepoint_vm.memory.heap import SMALLEST, TLAB, GuestHeap, HeapError
from safepoint_vm.memory.heap_view import HeapView
from safepoint_vm.memory.image import Image
from tests.child import Child, Lost
from tests.impl.building import code, program

MUTANTS = ("copies-exceptions-twice", "skips-the-last-word", "forgets-lists", "copies-a-word-less")
ATOMS: list[Value] = [
    0,
    -1,
    2**62 - 1,
    True,
    None,
    1.5,
    -0.0,
    0.0,
    1e300,
    math.inf,
    "",
    "a",
    "ab",
    "abc",
    "\U0001f600",
    "x" * 99,
]


class Heap:
    """A heap with one thread and a row of roots, for a view to make objects in."""

    def __init__(self, size: int = SMALLEST, variant: Variant = PLAIN, stress: bool = False) -> None:
        world, self.thread, self.engine = Record(World), Record(Thread), engine(variant)
        self.thread.set("world", world.address)
        self.heap = GuestHeap(self.engine, world, size, stress)
        self.image = Image(self.engine, program(code("<module>", 1, ("HALT",))))
        self.view = HeapView(self.image, self.heap, self.thread)
        self.roots = Memory(64)

    def ranges(self) -> list[tuple[int, int]]:
        return [(self.roots.address, self.roots.address + 8 * self.roots.words)]

    def collect(self) -> None:
        self.heap.collect([self.thread], self.ranges())
        self.view.begin()

    def verify(self) -> None:
        self.engine.routine("retire", self.thread.address)
        self.heap.verify(self.ranges())

    def root(self, number: int) -> Value:
        return self.view.value(self.roots[number])


def build(heap: Heap, draw: random.Random, count: int) -> None:
    """`count` objects that refer to each other, cycles and all, and to plain values; some of them from roots."""
    made: list[Value] = []
    for _ in range(count):
        chosen = [
            draw.choice(made) if made and draw.random() < 0.6 else draw.choice(ATOMS)
            for _ in range(draw.choice((0, 1, 2, 3, 5, 8)))
        ]
        kind = draw.random()
        if kind < 0.75 or not chosen:
            made.append(heap.view.new_list(chosen))
        elif kind < 0.9:
            made.append(heap.view.new_exception("ValueError", tuple(chosen[:1])))
        else:
            made.append("text " * draw.randrange(1, 9))
    for ref in made:
        if isinstance(ref, Ref) and ref.kind == "list" and draw.random() < 0.3:
            heap.view.append(ref, draw.choice(made))
    for ref in made:
        if isinstance(ref, Ref) and ref.kind == "exception" and draw.random() < 0.5:
            heap.view.set_trace(ref, heap.view.new_trace([8 * draw.randrange(1000) for _ in range(draw.randrange(5))]))
    for number in range(heap.roots.words):
        heap.roots[number] = heap.view.word(draw.choice(made + ATOMS))


def shape(heap: Heap, values: Sequence[Value]) -> list[object]:
    """Values described without addresses: objects by the number of their first visit."""
    numbers: dict[int, int] = {}
    described: list[object] = []

    def of(value: Value) -> object:
        if not isinstance(value, Ref):
            return type(value).__name__, repr(value)
        if value.number not in numbers:
            numbers[value.number] = len(numbers)
            todo.append(value)
        return value.kind, numbers[value.number]

    todo: list[Ref] = []
    described += [of(value) for value in values]
    for ref in todo:
        if ref.kind == "list":
            described.append(("list", [of(item) for item in heap.view.items(ref)]))
        else:
            kind, args = heap.view.exception(ref)
            described.append((kind, [of(a) for a in args], heap.view.trace(ref)))
    return described


def whole_shape(heap: Heap) -> list[object]:
    return shape(heap, [heap.root(number) for number in range(heap.roots.words)])


@given(st.randoms(use_true_random=False), st.integers(1, 120))
def test_a_graph_is_the_same_after_a_collection(draw: random.Random, count: int) -> None:
    heap = Heap(4 * SMALLEST)
    build(heap, draw, count)
    before, used = whole_shape(heap), heap.heap.used
    heap.verify()
    for _ in range(2):
        heap.collect()
        assert whole_shape(heap) == before
        heap.verify()
    assert heap.heap.used <= used


def is_noticed(mutant: str) -> bool:
    """Is a mutant of the collector noticed by the shape, by the verifier, or because the host meets a word that is no value?"""
    for seed in range(20):
        heap = Heap(4 * SMALLEST, Variant(collector_mutant=mutant))
        build(heap, random.Random(seed), 60)
        before = whole_shape(heap)
        try:
            heap.collect()
            heap.verify()
            assert whole_shape(heap) == before
        except (AssertionError, HeapError):
            return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mistake_of_the_collectors_is_caught(mutant: str) -> None:
    """Within a few graphs, in a process of its own: a wrong collector may write anywhere, and the process may die of it."""
    with Child(bound=60) as child, suppress(Lost):
        assert child(is_noticed, mutant), f"{mutant} was not noticed"


def test_the_verifier_is_right_about_a_sound_heap_and_sees_a_broken_word() -> None:
    """A value that points into the other space, to no object, or to an object of another kind; a header that is none."""
    heap = Heap()
    ref = heap.view.new_list([heap.view.new_list([]), "abc"])
    heap.roots[0] = ref.number
    heap.verify()
    at = heap.view._elements(ref)
    good, other = at[0], heap.heap._spaces[1].start
    for bad in (other + OBJECT, good + 16, good - 8, heap.roots.address + OBJECT):
        at[0] = bad
        with pytest.raises(HeapError, match="is not a valid value or header"):
            heap.verify()
    at[0] = good
    heap.verify()
    heap.roots[1] = other + OBJECT
    with pytest.raises(HeapError):
        heap.verify()


def test_what_no_root_reaches_is_not_copied() -> None:
    heap = Heap()
    keep = heap.view.new_list(["keep"])
    heap.roots[0] = keep.number
    for _ in range(100):
        heap.view.new_list(["drop" * 5])
    heap.collect()
    words = 4 + 2 + 2 + 4  # the list, its backing of two, the string
    assert heap.heap.used == 8 * words


def fill_up(heap: Heap, items: list[Value] | None) -> None:
    """With lists, the last of them in root 0.  None: each holds the one before, so that all are alive."""
    for _ in range(10_000):
        heap.view.begin()
        try:
            heap.roots[0] = heap.view.new_list([heap.root(0)] * 10 if items is None else items).number
        except NoRoom:
            return
    pytest.fail("the heap is never full")


def test_a_full_heap_has_no_room_and_a_collection_makes_it() -> None:
    heap = Heap()
    fill_up(heap, [1] * 10)
    heap.collect()
    assert heap.heap.grant(heap.thread)
    assert heap.view.items(heap.view.new_list([7])) == [7]
    assert heap.root(0) == Ref("list", heap.roots[0])


def test_a_heap_that_stays_full_grants_nothing() -> None:
    heap = Heap()
    fill_up(heap, None)
    heap.collect()
    heap.thread.set("wanted", 2 * TLAB)
    assert not heap.heap.grant(heap.thread)
    heap.verify()


def test_every_space_between_tlabs_can_be_walked() -> None:
    """Several threads take TLABs and large objects in turn."""
    heap = Heap(16 * SMALLEST)
    others = [Record(Thread) for _ in range(3)]
    for record in others:
        record.set("world", heap.heap.world.address)
    views = [HeapView(heap.image, heap.heap, record) for record in others]
    draw = random.Random(1)
    for _ in range(300):
        views[draw.randrange(3)].new_list([0] * draw.choice((1, 2, 3, 500)))
    for record in others:
        heap.engine.routine("retire", record.address)
    heap.verify()


def test_the_reserve_is_for_the_exceptions_of_a_full_heap() -> None:
    heap = Heap()
    fill_up(heap, [1] * 10)
    heap.view.begin()
    heap.view.full = True
    error = heap.view.new_exception("MemoryError", ())
    heap.view.set_trace(error, heap.view.new_trace(range(0, 8 * 10_000, 8)))
    assert 0 < len(heap.view.trace(error)) < 10_000
    assert heap.view.trace(error)[-1] == 8 * 9_999
    heap.roots[0] = error.number
    heap.verify()
    before = heap.view.trace(error)
    heap.collect()
    assert heap.view.trace(Ref("exception", heap.roots[0])) == before


def test_a_heap_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="the smallest: 65536"):
        Heap(SMALLEST - 1)


@given(st.floats())
def test_a_float_is_what_it_was(number: float) -> None:
    """In a word or in a box; never both, so equal words are equal floats."""
    heap = Heap()
    word = heap.view.word(number)
    assert repr(heap.view.value(word)) == repr(number)
    assert (word & 0b11 == 0b01) == (2.0**-255 <= abs(number) < 2.0**257)


@given(st.text(st.characters(codec=None), max_size=20))
def test_a_string_is_what_it_was(text: str) -> None:
    heap = Heap()
    heap.roots[0] = heap.view.word(text)
    heap.collect()
    assert heap.root(0) == text
