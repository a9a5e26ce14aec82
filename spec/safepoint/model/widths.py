"""How many bits each word and local of a text needs, computed from the values that can get there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from safepoint.graph import ir
from safepoint.graph.text import ProtocolError, Text

LEAST = 2
"""Bits of anything: stack depths and thread numbers, which the text counts up, stay below 4."""
BELOW = "never-below-0"
"""What a custom text breaks that takes more away than there is: a counter that falls below 0."""
MOST = 8
"""Bits of what a text counts up: what is still not bounded is taken for endless."""
ANYTHING = -1

M = TypeVar("M")
T = TypeVar("T")


class TooNarrow(ProtocolError):
    """A value has come up that has not room in the bits of its word, private word or local, `name`."""

    def __init__(self, said: str, name: str, bits: int) -> None:
        super().__init__(said)
        self.name, self.bits = name, bits


def fitting(make: Callable[[Mapping[str, int]], M], work: Callable[[M], T]) -> T:
    """The work, done on a model that is wide enough.  `make`: the model, given how many bits to take for which names.

    A value that has no room makes its word twice as wide, and the work begins again.  Raises TooNarrow beyond MOST bits.
    """
    wider: dict[str, int] = {}
    while True:
        try:
            return work(make(wider))
        except TooNarrow as few:
            if few.bits >= MOST:
                raise
            wider[few.name] = min(MOST, 2 * few.bits)


class Widths:
    """Bit masks of what may be in a word (by its name without number), a private word or a local: a fixpoint over all graphs."""

    def __init__(
        self, text: Text, graphs: Iterable[ir.Graph], reals: dict[str, int], wider: Mapping[str, int] | None = None
    ) -> None:
        """`wider`: bits that some names need besides."""
        self.masks: dict[str, int] = dict(reals)
        for begins in text.first.values():
            for word, value in begins.items():
                self._may_hold(word, value)
        for name, bits in (wider or {}).items():
            self._may_hold(name, (1 << bits) - 1)
        self.text, self.reals = text, reals
        self.kinds = 0  # of requests
        before: dict[str, int] = {}
        self.graphs = graphs = list(graphs)
        while before != self.masks:
            before = dict(self.masks)
            for graph in graphs:
                for step in graph.steps:
                    self._step(step)
                for tree in (graph.start, *graph.labels.values()):
                    self._tree(tree, ANYTHING)

    def of(self, name: str) -> int:
        """In bits.  Raises ProtocolError if nothing bounds it."""
        mask = self.masks.get(_base(name), 0)
        if mask < 0:
            raise self.too_narrow(name, mask)
        return max(LEAST, mask.bit_length())

    def too_narrow(self, name: str, value: int) -> TooNarrow:
        """The complaint that the local or the word gets a value that has no room, at a statement that computes it."""
        name = _base(name)
        bits = MOST if value < 0 else self.of(name)
        file, line = self._place(name)
        source = self.text.source(file, line)
        column = self.text.lines[file][line - 1].find(source) + 1 if source else 1
        short = name.rpartition(".")[2]
        if value < 0:
            said, instead = f"{short} would fall below 0", "a constant of the text for it, from 0 up"
        else:
            said = f"nothing keeps the values of {short} below {1 << bits}, and a model is finite"
            instead = "a bound: x = x + 1 & 3, or `when(x < 3)` before it"
        return TooNarrow(f"{file}:{line}:{column}: {said} (write instead: {instead})\n    {source}", name, bits)

    def _place(self, name: str) -> tuple[str, int]:
        """File and line of a statement that sets it to what is computed, or of where it has its values from."""
        todo, copies = [name], list[tuple[str, int]]()
        for each in todo:
            for value, file, line in self._set(each):
                if isinstance(value, ir.Op) or (isinstance(value, ir.Const) and value.value < 0):
                    return file, line
                if isinstance(value, ir.Local | ir.Private):
                    copies.append((file, line))
                    source = value.name if isinstance(value, ir.Local) else value.word
                    todo += [source] if source not in todo else []
        return next(iter(copies), ("", 0))

    def _set(self, name: str) -> Iterator[tuple[ir.Expr, str, int]]:
        """What the statements set it to, with file and line."""
        for graph in self.graphs:
            for tree in graph.trees:
                if isinstance(tree, ir.Let) and _named(tree) == name and tree.place:
                    file, line = tree.place.split(":")
                    yield tree.value, file, int(line)
            for step in graph.steps:
                if step.cell is not None and _base(step.cell.word) == name:
                    adds = step.op in ("fetch_add", "fetch_sub")
                    yield from ((ir.Op("+", (o,)) if adds else o, step.file, step.line) for o in step.operands[-1:])

    def _step(self, step: ir.Step) -> None:
        got = 0
        if step.cell is not None:
            word = _base(step.cell.word)
            operands = [self._value(o, 0) for o in step.operands]
            if operands and step.op not in ("fetch_and", "fetch_sub"):
                self._may_hold(word, operands[-1])
            got = 1 if step.op == "cas" else self.masks.get(word, 0)
        for tree in step.then:
            self._tree(tree, got)

    def _tree(self, tree: ir.Tree, got: int) -> None:
        """`got`: what the access just before may have given."""
        match tree:
            case ir.Let(_, value, then):
                self._may_hold(_named(tree), self._value(value, got))
                self._tree(then, got)
            case ir.If(_, yes, no):
                self._tree(yes, got)
                self._tree(no, got)
            case ir.Ghost(kind=kinds):
                self.kinds |= max(self._value(kinds, got), 0)
                self._tree(tree.then, got)
            case ir.Claim() | ir.When():
                self._tree(tree.then, got)

    def _may_hold(self, name: str, mask: int) -> None:
        self.masks[name] = self.masks.get(name, 0) | mask

    def _value(self, e: ir.Expr, got: int) -> int:
        match e:
            case ir.Const(value):
                return value
            case ir.Local() if e == ir.RESULT:
                return got
            case ir.Local(name):
                return self.masks.get(name, 0)
            case ir.Private(word):
                return self.masks.get(word, 0)
            case ir.Fixed(ir.Cell(word=word), which):
                return self.reals[_base(word)] if which == "real" else 0
            case ir.Op("&", (a, b)):
                return self._value(a, got) & self._value(b, got)
            case ir.Op("|" | "+" | "-", args):
                mask = 0
                for a in args:
                    mask |= self._value(a, got)
                return mask
            case ir.Op("~", _):
                return ANYTHING
        return 1


def _named(let: ir.Let) -> str:
    return let.target.name if isinstance(let.target, ir.Local) else let.target.word


def _base(word: str) -> str:
    return word.split("[", maxsplit=1)[0]
