"""The steps of a graph as guarded commands: from a place every way to the next one, as conditions and what it writes.

`promela` prints them, and `symbolic` makes terms of them.  This says again, in another form, what `Activation` and
`model.process` do by running a graph: a second author that shares only the graph with them, so that Spin checks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from safepoint.graph import ir
from safepoint.graph.execute import POISON
from safepoint.protocol.words import HANDSHAKE, INTERRUPT, TERMINATE

NO, YES = ir.Const(0), ir.Const(1)
OWED, HELD, DUE = GHOSTS = ("owed", "held", "due")
"""What is kept of each thread's requests, as if in words of its own: posted and not taken, taken and not served, served and
not raised."""
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

    `writes`: locals, private and shared words, and ghosts (`GHOSTS`, `Commands.waits`).  `sent`: TSO, the store that it sends on its way.
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

    def claiming(self, name: str, test: ir.Expr) -> Command:
        return replace(self, claims=(*self.claims, (name, test)))

    def now(self, ghost: ir.Cell) -> ir.Expr:
        """What a ghost, or a word in memory, is after the writes so far."""
        return self.writes.get(ghost, Word(str(ghost), ghost))

    def adding(self, ghost: ir.Cell, kinds: ir.Expr) -> Command:
        return self.writing(ghost, ir.fold("|", self.now(ghost), kinds))

    def removing(self, ghost: ir.Cell, kinds: ir.Expr) -> Command:
        return self.writing(ghost, ir.fold("&", self.now(ghost), ir.fold("~", kinds)))

    def having(self, ghost: ir.Cell, kinds: ir.Expr) -> Command:
        """This command, which claims that the ghost has all of these: what it says happens once."""
        return self.claiming("served-once", ir.fold("==", ir.fold("&", self.now(ghost), kinds), kinds))

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
    whose stores are delayed, of which `room` may be on their way.  `waits`: the ghost that says which thread's operation it waits
    for (0: none, 1: the first, `has_run`: it has run); `waiting`: every requester's.  `takes`: the text says what an owner takes.
    `hint`: the kind whose bit is a hint, and is not owed until it is "asked".  `brakes`: the words that must be 0, or it stands still.
    """

    graph: ir.Graph
    me: int | str = ir.SELF
    reals: Mapping[str, int] = field(default_factory=dict)
    stored: tuple[ir.Cell, ...] = ()
    room: int = 0
    waits: ir.Cell | None = None
    waiting: tuple[ir.Cell, ...] = ()
    has_run: int = 0
    takes: bool = True
    hint: int = HANDSHAKE
    brakes: tuple[ir.Cell, ...] = ()

    def begin(self) -> Iterator[Command]:
        yield from self._settle(self.graph.start, Command())

    def of(self, step: ir.Step) -> Iterator[Command]:
        """Enumerate the ways to make the step.  Raises NoCommand."""
        runs = tuple(ir.fold("==", Word(str(brake), brake), NO) for brake in self.brakes)
        yield from self._choosing(step, Command(guards=runs), frozenset())

    def _choosing(self, step: ir.Step, c: Command, made: frozenset[int]) -> Iterator[Command]:
        """A choice goes on to the access after it; back at a choice that it has made, or at rest, the step is over, and was all local.

        So does an atomic block, to its last access.
        """
        if not step.joined:
            c = replace(c, access=step)
        if step.op != "choose":
            for after in self._access(step, c):
                for done in self._settle(step.then[0], after):
                    assert done.end is not None
                    yield from self._choosing(done.end, done, made) if done.end.joined else (done,)
            return
        made |= {step.number}
        for case, tree in zip(step.cases, step.then, strict=True):
            for chosen in self._settle(tree, replace(c, cases=(*c.cases, case))):
                assert chosen.end is not None
                if chosen.end.number in made or chosen.end.rests or (step.joined and not chosen.end.joined):
                    yield chosen
                else:
                    yield from self._choosing(chosen.end, chosen, made)

    def _access(self, step: ir.Step, c: Command) -> Iterator[Command]:
        """What the access does to memory, and what it gives; only where the step's guard lets it."""
        empties = self.room and step.op in ("fence", "atomic")
        silent = ((w, NO) for w in c.when(ir.fold("==", SENT, NO) if empties else YES))
        for after, result in self._memory(step, c) if step.cell else silent:
            done = after.writing(ir.RESULT, result)
            yield from done.when(YES if step.guard is None else self._value(step.guard, done))

    def _memory(self, step: ir.Step, c: Command) -> Iterator[tuple[Command, ir.Expr]]:
        assert step.cell is not None
        cell = self._cell(step.cell, c)
        old, operands = c.now(cell), [self._value(o, c) for o in step.operands]
        match step.op:
            case "load":
                # an atomic block begins with nothing on its way, and goes to memory itself
                yield c, old if step.joined else Word(str(cell), cell, buffered=cell in self.stored)
                return
            case "store" if self.room and not step.joined and not step.publishes:
                yield from (
                    (w, NO) for w in replace(c, sent=(cell, operands[0])).when(ir.fold("<", SENT, ir.Const(self.room)))
                )
                return
            case "store" if not (self.room and step.publishes):
                yield c.writing(cell, operands[0]), NO
                return
        for w in c.when(ir.fold("==", SENT, NO) if self.room else YES):
            match step.op:
                case op if op in ir.MODIFIES:
                    yield w.writing(cell, ir.fold(ir.MODIFIES[op], old, operands[0])), old
                case "swap" | "store":
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
                owner = self._cell(ir.Cell(owner, OWED), c).owner
                for told in self._ghost(op, owner, self._value(kind, c), c):
                    yield from self._settle(then, told, passed)
            case ir.Claim(name, test, then, always):
                yield from self._settle(then, c.claiming(name, self._value(test, c)) if always else c, passed)
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
            case ir.Me():
                if not isinstance(self.me, int):
                    raise NoCommand(f"{self.graph.name}: it compares threads, and has no form for any number of them")
                return ir.Const(self.me)
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

    def _ghost(self, op: str, owner: int | str | ir.Local, kind: ir.Expr, c: Command) -> Iterator[Command]:
        """What the text says of a thread's requests, as `protocol.language` means it."""
        if any(isinstance(t, ir.Cell) and t.word in GHOSTS and t.owner != owner for t in c.writes):
            raise NoCommand(f"{op}: a step says something of the requests of two threads")
        owed, held, due = (ir.Cell(owner, ghost) for ghost in GHOSTS)
        requests = ir.fold("&", kind, ir.Const(~self.hint))
        match op:
            case "posted":
                yield c.adding(owed, requests)
            case "asked":
                new = ir.fold("==", ir.fold("&", c.now(owed), kind), NO)
                c = c.claiming("served-once", new).adding(owed, kind)
                yield self._says(c, NO, self._number(owner)) if self.waits else c
            case "taken":
                yield c.removing(owed, requests).adding(held, requests)
            case "given_back":
                yield c.having(held, kind).removing(held, kind).adding(owed, kind)
            case "served" if self.takes:
                raising = ir.fold("&", kind, ir.Const(INTERRUPT | TERMINATE))
                yield c.having(held, kind).removing(held, kind).adding(due, raising)
            case "cleared":
                yield c.adding(held, ir.fold("&", c.now(owed), kind)).removing(owed, kind)
            case "served":
                still = ir.fold("&", kind, ir.fold("~", c.now(held)))
                yield c.removing(owed, still).removing(held, kind)
            case "dropped":
                yield c.removing(owed, kind) if self.takes else c.removing(owed, kind).removing(held, kind)
            case "ran":
                yield from self._has_run(owner, c.having(owed, kind).removing(owed, kind), self.waiting)
            case "finished":
                yield self._says(c, ir.Const(self.has_run), NO) if self.waits else c
            case "raises":
                yield c.claiming("raises-what-is-due", ir.fold("==", c.now(due), kind)).writing(due, NO)
            case _:
                raise NoCommand(f"{op}: a ghost that has no form as a command")

    def _says(self, c: Command, before: ir.Const, after: ir.Expr) -> Command:
        """What became of the operation that the requester asked for must be `before`, and is `after` from now on."""
        assert self.waits is not None
        return c.claiming("done-was-run", ir.fold("==", c.now(self.waits), before)).writing(self.waits, after)

    def _number(self, owner: int | str | ir.Local) -> ir.Expr:
        """How a requester says for which thread's operation it waits."""
        if not isinstance(owner, int):
            raise NoCommand(f"{self.graph.name}: an operation on a thread without a number")
        return ir.Const(owner + 1)

    def _has_run(self, owner: int | str | ir.Local, c: Command, waiting: tuple[ir.Cell, ...]) -> Iterator[Command]:
        """Whichever requester waits for the operation waits no more."""
        if not waiting:
            yield c
            return
        waits, *others = waiting
        mine = ir.fold("==", c.now(waits), self._number(owner))
        for done in c.when(mine):
            yield from self._has_run(owner, done.writing(waits, ir.Const(self.has_run)), tuple(others))
        for still in c.when(negated(mine)):
            yield from self._has_run(owner, still, tuple(others))

    def _endless(self, label: int) -> str:
        """The complaint about local work that comes back to a label."""
        turn = self.graph.local(self.graph.labels[label])
        places = [tree.place for tree in turn if isinstance(tree, ir.Let | ir.If) and tree.place]
        said = f"{self.graph.name} can go round a loop without an access to shared memory"
        return ": ".join([*places[:1], f"{said} (write instead: pause() in each turn)"])


def negated(e: ir.Expr) -> ir.Expr:
    match e:
        case ir.Op(name, args) if name in OPPOSITE:
            return ir.fold(OPPOSITE[name], *args)
    return ir.fold("==", e, NO)
