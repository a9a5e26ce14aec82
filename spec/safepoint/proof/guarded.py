"""The steps of a graph as guarded commands: from a place every way to the next one, as conditions and what it writes.

`promela` prints them, and `symbolic` makes terms of them.  This says again, in another form, what `Activation` and
`model.process` do by running a graph: a second author, who shares nothing with them but the graph, so that Spin checks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    Graph,
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
from safepoint.proof.turns import following

NO, YES = Const(0), Const(1)
SENT = Local("sent")
"""How many of the process's own stores are on their way to memory."""
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class NoCommand(ValueError):
    """What a text does has no form as a command."""


@dataclass(frozen=True)
class Word(Local):
    """What a shared word holds before the step; `buffered`: its process's own stores that are on their way come first."""

    cell: Cell
    buffered: bool = False


@dataclass(frozen=True)
class Command:
    """One way from a place to the next, `end`.  Every expression is over the state before: its locals, privates and `Word`s.

    `writes`: locals, private and shared words, and ghosts (as the word "owed").  `sent`: TSO, the store that it sends on its way.
    `access`: the step whose access it makes, after the choices `cases`.
    """

    guards: tuple[Expr, ...] = ()
    writes: Mapping[Local | Private | Cell, Expr] = field(default_factory=dict)
    claims: tuple[tuple[str, Expr], ...] = ()
    sent: tuple[Cell, Expr] | None = None
    cases: tuple[str, ...] = ()
    access: Step | None = None
    end: Step | None = None

    def writing(self, target: Local | Private | Cell, value: Expr) -> Command:
        return replace(self, writes={**self.writes, target: value})

    def when(self, test: Expr) -> Iterator[Command]:
        """This command, if the test holds; none if it never does."""
        if not isinstance(test, Const):
            yield replace(self, guards=(*self.guards, test))
        elif test.value:
            yield self


@dataclass(frozen=True)
class Commands:
    """The commands of one graph.

    `me`: whose words are its own.  `reals`: the real values of trigger words, if they are known.  `stored`: under TSO the words
    whose stores are delayed, of which `room` may be on their way.
    """

    graph: Graph
    me: int | str = SELF
    reals: Mapping[str, int] = field(default_factory=dict)
    stored: tuple[Cell, ...] = ()
    room: int = 0

    def begin(self) -> Iterator[Command]:
        yield from self._settle(self.graph.start, Command())

    def of(self, step: Step) -> Iterator[Command]:
        """Every way to make the step.  Raises NoCommand."""
        yield from self._choosing(step, Command(), frozenset())

    def _choosing(self, step: Step, c: Command, made: frozenset[int]) -> Iterator[Command]:
        """A choice goes on to the access after it; back at a choice that it has made, the step is over, and was all local."""
        c = replace(c, access=step)
        if step.op != "choose":
            for after in self._access(step, c):
                yield from self._settle(step.then[0], after)
            return
        made |= {step.number}
        for case, tree in zip(step.cases, step.then, strict=True):
            for chosen in self._settle(tree, replace(c, cases=(*c.cases, case))):
                assert chosen.end is not None
                if chosen.end.number in made:
                    yield chosen
                else:
                    yield from self._choosing(chosen.end, chosen, made)

    def _access(self, step: Step, c: Command) -> Iterator[Command]:
        """What the access does to memory, and what it gives; only where the step's guard lets it."""
        for after, result in self._memory(step, c) if step.cell else [(c, NO)]:
            done = after.writing(RESULT, result)
            yield from done.when(YES if step.guard is None else self._value(step.guard, done))

    def _memory(self, step: Step, c: Command) -> Iterator[tuple[Command, Expr]]:
        assert step.cell is not None
        cell = self._cell(step.cell, c)
        old, operands = Word(str(cell), cell), [self._value(o, c) for o in step.operands]
        match step.op:
            case "load":
                yield c, replace(old, buffered=cell in self.stored)
                return
            case "store" if self.room:
                yield from (
                    (w, NO) for w in replace(c, sent=(cell, operands[0])).when(fold("<", SENT, Const(self.room)))
                )
                return
            case "store":
                yield c.writing(cell, operands[0]), NO
                return
        for w in c.when(fold("==", SENT, NO) if self.room else YES):
            match step.op:
                case "fetch_or":
                    yield w.writing(cell, fold("|", old, operands[0])), old
                case "fetch_and":
                    yield w.writing(cell, fold("&", old, operands[0])), old
                case "swap":
                    yield w.writing(cell, operands[0]), old
                case "cas":
                    yield from ((y.writing(cell, operands[1]), YES) for y in w.when(fold("==", old, operands[0])))
                    yield from ((n, NO) for n in w.when(fold("!=", old, operands[0])))
                case _:
                    raise NoCommand(f"{step.file}:{step.line}: {step.op}: an access that has no form as a command")

    def _settle(self, tree: Tree, c: Command, passed: frozenset[int] = frozenset()) -> Iterator[Command]:
        """Local work up to the next step.  `passed`: the labels on the way."""
        match tree:
            case Step():
                yield replace(c, end=tree)
            case Goto(label):
                if label in passed:
                    raise NoCommand(self._endless(label))
                yield from self._settle(self.graph.labels[label], c, passed | {label})
            case Let(target, value, then):
                yield from self._settle(then, c.writing(target, self._value(value, c)), passed)
            case If(test, yes, no):
                value = self._value(test, c)
                for taken in c.when(value):
                    yield from self._settle(yes, taken, passed)
                for taken in c.when(negated(value)):
                    yield from self._settle(no, taken, passed)
            case Ghost(op, owner, kind, then):
                owed = self._cell(Cell(owner, "owed"), c)
                yield from self._settle(then, _ghost(op, owed, self._value(kind, c), c), passed)
            case Claim(name, test, then):
                yield from self._settle(then, replace(c, claims=(*c.claims, (name, self._value(test, c)))), passed)
            case When(test, then):
                for taken in c.when(self._value(test, c)):
                    yield from self._settle(then, taken, passed)
            case Done():
                name = self.graph.name
                raise NoCommand(f"{name}: a role of the model must not end (write instead: `return {name}(…)`)")

    def _value(self, e: Expr, c: Command) -> Expr:
        """The expression over the state before this command."""
        match e:
            case Local() | Private():
                return c.writes.get(e, e)
            case Fixed(_, "poison"):
                return Const(POISON)
            case Fixed(cell, which):
                base = cell.word.split("[")[0]
                return Const(self.reals[base]) if self.reals else Fixed(self._cell(cell, c), which)
            case Op(name, args):
                return fold(name, *(self._value(a, c) for a in args))
        return e

    def _cell(self, cell: Cell, c: Command) -> Cell:
        """The word, its owner made out.  A local that numbers a thread must still mean what it meant before the step."""
        if isinstance(cell.owner, Local) and cell.owner in c.writes:
            raise NoCommand(f"{self.graph.name}: {cell} is of another thread than the step before it")
        return Cell(self.me, cell.word) if cell.owner == SELF else cell

    def _endless(self, label: int) -> str:
        """The complaint about local work that comes back to a label."""
        todo, seen, places = [self.graph.labels[label]], set[int](), list[str]()
        while todo:
            tree = todo.pop(0)
            if id(tree) not in seen and not isinstance(tree, Step):
                seen.add(id(tree))
                places += [tree.place] if isinstance(tree, Let | If) and tree.place else []
                todo += following(self.graph, tree)
        said = f"{self.graph.name} can go round a loop without an access to shared memory"
        return ": ".join([*places[:1], f"{said} (write instead: pause() in each turn)"])


def _ghost(op: str, owed: Cell, kind: Expr, c: Command) -> Command:
    if any(isinstance(t, Cell) and t.word == "owed" and t != owed for t in c.writes):
        raise NoCommand(f"{op}: a step says something of the requests of two threads")
    now = c.writes.get(owed, Word(str(owed), owed))
    match op:
        case "posted":
            return c.writing(owed, fold("|", now, kind))
        case "ran":
            c = replace(c, claims=(*c.claims, ("served-once", fold("&", now, kind))))
    return c.writing(owed, fold("&", now, fold("~", kind)))


def negated(e: Expr) -> Expr:
    match e:
        case Op(name, args) if name in OPPOSITE:
            return fold(OPPOSITE[name], *args)
    return fold("==", e, NO)
