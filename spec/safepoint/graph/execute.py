"""One thread's way through a graph, a step at a time: what the explorer and the reference machine both run.

An `Activation` is a procedure or role under way.  `perform` makes the access of the step it stands at, and does the local
work that follows, up to the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, TypeVar

from safepoint.graph import ir

POISON = 0
"""What a poisoned trigger word holds: below every stack address, and no handler's address."""


def private_value(e: ir.Expr, privates: Mapping[str, int]) -> int:
    """The value of an expression over constants and one thread's private words; a word that is not there is 0."""
    match e:
        case ir.Const(value):
            return value
        case ir.Private(word):
            return privates.get(word, 0)
        case ir.Op(name, args):
            return int(ir.FOLD[name](*(private_value(a, privates) for a in args)))
    raise ValueError(f"{e} is not an expression over private words")


class Memory(Protocol):
    """The shared words, as one thread sees them."""

    def load(self, cell: ir.Cell) -> int: ...

    def store(self, cell: ir.Cell, value: int) -> bool:
        """False: it cannot happen now."""
        ...

    def locked(self, cell: ir.Cell) -> bool:
        """May a locked access, or a store that is published, happen now?  Then what `load` and `store` do next is one."""
        ...


class Listener(Protocol):
    """What is notified of what the text says besides its accesses."""

    def ghost(self, op: str, owner: int | str, kind: int) -> None: ...
    def claim(self, name: str, holds: bool) -> None: ...
    def happens(self, name: str) -> None: ...
    def branch(self, place: str, taken: bool) -> None: ...


Heard = TypeVar("Heard", bound=Listener)


class Impossible(Exception):
    """A `when` that does not hold: this case of a choice cannot be taken."""


made_out = cache(ir.Cell)
"""The same word is the same object: a step makes none."""


@cache
def stem(word: str) -> str:
    """The name of a word, without its number."""
    return word.split("[", maxsplit=1)[0]


@dataclass
class Activation:
    """`at` None: it has returned `result`.  `reals`: the real value of each trigger word, by its name without number.

    `population`: how many threads there are at the moment, for a graph that does not know.
    """

    graph: ir.Graph
    me: int | str
    env: dict[str, int]
    privates: dict[str, int]
    reals: dict[str, int]
    at: ir.Step | None = None
    result: int = 0
    population: Callable[[], int] = field(default=lambda: 1, compare=False)
    label: str = field(default="", compare=False)  # the cases chosen by the last move

    def copy(self) -> Activation:
        return Activation(
            self.graph, self.me, dict(self.env), dict(self.privates), self.reals, self.at, self.result, self.population
        )

    def begin(self, listener: Listener) -> None:
        self.settle(self.graph.start, listener)

    def cell(self) -> ir.Cell | None:
        """The word that the next step accesses, its owner made out."""
        return None if self.at is None or self.at.cell is None else self._resolve(self.at.cell)

    def perform(self, memory: Memory, listener: Listener) -> bool:
        """The access of the step it stands at, and what follows; False, and nothing happened: it waits."""
        step = self.at
        assert step is not None, "a procedure that has returned makes no step"
        result = self._access(step, memory)
        if result is None:
            return False
        self.env[ir.RESULT.name] = result
        if step.guard is not None and not self.value(step.guard):
            return False
        self.settle(step.then[0], listener)
        return True

    def alternatives(
        self, listener: Heard, fork: Callable[[Heard], Heard], made: frozenset[int] = frozenset()
    ) -> Iterator[tuple[Activation, Heard, bool]]:
        """Each way through the choices that it stands at: a choice is part of the access that follows it.

        Yields an activation, with its own copy of the listener, that stands at the access; or True with one that is back at
        a choice which it has just made, or comes to rest: its move was all local, and is over.
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
            if chosen.at is not None and (chosen.at.number in made or chosen.at.rests):
                yield chosen, heard, True
            else:
                yield from chosen.alternatives(heard, fork, made)

    def settle(self, tree: ir.Tree, listener: Listener) -> None:
        """Local work, up to the next step.  Raises Impossible."""
        # by type, the most frequent first: half of a search's time goes by here
        while not isinstance(tree, ir.Step):
            if isinstance(tree, ir.If):
                taken = bool(self.value(tree.test))
                listener.branch(tree.place, taken)
                tree = tree.yes if taken else tree.no
            elif isinstance(tree, ir.Goto):
                tree = self.graph.labels[tree.label]
            elif isinstance(tree, ir.Let):
                target, value = tree.target, self.value(tree.value)
                if isinstance(target, ir.Local):
                    self.env[target.name] = value
                else:
                    self.privates[target.word] = value
                tree = tree.then
            elif isinstance(tree, ir.Ghost):
                listener.ghost(tree.op, self._owner(tree.owner), self.value(tree.kind))
                tree = tree.then
            elif isinstance(tree, ir.Claim):
                holds = bool(self.value(tree.test))
                if tree.always:
                    listener.claim(tree.name, holds)
                elif holds:
                    listener.happens(tree.name)
                tree = tree.then
            elif isinstance(tree, ir.When):
                if not self.value(tree.test):
                    raise Impossible
                tree = tree.then
            else:
                self.at, self.result = None, 0 if tree.value is None else self.value(tree.value)
                return
        self.at = tree
        live = self.graph.live[tree.number]
        self.env = {name: value for name, value in self.env.items() if name in live} if live else {}

    def value(self, e: ir.Expr) -> int:
        """The value of an expression.  The cases stand in the order of how often they come."""
        if isinstance(e, ir.Const):
            return e.value
        if isinstance(e, ir.Local):
            return self.env[e.name]
        if isinstance(e, ir.Op):
            if len(e.args) == 2:
                one, other = e.args
                return int(ir.FOLD[e.name](self.value(one), self.value(other)))
            return int(ir.FOLD[e.name](self.value(e.args[0])))
        if isinstance(e, ir.Fixed):
            return POISON if e.which == "poison" else self.reals[stem(e.cell.word)]
        if isinstance(e, ir.Private):
            return self.privates[e.word]
        if isinstance(e, ir.Population):
            return self.population()
        if isinstance(e, ir.Me) and isinstance(self.me, int):
            return self.me
        raise ValueError(f"{self.graph.name}: {e} has no value here")

    def _access(self, step: ir.Step, memory: Memory) -> int | None:
        """What the access gives; None: it cannot happen now."""
        if step.cell is None:
            return 0
        cell = self._resolve(step.cell)
        if step.op == "load":
            return memory.load(cell)
        if step.op == "store":
            value = self.value(step.operands[0])
            return 0 if (not step.publishes or memory.locked(cell)) and memory.store(cell, value) else None
        if not memory.locked(cell):
            return None
        operands = [self.value(o) for o in step.operands]
        old = memory.load(cell)
        match step.op:
            case op if op in ir.MODIFIES:
                memory.store(cell, ir.FOLD[ir.MODIFIES[op]](old, operands[0]))
            case "swap":
                memory.store(cell, operands[0])
            case "cas":
                if old == operands[0]:
                    memory.store(cell, operands[1])
                return int(old == operands[0])
        return old

    def _resolve(self, cell: ir.Cell) -> ir.Cell:
        return cell if isinstance(cell.owner, int) else made_out(self._owner(cell.owner), cell.word)

    def _owner(self, owner: int | str | ir.Local) -> int | str:
        if isinstance(owner, ir.Local):
            return self.env[owner.name]
        return self.me if owner == ir.SELF else owner
