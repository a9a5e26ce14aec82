"""How many bits each word and local of a text needs, computed from the values that can get there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from safepoint.graph import ir
from safepoint.graph.text import ProtocolError, Text

LEAST = 2
"""Bits of anything: stack depths and thread numbers, which the text counts up, stay below 4."""
ANYTHING = -1


class Widths:
    """Bit masks of what may be in a word (by its name without number), a private word or a local: a fixpoint over all graphs."""

    def __init__(self, text: Text, graphs: Iterable[ir.Graph], reals: dict[str, int]) -> None:
        self.masks: dict[str, int] = dict(reals)
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
            raise self.unbounded(name)
        return max(LEAST, mask.bit_length())

    def unbounded(self, name: str) -> ProtocolError:
        """The complaint, at a statement that sets the local or the word to what is computed."""
        file, line = next(self._set(_base(name)), ("", 0))
        source = self.text.source(file, line)
        column = self.text.lines[file][line - 1].find(source) + 1 if source else 1
        said = f"nothing bounds the values of {name.rpartition('.')[2]}, and a model is finite"
        instead = "a bound: x = x + 1 & 3, or `when(x < 3)` before it"
        return ProtocolError(f"{file}:{line}:{column}: {said} (write instead: {instead})\n    {source}")

    def _set(self, name: str) -> Iterator[tuple[str, int]]:
        """File and line of the statements that set it to what is computed."""
        for graph in self.graphs:
            for tree in graph.trees():
                if isinstance(tree, ir.Let) and isinstance(tree.value, ir.Op) and _named(tree) == name and tree.place:
                    file, line = tree.place.split(":")
                    yield file, int(line)
            for step in graph.steps:
                if (
                    step.cell is not None
                    and _base(step.cell.word) == name
                    and any(isinstance(o, ir.Op) for o in step.operands)
                ):
                    yield step.file, step.line

    def _step(self, step: ir.Step) -> None:
        got = 0
        if step.cell is not None:
            word = _base(step.cell.word)
            operands = [self._value(o, 0) for o in step.operands]
            if step.op in ("store", "fetch_or", "swap"):
                self._may_hold(word, operands[0])
            elif step.op == "cas":
                self._may_hold(word, operands[1])
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
