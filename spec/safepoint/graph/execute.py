"""One thread's way through a graph, a step at a time: what the explorer and the reference machine both run.

An `Activation` is a procedure or role under way.  `perform` makes the access of the step it stands at, and does the local
work that follows, up to the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from safepoint.graph.ir import (
    FOLD,
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
    Graph,
    If,
    Let,
    Local,
    Op,
    Population,
    Private,
    Step,
    Tree,
    When,
)

POISON = 0
"""What a poisoned trigger word holds: below every stack address, and no handler's address."""


def private_value(e: Expr, privates: Mapping[str, int]) -> int:
    """The value of an expression over constants and one thread's private words; a word that is not there is 0."""
    match e:
        case Const(value):
            return value
        case Private(word):
            return privates.get(word, 0)
        case Op(name, args):
            return int(FOLD[name](*(private_value(a, privates) for a in args)))
    raise ValueError(f"{e} is not an expression over private words")


class Memory(Protocol):
    """The shared words, as one thread sees them."""

    def load(self, cell: Cell) -> int: ...

    def store(self, cell: Cell, value: int) -> bool:
        """False: it cannot happen now."""
        ...

    def locked(self, cell: Cell) -> bool:
        """May a locked access happen now?  Then what `load` and `store` do next is one."""
        ...


class Listener(Protocol):
    """What is notified of what the text says besides its accesses."""

    def ghost(self, op: str, owner: int | str, kind: int) -> None: ...
    def claim(self, name: str, holds: bool) -> None: ...
    def branch(self, place: str, taken: bool) -> None: ...


Heard = TypeVar("Heard", bound=Listener)


class Impossible(Exception):
    """A `when` that does not hold: this case of a choice cannot be taken."""


@dataclass
class Activation:
    """`at` None: it has returned `result`.  `reals`: the real value of each trigger word, by its name without number.

    `population`: how many threads there are at the moment, for a graph that does not know.
    """

    graph: Graph
    me: int | str
    env: dict[str, int]
    privates: dict[str, int]
    reals: dict[str, int]
    at: Step | None = None
    result: int = 0
    population: Callable[[], int] = field(default=lambda: 1, compare=False)
    label: str = field(default="", compare=False)  # the cases chosen by the last move

    def copy(self) -> Activation:
        return Activation(
            self.graph, self.me, dict(self.env), dict(self.privates), self.reals, self.at, self.result, self.population
        )

    def begin(self, listener: Listener) -> None:
        self.settle(self.graph.start, listener)

    def cell(self) -> Cell | None:
        """The word that the next step accesses, its owner made out."""
        return None if self.at is None or self.at.cell is None else self._resolve(self.at.cell)

    def perform(self, memory: Memory, listener: Listener) -> bool:
        """The access of the step it stands at, and what follows; False, and nothing happened: it waits."""
        step = self.at
        assert step is not None, "a procedure that has returned makes no step"
        result = self._access(step, memory)
        if result is None:
            return False
        self.env[RESULT.name] = result
        if step.guard is not None and not self.value(step.guard):
            return False
        self.settle(step.then[0], listener)
        return True

    def alternatives(
        self, listener: Heard, fork: Callable[[Heard], Heard], made: frozenset[int] = frozenset()
    ) -> Iterator[tuple[Activation, Heard, bool]]:
        """Each way through the choices that it stands at: a choice is part of the access that follows it.

        Yields an activation, with its own copy of the listener, that stands at the access; or True with one that is back at
        a choice which it has just made: its move was all local, and is over.
        """
        if self.at is None or self.at.op != "choose":
            yield self, listener, False
            return
        made |= {self.at.number}
        for case, tree in zip(self.at.cases, self.at.then, strict=True):
            chosen, heard = self.copy(), fork(listener)
            chosen.label = f"{self.label}, {case}" if self.label else case
            try:
                chosen.settle(tree, heard)
            except Impossible:
                continue
            if chosen.at is not None and chosen.at.number in made:
                yield chosen, heard, True
            else:
                yield from chosen.alternatives(heard, fork, made)

    def settle(self, tree: Tree, listener: Listener) -> None:
        """Local work, up to the next step.  Raises Impossible."""
        while not isinstance(tree, Step):
            match tree:
                case Goto(label):
                    tree = self.graph.labels[label]
                case Let(Local(name), value, then):
                    self.env[name], tree = self.value(value), then
                case Let(Private(word), value, then):
                    self.privates[word], tree = self.value(value), then
                case If(test, yes, no, place):
                    taken = bool(self.value(test))
                    listener.branch(place, taken)
                    tree = yes if taken else no
                case Ghost(op, owner, kind, then):
                    listener.ghost(op, self._owner(owner), self.value(kind))
                    tree = then
                case Claim(name, test, then):
                    listener.claim(name, bool(self.value(test)))
                    tree = then
                case When(test, then):
                    if not self.value(test):
                        raise Impossible
                    tree = then
                case Done(value):
                    self.at, self.result = None, 0 if value is None else self.value(value)
                    return
        self.at = tree
        live = self.graph.live[tree.number]
        self.env = {name: value for name, value in self.env.items() if name in live}

    def value(self, e: Expr) -> int:
        match e:
            case Const(value):
                return value
            case Local(name):
                return self.env[name]
            case Private(word):
                return self.privates[word]
            case Fixed(cell, which):
                return POISON if which == "poison" else self.reals[cell.word.split("[")[0]]
            case Population():
                return self.population()
            case Op(name, args):
                return int(FOLD[name](*(self.value(a) for a in args)))
        raise ValueError(f"{self.graph.name}: {e} has no value here")

    def _access(self, step: Step, memory: Memory) -> int | None:
        """What the access gives; None: it cannot happen now."""
        if step.cell is None:
            return 0
        cell = self._resolve(step.cell)
        operands = [self.value(o) for o in step.operands]
        if step.op == "load":
            return memory.load(cell)
        if step.op == "store":
            return 0 if memory.store(cell, operands[0]) else None
        if not memory.locked(cell):
            return None
        old = memory.load(cell)
        match step.op:
            case "fetch_or":
                memory.store(cell, old | operands[0])
            case "fetch_and":
                memory.store(cell, old & operands[0])
            case "swap":
                memory.store(cell, operands[0])
            case "cas":
                if old == operands[0]:
                    memory.store(cell, operands[1])
                return int(old == operands[0])
        return old

    def _resolve(self, cell: Cell) -> Cell:
        return cell if isinstance(cell.owner, int) else Cell(self._owner(cell.owner), cell.word)

    def _owner(self, owner: int | str | Local) -> int | str:
        if isinstance(owner, Local):
            return self.env[owner.name]
        return self.me if owner == SELF else owner
