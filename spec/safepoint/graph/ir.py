"""What a protocol text becomes: a small graph of atomic steps, the one input of the explorer, the reference machine and
the code generator.

A `Step` is one shared access (or a silent place) and then a *tree* of local work that ends in the next steps.  Everything
static is gone: calls are inlined, `return f(t)` is a jump, loops over words are unrolled, mutants and constants are folded.
A label stands where control joins or goes round.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

SELF, WORLD = "self", "world"
MODIFIES = {"fetch_or": "|", "fetch_and": "&", "fetch_add": "+", "fetch_sub": "-"}
"""The locked accesses that give the old value and leave the result of an operator."""
OPERANDS = dict.fromkeys(MODIFIES, 1) | {"swap": 1, "cas": 2, "load": 0, "look": 0, "store": 1, "publish": 1}
"""Each access, and how many operands it has."""
LOCKED = (*MODIFIES, "swap", "cas")
ACCESSES = tuple(OPERANDS)
GHOSTS = {"posted": True, "asked": True, "given_back": True, "dropped": True, "finished": True,
          "served": False, "ran": False, "taken": False, "raises": False}  # fmt: skip
"""The ghost statements of the language; whether the thread is the first of the two arguments, or the kinds are."""
FOLD: dict[str, Callable[..., int]] = {
    "&": operator.and_, "|": operator.or_, "+": operator.add, "-": operator.sub, "~": operator.inv,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class Const:
    value: int


@dataclass(frozen=True)
class Local:
    """A local variable: lives in the running thread, while it is live."""

    name: str


@dataclass(frozen=True)
class Private:
    """A word only its owner touches: lives as long as the thread."""

    word: str


@dataclass(frozen=True)
class Cell:
    """A shared word: of the running thread (SELF), of the WORLD, of thread number `owner`, or of the one a local numbers."""

    owner: int | str | Local
    word: str

    def __str__(self) -> str:
        match self.owner:
            case int(number):
                return f"T{number}.{self.word}"
            case Local(name):
                return f"{name.split('.')[-1]}.{self.word}"
            case owner:
                return f"{owner}.{self.word}"


@dataclass(frozen=True)
class Fixed:
    """A constant of a trigger word: "real" or "poison"."""

    cell: Cell
    which: str


@dataclass(frozen=True)
class Population:
    """How many threads the world has (machine code only: in a model it is a constant)."""


@dataclass(frozen=True)
class Me:
    """The number of the running thread."""


@dataclass(frozen=True)
class Op:
    name: str
    args: tuple[Expr, ...]


Expr = Const | Local | Private | Fixed | Population | Me | Op


@dataclass(eq=False)
class Step:
    """op: an access, or "choose", "pause", "rest", "fence", "fence_others", or "atomic", the beginning of an atomic block.
    `order`: of an access, one of `graph.orders`.  `guard` (of the result): the step waits until it is true.  `rests`: the text says
    that this wait may last for ever.  `joined`: it stands in an atomic block, and is part of its move.
    """

    number: int
    op: str
    cell: Cell | None
    operands: tuple[Expr, ...]
    where: tuple[str, ...]  # the procedures around it, outermost first
    line: int  # in the file of the innermost procedure
    source: str  # the statement, as it stands in the text
    file: str = ""  # that the line is of
    guard: Expr | None = None
    joined: bool = False
    then: list[Tree] = field(default_factory=list)  # one tree; for "choose" one for each case
    cases: tuple[str, ...] = ()  # their names
    rests: bool = False
    order: str = ""
    publishes: bool = False  # a store that is seen before its thread looks at anything: it waits in no store buffer

    @property
    def name(self) -> str:
        """Names the step to people and in replay strings: where it is, and what it does."""
        what = self.op if self.cell is None else f"{self.op} {self.cell}"
        return f"{'/'.join(self.where)}:{what}"


@dataclass(frozen=True)
class Let:
    target: Local | Private
    value: Expr
    then: Tree
    place: str = field(default="", compare=False)  # file:line


@dataclass(frozen=True)
class If:
    test: Expr
    yes: Tree
    no: Tree
    place: str = field(default="", compare=False)  # file:line


@dataclass(frozen=True)
class Ghost:
    """op: what the text says of a request, such as "posted"; `protocol.language` has them all, with their meaning."""

    op: str
    owner: int | str | Local
    kind: Expr
    then: Tree


@dataclass(frozen=True)
class Claim:
    """`always`: the test must hold whenever a thread comes here; if not, some thread must come here again and again when it does."""

    name: str
    test: Expr
    then: Tree
    always: bool = True


@dataclass(frozen=True)
class When:
    test: Expr
    then: Tree


@dataclass(frozen=True)
class Goto:
    label: int


@dataclass(frozen=True)
class Done:
    value: Expr | None


Tree = Step | Let | If | Ghost | Claim | When | Goto | Done

RESULT = Local("_")
"""What the access of a step gave, during the local work that follows it."""


@dataclass(eq=False)
class Graph:
    """One procedure or role.  `params`: its integer parameters.  `live[n]`: locals that must survive until step n begins.

    `record`: class of the record that it is given: "Me", its own; "Thread", that of any thread; "": it is given none.
    `looks`: numbers of the steps at which it waits without a guard, by looking again: a machine suspends it when it comes
    back to one.
    """

    name: str
    owner: str  # SELF; or WORLD for a requester
    params: tuple[str, ...]
    start: Tree
    steps: list[Step]
    labels: dict[int, Tree]
    live: dict[int, frozenset[str]] = field(default_factory=dict)
    mutated: bool = False  # is the instance's mutant in it?
    record: str = ""
    looks: frozenset[int] = frozenset()
    read: frozenset[str] = frozenset()  # the procedures that were looked into to make it
    said: dict[int, tuple[Ghost, ...]] = field(default_factory=dict, repr=False, compare=False)
    """Of the steps that `activity` was asked for, the ghost statements that follow."""

    def cells(self) -> set[Cell]:
        return {s.cell for s in self.steps if s.cell}

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """Every node of local work, and every step, once.  Found once: a finished graph does not change."""
        todo: list[Tree] = [self.start, *self.labels.values(), *self.steps]
        found: dict[int, Tree] = {}
        while todo:
            tree = todo.pop()
            if id(tree) not in found:
                found[id(tree)] = tree
                todo += self.following(tree)
        return tuple(found.values())

    def following(self, tree: Tree) -> list[Tree]:
        """The nodes that come next."""
        match tree:
            case Step(then=then):
                return then
            case If(_, yes, no):
                return [yes, no]
            case Goto(label):
                return [self.labels[label]]
            case Done():
                return []
        return [tree.then]

    def local(self, tree: Tree, without: Iterable[Tree] = ()) -> Iterator[Tree]:
        """Local work from this node on, up to the next steps; each node once, and none beyond those of `without`."""
        todo, seen = [tree], {id(other) for other in without}
        while todo:
            tree = todo.pop()
            if not isinstance(tree, Step) and id(tree) not in seen:
                seen.add(id(tree))
                yield tree
                todo += self.following(tree)

    def expressions(self) -> Iterator[Expr]:
        for step in self.steps:
            yield from step.operands
            if step.guard is not None:
                yield step.guard
        for tree in self.trees:
            match tree:
                case Let(value=e) | If(test=e) | Ghost(kind=e) | Claim(test=e) | When(test=e):
                    yield e
                case Done(value=e) if e is not None:
                    yield e

    def next_steps(self, tree: Tree) -> Iterator[Step]:
        """The steps to which local work may lead.  A loop over all threads is left, not taken once more."""
        todo, seen = [tree], set[int]()
        while todo:
            match todo.pop():
                case Step() as step:
                    yield step
                case Let(number, Op("+", (old, Const(1))), Goto(label)) if number == old:
                    turn = self.labels[label]
                    todo.append(turn.no if isinstance(turn, If) else turn)
                case Goto(label) if label not in seen:
                    seen.add(label)
                    todo.append(self.labels[label])
                case If(_, yes, no):
                    todo += [yes, no]
                case Let(then=then) | Ghost(then=then) | Claim(then=then) | When(then=then):
                    todo.append(then)


def fold(name: str, *args: Expr) -> Expr:
    values = [a.value for a in args if isinstance(a, Const)]
    return Const(int(FOLD[name](*values))) if len(values) == len(args) else Op(name, args)


def truth(e: Expr) -> Expr:
    """1 if it is not 0, else 0."""
    match e:
        case Op("==" | "!=" | "<" | "<=" | ">" | ">=", _):
            return e
    return fold("!=", e, Const(0))


def atoms(e: Expr | None) -> Iterator[Expr]:
    """The leaves of an expression."""
    match e:
        case Op(args=args):
            for a in args:
                yield from atoms(a)
        case None:
            pass
        case _:
            yield e
