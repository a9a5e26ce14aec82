"""The steps of a graph as formulas: from each place every way to the next one, as a condition and what changes.

What `promela` writes out.  It says again, in another form, what `execute` and `system` do by running a graph: so it is as good
as a second author, and shares nothing with them but the graph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from safepoint.graph.execute import POISON
from safepoint.graph.ir import (
    RESULT,
    SELF,
    Cell,
    Claim,
    Const,
    Done,
    Expr,
    Fixed,
    Ghost,
    Goto,
    If,
    Let,
    Local,
    Op,
    Private,
    Step,
    Tree,
    When,
    fold,
)
from safepoint.model.process import Mover

NO, YES = Const(0), Const(1)
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def identifier(name: str) -> str:
    """`T0.entry[1]`, `coordinator 2.post.kind`: a name that Promela takes."""
    return re.sub(r"\W+", "_", name).strip("_")


def variable(cell: Cell) -> str:
    return identifier(f"T{cell.owner}.{cell.word}" if isinstance(cell.owner, int) else str(cell))


def negated(e: Expr) -> Expr:
    match e:
        case Op(name, args) if name in OPPOSITE:
            return fold(OPPOSITE[name], *args)
    return fold("==", e, NO)


@dataclass(frozen=True)
class Way:
    """One way from a place to the next.  Every expression is over the state before; its `Local`s are Promela's variables.

    `env`: what each local and private word of the graph holds now.  `words`: what happens to shared words and ghosts.
    `sent`: TSO, a word's number and the value that is on its way to it.
    """

    env: dict[str, Expr]
    words: dict[str, Expr] = field(default_factory=dict)
    tests: tuple[Expr, ...] = ()
    claims: tuple[tuple[str, Expr], ...] = ()
    sent: tuple[int, Expr] | None = None
    cases: tuple[str, ...] = ()

    def having(self, name: str, value: Expr) -> Way:
        return replace(self, env={**self.env, name: value})

    def writing(self, variable: str, value: Expr) -> Way:
        return replace(self, words={**self.words, variable: value})

    def when(self, test: Expr) -> Iterator[Way]:
        """This way, if the test holds; no way if it never does."""
        if not isinstance(test, Const):
            yield replace(self, tests=(*self.tests, test))
        elif test.value:
            yield self


@dataclass(frozen=True)
class Ways:
    """The ways of one mover: its graph, run on formulas."""

    mover: Mover

    def start(self, step: Step) -> Way:
        live = self.mover.graph.live[step.number]
        return Way({n: Local(self.name(n)) for n in (*live, *self.mover.privates)})

    def name(self, of: str) -> str:
        return identifier(f"{self.mover.name}.{of}")

    def all(self, step: Step) -> Iterator[tuple[Way, Step]]:
        yield from self._choosing(step, self.start(step), frozenset())

    def _choosing(self, step: Step, way: Way, seen: frozenset[int]) -> Iterator[tuple[Way, Step]]:
        """A choice goes on to the access after it; but whoever comes back to a choice has made a step that is all local."""
        if step.op != "choose":
            yield from self._access(step, way)
            return
        seen |= {step.number}
        for case, tree in zip(step.cases, step.then, strict=True):
            for chosen, end in self._settle(tree, replace(way, cases=(*way.cases, case))):
                if end.number in seen:
                    yield chosen, end
                else:
                    yield from self._choosing(end, chosen, seen)

    def _access(self, step: Step, way: Way) -> Iterator[tuple[Way, Step]]:
        for after, result in self._memory(step, way):
            told = after.having(RESULT.name, result)
            for passed in told.when(YES if step.guard is None else self._value(step.guard, told)):
                yield from self._settle(step.then[0], passed)

    def _memory(self, step: Step, way: Way) -> Iterator[tuple[Way, Expr]]:
        """What the access does to memory, and what it gives."""
        if step.cell is None:
            yield way, NO
            return
        cell = Cell(self._owner(step.cell.owner), step.cell.word)
        operands = [self._value(o, way) for o in step.operands]
        delayed = bool(self.mover.buffer)
        if step.op == "load":
            yield way, Local(f"{self.name('sees')}_{variable(cell)}" if cell in self.mover.stored else variable(cell))
        elif step.op == "store" and delayed:
            sent = replace(way, sent=(self.mover.stored.index(cell) + 1, operands[0]))
            room = fold("<", Local(self.name("sent")), Const(len(self.mover.buffer)))
            yield from ((w, NO) for w in sent.when(room))
        elif step.op == "store":
            yield way.writing(variable(cell), operands[0]), NO
        else:
            empty = fold("==", Local(self.name("sent")), NO) if delayed else YES
            for w in way.when(empty):
                yield from _locked(step.op, variable(cell), operands, w)

    def _settle(self, tree: Tree, way: Way) -> Iterator[tuple[Way, Step]]:
        match tree:
            case Step():
                yield way, tree
            case Goto(label):
                yield from self._settle(self.mover.graph.labels[label], way)
            case Let(target, value, then):
                name = target.name if isinstance(target, Local) else target.word
                yield from self._settle(then, way.having(name, self._value(value, way)))
            case If(test, yes, no):
                value = self._value(test, way)
                for taken in way.when(value):
                    yield from self._settle(yes, taken)
                for taken in way.when(negated(value)):
                    yield from self._settle(no, taken)
            case Ghost(op, owner, kind, then):
                owed = identifier(f"T{self._owner(owner)}.owed")
                yield from self._settle(then, _ghost(op, owed, self._value(kind, way), way))
            case Claim(name, test, then):
                yield from self._settle(then, replace(way, claims=(*way.claims, (name, self._value(test, way)))))
            case When(test, then):
                for taken in way.when(self._value(test, way)):
                    yield from self._settle(then, taken)
            case Done():
                raise ValueError(f"{self.mover.graph.name}: a role of the model must not end")

    def _value(self, e: Expr, way: Way) -> Expr:
        """The expression over the state before this way."""
        match e:
            case Local(name) | Private(name):
                return way.env[name]
            case Fixed(cell, which):
                return Const(POISON if which == "poison" else self.mover.layout.reals[cell.word.split("[")[0]])
            case Op(name, args):
                return fold(name, *(self._value(a, way) for a in args))
        return e

    def _owner(self, owner: int | str | Local) -> int | str:
        assert not isinstance(owner, Local), "in a model a loop over threads is unrolled"
        return self.mover.me if owner == SELF else owner

    def changes(self, way: Way, before: Step, after: Step) -> dict[str, Expr]:
        """The variables that get another value.  A local that is not needed at `after` is 0 there."""
        kept, gone = self.mover.graph.live[after.number], self.mover.graph.live[before.number]
        found = {self.name(n): way.env[n] for n in (*kept, *self.mover.privates) if n in way.env}
        found |= {self.name(n): NO for n in gone - kept} | way.words
        return {name: value for name, value in sorted(found.items()) if value != Local(name)}


def _locked(op: str, word: str, operands: list[Expr], way: Way) -> Iterator[tuple[Way, Expr]]:
    old = Local(word)
    match op:
        case "fetch_or":
            yield way.writing(word, fold("|", old, operands[0])), old
        case "fetch_and":
            yield way.writing(word, fold("&", old, operands[0])), old
        case "swap":
            yield way.writing(word, operands[0]), old
        case "cas":
            yield from ((w.writing(word, operands[1]), YES) for w in way.when(fold("==", old, operands[0])))
            yield from ((w, NO) for w in way.when(fold("!=", old, operands[0])))
        case _:
            raise ValueError(f"{op}: an access that Promela is not told of")


def _ghost(op: str, owed: str, kind: Expr, way: Way) -> Way:
    now = way.words.get(owed, Local(owed))
    match op:
        case "posted":
            return way.writing(owed, fold("|", now, kind))
        case "ran":
            way = replace(way, claims=(*way.claims, ("served-once", fold("&", now, kind))))
        case "served" | "dropped":
            pass
        case _:
            raise ValueError(f"{op}: a ghost that Promela is not told of")
    return way.writing(owed, fold("&", now, fold("~", kind)))
