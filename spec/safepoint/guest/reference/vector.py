"""A persistent vector: `set` and `append` return a new one that shares all but one path of its tree with the old.

So a fork of the reference machine copies no heap, and comparing two heaps skips what they share.  Written here because the
specification imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
BITS = 5
WIDTH = 1 << BITS
Node = tuple[Any, ...]
"""At height 0 its children are items, else nodes of the height below.  All children but the last are full."""


class Vector(Generic[T]):
    """The digits of an index to base 32 are the path to its item."""

    __slots__ = ("height", "root", "size")

    def __init__(self, size: int = 0, height: int = 0, root: Node = ()) -> None:
        self.size, self.height, self.root = size, height, root

    @staticmethod
    def of(items: Iterable[T]) -> Vector[T]:
        level: list[Any] = list(items)
        size, height = len(level), 0
        while len(level) > WIDTH:
            level = [tuple(level[i : i + WIDTH]) for i in range(0, len(level), WIDTH)]
            height += 1
        return Vector(size, height, tuple(level))

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, number: int) -> T:
        if not 0 <= number < self.size:
            raise IndexError(number)
        item: T = self._leaf(number)[number & WIDTH - 1]
        return item

    def __iter__(self) -> Iterator[T]:
        return _items(self.root, self.height)

    def part(self, first: int, end: int) -> list[T]:
        """Items first … end-1, as far as there are any."""
        numbers = range(first, min(end, self.size))
        nodes = (self._leaf(at) for at in range(first - first % WIDTH, numbers.stop, WIDTH)) if numbers else ()
        return [item for node in nodes for item in node][first % WIDTH :][: len(numbers)]

    def _leaf(self, number: int) -> Node:
        """The node of height 0 that has an item."""
        node: Node = self.root
        for height in range(self.height, 0, -1):
            node = node[number >> BITS * height & WIDTH - 1]
        return node

    def set(self, number: int, value: T) -> Vector[T]:
        if not 0 <= number < self.size:
            raise IndexError(number)
        return Vector(self.size, self.height, _put(self.root, self.height, number, value))

    def append(self, value: T) -> Vector[T]:
        root, height = self.root, self.height
        if self.size == WIDTH ** (height + 1):
            root, height = (root,), height + 1
        return Vector(self.size + 1, height, _put(root, height, self.size, value))


def _items(node: Node, height: int) -> Iterator[Any]:
    if height == 0:
        yield from node
    else:
        for child in node:
            yield from _items(child, height - 1)


def _put(node: Node, height: int, number: int, value: Any) -> Node:
    at = number >> BITS * height & WIDTH - 1
    if height:
        value = _put(node[at] if at < len(node) else (), height - 1, number, value)
    return (*node[:at], value, *node[at + 1 :])


def alike(a: Vector[T], b: Vector[T], same: Callable[[T, T], bool]) -> bool:
    """Whether all items are the same, as `same` says; shared parts are not visited."""
    return a.size == b.size and _alike(a.root, b.root, a.height, same)


def _alike(a: Node, b: Node, height: int, same: Callable[[Any, Any], bool]) -> bool:
    if a is b:
        return True
    if height == 0:
        return all(x is y or same(x, y) for x, y in zip(a, b, strict=True))
    return all(_alike(x, y, height - 1, same) for x, y in zip(a, b, strict=True))
