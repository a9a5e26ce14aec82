"""The steps of a graph as guarded commands: from a place every way to the next one, as conditions and what it writes.

`promela` prints them, and `symbolic` makes terms of them.  This says again, in another form, what `Activation` and
`model.process` do by running a graph: a second author that shares only the graph with them, so that Spin checks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from safepoint.graph import ir
from safepoint.graph.execute import POISON
from safepoint.proof.turns import following

NO, YES = ir.Const(0), ir.Const(1)
SENT = ir.Local("sent")
"""How many of the process's own stores are on their way to memory."""
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class NoCommand(ValueError):
    """What a text does has no form as a command."""


@dataclass(frozen=True)
class Word(ir.Local):
    """What a shared word holds before the step; `buffered`: its process's own stores that are on their way come first."""

    cell: ir.Cell
    buffered: bool = False


@dataclass(frozen=True)
class Command:
    """One way from a place to the next, `end`.  Every expression is over the state before: its locals, privates and `Word`s.

    `writes`: locals, private and shared words, and ghosts (as the word "owed").  `sent`: TSO, the store that it sends on its way.
    `access`: the step whose access it makes, after the choices `cases`.
    """

    guards: tuple[ir.Expr, ...] = ()
    writes: Mapping[ir.Local | ir.Private | ir.Cell, ir.Expr] = field(default_factory=dict)
    claims: tuple[tuple[str, ir.Expr], ...] = ()
    sent: tuple[ir.Cell, ir.Expr] | None = None
    cases: tuple[str, ...] = ()
    access: ir.Step | None = None
    end: ir.Step | None = None

    def writing(self, target: ir.Local | ir.Private | ir.Cell, value: ir.Expr) -> Command:
        return replace(self, writes={**self.writes, target: value})

    def when(self, test: ir.Expr) -> Iterator[Command]:
        """This command, if the test holds; none if it never does."""
        if not isinstance(test, ir.Const):
            yield replace(self, guards=(*self.guards, test))
        elif test.value:
            yield self


@dataclass(frozen=True)
class Commands:
    """The commands of one graph.

    `me`: whose words are its own.  `reals`: the real values of trigger words, if they are known.  `stored`: under TSO the words
    whose stores are delayed, of which `room` may be on their way.
    """

    graph: ir.Graph
    me: int | str = ir.SELF
    reals: Mapping[str, int] = field(default_factory=dict)
    stored: tuple[ir.Cell, ...] = ()
    room: int = 0

    def begin(self) -> Iterator[Command]:
        yield from self._settle(self.graph.start, Command())

    def of(self, step: ir.Step) -> Iterator[Command]:
        """Enumerate the ways to make the step.  Raises NoCommand."""
        yield from self._choosing(step, Command(), frozenset())

    def _choosing(self, step: ir.Step, c: Command, made: frozenset[int]) -> Iterator[Command]:
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

    def _access(self, step: ir.Step, c: Command) -> Iterator[Command]:
        """What the access does to memory, and what it gives; only where the step's guard lets it."""
        for after, result in self._memory(step, c) if step.cell else [(c, NO)]:
            done = after.writing(ir.RESULT, result)
            yield from done.when(YES if step.guard is None else self._value(step.guard, done))

    def _memory(self, step: ir.Step, c: Command) -> Iterator[tuple[Command, ir.Expr]]:
        assert step.cell is not None
        cell = self._cell(step.cell, c)
        old, operands = Word(str(cell), cell), [self._value(o, c) for o in step.operands]
        match step.op:
            case "load":
                yield c, replace(old, buffered=cell in self.stored)
                return
            case "store" if self.room:
                yield from (
                    (w, NO) for w in replace(c, sent=(cell, operands[0])).when(ir.fold("<", SENT, ir.Const(self.room)))
                )
                return
            case "store":
                yield c.writing(cell, operands[0]), NO
                return
        for w in c.when(ir.fold("==", SENT, NO) if self.room else YES):
            match step.op:
                case "fetch_or":
                    yield w.writing(cell, ir.fold("|", old, operands[0])), old
                case "fetch_and":
                    yield w.writing(cell, ir.fold("&", old, operands[0])), old
                case "swap":
                    yield w.writing(cell, operands[0]), old
                case "cas":
                    yield from ((y.writing(cell, operands[1]), YES) for y in w.when(ir.fold("==", old, operands[0])))
                    yield from ((n, NO) for n in w.when(ir.fold("!=", old, operands[0])))
                case _:
                    raise NoCommand(f"{step.file}:{step.line}: {step.op}: an access that has no form as a command")

    def _settle(self, tree: ir.Tree, c: Command, passed: frozenset[int] = frozenset()) -> Iterator[Command]:
        """Local work up to the next step.  `passed`: the labels on the way."""
        match tree:
            case ir.Step():
                yield replace(c, end=tree)
            case ir.Goto(label):
                if label in passed:
                    raise NoCommand(self._endless(label))
                yield from self._settle(self.graph.labels[label], c, passed | {label})
            case ir.Let(target, value, then):
                yield from self._settle(then, c.writing(target, self._value(value, c)), passed)
            case ir.If(test, yes, no):
                value = self._value(test, c)
                for taken in c.when(value):
                    yield from self._settle(yes, taken, passed)
                for taken in c.when(negated(value)):
                    yield from self._settle(no, taken, passed)
            case ir.Ghost(op, owner, kind, then):
                owed = self._cell(ir.Cell(owner, "owed"), c)
                yield from self._settle(then, _ghost(op, owed, self._value(kind, c), c), passed)
            case ir.Claim(name, test, then):
                yield from self._settle(then, replace(c, claims=(*c.claims, (name, self._value(test, c)))), passed)
            case ir.When(test, then):
                for taken in c.when(self._value(test, c)):
                    yield from self._settle(then, taken, passed)
            case ir.Done():
                name = self.graph.name
                raise NoCommand(f"{name}: a role of the model must not end (write instead: `return {name}(…)`)")

    def _value(self, e: ir.Expr, c: Command) -> ir.Expr:
        """The expression over the state before this command."""
        match e:
            case ir.Local() | ir.Private():
                return c.writes.get(e, e)
            case ir.Fixed(_, "poison"):
                return ir.Const(POISON)
            case ir.Fixed(cell, which):
                base = cell.word.split("[")[0]
                return ir.Const(self.reals[base]) if self.reals else ir.Fixed(self._cell(cell, c), which)
            case ir.Op(name, args):
                return ir.fold(name, *(self._value(a, c) for a in args))
        return e

    def _cell(self, cell: ir.Cell, c: Command) -> ir.Cell:
        """Resolve the owner of a word.  A local that numbers a thread must still mean what it meant before the step."""
        if isinstance(cell.owner, ir.Local) and cell.owner in c.writes:
            raise NoCommand(f"{self.graph.name}: {cell} is of another thread than the step before it")
        return ir.Cell(self.me, cell.word) if cell.owner == ir.SELF else cell

    def _endless(self, label: int) -> str:
        """The complaint about local work that comes back to a label."""
        todo, seen, places = [self.graph.labels[label]], set[int](), list[str]()
        while todo:
            tree = todo.pop(0)
            if id(tree) not in seen and not isinstance(tree, ir.Step):
                seen.add(id(tree))
                places += [tree.place] if isinstance(tree, ir.Let | ir.If) and tree.place else []
                todo += following(self.graph, tree)
        said = f"{self.graph.name} can go round a loop without an access to shared memory"
        return ": ".join([*places[:1], f"{said} (write instead: pause() in each turn)"])


def _ghost(op: str, owed: ir.Cell, kind: ir.Expr, c: Command) -> Command:
    if any(isinstance(t, ir.Cell) and t.word == "owed" and t != owed for t in c.writes):
        raise NoCommand(f"{op}: a step says something of the requests of two threads")
    now = c.writes.get(owed, Word(str(owed), owed))
    match op:
        case "posted":
            return c.writing(owed, ir.fold("|", now, kind))
        case "ran":
            c = replace(c, claims=(*c.claims, ("served-once", ir.fold("&", now, kind))))
    return c.writing(owed, ir.fold("&", now, ir.fold("~", kind)))


def negated(e: ir.Expr) -> ir.Expr:
    match e:
        case ir.Op(name, args) if name in OPPOSITE:
            return ir.fold(OPPOSITE[name], *args)
    return ir.fold("==", e, NO)
